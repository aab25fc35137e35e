"""What people ask for about their own record: received, extended once, approved or refused."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform.jobs import defer
from salus.platform.tenancy import current_organization
from salus.privacy import request_rules
from salus.privacy.contracts import Kind, PersonRequest, Status
from salus.privacy.models import RequestRow
from salus.retention import api as retention

LONGEST = 2000
_ENDED = (Status.DONE, Status.REFUSED)
JOBS = {Kind.ACCESS: "salus.privacy.tasks.export", Kind.ERASURE: "salus.privacy.tasks.erase"}


def must_do(actor: Actor) -> None:
    """Raise `NotFound` unless `actor` answers requests: staff with the permission, or the system that carries them out."""
    if actor.kind is not ActorKind.SYSTEM:
        identity.require(actor, Permission.PRIVACY_REQUEST_DO)


def receive(
    contact_id: UUID, kind: Kind, *, note: str, received_at: datetime, actor: Actor, at: datetime
) -> UUID:
    """Store what a person asked for, and return its id; the clock runs from when it was received.

    Raises `NotFound` for somebody who is not here, `BadInput` for a day to come or a note too long.
    """
    must_do(actor)
    if not contacts.versions([contact_id]):
        raise NotFound
    if received_at > at:
        raise BadInput("It cannot have been received in the future.", place="received_at")
    row = RequestRow(
        id=new_id(),
        kind=kind,
        contact_id=contact_id,
        received_at=received_at,
        due_at=request_rules.due(kind, received_at),
    )
    _seal(row, _text(note, "note"), "")
    row.save(force_insert=True)
    _record(Action.PRIVACY_REQUEST, row, actor)
    return row.id


def extend(request_id: UUID, *, reason: str, actor: Actor, at: datetime) -> None:
    """Extend a request by 30 days, once, with the reason the person is told; raises `Conflict` when it is too late."""
    must_do(actor)
    row = _row(request_id)
    _must(row, Status.OPEN, Status.APPROVED)
    if row.extended:
        raise Conflict("It was extended already; the law allows one extension.")
    if at > row.due_at:
        raise Conflict("The time is over: an extension has to be told before that.")
    if not reason.strip():
        raise BadInput("Say why; the person has to be told (45 CFR 164.524(b)(2)(ii)(A)).", place="reason")
    _seal(row, _opened(row)["note"], _text(reason, "reason"))
    row.extended, row.due_at = True, request_rules.due(Kind(row.kind), row.received_at, extended=True)
    row.save()
    _record(Action.PRIVACY_EXTEND, row, actor)


def approve(request_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Approve a request, as a person: an erasure starts only after this. Raises `NotFound`, `Conflict`."""
    _decide(request_id, Status.APPROVED, actor, at)


def refuse(request_id: UUID, *, reason: str, actor: Actor, at: datetime) -> None:
    """Refuse a request with the reason the person is told; raises `NotFound`, `Conflict`, `BadInput`."""
    if not reason.strip():
        raise BadInput("Say why it is refused; the person has to be told in writing.", place="reason")
    _decide(request_id, Status.REFUSED, actor, at, reason)


