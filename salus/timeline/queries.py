"""Reads events of the current organization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from salus.keys import api as keys
from salus.platform.tenancy import current_organization
from salus.timeline import rules
from salus.timeline.contracts import Event

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
    return _events("contact_id = %s ORDER BY number DESC LIMIT %s", [contact_id, limit])


def of_message(contact_id: UUID, message_id: UUID) -> list[Event]:
    """Return the events of one message to a contact, in the order they happened to be recorded."""
    return _events("contact_id = %s AND message_id = %s ORDER BY number", [contact_id, message_id])


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
    organization_id, sealer = current_organization(), keys.sealer()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM timeline_event WHERE organization_id = %s AND {where}",  # noqa: S608
            [organization_id, *parameters],
        )
        rows = cursor.fetchall()
    events = []
    for number, contact_id, message_id, recorded_at, key, sealed in rows:
        raw = sealer.open(bytes(sealed), binding(organization_id, contact_id, bytes(key)))
        events.append(rules.unpack(orjson.loads(raw), number, contact_id, message_id, recorded_at))
    return events
