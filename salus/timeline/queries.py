"""Reads events of the current organization."""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from psycopg import sql

from salus.contacts import api as contacts
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.tenancy import current_organization
from salus.timeline import rules
from salus.timeline.contracts import Event, EventKind

TABLE = "timeline_event"
_COLUMNS = "number, contact_id, message_id, recorded_at, key, sealed"


def binding(organization_id: UUID, contact_id: UUID, key: bytes) -> bytes:
    """Return what an event's content is bound to: contact and key together are its identity."""
    return keys.binding(organization_id, TABLE, contact_id) + key


def since(number: int, limit: int) -> list[Event]:
    """Return up to `limit` events after `number`, in the order of numbers."""
    return _events("number > %s ORDER BY number LIMIT %s", [number, limit])


def of_contact(contact_id: UUID, limit: int) -> list[Event]:
    """Return the newest `limit` events of a contact, newest first."""
    return _events("contact_id = ANY(%s) ORDER BY number DESC LIMIT %s", [_whole(contact_id), limit])


def all_of(ids: Collection[UUID], until: int) -> list[Event]:
    """Return every event of the people that contacts are, up to number `until`, in the order of numbers."""
    people = {id for whole in contacts.wholes(ids).values() for id in whole}
    return _events("contact_id = ANY(%s) AND number <= %s ORDER BY number", [list(people), until])


def _whole(contact_id: UUID) -> list[UUID]:
    return list(contacts.whole(contact_id))


def of_message(contact_id: UUID, message_id: UUID) -> list[Event]:
    """Return the events of one message to a contact, in the order they happened to be recorded."""
    return _events(
        "contact_id = ANY(%s) AND message_id = %s ORDER BY number", [_whole(contact_id), message_id]
    )


_OF_CONTACTS = sql.SQL(
    "SELECT event.number, event.contact_id, event.message_id, event.recorded_at, event.key, event.sealed "
    "FROM unnest(%s::uuid[]) AS asked (contact_id) JOIN timeline_event AS event "
    "ON event.organization_id = %s AND event.contact_id = asked.contact_id AND event.recorded_at >= %s "
    "ORDER BY event.number"
)


def of_contacts(
    ids: Sequence[UUID], since: datetime, kinds: Container[EventKind] | None
) -> dict[UUID, list[Event]]:
    """Return the events of each of `ids` that were recorded at or after `since`, in the order of numbers."""
    people = contacts.wholes(ids)
    found: dict[UUID, list[Event]] = {whole[0]: [] for whole in people.values()}
    if found:
        asked = list({id: None for whole in people.values() for id in whole})
        for event in _opened(bulk.read(_OF_CONTACTS, [asked, current_organization(), since])):
            if kinds is None or event.kind in kinds:
                found[event.contact_id].append(event)
    return {one: found[people[one][0]] for one in ids}


_BESIDE_MESSAGES = sql.SQL(
    "SELECT event.number, event.contact_id, event.message_id, event.recorded_at, event.key, event.sealed "
    "FROM unnest(%s::uuid[]) AS asked (contact_id) JOIN timeline_event AS event "
    "ON event.organization_id = %s AND event.contact_id = asked.contact_id AND event.message_id IS NULL "
    "ORDER BY event.number"
)


def beside_messages(ids: Collection[UUID]) -> list[Event]:
    """Return all that ever happened to `ids` but with messages, in the order of numbers."""
    asked = list({id: None for whole in contacts.wholes(ids).values() for id in whole})
    return _opened(bulk.read(_BESIDE_MESSAGES, [asked, current_organization()])) if asked else []


def known(pairs: Sequence[tuple[UUID, bytes]]) -> set[tuple[UUID, bytes]]:
    """Return those of the (contact, blinded key) pairs that are stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event.contact_id, event.key FROM unnest(%s::uuid[], %s::bytea[]) AS asked (contact_id, key) "
            "JOIN timeline_event AS event ON event.organization_id = %s "
            "AND event.contact_id = asked.contact_id AND event.key = asked.key",
            [[contact_id for contact_id, _ in pairs], [key for _, key in pairs], current_organization()],
        )
        return {(contact_id, bytes(key)) for contact_id, key in cursor.fetchall()}


def _events(where: str, parameters: list[Any]) -> list[Event]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM timeline_event WHERE organization_id = %s AND {where}",  # noqa: S608
            [current_organization(), *parameters],
        )
        return _opened(cursor.fetchall())


def _opened(rows: Sequence[tuple[Any, ...]]) -> list[Event]:
    """Open events; one of a contact that was merged into another is the event of that person now."""
    organization_id, sealer = current_organization(), keys.sealer()
    persons = contacts.survivors({row[1] for row in rows})
    events = []
    for number, contact_id, message_id, recorded_at, key, sealed in rows:
        raw = sealer.open(bytes(sealed), binding(organization_id, contact_id, bytes(key)))
        person = persons.get(contact_id, contact_id)
        events.append(rules.unpack(orjson.loads(raw), number, person, message_id, recorded_at))
    return events
