"""The frequency cap: who was written to when, who is full until when, and whose turn it is at a sender's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.delivery.contracts import FREQUENCY_CAP, Cap
from salus.delivery.leasing import Lease
from salus.delivery.models import CapRow
from salus.delivery.rules import HELD_AT_MOST, full_until
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.platform import bulk
from salus.platform.tenancy import current_organization

MOST_MESSAGES, MOST_DAYS = 100, 90

Written = Sequence[tuple[UUID, UUID, datetime]]
"""Contact, message, when."""

_SET = sql.SQL(
    'INSERT INTO delivery_cap (organization_id, "only", at_most, days) VALUES (%s, true, %s, %s) '
    'ON CONFLICT (organization_id, "only") DO UPDATE SET at_most = excluded.at_most, days = excluded.days'
)
# Whoever gives turns waits here for the others: two senders never count the same person at once.
_LOCK = sql.SQL("SELECT at_most, days FROM delivery_cap WHERE organization_id = %s FOR NO KEY UPDATE")
_FULL = sql.SQL(
    "SELECT contact_id, at FROM (SELECT contact_id, at, "
    "row_number() OVER (PARTITION BY contact_id ORDER BY at DESC) AS place FROM delivery_written "
    "WHERE organization_id = %s AND contact_id = ANY(%s) AND at > %s) AS each WHERE place = %s"
)
_ASKING = sql.SQL(
    "SELECT m.id, m.contact_id, w.wanted_at FROM delivery_message m "
    "JOIN delivery_origin o ON o.id = m.origin_id AND o.is_capped "
    "LEFT JOIN delivery_written w ON w.organization_id = m.organization_id "
    "AND w.contact_id = m.contact_id AND w.message_id = m.id "
    "WHERE m.id = ANY(%s) AND w.has_turn IS NOT TRUE"
)
_TURNS = sql.SQL(
    "SELECT contact_id, at FROM delivery_written "
    "WHERE organization_id = %s AND contact_id = ANY(%s) AND at > %s AND has_turn"
)
_HOLD = sql.SQL(
    "WITH held AS (SELECT * FROM unnest(%s::uuid[], %s::int8[], %s::timestamptz[]) AS h(id, fence, until)), "
    "ours AS (UPDATE delivery_queue q SET lease_until = NULL, sender = NULL, not_before = h.until FROM held h "
    "WHERE q.message_id = h.id AND q.fence = h.fence RETURNING q.message_id) "
    "UPDATE delivery_message m SET state = 'deferred', reason = %s, changed_at = %s FROM ours o "
    "WHERE m.id = o.message_id AND m.state IN ('cleared', 'leased', 'deferred')"
)
_NOTE = sql.SQL(
    "WITH new AS (SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::timestamptz[]) "
    "AS n(contact_id, message_id, at, wanted_at)), "
    "moved AS (UPDATE delivery_written w SET at = n.at, has_turn = %s FROM new n "
    "WHERE w.organization_id = %s AND w.contact_id = n.contact_id AND w.message_id = n.message_id "
    "RETURNING w.message_id) "
    "INSERT INTO delivery_written (organization_id, contact_id, at, message_id, has_turn, wanted_at) "
    "SELECT %s, contact_id, at, message_id, %s, wanted_at FROM new "
    "WHERE message_id NOT IN (SELECT message_id FROM moved)"
)
_RESERVE = sql.SQL(
    "INSERT INTO delivery_written (organization_id, contact_id, at, message_id, has_turn, wanted_at) "
    "SELECT m.organization_id, m.contact_id, %s, m.id, false, %s FROM delivery_message m WHERE m.id = ANY(%s) "
    "AND NOT EXISTS (SELECT FROM delivery_written w WHERE w.organization_id = m.organization_id "
    "AND w.contact_id = m.contact_id AND w.message_id = m.id) ON CONFLICT DO NOTHING"
)
_FORGET = sql.SQL(
    "DELETE FROM delivery_written w USING delivery_message m WHERE m.id = ANY(%s) "
    "AND w.organization_id = m.organization_id AND w.contact_id = m.contact_id AND w.message_id = m.id"
)
_FORGET_CANCELLED = sql.SQL(
    "DELETE FROM delivery_written w USING delivery_message m WHERE m.origin_id = %s AND m.state = 'cancelled' "
    "AND w.organization_id = m.organization_id AND w.contact_id = m.contact_id AND w.message_id = m.id"
)
_ASK_AGAIN = sql.SQL(
    "UPDATE delivery_queue q SET not_before = %s FROM delivery_message m "
    "WHERE m.id = q.message_id AND q.not_before > %s AND m.state = 'deferred' AND m.reason = %s"
)


def cap() -> Cap | None:
    """Return the organization's frequency cap, None when it has none."""
    row = CapRow.objects.first()
    return Cap(row.at_most, row.days) if row else None


