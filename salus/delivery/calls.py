"""Calls as durable rows: made in the caller's transaction, each settled once, told onward by number."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Count
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action, NewEntry
from salus.contacts import api as contacts
from salus.contacts.contracts import Opened
from salus.delivery import call_rules
from salus.delivery.contracts import CallSpec, NewCall, Origin, SettledCall
from salus.delivery.models import CallPause, CallQueueRow, CallRow
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_ids
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel, PhiClass, Special
from salus.keys import api as keys
from salus.keys.contracts import Sealer
from salus.platform import bulk, feed
from salus.platform.tenancy import current_organization
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind, Label, OutOfScope, Waiting, Why

FEED = "delivery-calls"
AT_ONCE = 1000
TIME_OVER = "time_over"
"""Why a call ended that was never tried: no sender came to it in time."""
CANCELLED = "cancelled"
"""Why a call ended that is not wanted any more."""
_LABELS: dict[str, Label] = {each.value: each for each in (*PhiClass, *Special)}
ADDRESSES = {"email": Channel.EMAIL, "phone": Channel.SMS}

_COLUMNS = (
    ("place", "int4"),
    ("id", "uuid"),
    ("contact_id", "uuid"),
    ("sealed", "bytea"),
    ("state", "text"),
    ("reason", "text"),
)
_INSERT = sql.SQL(
    "INSERT INTO delivery_call (organization_id, id, origin_kind, origin_id, contact_id, service_id, sealed, "
    "state, reason, attempts, created_at, give_up_at) "
    "SELECT %s, id, %s, %s, contact_id, %s, sealed, state, reason, 0, %s, %s FROM {} ORDER BY place "
    "ON CONFLICT (organization_id, origin_id, contact_id) DO NOTHING RETURNING id, state, reason"
)
_QUEUE = sql.SQL(
    "INSERT INTO delivery_callqueue (organization_id, call_id, service_id, not_before, fence) "
    "SELECT %s, id, %s, %s, 0 FROM unnest(%s::uuid[]) AS id"
)

_SETTLE = sql.SQL(
    "UPDATE delivery_call c SET state = e.state, reason = e.reason, attempts = e.attempts, number = e.number, "
    "sealed = ''::bytea, settled_at = %s FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::int2[], %s::int8[]) "
    "AS e(id, state, reason, attempts, number) WHERE c.id = e.id"
)

_HOLD = sql.SQL(
    "UPDATE delivery_callqueue q SET not_before = %s FROM delivery_call c "
    "WHERE c.organization_id = %s AND c.origin_id = ANY(%s) AND q.call_id = c.id AND q.not_before <> %s"
)
_RELEASE = sql.SQL(
    "UPDATE delivery_callqueue q SET not_before = %s FROM delivery_call c "
    "WHERE c.organization_id = %s AND c.origin_id = ANY(%s) AND q.call_id = c.id AND q.not_before = %s"
)
_UNQUEUE = sql.SQL(
    "DELETE FROM delivery_callqueue q USING delivery_call c, unnest(%s::uuid[], %s::uuid[]) AS n (origin_id, contact_id) "
    "WHERE c.organization_id = %s AND c.origin_id = n.origin_id AND c.contact_id = n.contact_id "
    "AND q.call_id = c.id AND (q.lease_until IS NULL OR q.lease_until < %s) RETURNING c.id, c.attempts"
)
_LAST_ATTEMPT = sql.SQL(
    "UPDATE delivery_call c SET give_up_at = least(c.give_up_at, %s) "
    "FROM unnest(%s::uuid[], %s::uuid[]) AS n (origin_id, contact_id) WHERE c.organization_id = %s "
    "AND c.origin_id = n.origin_id AND c.contact_id = n.contact_id AND c.state = 'waiting'"
)


@dataclass(frozen=True, slots=True, repr=False)
class CallContent:
    """What a call's row keeps sealed. `body` is plaintext PHI; the `repr` shows nothing."""

    body: str
    fields: tuple[str, ...]
    labels: frozenset[Label]


