"""The people of a batch on their way: claimed from the database, moved by the pure mover, written back at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg import sql

from salus.journeys.contracts import Fate, Visit
from salus.journeys.models import TallyRow
from salus.journeys.opening import Gone, Opened, Unopened
from salus.journeys.rules.counting import place
from salus.journeys.rules.moving import Course
from salus.journeys.rules.position import Decision, Do, End, Leave, Position, Stay, Why, pack, unpack
from salus.platform import bulk
from salus.platform.tenancy import current_organization

MOST_HOPS = 100
"""Steps that a person goes on through in one claim; who would go further is claimed again."""
ERASED = "erased"

_CLAIM = sql.SQL(
    "SELECT id, version_id, contact_id, contact_number, entry, step, ordinal, arrived_at, came_by, waits, answer, "
    "asked, memory, entered_at FROM journeys_enrolment WHERE organization_id = %s AND journey_id = %s "
    "AND fate = 'waiting' AND due_at <= %s ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED"
)

_VISITS = (
    ("enrolment_id", "uuid"),
    ("ordinal", "int4"),
    ("version_id", "uuid"),
    ("step", "text"),
    ("arrived_at", "timestamptz"),
    ("left_at", "timestamptz"),
    ("port", "text"),
    ("outcome", "text"),
    ("reason", "text"),
    ("message_id", "uuid"),
)
_INSERT_VISITS = sql.SQL(
    "INSERT INTO journeys_visit (organization_id, {names}) SELECT %s, {names} FROM {table}"
)
_PLACES = (
    ("id", "uuid"),
    ("step", "text"),
    ("ordinal", "int4"),
    ("arrived_at", "timestamptz"),
    ("came_by", "text"),
    ("due_at", "timestamptz"),
    ("waits", "text"),
    ("memory", "text"),
    ("fate", "text"),
    ("reason", "text"),
    ("ended_at", "timestamptz"),
)
_UPDATE_PLACES = sql.SQL(
    "UPDATE journeys_enrolment e SET step = n.step, ordinal = n.ordinal, arrived_at = n.arrived_at, "
    "came_by = n.came_by, due_at = n.due_at, waits = n.waits, memory = n.memory::jsonb, fate = n.fate, "
    "reason = n.reason, ended_at = n.ended_at, answer = '', asked = false "
    "FROM {} n WHERE e.id = n.id AND e.organization_id = %s"
)

Tally = Counter[tuple[UUID, str, str, str, str, str, int]]
"""People by version, what, step, port, outcome, reason, place of the hours."""


class Walker:
    """One person who was claimed. At the end one of `stay` and `end` says how they stand."""

    __slots__ = (
        "_began",
        "_hops",
        "contact_id",
        "course",
        "do",
        "end",
        "facts",
        "id",
        "number",
        "position",
        "stay",
        "version_id",
        "visits",
    )

    def __init__(
        self, id: UUID, version_id: UUID, number: int, course: Course, position: Position, facts: Opened
    ) -> None:
        self.id, self.version_id, self.contact_id, self.number = id, version_id, position.contact_id, number
        self.course, self.position, self.facts = course, position, facts
        self.visits: list[Visit] = []
        self.stay: Stay | None = None
        self.do: Do | None = None
        self.end: End | None = None
        self._began = False
        self._hops = 0

    def walk(self, at: datetime) -> None:
        """Go on until there is something to wait for or to do, or it ends; raises `Unopened` to be called again."""
        try:
            if not self._began:
                ended = self.course.ended(self.position, self.facts, at)
                self._began = True
                if ended is not None:
                    self.take(ended, at)
                    return
            while self._hops < MOST_HOPS:
                self.take(self.course.decide(self.position, self.facts, at), at)
                if self.stay or self.do or self.end:
                    return
            self.stay = Stay(at, Why.DUE)
        except Gone:
            self.take(End(Fate.EXITED, "ended", ERASED, "ended"), at)

    def take(self, decision: Decision, at: datetime) -> None:
        """Write down what was decided."""
        if isinstance(decision, Leave):
            visit, self.position = self.course.leave(self.position, decision, at)
            self.visits.append(visit)
            self.facts.arrive(at)
            self._hops += 1
        elif isinstance(decision, Stay):
            self.stay = decision
        elif isinstance(decision, Do):
            self.do = decision
        else:
            self.visits.append(self.course.end(self.position, decision, at))
            self.end = decision


class Claimed(NamedTuple):
    """One person who is due, locked until the transaction ends."""

    id: UUID
    version_id: UUID
    number: int
    position: Position
    asked: bool


def claim(journey_id: UUID, at: datetime, limit: int) -> list[Claimed]:
    """Lock and return up to `limit` people who are due at `at`, those due first; not those of another worker."""
    found = []
    for row in bulk.read(_CLAIM, [current_organization(), journey_id, at, limit]):
        id, version_id, contact_id, number, entry, step, ordinal, arrived, came_by, waits, answer, asked, memory, entered = row  # fmt: skip
        position = Position(
            id,
            contact_id,
            step,
            arrived,
            entered,
            ordinal,
            entry,
            came_by,
            Why(waits) if waits else None,
            answer,
            unpack(memory),
        )
        found.append(Claimed(id, version_id, number, position, asked))
    return found


def walk_all(walkers: Iterable[Walker], at: datetime, fetch: Callable[[], None]) -> None:
    """Let everybody go on as far as they can; what they ask for is opened for all of them together."""
    waiting = list(walkers)
    while waiting:
        stopped = []
        for each in waiting:
            try:
                each.walk(at)
            except Unopened:
                stopped.append(each)
        if stopped:
            fetch()
        waiting = stopped


def write(journey_id: UUID, walkers: Sequence[Walker], at: datetime) -> int:
    """Write visits, where everybody stands now, and what is counted; return how many visits there are."""
    visits = [_visit_row(each.version_id, visit) for each in walkers for visit in each.visits]
    if visits:
        table = bulk.copy_rows(_VISITS, visits)
        names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in _VISITS)
        bulk.execute(_INSERT_VISITS.format(names=names, table=table), [current_organization()])
    table = bulk.copy_rows(_PLACES, [_place_row(each, at) for each in walkers])
    bulk.execute(_UPDATE_PLACES.format(table), [current_organization()])
    count(journey_id, _tally(walkers))
    return len(visits)


def count(journey_id: UUID, tally: Tally) -> None:
    """Add to what is counted of a journey."""
    TallyRow.objects.bulk_create(
        [
            TallyRow(
                journey_id=journey_id,
                version_id=version_id,
                what=what,
                step=step,
                port=port,
                outcome=outcome,
                reason=reason,
                hours=hours,
                people=people,
            )
            for (version_id, what, step, port, outcome, reason, hours), people in tally.items()
            if people
        ]
    )


def count_kept_out(journey_id: UUID, version_id: UUID, reason: str, people: int) -> None:
    """Count people who were not let in, for a reason."""
    count(journey_id, Counter({(version_id, TallyRow.KEPT_OUT, "", "", "", reason, 0): people}))


def _tally(walkers: Iterable[Walker]) -> Tally:
    tally: Tally = Counter()
    for each in walkers:
        version_id, steps = each.version_id, each.course.graph.steps
        for visit in each.visits:
            spent = place(visit.left_at - visit.arrived_at)
            tally[version_id, TallyRow.LEFT, visit.step, visit.port, visit.outcome, visit.reason, spent] += 1
            target = steps[visit.step].ports.get(visit.port)
            if target is not None:
                tally[version_id, TallyRow.ARRIVED, target, "", "", "", 0] += 1
        if each.end is not None:
            tally[version_id, TallyRow.OVER, "", "", each.end.fate, each.end.reason, 0] += 1
    return tally


def _visit_row(version_id: UUID, visit: Visit) -> tuple[Any, ...]:
    return (
        visit.enrolment_id,
        visit.ordinal,
        version_id,
        visit.step,
        visit.arrived_at,
        visit.left_at,
        visit.port,
        visit.outcome,
        visit.reason,
        visit.message_id,
    )


def _place_row(each: Walker, at: datetime) -> tuple[Any, ...]:
    position, stay, end = each.position, each.stay, each.end
    packed = pack(position.memory)
    assert stay or end
    return (
        each.id,
        position.step,
        position.ordinal,
        position.arrived_at,
        position.came_by,
        stay.due_at if stay else None,
        stay.why.value if stay else "",
        orjson.dumps(packed).decode() if packed else None,
        end.fate.value if end else Fate.WAITING.value,
        end.reason if end else "",
        at if end else None,
    )
