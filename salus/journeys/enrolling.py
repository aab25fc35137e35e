"""Lets people into a journey, many at once: by its rule of coming again, never twice at once, never twice for one occasion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import orjson
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.journeys.contracts import Again, EndsOn, Graph, Rules, Status, VersionStatus
from salus.journeys.courses import course
from salus.journeys.models import TallyRow
from salus.journeys.opening import deceased
from salus.journeys.rules.position import pack
from salus.journeys.walking import Tally, count
from salus.kernel.acting import Actor
from salus.kernel.ids import new_ids
from salus.platform import bulk
from salus.platform.tenancy import current_organization

CLOSED, INSIDE, CAME_BEFORE, TOO_SOON = "takes_nobody", "inside_already", "came_before", "too_soon"
DECEASED, SAME = "deceased", "same_occasion"
"""Why somebody is not let in; the same occasion only repeats what was done, and is not counted."""

_TAKES = sql.SQL(
    "SELECT v.id FROM journeys_journey j JOIN journeys_version v ON v.journey_id = j.id "
    "WHERE j.organization_id = %s AND j.id = %s AND j.status = %s AND v.status = %s FOR SHARE OF j"
)

# A look-up for each person, however many rows the table has: a join would read all of them.
_PAST = sql.SQL(
    "SELECT n.contact_id, n.occurrence, past.* FROM unnest(%s::uuid[], %s::bytea[]) AS n (contact_id, occurrence) CROSS JOIN LATERAL ("
    "SELECT count(*)::int AS entries, bool_or(e.fate = 'waiting'), max(e.entered_at), bool_or(e.occurrence = n.occurrence) "
    "FROM journeys_enrolment e WHERE e.organization_id = %s AND e.contact_id = n.contact_id AND e.journey_id = %s"
    ") AS past WHERE past.entries > 0"
)
_ROWS = (
    ("id", "uuid"),
    ("contact_id", "uuid"),
    ("contact_number", "int8"),
    ("entry", "int4"),
    ("occurrence", "bytea"),
)
# Two that let the same person in at once: the second finds the first's row, and nothing to do.
_INSERT = sql.SQL(
    "INSERT INTO journeys_enrolment (organization_id, id, journey_id, version_id, contact_id, contact_number, entry, "
    "occurrence, step, ordinal, arrived_at, came_by, due_at, waits, answer, asked, memory, fate, reason, entered_at) "
    "SELECT %s, id, %s, %s, contact_id, contact_number, entry, occurrence, %s, 0, %s, '', %s, '', '', %s, %s::jsonb, "
    "'waiting', '', %s FROM {} ORDER BY contact_id ON CONFLICT DO NOTHING RETURNING contact_number"
)


class Candidate(NamedTuple):
    """Somebody who is to come in; `occasion` (16 bytes) says for what: the same never lets in twice."""

    contact_id: UUID
    number: int
    occasion: bytes


class Past(NamedTuple):
    """How somebody was in a journey before."""

    times: int
    inside: bool
    last: datetime
    same: bool


@dataclass(frozen=True, slots=True)
class Entered:
    """Who was let in, by contact number, and who was not, with a code why."""

    entered: frozenset[int]
    refused: Mapping[int, str]


def let_in(
    journey_id: UUID, people: Sequence[Candidate], *, actor: Actor, at: datetime, alive: bool = False
) -> Entered:
    """Let people (a few thousand at most) into the version that takes people; those kept out are counted by reason.

    In the caller's transaction; one audit entry for all. They stand at the first step and are due at once.
    `alive`: none of them is known to have died, so their records need not be opened to see that.
    """
    version_id = takes_people(journey_id) if people else None
    if version_id is None:
        return Entered(frozenset(), {each.number: CLOSED for each in people})
    graph, past = course(version_id).graph, _past(journey_id, people)
    refused: dict[int, str] = {}
    fresh: dict[int, Candidate] = {}
    dead = frozenset[UUID]() if alive else deceased([each.contact_id for each in people], at)
    for each in people:
        why = (
            DECEASED
            if each.contact_id in dead
            else _judge(past.get((each.contact_id, each.occasion)), graph.rules, at)
        )
        if why or each.number in fresh:
            refused[each.number] = why or INSIDE
        else:
            fresh[each.number] = each
    entered = _insert(journey_id, version_id, graph, list(fresh.values()), past, at)
    refused |= {number: INSIDE for number in fresh if number not in entered}
    _count(journey_id, version_id, graph.start, len(entered), Counter(refused.values()))
    audit.record(
        Action.JOURNEY_ENROL,
        actor=actor,
        object_kind="journey",
        object_id=journey_id,
        details={"version": str(version_id), "entered": len(entered), "refused": len(refused)},
    )
    return Entered(entered, refused)


def occasion(text: str) -> bytes:
    """Return the 16 bytes of an occasion that ids and numbers describe; one that tells of a person is blinded instead."""
    return sha256(text.encode()).digest()[:16]


def takes_people(journey_id: UUID) -> UUID | None:
    """Return the version that takes people now, None when none does; it stays so until the transaction ends."""
    found = bulk.read(
        _TAKES, [current_organization(), journey_id, Status.LIVE.value, VersionStatus.LIVE.value]
    )
    return found[0][0] if found else None


def _judge(past: Past | None, rules: Rules, at: datetime) -> str:
    """Return why somebody may not come in (again), "" when they may."""
    if past is None:
        return ""
    if past.same:
        return SAME
    if past.inside:
        return INSIDE
    if rules.again is Again.NEVER:
        return CAME_BEFORE
    if rules.again is Again.AFTER and past.last + (rules.again_after or timedelta()) > at:
        return TOO_SOON
    return ""


def _past(journey_id: UUID, people: Sequence[Candidate]) -> Mapping[tuple[UUID, bytes], Past]:
    found = bulk.read(
        _PAST,
        [
            [each.contact_id for each in people],
            [each.occasion for each in people],
            current_organization(),
            journey_id,
        ],
    )
    return {(contact_id, occurrence): Past(*rest) for contact_id, occurrence, *rest in found}


def _insert(
    journey_id: UUID,
    version_id: UUID,
    graph: Graph,
    people: Sequence[Candidate],
    past: Mapping[tuple[UUID, bytes], Past],
    at: datetime,
) -> frozenset[int]:
    if not people:
        return frozenset()
    rows = [
        (
            id,
            each.contact_id,
            each.number,
            past[each.contact_id, each.occasion].times if (each.contact_id, each.occasion) in past else 0,
            each.occasion,
        )
        for id, each in zip(new_ids(len(people)), people, strict=True)
    ]
    asked = any(each.on is EndsOn.OPTED_OUT for each in graph.rules.endings)
    memory = pack(course(version_id).enter(UUID(int=0), UUID(int=0), at).memory)
    found = bulk.execute(
        _INSERT.format(bulk.copy_rows(_ROWS, rows)),
        [
            current_organization(),
            journey_id,
            version_id,
            graph.start,
            at,
            at,
            asked,
            orjson.dumps(memory).decode() if memory else None,
            at,
        ],
    )
    return frozenset(number for (number,) in found)


def _count(journey_id: UUID, version_id: UUID, start: str, entered: int, refused: Mapping[str, int]) -> None:
    tally: Tally = Counter()
    tally[version_id, TallyRow.ENTERED, "", "", "", "", 0] = entered
    tally[version_id, TallyRow.ARRIVED, start, "", "", "", 0] = entered
    for reason, people in refused.items():
        if reason != SAME:
            tally[version_id, TallyRow.KEPT_OUT, "", "", "", reason, 0] = people
    count(journey_id, tally)