@dataclass(frozen=True, slots=True)
class Settling:
    """How one call ended: `reason` is a code, `fields` are the attributes that were told."""

    call_id: UUID
    done: bool
    reason: str = ""
    attempts: int = 0
    fields: tuple[str, ...] = field(default=(), repr=False)


def call(spec: CallSpec, calls: Sequence[NewCall], *, actor: Actor, at: datetime) -> dict[UUID, UUID]:
    """Store one call for each person, in the caller's transaction; return the call ids by contact.

    Idempotent by (origin, contact): a call that is stored already keeps its id and its body. People who
    are not here (erased) are left out. Somebody whose values tell a special category beyond the
    service's scope gets a call that is settled at once as failed ("class_out_of_scope"). Raises
    `OutOfScope` when the service may not carry this at all, `BadInput` with the place.
    """
    call_rules.check(spec)
    for each in calls:
        call_rules.check_about(each.about)
    service = vendors.service_in_scope(spec.service_id, _labels(spec), at)
    if service.kind is not Kind.WEBHOOK:
        raise BadInput("This service takes no calls.", place="service_id")
    known = _known(spec.origin, [each.contact_id for each in calls])
    fresh = {each.contact_id: each for each in calls if each.contact_id not in known}
    if fresh:
        _store(spec, fresh, actor, at)
        known |= _known(spec.origin, list(fresh))
    return known


def settled(after: int, limit: int) -> tuple[SettledCall, ...]:
    """Return up to `limit` calls that were settled after number `after`, in order; none smaller appears later."""
    rows = CallRow.objects.filter(number__gt=after).order_by("number")[:limit]
    return tuple(
        SettledCall(
            number=row.number or 0,
            call_id=row.id,
            origin=Origin(row.origin_kind, row.origin_id),
            contact_id=row.contact_id,
            done=row.state == CallRow.DONE,
            reason=row.reason,
            attempts=row.attempts,
            at=row.settled_at or row.created_at,
        )
        for row in rows
    )


def waiting(service_ids: Collection[UUID]) -> dict[UUID, Waiting]:
    """Return how many calls wait for each of these services, and why its queue is paused."""
    ids = list(service_ids)
    waits = CallQueueRow.objects.filter(service_id__in=ids).values_list("service_id")
    counts = dict(waits.annotate(Count("call_id")))
    paused = dict(CallPause.objects.filter(service_id__in=ids).values_list("service_id", "why"))
    return {id: Waiting(counts.get(id, 0), paused.get(id, "")) for id in ids if id in counts or id in paused}


def settle(ended: Sequence[Settling], *, actor: Actor, at: datetime) -> int:
    """Write down how calls ended, give each its number, take it off the queue; return how many were open.

    A call is settled once: one that is settled already stays as it is.
    """
    by_id = {each.call_id: each for each in ended}
    open_ = CallRow.objects.select_for_update().filter(id__in=list(by_id), state=CallRow.WAITING)
    rows = list(open_.defer("sealed").order_by("id"))
    audit.record_many([_entry(row, by_id[row.id], actor) for row in rows])
    CallQueueRow.objects.filter(call_id__in=[row.id for row in rows]).delete()
    _number([by_id[row.id] for row in rows], at)
    return len(rows)


def expire(*, actor: Actor, at: datetime) -> int:
    """Give up calls whose time is over; return how many (at most a thousand: call it again).

    The reason is why the queue of its service is paused, or why the last attempt failed, if there was one.
    """
    rows = list(
        CallRow.objects.filter(state=CallRow.WAITING, give_up_at__lte=at)
        .defer("sealed")
        .order_by("give_up_at")[:AT_ONCE]
    )
    paused = dict(CallPause.objects.values_list("service_id", "why")) if rows else {}
    ended = [
        Settling(row.id, False, paused.get(row.service_id) or row.reason or TIME_OVER, row.attempts)
        for row in rows
    ]
    return settle(ended, actor=actor, at=at)


