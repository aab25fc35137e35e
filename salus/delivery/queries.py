"""Reads of delivery: progress that always adds up, receipts, what a person was sent, the portal's copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
from psycopg import sql

from salus.delivery import deposits, planning, receipts
from salus.delivery.codes import CODE, NOTICE
from salus.delivery.contracts import Origin, PortalMessage, Progress, Receipt, SentMessage, State
from salus.delivery.models import Deposit, MessageRow, OriginRow
from salus.delivery.rules import IN_PORTAL, WAITING
from salus.delivery.sealing import message_binding, open_content
from salus.kernel.errors import NotFound
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Protection
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.tenancy import current_organization


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person of a sending, for staff who may know who: contact id and what became of the message."""

    message_id: UUID
    contact_id: UUID
    contact_number: int
    state: State
    reason: str
    rule: str
    uncertain: bool


def progress(origin: Origin) -> Progress:
    """Return the counts of a sending by state; their sum is the number of people planned."""
    found = bulk.execute(
        sql.SQL(
            "SELECT state, reason, reached, uncertain, count(*) FROM delivery_message "
            "WHERE origin_id = %s GROUP BY 1, 2, 3, 4"
        ),
        [origin.id],
    )
    states: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    by_protection: Counter[str] = Counter()
    uncertain = 0
    for state, reason, reached, doubtful, count in found:
        states[state] += count
        uncertain += count if doubtful else 0
        if state == State.REFUSED:
            refused[reason] += count
        elif state == State.ACCEPTED:
            by_protection[Protection(reached).name.lower()] += count
        elif state in IN_PORTAL:
            by_protection["portal"] += count
    return Progress(states.total(), dict(states), uncertain, dict(refused), dict(by_protection))


def is_waiting(origin: Origin) -> bool:
    """Return whether any message of a sending, or any notice of it, still waits to be handed over."""
    ids = [origin.id, deposits.notice_origin_id(origin.id)]
    return MessageRow.objects.filter(origin_id__in=ids, state__in=list(WAITING)).exists()


def recipients(
    origin: Origin, *, state: State | None = None, reason: str = "", after: int = 0, limit: int = 100
) -> list[Recipient]:
    """Return who is behind a figure, by contact number from `after` on."""
    rows = MessageRow.objects.filter(origin_id=origin.id, contact_number__gt=after)
    if state is not None:
        rows = rows.filter(state=state)
    if reason:
        rows = rows.filter(reason=reason)
    return [
        Recipient(
            row.id, row.contact_id, row.contact_number, State(row.state), row.reason, row.rule, row.uncertain
        )
        for row in rows.order_by("contact_number")[:limit]
    ]


def receipt(message_id: UUID) -> Receipt:
    """Return the whole proof of one message; raises `NotFound`."""
    row = MessageRow.objects.filter(id=message_id).select_related("origin").first()
    if row is None:
        raise NotFound
    decision = open_content(
        keys.sealer(), message_binding(current_organization(), row.id), row.sealed
    ).decision
    steps = receipts.steps(message_id)
    last_row, last = steps[-1] if steps else (None, {})
    return Receipt(
        message_id=row.id,
        contact_id=row.contact_id,
        origin=Origin(row.origin.kind, row.origin_id),
        state=State(row.state),
        uncertain=row.uncertain,
        rule_ids=tuple(decision["rules"]),
        citations=tuple(dict.fromkeys(result["citation"] for result in decision["results"])),
        evidence_ids=tuple(
            dict.fromkeys(UUID(result["evidence"]) for result in decision["results"] if result["evidence"])
        ),
        disclosed=tuple(decision["disclosed"]),
        floor=Protection(row.floor).name.lower() if row.floor else "",
        reached=Protection(row.reached).name.lower() if row.reached else "",
        tls=last.get("tls", {}),
        body_hash=last.get("body_hash", ""),
        renderer=last.get("renderer", ""),
        template_version_id=row.version_id,
        decided_at=row.decided_at,
        handed_over_at=last_row.at if last_row and row.state == State.ACCEPTED else None,
        reply=last.get("reply", ""),
        steps=tuple(facts for _, facts in steps),
        proof=receipts.proof(last_row) if last_row else None,
    )


