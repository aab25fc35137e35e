"""Records what became of messages, in batches: states, queue, receipts, events, suppressions, deposits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from salus.delivery import capping, deposits, receipts, suppressing
from salus.delivery.contracts import Sign, State
from salus.delivery.preparing import Prepared, Stopped
from salus.delivery.rules import has_given_up, next_attempt
from salus.delivery.status import Kind
from salus.delivery.suppressing import Came
from salus.kernel.acting import Actor
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Protection
from salus.platform import bulk
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt.

    `tls` tells how it was protected; `reply` is code and enhanced status only. `kind` is what a refusal
    says of the address, None when nobody refused. `body_hash` is over the bytes handed over.
    """

    prepared: Prepared
    state: State
    at: datetime
    reached: Protection | None = None
    tls: Mapping[str, Any] = field(default_factory=dict)
    reply: str = ""
    reason: str = ""
    kind: Kind | None = None
    uncertain: bool = False
    body_hash: str = ""
    again_at: datetime | None = None
    key: Mapping[str, str] = field(default_factory=dict)
    """How it was encrypted to its reader; empty when it was not."""
    tried: bool = True
    """False when the message waited in vain for its destination: that is no attempt."""


def deferred(prepared: Prepared, *, at: datetime, jitter: float, **facts: Any) -> Outcome:
    """Return the outcome of a temporary failure: tried again later, or given up after its time."""
    if has_given_up(prepared.first_attempt_at, at):
        return Outcome(prepared, State.GAVE_UP, at, **facts)
    again_at = next_attempt(prepared.attempts + 1, at, jitter)
    return Outcome(prepared, State.DEFERRED, at, again_at=again_at, **facts)


_GOT, _NOBODY_GOT = {State.ACCEPTED, State.PORTAL}, {State.BOUNCED, State.GAVE_UP}

_EVENTS = {
    State.ACCEPTED: EventKind.MESSAGE_ACCEPTED,
    State.BOUNCED: EventKind.MESSAGE_BOUNCED,
    State.PORTAL: EventKind.MESSAGE_PORTAL,
}
_COLUMNS = (
    ("id", "uuid"),
    ("fence", "int8"),
    ("state", "text"),
    ("reason", "text"),
    ("reached", "int2"),
    ("uncertain", "bool"),
    ("attempted", "bool"),
    ("at", "timestamptz"),
    ("again_at", "timestamptz"),
)
# Each outcome counts only while its fence is the queue row's: a lease that was lost changes nothing.
_APPLY = sql.SQL(
    "WITH ours AS (SELECT t.* FROM {table} t JOIN delivery_queue q ON q.message_id = t.id AND q.fence = t.fence "
    "FOR UPDATE OF q), "
    "waiting AS (UPDATE delivery_queue q SET lease_until = NULL, sender = NULL, begun = false, "
    "not_before = o.again_at "
    "FROM ours o WHERE q.message_id = o.id AND o.again_at IS NOT NULL), "
    "done AS (DELETE FROM delivery_queue q USING ours o WHERE q.message_id = o.id AND o.again_at IS NULL) "
    "UPDATE delivery_message m SET state = o.state, reason = o.reason, reached = o.reached, "
    "uncertain = m.uncertain OR o.uncertain, changed_at = o.at, "
    "attempts = m.attempts + o.attempted::int, "
    "first_attempt_at = CASE WHEN o.attempted THEN COALESCE(m.first_attempt_at, o.at) ELSE m.first_attempt_at END "
    "FROM ours o WHERE m.id = o.id AND o.state <> '' RETURNING m.id"
)