def hold(origin_ids: Collection[UUID]) -> None:
    """Let the calls of these sendings wait until `release`; what is under way is finished, and then waits too."""
    bulk.execute(_HOLD, [FAR, current_organization(), [*origin_ids], FAR])


def release(origin_ids: Collection[UUID], *, at: datetime) -> None:
    """Let the calls of these sendings that were held go on."""
    bulk.execute(_RELEASE, [at, current_organization(), [*origin_ids], FAR])


def cancel(unwanted: Collection[tuple[UUID, UUID]], *, actor: Actor, at: datetime) -> int:
    """Take back calls by (origin, contact) that have not ended; return how many.

    One that is under way is finished and told as it went, but never tried again.
    """
    origin_ids, contact_ids = [id for id, _ in unwanted], [id for _, id in unwanted]
    # The queue first, then calls, as senders do.
    idle = bulk.execute(_UNQUEUE, [origin_ids, contact_ids, current_organization(), at])
    bulk.execute(_LAST_ATTEMPT, [at, origin_ids, contact_ids, current_organization()])
    return settle([Settling(id, False, CANCELLED, attempts) for id, attempts in idle], actor=actor, at=at)


def pause(service_id: UUID, why: Why, *, actor: Actor, at: datetime) -> None:
    """Say that a service's queue is paused, and why; said already, nothing changes."""
    present = CallPause.objects.filter(service_id=service_id).first()
    if present is not None and present.why == why:
        return
    if present is not None:
        CallPause.objects.filter(service_id=service_id).update(why=why)
    else:
        CallPause(service_id=service_id, why=why, since=at).save(force_insert=True)
    _record_queue(service_id, "paused", why, actor)


def resume(service_id: UUID, *, actor: Actor) -> None:
    """Say that a service's queue goes on, if it was paused."""
    if CallPause.objects.filter(service_id=service_id).delete()[0]:
        _record_queue(service_id, "resumed", "", actor)


def beyond(service_id: UUID, labels: frozenset[Label], at: datetime) -> str:
    """Return why a service may not carry `labels`, "" when it may."""
    try:
        vendors.service_in_scope(service_id, labels, at)
    except OutOfScope as refused:
        return str(refused.why)
    return ""


def open_call(row: CallRow, sealer: Sealer) -> CallContent:
    """Return what a call's row keeps sealed."""
    document = orjson.loads(sealer.open(bytes(row.sealed), _binding(row.id)))
    labels = frozenset(_label(word) for word in document["labels"])
    return CallContent(document["body"], tuple(document["fields"]), labels)


def _labels(spec: CallSpec) -> frozenset[Label]:
    """Return what a call tells, whoever it is about: by its fields, and what the caller says besides."""
    found: set[Label] = set(spec.labels)
    for name in spec.fields:
        attribute = contacts.dictionary().get(name)
        if attribute is None and name not in ADDRESSES:
            raise BadInput("A call carries attributes, email or phone.", place="fields")
        found.add(attribute.phi_class if attribute else PhiClass.CONTACT)
        if attribute and attribute.special:
            found.add(attribute.special)
    return frozenset(found)


def _store(spec: CallSpec, fresh: Mapping[UUID, NewCall], actor: Actor, at: datetime) -> None:
    """Write rows and queue; two that store the same call at once leave one."""
    table = bulk.copy_rows(_COLUMNS, _rows(spec, fresh, actor, at))
    kind, origin_id, service_id = spec.origin.kind, spec.origin.id, spec.service_id
    inserted = bulk.execute(
        _INSERT.format(table),
        [current_organization(), kind, origin_id, service_id, at, at + spec.at_most],
    )
    queued = [id for id, state, _ in inserted if state == CallRow.WAITING]
    refused = [Settling(id, done=False, reason=why) for id, state, why in inserted if state == CallRow.FAILED]
    bulk.execute(_QUEUE, [current_organization(), service_id, at, queued])
    audit.record(
        Action.CALL_RECORD,
        actor=actor,
        object_kind=kind,
        object_id=origin_id,
        fields=spec.fields,
        outcome="queued",
        details={"service": str(service_id), "calls": len(queued), "refused": len(refused)},
    )
    _number(refused, at)


