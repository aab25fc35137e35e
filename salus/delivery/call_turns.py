"""A sender's turn at one service, in the database: lease calls, look again whether they may go, write down what became of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from psycopg import sql

from salus.contacts import api as contacts
from salus.delivery import call_rules, calls
from salus.delivery.calls import CallContent, Settling
from salus.delivery.models import CallRow
from salus.kernel.acting import Actor
from salus.keys import api as keys
from salus.platform import bulk
from salus.vendors import api as vendors
from salus.vendors.contracts import OutOfScope

LEASE = timedelta(minutes=2)
"""Longer than an attempt may take, so that a slow sender is not doubled; doubled, the id is the same."""
PERSON_IS_GONE = "person_is_gone"

# A loose index scan: one probe a service, however long the queue is.
_SERVICES = sql.SQL(
    "WITH RECURSIVE s AS ("
    "(SELECT organization_id, service_id FROM delivery_callqueue ORDER BY organization_id, service_id LIMIT 1) "
    "UNION ALL SELECT n.organization_id, n.service_id FROM s CROSS JOIN LATERAL ("
    "SELECT q.organization_id, q.service_id FROM delivery_callqueue q "
    "WHERE (q.organization_id, q.service_id) > (s.organization_id, s.service_id) "
    "ORDER BY q.organization_id, q.service_id LIMIT 1) AS n) SELECT organization_id, service_id FROM s"
)
_LEASE = sql.SQL(
    "WITH due AS (SELECT call_id FROM delivery_callqueue WHERE organization_id = %s AND service_id = %s "
    "AND not_before <= %s AND (lease_until IS NULL OR lease_until < %s) "
    "ORDER BY not_before LIMIT %s FOR UPDATE SKIP LOCKED) "
    "UPDATE delivery_callqueue q SET lease_until = %s, fence = q.fence + 1 FROM due "
    "WHERE q.call_id = due.call_id RETURNING q.call_id, q.fence"
)
_GIVE_BACK = sql.SQL(
    "UPDATE delivery_callqueue q SET lease_until = NULL, not_before = greatest(q.not_before, l.not_before) "
    "FROM unnest(%s::uuid[], %s::int8[], %s::timestamptz[]) AS l(call_id, fence, not_before) "
    "WHERE q.call_id = l.call_id AND q.fence = l.fence RETURNING q.call_id"
)
_TRIED = sql.SQL(
    "UPDATE delivery_call c SET attempts = c.attempts + 1, reason = t.reason "
    "FROM unnest(%s::uuid[], %s::text[]) AS t(id, reason) WHERE c.id = t.id"
)


@dataclass(frozen=True, slots=True)
class Turn:
    """Calls of one service that this sender, and no other, makes while their lease lasts: id -> fence."""

    organization_id: UUID
    service_id: UUID
    fences: dict[UUID, int]


@dataclass(frozen=True, slots=True)
class Ready:
    """One call that may be made now, and what signs it."""

    call_id: UUID
    content: CallContent
    address: str = field(repr=False)
    secrets: tuple[bytes, ...] = field(repr=False)
    attempts: int
    give_up_at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one attempt: `status` of the answer, or a `word` why there is none."""

    ready: Ready
    status: int | None
    word: str = ""

    @property
    def taken(self) -> bool:
        """Tell whether the receiver took the call."""
        return self.status is not None and call_rules.taken(self.status)


def lease(services: int, calls_each: int, at: datetime, may_take: Callable[[UUID], bool]) -> list[Turn]:
    """Lease calls of up to `services` services for which `may_take` holds, whichever come first by chance.

    Runs as the sender's database role, outside any organization, in a transaction of its own.
    """
    turns = []
    with transaction.atomic():
        waiting = [pair for pair in bulk.execute(_SERVICES) if may_take(pair[1])]
        random.shuffle(waiting)
        for organization_id, service_id in waiting:
            rows = bulk.execute(_LEASE, [organization_id, service_id, at, at, calls_each, at + LEASE])
            if rows:
                turns.append(Turn(organization_id, service_id, dict(rows)))
            if len(turns) >= services:
                break
    return turns


def prepare(turn: Turn, *, actor: Actor, at: datetime) -> list[Ready] | None:
    """Return the calls that may be made; None when the service is out of scope, and its queue paused.

    A call that tells what the service may not carry any more, is about somebody who is gone, or has no time
    left, ends here.
    """
    try:
        service = vendors.service_in_scope(turn.service_id, (), at)
    except OutOfScope as fault:
        calls.pause(turn.service_id, fault.why, actor=actor, at=at)
        _give_back(turn, dict.fromkeys(turn.fences, at))
        return None
    calls.resume(turn.service_id, actor=actor)
    sealer = keys.sealer()
    rows = CallRow.objects.filter(id__in=list(turn.fences), state=CallRow.WAITING)
    found = [(row, calls.open_call(row, sealer)) for row in rows]
    unfit = _unfit(turn.service_id, found, at)
    secrets = vendors.signing_secrets(turn.service_id, at)
    ready = [
        Ready(row.id, content, service.address, secrets, row.attempts, row.give_up_at)
        for row, content in found
        if row.id not in unfit
    ]
    calls.settle(list(unfit.values()), actor=actor, at=at)
    return ready


def record(turn: Turn, made: Sequence[Made], *, actor: Actor, at: datetime) -> None:
    """Settle what was taken or is given up; put the rest back into the queue."""
    ended: list[Settling] = []
    again: dict[UUID, tuple[datetime, str]] = {}
    for each in made:
        ready, attempts = each.ready, each.ready.attempts + 1
        next_at = call_rules.next_attempt(attempts, at, random.random())  # noqa: S311 - not a secret
        reason = "" if each.taken else call_rules.reason_of(each.status, each.word)
        if each.taken or each.status == call_rules.GONE or next_at >= ready.give_up_at:
            ended.append(Settling(ready.call_id, each.taken, reason, attempts, ready.content.fields))
        else:
            again[ready.call_id] = next_at, reason
    ours = _give_back(turn, {id: next_at for id, (next_at, _) in again.items()})
    bulk.execute(_TRIED, [ours, [again[id][1] for id in ours]])
    calls.settle(ended, actor=actor, at=at)


def _unfit(
    service_id: UUID, found: Sequence[tuple[CallRow, CallContent]], at: datetime
) -> dict[UUID, Settling]:
    here = contacts.versions([row.contact_id for row, _ in found])
    reasons = {labels: calls.beyond(service_id, labels, at) for labels in {each.labels for _, each in found}}
    return {
        row.id: Settling(row.id, done=False, reason=why, attempts=row.attempts)
        for row, content in found
        if (
            why := reasons[content.labels]
            or _over(row, at)
            or ("" if row.contact_id in here else PERSON_IS_GONE)
        )
    }


def _over(row: CallRow, at: datetime) -> str:
    """Return why a call has no time left, "" when it has."""
    return (row.reason or calls.TIME_OVER) if row.give_up_at <= at else ""


def _give_back(turn: Turn, when: dict[UUID, datetime]) -> list[UUID]:
    """Put calls back into the queue, to be tried at `when`; return those whose lease was still ours."""
    ids = list(when)
    found = bulk.execute(_GIVE_BACK, [ids, [turn.fences[id] for id in ids], [when[id] for id in ids]])
    return [id for (id,) in found]