def portal_message(message_id: UUID) -> PortalMessage:
    """Return a deposit opened for its reader; raises `NotFound`. Expired and recalled ones come empty."""
    deposit = Deposit.objects.filter(message_id=message_id).first()
    row = MessageRow.objects.filter(id=message_id).select_related("origin").first()
    if deposit is None or row is None:
        raise NotFound
    state = State(row.state)
    document: dict[str, str] = {"subject": "", "html": "", "text": ""}
    if deposit.recalled_at is None and state not in {State.EXPIRED, State.RECALLED}:
        document = orjson.loads(keys.sealer().open(bytes(deposit.sealed), deposits.binding(message_id)))
    return PortalMessage(
        message_id=message_id,
        contact_id=deposit.contact_id,
        **{part: Phi(text) for part, text in document.items()},
        sender_name=planning.spec_of(Origin(row.origin.kind, row.origin_id)).sender.name,
        sent_at=deposit.created_at,
        expires_at=deposit.expires_at,
        state=state,
        language=row.language,
        special=deposit.special,
        path_failed=deposit.path_failed,
    )


def may_send_code(message_id: UUID) -> bool:
    """Return whether a sign-in code for this message's reader may travel by e-mail."""
    deposit = Deposit.objects.filter(message_id=message_id).first()
    return deposit is not None and not deposit.special and not deposit.path_failed


def messages_of_contact(contact_id: UUID, limit: int = 200) -> list[SentMessage]:
    """Return what was sent to a person, newest first; what was refused or stopped was never sent."""
    rows = (
        MessageRow.objects.filter(contact_id=contact_id)
        .exclude(state__in=[State.REFUSED, State.CANCELLED, *WAITING])
        .exclude(origin__kind__in=[NOTICE, CODE])
        .select_related("origin")
        .order_by("-id")[:limit]
    )
    return [_sent(row) for row in rows]


def sent_message(message_id: UUID) -> SentMessage:
    """Return what is known of one message beside its body; raises `NotFound`."""
    row = MessageRow.objects.filter(id=message_id).select_related("origin").first()
    if row is None:
        raise NotFound
    return _sent(row)


def _sent(row: MessageRow) -> SentMessage:
    spec = planning.spec_of(Origin(row.origin.kind, row.origin_id))
    decision = open_content(
        keys.sealer(), message_binding(current_organization(), row.id), row.sealed
    ).decision
    state = State(row.state)
    return SentMessage(
        message_id=row.id,
        contact_id=row.contact_id,
        at=row.changed_at,
        state=state,
        sender_name=spec.sender.name,
        topic=spec.facts.topic,
        channel=spec.facts.channel,
        purpose=spec.facts.purpose,
        language=row.language,
        in_portal=state in IN_PORTAL - {State.EXPIRED, State.RECALLED},
        reached=Protection(row.reached).name.lower() if row.reached else "",
        rule_ids=tuple(decision["rules"]),
        evidence_ids=tuple(
            dict.fromkeys(UUID(result["evidence"]) for result in decision["results"] if result["evidence"])
        ),
        disclosed=tuple(decision["disclosed"]),
    )


def unnotified(*, limit: int = 100) -> Sequence[Recipient]:
    """Return people whose portal message could not be announced: staff must tell them another way."""
    rows = MessageRow.objects.filter(state=State.PORTAL_UNNOTIFIED).order_by("-changed_at")[:limit]
    return [
        Recipient(
            row.id, row.contact_id, row.contact_number, State(row.state), row.reason, row.rule, row.uncertain
        )
        for row in rows
    ]


def origin_of(origin_id: UUID) -> Origin:
    """Return a sending by its id; raises `NotFound`."""
    row = OriginRow.objects.filter(id=origin_id).first()
    if row is None:
        raise NotFound
    return Origin(row.kind, row.id)
