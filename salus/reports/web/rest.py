"""For programs: the report of a campaign, who is behind a figure, the entries of the log and its verification."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema

from salus.audit.contracts import Action, Filters
from salus.identity.api import api_key_auth
from salus.identity.contracts import Idempotency, Permission
from salus.kernel.errors import BadInput
from salus.kernel.time import in_utc
from salus.reports import api
from salus.reports.contracts import Counted, Figure, Wanted
from salus.reports.web.documents import entry_document, entry_values

router = Router()


class Count(Schema):
    """How many, for which reason or rule."""

    code: str
    count: int
    sentence: str = ""
    citations: list[str] = []


class Report(Schema):
    """What became of everybody: planned = cleared + refused, cleared = the sum of `outcomes`; `unaccounted` is 0."""

    campaign_id: UUID
    plan_id: UUID
    status: str
    launched_at: datetime | None
    planned: int
    cleared: int
    refused: int
    unaccounted: int
    uncertain: int
    outcomes: dict[str, int]
    protection: dict[str, int]
    refused_by_reason: list[Count]
    cleared_by_rule: list[Count]
    stopped_by_reason: list[Count]
    portal_by_reason: list[Count]
    failed_by_reason: list[Count]
    opened: dict[str, int]
    clicked: dict[str, int]
    read_in_portal: int
    readers: int


class Recipient(Schema):
    """One person behind a figure, by ids only."""

    message_id: UUID
    contact_id: UUID
    contact_number: int
    state: str
    reason: str
    rule: str
    protection: str
    uncertain: bool


class Recipients(Schema):
    """A page of them; ask again with `after` while it is given."""

    items: list[Recipient]
    after: int | None


class Entries(Schema):
    """A page of log entries, newest first; ask again with `after` while it is given."""

    items: list[dict[str, Any]]
    after: UUID | None


class Fault(Schema):
    """One disagreement that verification found."""

    position: int | None
    what: str


class Verdict(Schema):
    """What verifying the whole log found."""

    verified: bool
    entries: int
    pending: int
    checkpoints: int
    root: str
    faults: list[Fault]
    remarks: list[str]
    seconds: float


class LogQuery(Schema):
    """Which entries; what is not given does not narrow."""

    action: str = ""
    actor: UUID | None = None
    object: UUID | None = None
    patient: UUID | None = None
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None
    after: UUID | None = None


@router.get(
    "/reports/campaigns/{campaign_id}",
    response=Report,
    auth=api_key_auth(Permission.CAMPAIGNS_REPORT_READ),
    tags=["reports"],
    summary="The report of a campaign",
)
def report(request: HttpRequest, campaign_id: UUID) -> Report:
    """Return the report of a campaign, by its id or the id of its present plan; recorded."""
    found = api.campaign_report(campaign_id, actor=request.actor)  # type: ignore[attr-defined]
    return Report(
        campaign_id=found.campaign_id,
        plan_id=found.plan_id,
        status=found.status,
        launched_at=found.launched_at,
        planned=found.planned,
        cleared=found.cleared,
        refused=found.refused,
        unaccounted=found.unaccounted,
        uncertain=found.uncertain,
        outcomes={figure.value: count for figure, count in found.outcomes.items()},
        protection=dict(found.protection),
        refused_by_reason=_counts(found.refusals),
        cleared_by_rule=_counts(found.allowances),
        stopped_by_reason=_counts(found.stopped),
        portal_by_reason=_counts(found.detours),
        failed_by_reason=_counts(found.failures),
        opened={by.value: count for by, count in found.engagement.opened.items()},
        clicked={by.value: count for by, count in found.engagement.clicked.items()},
        read_in_portal=found.engagement.read,
        readers=found.engagement.readers,
    )


def _counts(counts: tuple[Counted, ...]) -> list[Count]:
    return [
        Count(
            code=each.code,
            count=each.count,
            sentence=each.told.sentence if each.told else "",
            citations=list(each.told.citations) if each.told else [],
        )
        for each in counts
    ]


@router.get(
    "/reports/campaigns/{campaign_id}/recipients",
    response=Recipients,
    auth=api_key_auth(Permission.CAMPAIGNS_RECIPIENTS_READ),
    tags=["reports"],
    summary="Who is behind a figure",
)
def recipients(
    request: HttpRequest, campaign_id: UUID, figure: Figure = Figure.ALL, reason: str = "", after: int = 0
) -> Recipients:
    """Return people behind a figure, by ids only; recorded."""
    found = api.who_exactly(campaign_id, Wanted(figure, reason), actor=request.actor, after=after)  # type: ignore[attr-defined]
    items = [
        Recipient(
            message_id=each.message_id,
            contact_id=each.contact_id,
            contact_number=each.contact_number,
            state=each.state,
            reason=each.reason,
            rule=each.rule,
            protection=each.reached,
            uncertain=each.uncertain,
        )
        for each in found
    ]
    return Recipients(items=items, after=items[-1].contact_number if len(items) == api.PAGE else None)


@router.get(
    "/log/entries",
    response=Entries,
    auth=api_key_auth(Permission.AUDIT_LOG_READ),
    tags=["log"],
    summary="Entries of the audit log",
)
def entries(request: HttpRequest, asked: Annotated[LogQuery, Query()]) -> Entries:
    """Return entries, newest first; recorded. `action` is a word, or the beginning of one ("contacts:")."""
    if asked.action and not any(word.startswith(asked.action) for word in Action):
        raise BadInput("No action of the log begins so.", place="action")
    filters = Filters(
        action=asked.action,
        actor_id=asked.actor,
        patient_id=asked.patient,
        object_id=asked.object,
        outcome=asked.outcome,
        since=in_utc(asked.since, place="since") if asked.since else None,
        until=in_utc(asked.until, place="until") if asked.until else None,
    )
    page = api.log_page(filters, actor=request.actor, after=asked.after)  # type: ignore[attr-defined]
    return Entries(
        items=[entry_values(each) for each in page.entries],
        after=page.entries[-1].id if page.more else None,
    )


@router.get(
    "/log/entries/{entry_id}",
    response=dict[str, Any],
    auth=api_key_auth(Permission.AUDIT_LOG_READ),
    tags=["log"],
    summary="One entry with its proof",
)
def entry(request: HttpRequest, entry_id: UUID) -> dict[str, Any]:
    """Return an entry and what proves it; `faults` is empty when it was found in the log, unchanged."""
    found = api.entry_proof(entry_id, actor=request.actor)  # type: ignore[attr-defined]
    return {**entry_values(found.entry), **entry_document(found), "proven": found.is_proven}


@router.post(
    "/log/verify",
    response=Verdict,
    auth=api_key_auth(Permission.AUDIT_LOG_VERIFY, idempotency=Idempotency.READS),
    tags=["log"],
    summary="Verify the log",
)
def verify(request: HttpRequest) -> Verdict:
    """Recompute the whole log and hold it against every signed checkpoint; recorded."""
    found = api.verify_log(actor=request.actor)  # type: ignore[attr-defined]
    return Verdict(
        verified=found.verified,
        entries=found.entries,
        pending=found.pending,
        checkpoints=found.checkpoints,
        root=found.root,
        faults=[Fault(position=each.position, what=each.what) for each in found.faults],
        remarks=list(found.remarks),
        seconds=found.seconds,
    )
