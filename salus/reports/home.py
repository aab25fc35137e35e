"""The first page: what waits for this person, what is being sent, how the week went, what comes next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from salus.campaigns import api as campaigns
from salus.campaigns.contracts import CAMPAIGN, Campaign, Status
from salus.content import api as content
from salus.delivery import api as delivery
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.inbox import api as inbox
from salus.intake import api as intake
from salus.intake.contracts import ImportStatus, Severity
from salus.kernel.acting import Actor
from salus.kernel.phi import Phi
from salus.reports import campaign as reporting
from salus.reports import log, rules
from salus.reports.contracts import Home, Live, LogHealth, Todo, TodoKind, Upcoming, Week
from salus.vendors import api as vendors
from salus.vendors.contracts import Why

MOST = 20
MOST_REASONS = 3
REJECTS_FOR = timedelta(days=14)
"""How long a finished import with rejects stays on the page."""
_NEXT = (Status.SCHEDULED, Status.APPROVED, Status.PLANNED, Status.PLANNING, Status.DRAFT)
"""In this order."""


def home(*, actor: Actor, at: datetime) -> Home:
    """Return the first page for `actor`: only what they may see."""
    may = actor.permissions
    reads_log = Permission.AUDIT_LOG_READ in may
    health = log.health() if reads_log else None
    staff = identity.second_factors() if Permission.IDENTITY_STAFF_MANAGE in may else None
    coming = campaigns.in_status(_NEXT, limit=MOST * 2) if Permission.CAMPAIGNS_CAMPAIGN_READ in may else []
    todos = [
        *([Todo(TodoKind.LOG_BROKEN, count=health.faults)] if health and _is_broken(health) else ()),
        *_of_tasks(actor),
        *_of_campaigns(coming, actor),
        *(_of_delivery(actor)),
        *(_of_content(actor)),
        *(_of_imports(actor, at)),
        *(_of_staff(staff)),
        *(_of_keys(actor, at)),
        *_of_vendors(actor, at),
    ]
    return Home(
        todos=tuple(todos[:MOST]),
        live=_live() if Permission.CAMPAIGNS_CAMPAIGN_READ in may else (),
        week=_week(at) if Permission.CAMPAIGNS_REPORT_READ in may else None,
        upcoming=_upcoming(coming),
        log=health,
        staff=staff,
    )


def _is_broken(health: LogHealth) -> bool:
    return health.verified_at is not None and not health.verified


def _of_campaigns(found: Iterable[Campaign], actor: Actor) -> Iterator[Todo]:
    """Yield campaigns whose next step is this person's."""
    for each in found:
        people = each.planned.cleared if each.planned else 0
        if each.status is Status.PLANNED and Permission.CAMPAIGNS_CAMPAIGN_APPROVE in actor.permissions:
            if each.author_id != actor.id:
                yield _todo(TodoKind.APPROVE, each, count=people, of=each.planned_people or 0)
        elif each.status is Status.APPROVED and Permission.CAMPAIGNS_CAMPAIGN_LAUNCH in actor.permissions:
            yield _todo(TodoKind.LAUNCH, each, count=people)
        elif each.status is Status.DRAFT and each.note.reveal() and each.author_id == actor.id:
            yield _todo(TodoKind.SENT_BACK, each)


def _todo(kind: TodoKind, campaign: Campaign, *, count: int = 0, of: int = 0) -> Todo:
    note = campaign.note if kind is TodoKind.SENT_BACK else None
    return Todo(kind, campaign.id, campaign.name, count, of, at=campaign.created_at, note=note)


def _of_delivery(actor: Actor) -> Iterator[Todo]:
    if {Permission.PATIENTS_CODE_ISSUE, Permission.CAMPAIGNS_RECIPIENTS_READ} <= actor.permissions:
        count = delivery.count_unnotified()
        if count:
            yield Todo(TodoKind.UNNOTIFIED, count=count)


