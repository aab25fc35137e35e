"""What people do to a sending or a message: release, pause, resume, cancel, recall. One transaction each."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.delivery.contracts import Origin, State
from salus.delivery.models import Deposit, MessageRow, OriginRow, QueueRow
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict, NotFound
from salus.platform import bulk

_RELEASE = sql.SQL(
    "INSERT INTO delivery_queue (message_id, organization_id, origin_id, site, priority, not_before, held, fence, begun) "
    "SELECT m.id, m.organization_id, m.origin_id, m.site, o.priority, %s, false, 0, false "
    "FROM delivery_message m JOIN delivery_origin o ON o.id = m.origin_id "
    "WHERE m.origin_id = %s AND m.state = 'cleared' ON CONFLICT (message_id) DO NOTHING"
)

_CANCEL = sql.SQL(
    "WITH gone AS (DELETE FROM delivery_queue WHERE origin_id = %s AND "
    "(lease_until IS NULL OR lease_until < %s) RETURNING message_id, begun) "
    "UPDATE delivery_message m SET state = 'cancelled', reason = 'cancelled_by_staff', changed_at = %s, "
    # A sender that died in the middle may have handed it over: its receipt will say so.
    "uncertain = m.uncertain OR COALESCE(g.begun, false) "
    "FROM delivery_message c LEFT JOIN gone g ON g.message_id = c.id "
    "LEFT JOIN delivery_queue q ON q.message_id = c.id "
    "WHERE m.id = c.id AND c.origin_id = %s AND c.state IN ('cleared', 'deferred', 'leased') "
    # The snapshot still shows deleted queue rows; one that is not among them is leased to a live sender.
    "AND (q.message_id IS NULL OR g.message_id IS NOT NULL) RETURNING m.id"
)


def _locked(origin: Origin) -> OriginRow:
    row = OriginRow.objects.select_for_update().filter(id=origin.id).first()
    if row is None:
        raise NotFound
    return row


def release(origin: Origin, *, not_before: datetime, actor: Actor) -> None:
    """Let senders have the cleared messages of a planned sending from `not_before` on; safe to repeat.

    Raises `Conflict` when planning has not ended, or the sending was cancelled.
    """
    row = _locked(origin)
    if row.status == OriginRow.RELEASED:
        return
    if row.status != OriginRow.PLANNED:
        raise Conflict("Only a planned sending can be released.")
    bulk.execute(_RELEASE, [not_before, origin.id])
    row.status, row.not_before = OriginRow.RELEASED, not_before
    row.save(update_fields=["status", "not_before"])
    _record(Action.MESSAGE_RELEASE, origin, actor)


def pause(origin: Origin, *, actor: Actor) -> None:
    """Hold back every message that no sender has leased; what is leased is handed over."""
    row = _locked(origin)
    if row.status != OriginRow.RELEASED:
        raise Conflict("Only a running sending can be paused.")
    QueueRow.objects.filter(origin_id=origin.id).update(held=True)
    row.status = OriginRow.PAUSED
    row.save(update_fields=["status"])
    _record(Action.MESSAGE_PAUSE, origin, actor)


def resume(origin: Origin, *, actor: Actor) -> None:
    """Let a paused sending go on."""
    row = _locked(origin)
    if row.status != OriginRow.PAUSED:
        raise Conflict("Only a paused sending can go on.")
    QueueRow.objects.filter(origin_id=origin.id).update(held=False)
    row.status = OriginRow.RELEASED
    row.save(update_fields=["status"])
    _record(Action.MESSAGE_RESUME, origin, actor)


def cancel(origin: Origin, *, actor: Actor, at: datetime) -> int:
    """Cancel every message that no sender holds; return how many. What was handed over stays so."""
    row = _locked(origin)
    if row.status == OriginRow.CANCELLED:
        return 0
    stopped = bulk.execute(_CANCEL, [origin.id, at, at, origin.id])
    row.status = OriginRow.CANCELLED
    row.save(update_fields=["status"])
    _record(Action.MESSAGE_CANCEL, origin, actor, cancelled=len(stopped))
    return len(stopped)


def recall(message_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Take a message back from the portal: nobody can read it from now on; it stays on record.

    Raises `NotFound` when it is not in the portal.
    """
    deposit = Deposit.objects.select_for_update().filter(message_id=message_id).first()
    if deposit is None:
        raise NotFound
    if deposit.recalled_at:
        return
    deposit.recalled_at = at
    deposit.save(update_fields=["recalled_at"])
    _move_in_portal(message_id, State.RECALLED, at)
    audit.record(
        Action.MESSAGE_RECALL,
        actor=actor,
        object_kind="message",
        object_id=message_id,
        patient_id=deposit.contact_id,
    )


def expire_deposits(*, actor: Actor, at: datetime) -> int:
    """Close deposits whose time is over; return how many."""
    ended = list(
        Deposit.objects.filter(expires_at__lte=at, recalled_at=None)
        .exclude(message_id__in=MessageRow.objects.filter(state=State.EXPIRED).values("id"))
        .values_list("message_id", flat=True)[:1000]
    )
    for message_id in ended:
        _move_in_portal(message_id, State.EXPIRED, at)
        audit.record(Action.MESSAGE_EXPIRE, actor=actor, object_kind="message", object_id=message_id)
    return len(ended)


def opened(message_id: UUID, *, at: datetime) -> None:
    """Record that the patient read a message in the portal, for the first time."""
    if Deposit.objects.filter(message_id=message_id, opened_at=None).update(opened_at=at):
        _move_in_portal(message_id, State.OPENED, at)


def _move_in_portal(message_id: UUID, state: State, at: datetime) -> None:
    MessageRow.objects.filter(id=message_id).exclude(state=state).update(state=state, changed_at=at)


def _record(action: Action, origin: Origin, actor: Actor, **details: int) -> None:
    audit.record(action, actor=actor, object_kind=origin.kind, object_id=origin.id, details=details)