def _rows(spec: CallSpec, fresh: Mapping[UUID, NewCall], actor: Actor, at: datetime) -> list[tuple[Any, ...]]:
    """Return a row for each person who is here, sealed; who would tell too much gets no body."""
    rows: list[tuple[Any, ...]] = []
    labels, sealer = _labels(spec), keys.sealer()
    known: dict[frozenset[Label], str] = {labels: ""}
    opened = contacts.open_fields(ids=list(fresh), fields=spec.fields, purpose="vendor_call", actor=actor)
    for place, (one, id) in enumerate(zip(opened, new_ids(len(opened)), strict=True)):
        values = _values(one, spec.fields)
        told = labels | contacts.specials_of(values)
        if told not in known:
            known[told] = beyond(spec.service_id, told, at)
        why = known[told]
        document = {
            "body": "" if why else _body(spec, fresh[one.id], values, at),
            "fields": sorted(values),
            "labels": sorted(told),
        }
        sealed = sealer.seal(orjson.dumps(document), _binding(id))
        rows.append((place, id, one.id, sealed, CallRow.FAILED if why else CallRow.WAITING, why))
    return rows


def _values(opened: Opened, fields: Sequence[str]) -> dict[str, Any]:
    values = {name: value.reveal() for name, value in opened.values.items()}
    for name in fields:
        channel = ADDRESSES.get(name)
        found = next((each for each in opened.addresses if each.channel is channel), None)
        if channel and found:
            values[name] = found.value.reveal()
    return values


def _body(spec: CallSpec, one: NewCall, values: Mapping[str, Any], at: datetime) -> str:
    """Return the body as it is signed: the same bytes at every attempt (Standard Webhooks, "Payload")."""
    moment = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    data = {"contact_id": str(one.contact_id), **one.about, "fields": values}
    return orjson.dumps({"type": spec.topic, "timestamp": moment, "data": data}).decode()


def _record_queue(service_id: UUID, outcome: str, why: str, actor: Actor) -> None:
    audit.record(
        Action.CALL_RECORD,
        actor=actor,
        object_kind="service",
        object_id=service_id,
        outcome=outcome,
        reason=str(why),
    )


def _number(ended: Sequence[Settling], at: datetime) -> None:
    """Settle calls and give them numbers: the last thing in a transaction, for the counter stays locked.

    A body is not kept for longer than it is needed.
    """
    if not ended:
        return
    first = feed.next_numbers(FEED, len(ended))
    bulk.execute(
        _SETTLE,
        [
            at,
            [each.call_id for each in ended],
            [CallRow.DONE if each.done else CallRow.FAILED for each in ended],
            [str(each.reason) for each in ended],
            [each.attempts for each in ended],
            list(range(first, first + len(ended))),
        ],
    )


def _entry(row: CallRow, ended: Settling, actor: Actor) -> NewEntry:
    return NewEntry(
        Action.CALL_RECORD,
        actor,
        object_kind="call",
        object_id=row.id,
        patient_id=row.contact_id,
        fields=ended.fields if ended.done else (),
        purpose="vendor_call",
        outcome="ok" if ended.done else "failed",
        reason=ended.reason,
        details={"service": str(row.service_id), "attempts": ended.attempts},
    )


def _known(origin: Origin, contact_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    rows = CallRow.objects.filter(origin_id=origin.id, contact_id__in=contact_ids)
    return dict(rows.values_list("contact_id", "id"))


def _binding(call_id: UUID) -> bytes:
    return keys.binding(current_organization(), "delivery_call", call_id)


def _label(word: str) -> Label:
    return _LABELS[word]
