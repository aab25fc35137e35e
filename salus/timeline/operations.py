"""Appends events: sealed first, numbered last, so that the counter is held as short as can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from salus.timeline.contracts import NewEvent

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
    "ON CONFLICT (organization_id, contact_id, key) DO NOTHING RETURNING 1"
)


def append(events: Sequence[NewEvent], actor: Actor | None, recorded_at: datetime) -> int:
    """Store what is not stored yet, in the order given, and return how many that were.

    Events of people who are not here (erased meanwhile) are left out. Raises `BadInput` with the
    number of the faulty event; then nothing is stored.
    """
    packed = []
    for number, event in enumerate(events, 1):
        rules.check(event, f"event {number}")
        packed.append((event, rules.pack(event, f"event {number}")))
    here = contacts.versions(sorted({event.contact_id for event in events}))
    rows = list(_rows([(event, raw) for event, raw in packed if event.contact_id in here], recorded_at))
    if not rows:
        return 0
    table = bulk.copy_rows(_COLUMNS, rows)
    first = feed.next_numbers(FEED, len(rows))
    stored = len(bulk.execute(_INSERT.format(table), [current_organization(), first]))
    if actor is not None and stored:
        audit.record(Action.TIMELINE_APPEND, actor=actor, object_kind="event", details={"events": stored})
    return stored


def _rows(packed: Sequence[tuple[NewEvent, bytes]], recorded_at: datetime) -> Iterator[tuple[Any, ...]]:
    """Yield the rows to load, sealed, each (contact, key) once and without those that are stored."""
    organization_id, sealer, blinder = current_organization(), keys.sealer(), keys.blinder()
    fresh: dict[tuple[UUID, bytes], tuple[NewEvent, bytes]] = {}
    retired: dict[tuple[UUID, bytes], tuple[UUID, bytes]] = {}
    for event, raw in packed:
        present, *older = blinder.candidates("event", f"{event.contact_id.hex} {event.key}")
        fresh.setdefault((event.contact_id, present), (event, raw))
        retired.update({(event.contact_id, key): (event.contact_id, present) for key in older})
    for found in queries.known(list(retired)) if retired else ():
        fresh.pop(retired[found], None)
    for place, ((contact_id, key), (event, raw)) in enumerate(fresh.items()):
        sealed = sealer.seal(raw, queries.binding(organization_id, contact_id, key))
        yield place, contact_id, key, event.message_id, recorded_at, sealed
