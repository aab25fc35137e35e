"""Counts of a sending and who is behind each: set-based, one statement however many people it has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from salus.delivery import deposits
from salus.delivery.contracts import By, Engaged, Engagement, Origin, Progress, Sending, State
from salus.delivery.models import EngagementRow, MessageRow
from salus.delivery.rules import IN_PORTAL, WAITING
from salus.kernel.vocabulary import Protection
from salus.platform import bulk

_PROGRESS = sql.SQL(
    "SELECT origin_id, state, reason, rule, reached, uncertain, count(*) FROM delivery_message "
    "WHERE origin_id = ANY(%s) GROUP BY 1, 2, 3, 4, 5, 6"
)
# Each message counts once, under the most telling of those who fetched it.
_ENGAGEMENT = sql.SQL(
    "SELECT origin_id, kind, best, count(*) FROM ("
    'SELECT origin_id, kind, message_id, min(array_position(%s::text[], "by"::text)) AS best '
    "FROM delivery_engagement WHERE origin_id = ANY(%s) GROUP BY 1, 2, 3) AS each GROUP BY 1, 2, 3"
)
_READERS = sql.SQL(
    "SELECT origin_id, count(DISTINCT message_id) FROM delivery_engagement "
    "WHERE origin_id = ANY(%s) AND \"by\" = 'person' GROUP BY 1"
)
# The kinds are given, so that each message is a few probes of the key.
_ENGAGED = sql.SQL(
    "SELECT e.message_id, e.kind FROM delivery_message m CROSS JOIN unnest(%s::text[]) AS k(kind) "
    "JOIN delivery_engagement e ON e.organization_id = m.organization_id AND e.origin_id = m.origin_id "
    "AND e.kind = k.kind AND e.\"by\" = 'person' AND e.message_id = m.id WHERE m.id = ANY(%s)"
)
_SENDINGS = sql.SQL(
    "SELECT o.id, o.not_before, m.state, count(*) FROM delivery_origin o "
    "JOIN delivery_message m ON m.organization_id = o.organization_id AND m.origin_id = o.id "
    "WHERE o.kind = %s AND o.not_before >= %s GROUP BY 1, 2, 3"
)
_READERS_OF_MANY = sql.SQL(
    "SELECT o.id, count(DISTINCT e.message_id) FROM delivery_origin o "
    "JOIN delivery_engagement e ON e.organization_id = o.organization_id AND e.origin_id = o.id "
    "WHERE o.kind = %s AND o.not_before >= %s AND e.\"by\" = 'person' GROUP BY 1"
)
_TELLING = (By.PERSON, By.PROXY, By.SCANNER)
"""The most telling first."""


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
    reached: str = ""
    """The name of the protection that was reached, empty before."""


def progress(origin: Origin) -> Progress:
    """Return the counts of a sending by state; their sum is the number of people planned."""
    return progress_of([origin.id])[origin.id]


def progress_of(origin_ids: Collection[UUID]) -> Mapping[UUID, Progress]:
    """Return the counts of each of these sendings, with zeros where there is nobody; one query for all."""
    found: defaultdict[UUID, list[tuple[Any, ...]]] = defaultdict(list)
    for id, *group in bulk.execute(_PROGRESS, [[*origin_ids]]):
        found[id].append((*group,))
    return {id: _progress(found[id]) for id in origin_ids}


def _progress(groups: Iterable[tuple[Any, ...]]) -> Progress:
    states: Counter[str] = Counter()
    by_protection: Counter[str] = Counter()
    by_rule: Counter[str] = Counter()
    reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
    uncertain = 0
    for state, reason, rule, reached, doubtful, count in groups:
        states[state] += count
        uncertain += count if doubtful else 0
        if reason:
            reasons[state][reason] += count
        if state == State.ACCEPTED:
            by_protection[Protection(reached).name.lower()] += count
        elif state in IN_PORTAL:
            by_protection["portal"] += count
        if state != State.REFUSED:
            by_rule[rule] += count
    return Progress(
        planned=states.total(),
        states=dict(states),
        uncertain=uncertain,
        refused=dict(reasons.get(State.REFUSED, {})),
        by_protection=dict(by_protection),
        reasons={state: dict(found) for state, found in reasons.items()},
        by_rule=dict(by_rule),
    )


def settled_since(origin: Origin, since: datetime) -> int:
    """Return how many messages of a sending were handed over or ended since then: its pace."""
    gone = {State.ACCEPTED, State.BOUNCED, State.GAVE_UP, State.PORTAL, State.PORTAL_UNNOTIFIED}
    return MessageRow.objects.filter(origin_id=origin.id, state__in=list(gone), changed_at__gte=since).count()


def is_waiting(origin: Origin) -> bool:
    """Return whether any message of a sending, or any notice of it, still waits to be handed over."""
    ids = [origin.id, deposits.notice_origin_id(origin.id)]
    return MessageRow.objects.filter(origin_id__in=ids, state__in=list(WAITING)).exists()


def engagement(origin: Origin) -> Engagement:
    """Return what readers did with the messages of a sending."""
    return engagement_of([origin.id])[origin.id]


def engagement_of(origin_ids: Collection[UUID]) -> Mapping[UUID, Engagement]:
    """Return what readers did with the messages of each of these sendings; two queries for all."""
    counts: defaultdict[UUID, dict[Engaged, dict[By, int]]] = defaultdict(
        lambda: {kind: {} for kind in Engaged}
    )
    for id, kind, best, count in bulk.execute(_ENGAGEMENT, [list(_TELLING), [*origin_ids]]):
        counts[id][Engaged(kind)][_TELLING[best - 1]] = count
    readers = dict(bulk.execute(_READERS, [[*origin_ids]]))
    return {
        id: Engagement(
            opened=counts[id][Engaged.OPENED],
            clicked=counts[id][Engaged.CLICKED],
            read=sum(counts[id][Engaged.READ].values()),
            readers=readers.get(id, 0),
        )
        for id in origin_ids
    }


def engaged(message_ids: Collection[UUID]) -> Mapping[UUID, frozenset[Engaged]]:
    """Return what persons (no proxies, no scanners) did with each of these messages; one query for all."""
    done: defaultdict[UUID, set[Engaged]] = defaultdict(set)
    for id, kind in bulk.execute(_ENGAGED, [list(Engaged), [*message_ids]]):
        done[id].add(Engaged(kind))
    return {id: frozenset(done[id]) for id in message_ids}


def sendings(kind: str, since: datetime) -> list[Sending]:
    """Return the sendings of a kind released since then, oldest first, each with its counts by state."""
    released: dict[UUID, datetime] = {}
    states: defaultdict[UUID, dict[str, int]] = defaultdict(dict)
    for id, at, state, count in bulk.execute(_SENDINGS, [kind, since]):
        released[id] = at
        states[id][state] = count
    readers = dict(bulk.execute(_READERS_OF_MANY, [kind, since]))
    return [
        Sending(Origin(kind, id), at, states[id], readers.get(id, 0))
        for id, at in sorted(released.items(), key=lambda each: each[1])
    ]


def waiting_by_state() -> Mapping[str, int]:
    """Return how many messages of the organization wait for a sender, are with one, or were held back."""
    found = bulk.execute(
        sql.SQL(
            "SELECT CASE WHEN held THEN 'held' WHEN lease_until IS NOT NULL THEN 'leased' "
            "WHEN not_before > now() THEN 'later' ELSE 'due' END, count(*) FROM delivery_queue GROUP BY 1"
        )
    )
    return dict(found)


def untried(origin: Origin) -> int:
    """Return how many messages of a sending, and of its notices, no sender has tried yet."""
    ids = [origin.id, deposits.notice_origin_id(origin.id)]
    waiting = [State.CLEARED, State.LEASED]
    return MessageRow.objects.filter(origin_id__in=ids, state__in=waiting, attempts=0).count()


def recipients(
    origin: Origin,
    *,
    states: Collection[State] = (),
    reason: str = "",
    rule: str = "",
    floor: Protection | None = None,
    engaged: tuple[Engaged, By] | None = None,
    uncertain: bool = False,
    after: int = 0,
    limit: int = 100,
) -> list[Recipient]:
    """Return who is behind a figure, by contact number from `after` on; what is not given does not narrow."""
    rows = MessageRow.objects.filter(origin_id=origin.id, contact_number__gt=after)
    if states:
        rows = rows.filter(state__in=list(states))
    if reason:
        rows = rows.filter(reason=reason)
    if rule:
        rows = rows.filter(rule=rule)
    if floor is not None:
        rows = rows.filter(floor=int(floor))
    if uncertain:
        rows = rows.filter(uncertain=True)
    if engaged:
        kind, by = engaged
        noted = EngagementRow.objects.filter(origin_id=origin.id, kind=kind)
        better = noted.filter(by__in=_TELLING[: _TELLING.index(by)])
        rows = rows.filter(id__in=noted.filter(by=by).values("message_id"))
        rows = rows.exclude(id__in=better.values("message_id"))
    return [_recipient(row) for row in rows.order_by("contact_number")[:limit]]


def unnotified(*, limit: int = 100) -> list[Recipient]:
    """Return people whose portal message could not be announced: staff must tell them another way."""
    rows = MessageRow.objects.filter(state=State.PORTAL_UNNOTIFIED).order_by("-changed_at")[:limit]
    return [_recipient(row) for row in rows]


def count_unnotified() -> int:
    """Return how many people must be told another way that a message waits for them."""
    return MessageRow.objects.filter(state=State.PORTAL_UNNOTIFIED).count()


def _recipient(row: MessageRow) -> Recipient:
    return Recipient(
        message_id=row.id,
        contact_id=row.contact_id,
        contact_number=row.contact_number,
        state=State(row.state),
        reason=row.reason,
        rule=row.rule,
        uncertain=row.uncertain,
        reached=Protection(row.reached).name.lower() if row.reached else "",
    )
