"""What people do to a sending or a message: release, pause, resume, cancel, recall. One transaction each."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action, NewEntry
from salus.delivery import capping, queueing, tracking
from salus.delivery.contracts import By, Engaged, Origin, RecallReason, State
from salus.delivery.models import Deposit, MessageRow, OriginRow, QueueRow
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict, NotFound
from salus.platform import bulk
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent

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
    queueing.put(origin.id, not_before)
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
    if row.is_capped:
        capping.forget_cancelled(origin.id)
    row.status = OriginRow.CANCELLED
    row.save(update_fields=["status"])
    _record(Action.MESSAGE_CANCEL, origin, actor, cancelled=len(stopped))
    return len(stopped)


def recall(
    message_id: UUID, *, reason: RecallReason = RecallReason.OTHER, actor: Actor, at: datetime
) -> None:
    """Take a message back from the portal: nobody can read it from now on; its receipt stays.

    Its notice is stopped when it has not been handed over. Recalling again changes nothing. Raises
    `NotFound` when the message is not in the portal, `Conflict` when its time there was over.
    """
    deposit = Deposit.objects.select_for_update().filter(message_id=message_id).first()
    if deposit is None:
        raise NotFound
    if deposit.recalled_at:
        return
    if deposit.ended_at:
        raise Conflict("This message has expired: nobody can read it any more.")
    deposit.recalled_at = deposit.ended_at = at
    deposit.recall_reason = reason
    deposit.save(update_fields=["recalled_at", "ended_at", "recall_reason"])
    _move_in_portal(message_id, State.RECALLED, at)
    _stop_notice(deposit.notice_id, at)
    audit.record(
        Action.MESSAGE_RECALL,
        actor=actor,
        object_kind="message",
        object_id=message_id,
        patient_id=deposit.contact_id,
        reason=reason,
        details={"opened": int(deposit.opened_at is not None)},
    )


def expire_deposits(*, actor: Actor, at: datetime) -> int:
    """Close deposits whose time is over; return how many."""
    ended = list(
        Deposit.objects.select_for_update(skip_locked=True)
        .filter(expires_at__lte=at, ended_at=None)
        .order_by("expires_at")[:1000]
    )
    if not ended:
        return 0
    ids = [deposit.message_id for deposit in ended]
    Deposit.objects.filter(message_id__in=ids).update(ended_at=at)
    MessageRow.objects.filter(id__in=ids).update(state=State.EXPIRED, changed_at=at)
    audit.record_many(
        [
            NewEntry(
                Action.MESSAGE_EXPIRE,
                actor,
                "message",
                object_id=deposit.message_id,
                patient_id=deposit.contact_id,
            )
            for deposit in ended
        ],
        at=at,
    )
    return len(ended)


def opened(message_id: UUID, *, at: datetime) -> None:
    """Record that the patient read a message in the portal, for the first time.

    What was recalled or has expired cannot be read, so nothing is recorded for it.
    """
    mine = Deposit.objects.filter(message_id=message_id, opened_at=None, ended_at=None)
    if not mine.update(opened_at=at):
        return
    _move_in_portal(message_id, State.OPENED, at)
    row = MessageRow.objects.get(id=message_id)
    tracking.engaged(row, Engaged.READ, By.PERSON)
    timeline.append(
        [
            NewEvent(
                contact_id=row.contact_id,
                kind=EventKind.MESSAGE_READ,
                at=at,
                key=f"{EventKind.MESSAGE_READ}:{message_id}",
                message_id=message_id,
                details={"by": By.PERSON},
            )
        ]
    )


def _stop_notice(notice_id: UUID | None, at: datetime) -> None:
    """Cancel a notice that no sender holds; one that is being handed over leads to a page that says so."""
    if notice_id is None:
        return
    gone = QueueRow.objects.filter(Q(lease_until=None) | Q(lease_until__lt=at), message_id=notice_id)
    if gone.delete()[0]:
        MessageRow.objects.filter(id=notice_id).update(
            state=State.CANCELLED, reason="message_recalled", changed_at=at
        )


def _move_in_portal(message_id: UUID, state: State, at: datetime) -> None:
    MessageRow.objects.filter(id=message_id).exclude(state=state).update(state=state, changed_at=at)


def _record(action: Action, origin: Origin, actor: Actor, **details: int) -> None:
    audit.record(action, actor=actor, object_kind=origin.kind, object_id=origin.id, details=details)
