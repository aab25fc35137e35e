"""Appends events: sealed first, numbered last, so that the counter is held as short as can be."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.keys import api as keys
from salus.platform import bulk, feed
from salus.platform.tenancy import current_organization
from salus.timeline import queries, rules
from salus.timeline.contracts import NewEvent, Outcome

FEED = "timeline"
_COLUMNS = (
    ("place", "int4"),
    ("contact_id", "uuid"),
    ("key", "bytea"),
    ("message_id", "uuid"),
    ("recorded_at", "timestamptz"),
    ("sealed", "bytea"),
)
_INSERT = sql.SQL(
    "INSERT INTO timeline_event (organization_id, number, contact_id, key, message_id, recorded_at, sealed) "
    "SELECT %s, %s + place, contact_id, key, message_id, recorded_at, sealed FROM {} ORDER BY place "
    "ON CONFLICT (organization_id, contact_id, key) DO NOTHING RETURNING number"
)
Key = tuple[UUID, bytes]
"""A contact and the blind index of an event's key under the present key."""


def append(events: Sequence[NewEvent], actor: Actor | None, recorded_at: datetime) -> list[Outcome]:
    """Store what is not stored yet, in the order given, and return what became of each event.

    Events of people who are not here (erased meanwhile) are refused. Raises `BadInput` with the
    number of the faulty event; then nothing is stored.
    """
    packed = []
    for number, event in enumerate(events, 1):
        rules.check(event, f"event {number}")
        packed.append(rules.pack(event, f"event {number}"))
    asked = sorted({event.contact_id for event in events})
    people = contacts.wholes(asked)
    living = contacts.versions([whole[0] for whole in people.values()])
    here = {one for one, whole in people.items() if whole[0] in living}
    outcomes = [Outcome.KNOWN if one.contact_id in here else Outcome.REFUSED for one in events]
    fresh = _fresh(events, here)
    for key in _told_elsewhere(events, fresh, people):
        del fresh[key]
    if fresh:
        table = bulk.copy_rows(_COLUMNS, _rows(events, packed, fresh, recorded_at))
        first, places = feed.next_numbers(FEED, len(fresh)), list(fresh.values())
        for (number,) in bulk.execute(_INSERT.format(table), [current_organization(), first]):
            outcomes[places[number - first]] = Outcome.STORED
    stored = outcomes.count(Outcome.STORED)
    if actor is not None and stored:
        audit.record(Action.TIMELINE_APPEND, actor=actor, object_kind="event", details={"events": stored})
    return outcomes


def are_known(events: Sequence[NewEvent]) -> list[bool]:
    """Tell of each event whether it is stored already, under the present key or a retired one."""
    blinder = keys.blinder()
    asked = [
        [(event.contact_id, key) for key in blinder.candidates("event", _own_key(event))] for event in events
    ]
    found = queries.known([pair for pairs in asked for pair in pairs]) if asked else set()
    return [any(pair in found for pair in pairs) for pairs in asked]


def _own_key(event: NewEvent) -> str:
    return f"{event.contact_id.hex} {event.key}"


def _fresh(events: Sequence[NewEvent], here: Container[UUID]) -> dict[Key, int]:
    """Return the place of each event by its key, each once and without those known under a retired key."""
    blinder = keys.blinder()
    fresh: dict[Key, int] = {}
    retired: dict[Key, Key] = {}
    for place, event in enumerate(events):
        if event.contact_id in here:
            present, *older = blinder.candidates("event", _own_key(event))
            fresh.setdefault((event.contact_id, present), place)
            retired.update({(event.contact_id, key): (event.contact_id, present) for key in older})
    for found in queries.known(list(retired)) if retired else ():
        fresh.pop(retired[found], None)
    return fresh


def _told_elsewhere(
    events: Sequence[NewEvent], fresh: Mapping[Key, int], people: Mapping[UUID, tuple[UUID, ...]]
) -> list[Key]:
    """Return what is known already of the same person, under the id of another record that was merged with this one."""
    asked = [
        (key, replace(events[place], contact_id=other))
        for key, place in fresh.items()
        for other in people[key[0]]
        if other != key[0]
    ]
    known = are_known([event for _, event in asked])
    return list({key: None for (key, _), is_known in zip(asked, known, strict=True) if is_known})


def _rows(
    events: Sequence[NewEvent], packed: Sequence[bytes], fresh: Mapping[Key, int], recorded_at: datetime
) -> list[tuple[Any, ...]]:
    """Return the rows to load, sealed."""
    organization_id, seal = current_organization(), keys.sealer().seal
    return [
        (
            row,
            contact_id,
            key,
            events[place].message_id,
            recorded_at,
            seal(packed[place], queries.binding(organization_id, contact_id, key)),
        )
        for row, ((contact_id, key), place) in enumerate(fresh.items())
    ]
