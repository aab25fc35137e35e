"""People who are put in by hand, by a file or by a program: found by their numbers, and accounted for one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid5

from salus.contacts import api as contacts
from salus.journeys import enrolling
from salus.journeys.contracts import Admission, EnterKind
from salus.journeys.courses import course
from salus.journeys.queries import journey
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.ids import new_id

CONTACT = "C-"
"""How a contact number is written; anything else is a number of somebody's records."""
SYSTEMS = ("mrn", "member", "fhir")
MOST = 20_000
AT_ONCE = 1_000
"""People let in by one statement."""


def takes_by_hand(journey_id: UUID) -> bool:
    """Return whether people may be put into a journey now by hand or by a file."""
    return _takes(journey_id, EnterKind.BY_HAND)


def enrol_numbers(
    journey_id: UUID,
    lines: Sequence[str],
    *,
    actor: Actor,
    at: datetime,
    occasion: str = "",
    kind: EnterKind = EnterKind.BY_HAND,
) -> Admission:
    """Put people in by their contact or record numbers, and say of each line what became of it.

    `occasion`, a key of the caller's own, makes a repeat harmless: who came in for it is told as entered
    again. Raises `NotFound` for a journey that is not there, `Conflict` when it takes nobody this way now,
    `BadInput` for too many lines.
    """
    journey(journey_id)
    if len(lines) > MOST:
        raise BadInput(f"These are more than {MOST:,} people.", next_step="Divide them.")
    if not _takes(journey_id, kind):
        raise Conflict("This journey takes nobody this way now.", next_step="See how people come in.")
    found = _found(lines)
    numbers = contacts.numbers_of(list(set(found.values())))
    owners = {line: numbers[id] for line, id in found.items() if id in numbers}
    people = {numbers[id]: id for id in found.values() if id in numbers}
    fresh = occasion or str(new_id())
    candidates = [
        enrolling.Candidate(id, number, _occasion(journey_id, actor, fresh, number))
        for number, id in sorted(people.items())
    ]
    entered: set[int] = set()
    refused: dict[int, str] = {}
    for start in range(0, len(candidates), AT_ONCE):
        batch = enrolling.let_in(journey_id, candidates[start : start + AT_ONCE], actor=actor, at=at)
        again = {number for number, why in batch.refused.items() if why == enrolling.SAME}
        entered |= batch.entered | again
        refused |= {number: why for number, why in batch.refused.items() if number not in again}
    known = [line for line in lines if line in owners]
    return Admission(
        asked=len(lines),
        entered=tuple(sorted(entered)),
        refused=refused,
        unknown=tuple(place for place, line in enumerate(lines, 1) if line not in owners),
        repeated=len(known) - len(people),
    )


def contact_of(text: str) -> UUID | None:
    """Return the contact with a contact number ("C-004 218") or a record number, None when there is not just one."""
    return _found([text]).get(text)


def _takes(journey_id: UUID, kind: EnterKind) -> bool:
    version_id = enrolling.takes_people(journey_id)
    return version_id is not None and any(way.kind is kind for way in course(version_id).graph.enter)


def _occasion(journey_id: UUID, actor: Actor, key: str, number: int) -> bytes:
    return uuid5(journey_id, f"{actor.id} {key} {number}").bytes


def _found(lines: Sequence[str]) -> Mapping[str, UUID]:
    """Return the contact of each line that one contact, and no other, has."""
    numbers = {line: number for line in lines if (number := _contact_number(line)) is not None}
    ids = contacts.ids_of(list(numbers.values()))
    found = {line: ids[number] for line, number in numbers.items() if number in ids}
    others = [line for line in lines if line not in numbers]
    pairs = {line: [(each, value) for each in SYSTEMS] for line in others if (value := _value(line))}
    by_pair, _ = contacts.find_each([pair for each in pairs.values() for pair in each], [])
    for line, asked in pairs.items():
        owners = {owner for pair in asked for owner in by_pair.get(pair, ())}
        if len(owners) == 1:
            found[line] = owners.pop()
    return found


def _value(line: str) -> str:
    """Return the normal form of a record number, "" for what can be none."""
    try:
        return contacts.identifier_value(line)
    except BadInput:
        return ""


def _contact_number(line: str) -> int | None:
    bare = line.strip().upper()
    if not bare.startswith(CONTACT):
        return None
    digits = bare.removeprefix(CONTACT).replace(" ", "").replace("\u00a0", "")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 12 else None