def record(
    outcomes: Sequence[Outcome], stopped: Sequence[Stopped], *, actor: Actor, at: datetime
) -> set[UUID]:
    """Record a batch in one transaction, inside the organization's context; return the ids that counted."""
    rows: list[tuple[object, ...]] = [
        (
            each.prepared.lease.message_id,
            each.prepared.lease.fence,
            each.state,
            each.reason,
            int(each.reached or 0),
            each.uncertain,
            each.tried,
            each.at,
            each.again_at,
        )
        for each in outcomes
    ]
    rows += [
        (
            each.lease.message_id,
            each.lease.fence,
            State.CANCELLED if each.reason else "",
            each.reason,
            0,
            False,
            False,
            at,
            None,
        )
        for each in stopped
    ]
    if not rows:
        return set()
    table = bulk.copy_rows(_COLUMNS, rows)
    counted = {row[0] for row in bulk.execute(_APPLY.format(table=table))}
    mine = [each for each in outcomes if each.prepared.lease.message_id in counted]
    halted = [each for each in stopped if each.lease.message_id in counted]
    receipts.record(
        [(each.prepared.lease.message_id, receipts.body(_facts(each))) for each in mine]
        + [(each.lease.message_id, receipts.body(_halted(each, at))) for each in halted],
        actor=actor,
        at=at,
    )
    # The ledger before the stream: everybody takes their locks in this order.
    suppressing.note([_came(each) for each in mine if each.state in _NOBODY_GOT and each.kind], actor=actor)
    timeline.append(
        [_event(each) for each in mine if each.state in _EVENTS and each.prepared.is_letter], actor=actor
    )
    capped = [each for each in mine if each.prepared.is_capped]
    capping.note([(each.prepared.contact_id, _id(each), each.at) for each in capped if each.state in _GOT])
    capping.forget(
        [_id(each) for each in capped if each.state in _NOBODY_GOT]
        + [each.lease.message_id for each in halted]
    )
    deposits.make([each for each in mine if each.state is State.PORTAL], actor=actor, at=at)
    deposits.settle_notices(
        failed=[each.prepared.notice_for for each in mine if each.state in {State.BOUNCED, State.GAVE_UP}]
        + [each.notice_for for each in halted],
        actor=actor,
        at=at,
    )
    return counted


def _id(outcome: Outcome) -> UUID:
    return outcome.prepared.lease.message_id


def _facts(outcome: Outcome) -> dict[str, Any]:
    """Return what the receipt of an attempt states: ids, rules, protection, hashes; no PHI."""
    prepared = outcome.prepared
    decision = prepared.content.decision
    return {
        "message": str(prepared.lease.message_id),
        "contact": str(prepared.contact_id),
        "origin": [prepared.origin.kind, str(prepared.origin.id)],
        "state": outcome.state,
        "uncertain": prepared.uncertain or outcome.uncertain,
        "attempt": prepared.attempts + 1,
        "rules": decision["rules"],
        "rules_version": decision["version"],
        "profile": decision["profile"],
        "results": [
            {key: result[key] for key in ("gate", "rule", "citation", "satisfied", "evidence")}
            for result in decision["results"]
        ],
        "disclosed": decision["disclosed"],
        "floor": prepared.floor.name.lower(),
        "reached": outcome.reached.name.lower() if outcome.reached else "",
        "tls": dict(outcome.tls),
        **({"key": dict(outcome.key)} if outcome.key else {}),
        **({"relay": dict(prepared.relay)} if prepared.relay else {}),
        "reply": outcome.reply,
        "reason": outcome.reason,
        "body_hash": outcome.body_hash,
        "renderer": prepared.parts.renderer,
        "template_version": str(prepared.version_id) if prepared.version_id else None,
        "decided_at": prepared.decided_at,
        # The message's Date: with it the same bytes can be made again and held against the hash.
        "date": prepared.checked_at,
        "at": outcome.at,
    }


def _halted(stopped: Stopped, at: datetime) -> dict[str, Any]:
    return {
        "message": str(stopped.lease.message_id),
        "state": State.CANCELLED,
        "reason": stopped.reason,
        "uncertain": stopped.lease.was_begun,
        "at": at,
    }


def _event(outcome: Outcome) -> NewEvent:
    message_id = outcome.prepared.lease.message_id
    kind = _EVENTS[outcome.state]
    return NewEvent(
        contact_id=outcome.prepared.contact_id,
        kind=kind,
        at=outcome.at,
        key=f"{kind}:{message_id}",
        message_id=message_id,
    )


def _came(outcome: Outcome) -> Came:
    assert outcome.kind is not None
    prepared = outcome.prepared
    return Came(
        _id(outcome),
        prepared.contact_id,
        Phi(prepared.content.to),
        Sign(outcome.kind.value),
        outcome.reason,
        outcome.reply,
        outcome.at,
    )