def _of_content(actor: Actor) -> Iterator[Todo]:
    """Yield templates whose classification waits for a second person, who this person is."""
    if Permission.CONTENT_TEMPLATE_REVIEW not in actor.permissions:
        return
    for template in content.templates():
        for version in template.newest.values():
            proposed = version.classification
            if proposed is None or proposed.confirmed_by is not None:
                continue
            if actor.id not in {proposed.authored_by, version.authored_by}:
                yield Todo(TodoKind.CONFIRM, version.id, Phi(template.name), at=version.created_at)
                break


def _of_imports(actor: Actor, at: datetime) -> Iterator[Todo]:
    if Permission.CONTACTS_IMPORT_RUN not in actor.permissions:
        return
    for each in intake.imports(MOST):
        if each.status is not ImportStatus.DONE or each.counts.rejected == 0:
            continue
        if each.finished_at is None or at - each.finished_at > REJECTS_FOR:
            continue
        reasons = tuple(
            (found.said, found.rows) for found in intake.reasons(each.id) if found.severity is Severity.ROW
        )[:MOST_REASONS]
        if reasons:
            yield Todo(
                TodoKind.REJECTS,
                each.id,
                count=each.counts.rejected,
                of=each.counts.taken,
                at=each.finished_at,
                reasons=reasons,
            )


def _of_staff(staff: tuple[int, int] | None) -> Iterator[Todo]:
    people, ready = staff or (0, 0)
    if people > ready:
        yield Todo(TodoKind.NO_SECOND_FACTOR, count=people - ready)


def _of_keys(actor: Actor, at: datetime) -> Iterator[Todo]:
    if Permission.IDENTITY_APIKEY_MANAGE not in actor.permissions:
        return
    ends = [
        each.expires_at
        for each in identity.api_keys_of_organization()
        if each.revoked_at is None and each.expires_at and at < each.expires_at < at + rules.KEY_ENDS_WITHIN
    ]
    if ends:
        yield Todo(TodoKind.KEY_ENDS, count=len(ends), at=min(ends))


def _of_tasks(actor: Actor) -> Iterator[Todo]:
    if Permission.INBOX_TASK_READ in actor.permissions and (count := inbox.count_open(actor)):
        yield Todo(TodoKind.TASKS, count=count)


def _of_vendors(actor: Actor, at: datetime) -> Iterator[Todo]:
    """Yield vendors whose queues are paused, and those whose agreement ends soon."""
    if Permission.VENDORS_VENDOR_EDIT not in actor.permissions:
        return
    zone = ZoneInfo(identity.organization().time_zone)
    found = vendors.vendors(at)
    waiting = vendors.waiting([service.id for vendor in found for service in vendor.services])
    for vendor in found:
        paused: Counter[str] = Counter()
        for service in vendor.services:
            if (waits := waiting.get(service.id)) and waits.paused:
                paused[vendors.WORDS[Why(waits.paused)][0]] += waits.count
        if paused.total():
            reasons = tuple(paused.most_common())
            yield Todo(TodoKind.CALLS_PAUSED, vendor.id, vendor.name, count=paused.total(), reasons=reasons)
        until = vendor.covered_until
        if until and until - at.astimezone(zone).date() <= rules.AGREEMENT_ENDS_WITHIN:
            ends = datetime.combine(until, time(12), zone)
            yield Todo(TodoKind.AGREEMENT_ENDS, vendor.id, vendor.name, at=ends)


def _live() -> tuple[Live, ...]:
    found = campaigns.in_status((Status.SENDING, Status.PAUSED), limit=MOST)
    live = []
    for each in found:
        progress = delivery.progress(reporting.origin_of(each))
        live.append(Live(each, progress, reporting.outcomes(progress.states)))
    return tuple(live)


def _week(at: datetime) -> Week:
    zone = ZoneInfo(identity.organization().time_zone)
    return rules.week(delivery.sendings(CAMPAIGN, rules.begin_of_week(at, zone)), at, zone)


def _upcoming(found: Iterable[Campaign]) -> tuple[Upcoming, ...]:
    """Return campaigns that are not sent yet: those with a time first, then by how far they are."""
    ordered = sorted(found, key=lambda each: (_NEXT.index(each.status), each.launch_at or each.created_at))
    return tuple(
        Upcoming(each, each.planned.cleared if each.planned else each.planned_people) for each in ordered[:6]
    )
