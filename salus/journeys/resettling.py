"""Moves those inside a journey from one version to another by a mapping of steps: nothing twice, nobody dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.journeys import cursors
from salus.journeys.contracts import Move, Status, Version
from salus.journeys.courses import course
from salus.journeys.drafting import locked_journey
from salus.journeys.effects import take_back
from salus.journeys.models import TallyRow
from salus.journeys.queries import version
from salus.journeys.rules import mapping as rules
from salus.journeys.rules.lifecycle import RUNNING
from salus.journeys.rules.moving import Course
from salus.journeys.rules.position import Position, Why, pack, unpack
from salus.journeys.walking import Tally, count
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict, NotFound
from salus.platform import bulk
from salus.platform.tenancy import current_organization

CHUNK = 5_000
"""People whose places are in memory at once."""

_STANDING = sql.SQL(
    "SELECT step, count(*)::int FROM journeys_enrolment WHERE organization_id = %s AND journey_id = %s "
    "AND version_id = %s AND fate = 'waiting' GROUP BY 1"
)
_PEOPLE = sql.SQL(
    "SELECT id, contact_id, step, ordinal, entry, arrived_at, entered_at, came_by, waits, answer, memory "
    "FROM journeys_enrolment WHERE organization_id = %s AND journey_id = %s AND version_id = %s "
    "AND fate = 'waiting' AND id > %s ORDER BY id LIMIT %s FOR UPDATE"
)
_PLACES = (
    ("id", "uuid"),
    ("step", "text"),
    ("arrived_at", "timestamptz"),
    ("came_by", "text"),
    ("waits", "text"),
    ("answer", "text"),
    ("memory", "text"),
)
_SETTLE = sql.SQL(
    "UPDATE journeys_enrolment e SET version_id = %s, step = n.step, arrived_at = n.arrived_at, "
    "came_by = n.came_by, waits = n.waits, answer = n.answer, memory = n.memory::jsonb, due_at = %s, asked = true "
    "FROM {} n WHERE e.id = n.id AND e.organization_id = %s"
)


def moves(version_id: UUID, other_id: UUID, mapping: Mapping[str, str]) -> tuple[Move, ...]:
    """Return what a mapping of steps (old -> new) means for those inside a version, a move for each step.

    Raises `NotFound` for versions that are not there or not of one journey.
    """
    before, after = _versions(version_id, other_id)
    return rules.moves(before.graph, after.graph, _standing(before), mapping)


def suggested_moves(version_id: UUID, other_id: UUID) -> Mapping[str, str]:
    """Return the mapping in which everybody stays at the step of the same key, where that is lawful."""
    before, after = _versions(version_id, other_id)
    return rules.suggested(before.graph, after.graph, _standing(before))


def move_people(
    version_id: UUID, other_id: UUID, mapping: Mapping[str, str], *, actor: Actor, at: datetime
) -> int:
    """Move everybody inside a version to another one that is, or was, live; return how many they were.

    A step that nobody stands at may be mapped too: what somebody remembers of it (a message, how often
    they went round) is then known by its new key. In one transaction: nobody moves meanwhile. Raises
    `Conflict` when a move is not lawful: `moves` says why.
    """
    before, after = _versions(version_id, other_id)
    for feed in cursors.Feed:  # whoever wakes people holds these first, then the journey
        cursors.hold(feed)
    journey = locked_journey(before.journey_id)
    if Status(journey.status) not in RUNNING:
        raise Conflict("Nobody is inside this journey.")
    if after.live_at is None:
        raise Conflict("The other version was never live.", next_step="Start it first.")
    lawful = rules.moves(before.graph, after.graph, _standing(before), mapping)
    if any(each.findings for each in lawful):
        raise Conflict("Some people could not go on.", next_step="See what stands beside each step.")
    _settle(before, after, {each.step: each for each in lawful}, _names(before, after, mapping), actor, at)
    people = sum(each.people for each in lawful)
    count(before.journey_id, _tally(before, after, lawful))
    audit.record(
        Action.JOURNEY_MAP,
        actor=actor,
        object_kind="journey",
        object_id=before.journey_id,
        details={"people": people, "from": str(before.id), "to": str(after.id)},
    )
    return people


def _versions(version_id: UUID, other_id: UUID) -> tuple[Version, Version]:
    before, after = version(version_id), version(other_id)
    if before.journey_id != after.journey_id or before.id == after.id:
        raise NotFound
    return before, after


def _standing(of: Version) -> Mapping[str, int]:
    return dict(bulk.read(_STANDING, [current_organization(), of.journey_id, of.id]))


def _names(before: Version, after: Version, mapping: Mapping[str, str]) -> Mapping[str, str]:
    """Return the new keys of steps that are the same under another one."""
    old, new = before.graph.steps, after.graph.steps
    return {
        step: to
        for step, to in mapping.items()
        if step in old and to in new and old[step].kind is new[to].kind
    }


def _settle(
    before: Version,
    after: Version,
    moves: Mapping[str, Move],
    names: Mapping[str, str],
    actor: Actor,
    at: datetime,
) -> None:
    known, idle = course(after.id), list[Position]()
    for people in _people(before):
        rows = []
        for position in people:
            move = moves[position.step]
            if position.waits in (Why.TASK, Why.CALL) and not move.goes_on:
                idle.append(position)
            rows.append(_place(known, position, move, names, at))
        table = bulk.copy_rows(_PLACES, rows)
        bulk.execute(_SETTLE.format(table), [after.id, at, current_organization()])
    take_back(idle, actor=actor, at=at)


def _people(of: Version) -> Iterator[list[Position]]:
    """Yield those inside, locked, by id."""
    last = UUID(int=0)
    while True:
        asked = [current_organization(), of.journey_id, of.id, last, CHUNK]
        found = [_position(row) for row in bulk.read(_PEOPLE, asked)]
        if not found:
            return
        last = found[-1].enrolment_id
        yield found


def _position(row: tuple[Any, ...]) -> Position:
    id, contact_id, step, ordinal, entry, arrived, entered, came_by, waits, answer, memory = row
    return Position(
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


def _place(
    known: Course, position: Position, move: Move, names: Mapping[str, str], at: datetime
) -> tuple[Any, ...]:
    new = known.resettled(position, move.to, names, at, goes_on=move.goes_on)
    packed = pack(new.memory)
    return (
        new.enrolment_id,
        new.step,
        new.arrived_at,
        new.came_by,
        new.waits or "",
        new.answer,
        orjson.dumps(packed).decode() if packed else None,
    )


def _tally(before: Version, after: Version, moves: Sequence[Move]) -> Tally:
    """Return what is counted now in the other version: each version's numbers add up, and those of both are as before."""
    tally: Tally = Counter()
    for each in moves:
        tally[before.id, TallyRow.ENTERED, "", "", "", "", 0] -= each.people
        tally[after.id, TallyRow.ENTERED, "", "", "", "", 0] += each.people
        tally[before.id, TallyRow.ARRIVED, each.step, "", "", "", 0] -= each.people
        tally[after.id, TallyRow.ARRIVED, each.to, "", "", "", 0] += each.people
    return tally