def set_cap(new: Cap | None, *, actor: Actor, at: datetime) -> None:
    """Set the frequency cap, or take it away; messages that the old one held back ask again at once.

    Raises `BadInput` for a cap that would hold back everything or nothing at all.
    """
    if new is not None:
        _check("at_most", new.at_most, MOST_MESSAGES)
        _check("days", new.days, MOST_DAYS)
    if new == cap():
        return
    if new is None:
        CapRow.objects.all().delete()
    else:
        bulk.execute(_SET, [current_organization(), new.at_most, new.days])
    bulk.execute(_ASK_AGAIN, [at, at, FREQUENCY_CAP])
    audit.record(
        Action.ORGANIZATION_CHANGE,
        actor=actor,
        object_kind="organization",
        object_id=current_organization(),
        fields=["frequency_cap"],
        details={"messages": new.at_most, "days": new.days} if new else {},
    )


def _check(place: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise BadInput(f"This must be a whole number from 1 to {most}.", place=place)


def capped(contact_ids: Collection[UUID], at: datetime) -> Mapping[UUID, datetime]:
    """Return who of these people is full at `at`, and until when; what waits in the queue for them counts.

    One query; a journey holds who is full until then.
    """
    present = cap()
    if present is None or not contact_ids:
        return {}
    window = timedelta(days=present.days)
    found = bulk.read(_FULL, [current_organization(), [*contact_ids], at - window, present.at_most])
    return {contact_id: nth + window for contact_id, nth in found}


def reserve(message_ids: Sequence[UUID], due: datetime) -> None:
    """Count messages that wait in the queue until they are due; those that count already are left alone."""
    bulk.execute(_RESERVE, [due, due, [*message_ids]])


def note(written: Written) -> None:
    """Count messages that were handed over, from that moment on."""
    _upsert([(contact_id, id, at, at) for contact_id, id, at in written], has_turn=True)


def forget(message_ids: Sequence[UUID]) -> None:
    """Let messages that nobody got not count."""
    if message_ids:
        bulk.execute(_FORGET, [[*message_ids]])


def forget_cancelled(origin_id: UUID) -> None:
    """Let the messages of a sending that were cancelled not count."""
    bulk.execute(_FORGET_CANCELLED, [origin_id])


def take_turns(leases: Sequence[Lease], at: datetime) -> tuple[list[Lease], list[Lease]]:
    """Return the leases whose messages may go on, and those that waited in vain for a week.

    All others go back to the queue until their person is not full any more. Call it in a transaction of
    its own and a short one: the senders of an organization wait for each other here, once it has a cap.
    A message that has had its turn is not asked about again, however often it is tried.
    """
    asking = [each for each in leases if each.priority > 0 and not each.was_begun]
    if not asking or (present := _locked()) is None:
        return [*leases], []
    found = bulk.read(_ASKING, [[each.message_id for each in asking]])
    waiting = {id: (contact_id, wanted_at or at) for id, contact_id, wanted_at in found}
    turns = _turns([contact_id for contact_id, _ in waiting.values()], at - timedelta(days=present.days))
    going: list[tuple[UUID, UUID, datetime, datetime]] = []
    held: list[tuple[Lease, datetime]] = []
    in_vain: list[Lease] = []
    for each in sorted(asking, key=lambda lease: (lease.priority, lease.message_id)):
        if each.message_id not in waiting:
            continue
        contact_id, wanted_at = waiting[each.message_id]
        until = full_until(turns[contact_id], present, at)
        if until is None:
            turns[contact_id].append(at)
            going.append((contact_id, each.message_id, at, wanted_at))
        elif at >= wanted_at + HELD_AT_MOST:
            in_vain.append(each)
        else:
            held.append((each, min(until, wanted_at + HELD_AT_MOST)))
    _upsert(going, has_turn=True)
    _hold(held, waiting, at)
    gone = {each.message_id for each in in_vain} | {each.message_id for each, _ in held}
    return [each for each in leases if each.message_id not in gone], in_vain


def _locked() -> Cap | None:
    found = bulk.execute(_LOCK, [current_organization()])
    return Cap(*found[0]) if found else None


def _turns(contact_ids: Sequence[UUID], since: datetime) -> defaultdict[UUID, list[datetime]]:
    turns: defaultdict[UUID, list[datetime]] = defaultdict(list)
    for contact_id, at in bulk.read(_TURNS, [current_organization(), [*contact_ids], since]):
        turns[contact_id].append(at)
    return turns


def _hold(
    held: Sequence[tuple[Lease, datetime]],
    waiting: Mapping[UUID, tuple[UUID, datetime]],
    at: datetime,
) -> None:
    if not held:
        return
    leases, untils = zip(*held, strict=True)
    ids = [each.message_id for each in leases]
    bulk.execute(_HOLD, [ids, [each.fence for each in leases], [*untils], FREQUENCY_CAP, at])
    rows = [
        (contact_id, id, until, wanted_at)
        for id, until in zip(ids, untils, strict=True)
        for contact_id, wanted_at in [waiting[id]]
    ]
    _upsert(rows, has_turn=False)


def _upsert(rows: Sequence[tuple[UUID, UUID, datetime, datetime]], *, has_turn: bool) -> None:
    """Write (contact, message, at, wanted at); a row that is there keeps when it was wanted first."""
    if not rows:
        return
    contacts, ids, ats, wanted = zip(*rows, strict=True)
    organization_id = current_organization()
    bulk.read(
        _NOTE,
        [[*contacts], [*ids], [*ats], [*wanted], has_turn, organization_id, organization_id, has_turn],
    )