def carry_out(request_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Queue what was approved: the copy, or the erasure; an accounting that was handed over is answered by this.

    Safe to repeat: a job that waits is not doubled. Raises `NotFound`, `Conflict` before it is approved, when it
    was answered, when a legal hold keeps the person from being erased, or when the person whose copy is asked for
    is not here any more.
    """
    identity.require(actor, Permission.PRIVACY_REQUEST_DO)
    row = _row(request_id)
    _must(row, Status.APPROVED)
    kind = Kind(row.kind)
    if kind is Kind.ACCESS and not contacts.versions(contacts.whole(row.contact_id)[:1]):
        raise Conflict("This person was erased meanwhile; there is nothing to copy.")
    if kind is Kind.ERASURE:
        retention.must_be_free(row.contact_id)
    row.started_at = at
    row.save(update_fields=["started_at"])
    _record(Action.PRIVACY_DECIDE, row, actor, outcome="carried_out")
    if kind is Kind.ACCOUNTING:
        finish(row, at=at)
    else:
        defer(JOBS[kind], once=str(row.id), request_id=str(row.id))


def finish(row: RequestRow, *, at: datetime) -> None:
    """Say that a request was answered, now for the first time."""
    if row.status != Status.DONE:
        row.status, row.done_at = Status.DONE, at
        row.save(update_fields=["status", "done_at"])


def take_words(row: RequestRow) -> int:
    """Take the note and the reason of a request away; return 1 when it had some, else 0."""
    had = any(_opened(row).values())
    _seal(row, "", "")
    row.save(update_fields=["sealed"])
    return int(had)


def request(request_id: UUID, *, actor: Actor) -> PersonRequest:
    """Return one request; raises `NotFound`."""
    must_do(actor)
    row = RequestRow.objects.filter(id=request_id).first()
    if row is None:
        raise NotFound
    return _facts(row)


def requests(*, actor: Actor, limit: int = 200, contact_id: UUID | None = None) -> list[PersonRequest]:
    """Return requests: those that are not ended first, the next due first."""
    must_do(actor)
    rows = (
        RequestRow.objects.all() if contact_id is None else RequestRow.objects.filter(contact_id=contact_id)
    )
    waiting = list(rows.exclude(status__in=_ENDED).order_by("due_at", "id")[:limit])
    ended = list(rows.filter(status__in=_ENDED).order_by("-received_at", "-id")[: limit - len(waiting)])
    return [_facts(row) for row in (*waiting, *ended)]


def overdue(at: datetime) -> int:
    """Return how many requests should have been answered before `at`."""
    return RequestRow.objects.exclude(status__in=_ENDED).filter(due_at__lt=at).count()


def approved(request_id: UUID, *kinds: Kind) -> RequestRow:
    """Return a request of one of `kinds` that may be done, locked; raises `NotFound`, `Conflict`."""
    row = _row(request_id)
    if Kind(row.kind) not in kinds:
        raise Conflict("The person asked for something else.")
    _must(row, Status.APPROVED, Status.DONE)
    return row


def _decide(request_id: UUID, status: Status, actor: Actor, at: datetime, reason: str = "") -> None:
    identity.require(actor, Permission.PRIVACY_REQUEST_DO)
    row = _row(request_id)
    _must(row, Status.OPEN)
    if reason:
        _seal(row, _opened(row)["note"], _text(reason, "reason"))
    row.status, row.decided_by, row.decided_at = status, actor.id, at
    row.save()
    _record(Action.PRIVACY_DECIDE, row, actor, outcome=status.value)


def _row(request_id: UUID) -> RequestRow:
    row = RequestRow.objects.select_for_update().filter(id=request_id).first()
    if row is None:
        raise NotFound
    return row


def _must(row: RequestRow, *allowed: Status) -> None:
    if row.status not in allowed:
        raise Conflict(
            f"This request is {row.status} already.", next_step="Open it again to see how it stands."
        )


def _text(text: str, place: str) -> str:
    if len(text) > LONGEST or "\x00" in text:
        raise BadInput(f"Write at most {LONGEST} characters.", place=place)
    return text.strip()


def binding(request_id: UUID) -> bytes:
    """Return what the words of a request are sealed with."""
    return keys.binding(current_organization(), "privacy_request", request_id)


def _seal(row: RequestRow, note: str, reason: str) -> None:
    row.sealed = keys.sealer().seal(orjson.dumps({"note": note, "reason": reason}), binding(row.id))


def _opened(row: RequestRow) -> dict[str, str]:
    found: dict[str, str] = orjson.loads(keys.sealer().open(bytes(row.sealed), binding(row.id)))
    return found


def _facts(row: RequestRow) -> PersonRequest:
    text = _opened(row)
    return PersonRequest(
        row.id,
        Kind(row.kind),
        row.contact_id,
        Status(row.status),
        Phi(text["note"]),
        Phi(text["reason"]),
        row.received_at,
        row.due_at,
        row.extended,
        row.decided_by,
        row.decided_at,
        row.started_at,
        row.done_at,
    )


def _record(action: Action, row: RequestRow, actor: Actor, outcome: str = "ok") -> None:
    audit.record(
        action,
        actor=actor,
        object_kind="privacy_request",
        object_id=row.id,
        patient_id=row.contact_id,
        outcome=outcome,
        details={"kind": str(row.kind)},
    )
