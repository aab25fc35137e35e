"""Reads of contacts, each one statement: by id, by number, by blind index, by change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from salus.contacts.contracts import Change
from salus.contacts.matching import MOST_SHARING
from salus.keys.contracts import Sealer

TABLE = "contacts_contact"
"""The name to which sealed documents are bound."""

BLIND_LENGTH = 16
"""Bytes of one blind index."""

ADVISORY_CLASS = 0x5A1C0001
"""The class of the advisory lock that lets one merge run at a time in an organization."""


@dataclass(frozen=True, slots=True)
class Row:
    """A contact as stored."""

    id: UUID
    number: int
    version: int
    sealed: bytes


def fetch(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement with parameters bound on the server and return its rows, bytes as bytes."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), parameters, binary=True)
        return cursor.fetchall() if cursor.description else []


def associated(organization_id: UUID, contact_id: UUID) -> bytes:
    """Return what a contact's document is bound to (the same bytes as `keys.api.binding`)."""
    return organization_id.bytes + contact_id.bytes + TABLE.encode()


def rows_by_id(ids: Iterable[UUID], *, lock: bool = False, merged: bool = False) -> list[Row]:
    """Return the living contacts among `ids`, by number; with `lock`, nobody else changes them now.

    With `merged`, those that were merged into another are returned too.
    """
    statement = (
        "SELECT id, number, version, sealed FROM contacts_contact "
        "WHERE id = ANY(%s) AND erased_at IS NULL AND (%s OR merged_into IS NULL) ORDER BY number"
    )
    return [Row(*row) for row in fetch(statement + " FOR UPDATE" * lock, [list(ids), merged])]


def rows_by_number(numbers: Iterable[int], *, lock: bool = False) -> list[Row]:
    """Return the living contacts among `numbers`, by number; with `lock`, nobody else changes them now."""
    statement = (
        "SELECT id, number, version, sealed FROM contacts_contact "
        "WHERE number = ANY(%s) AND erased_at IS NULL AND merged_into IS NULL ORDER BY number"
    )
    return [Row(*row) for row in fetch(statement + " FOR UPDATE" * lock, [list(numbers)])]


def rows_after(number: int, limit: int) -> list[Row]:
    """Return the next `limit` living contacts after `number`."""
    return [
        Row(*row)
        for row in fetch(
            "SELECT id, number, version, sealed FROM contacts_contact "
            "WHERE number > %s AND erased_at IS NULL AND merged_into IS NULL ORDER BY number LIMIT %s",
            [number, limit],
        )
    ]


def rows_before(number: int | None, limit: int) -> list[Row]:
    """Return `limit` living contacts, newest first, those below `number` when it is given."""
    return [
        Row(*row)
        for row in fetch(
            "SELECT id, number, version, sealed FROM contacts_contact "
            "WHERE erased_at IS NULL AND merged_into IS NULL AND number < %s ORDER BY number DESC LIMIT %s",
            [number if number is not None else 2**62, limit],
        )
    ]


def ids_by_blind(blinds: Sequence[bytes]) -> dict[bytes, list[UUID]]:
    """Return the contacts of each blind index, at most one more than `MOST_SHARING` of them."""
    found: dict[bytes, list[UUID]] = {}
    if blinds:
        # One long value, cut by the server: binding an array of thousands costs more than the search.
        for blind, contact_id in fetch(
            "SELECT asked.blind, found.contact_id FROM (SELECT substring(%s::bytea FROM n FOR %s) AS blind "
            "FROM generate_series(1, %s, %s) AS n) AS asked "
            "CROSS JOIN LATERAL (SELECT contact_id FROM contacts_blind b WHERE b.blind = asked.blind "
            "ORDER BY contact_id LIMIT %s) AS found",
            [b"".join(blinds), BLIND_LENGTH, BLIND_LENGTH * len(blinds), BLIND_LENGTH, MOST_SHARING + 1],
        ):
            found.setdefault(blind, []).append(contact_id)
    return found


def opened(rows: Iterable[Row], organization_id: UUID, sealer: Sealer) -> Iterator[tuple[Row, bytes]]:
    """Yield each row with its document as JSON bytes."""
    for row in rows:
        yield row, sealer.open(row.sealed, associated(organization_id, row.id))


def changes(after: int, limit: int) -> list[Change]:
    """Return the next `limit` entries of the change feed after number `after`.

    A contact stands in the feed once, at its latest change.
    """
    return [
        Change(change, contact_id, number, erased)
        for change, contact_id, number, erased in fetch(
            "SELECT change, id, number, NOT (erased_at IS NULL AND merged_into IS NULL) FROM contacts_contact "
            "WHERE change > %s ORDER BY change LIMIT %s",
            [after, limit],
        )
    ]


def versions(ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return the present version of each living contact among `ids`."""
    return dict(
        fetch(
            "SELECT id, version FROM contacts_contact WHERE id = ANY(%s) AND erased_at IS NULL AND merged_into IS NULL",
            [list(ids)],
        )
    )


def erased_at(id: UUID) -> datetime | None:
    """Return when a contact was erased, None for one who was not."""
    return next((at for (at,) in fetch("SELECT erased_at FROM contacts_contact WHERE id = %s", [id])), None)


def count(most: int | None) -> int:
    """Return how many living contacts the organization has; no more than `most` are counted."""
    ((number,),) = fetch(
        "SELECT count(*) FROM (SELECT FROM contacts_contact WHERE erased_at IS NULL AND merged_into IS NULL "
        "LIMIT %s::bigint) AS living",
        [most],
    )
    return int(number)


def numbers_of(ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return the number of each living contact among `ids`."""
    return dict(
        fetch(
            "SELECT id, number FROM contacts_contact WHERE id = ANY(%s) AND erased_at IS NULL AND merged_into IS NULL",
            [list(ids)],
        )
    )


def ids_of(numbers: Iterable[int]) -> dict[int, UUID]:
    """Return the id of each living contact among `numbers`."""
    return dict(
        fetch(
            "SELECT number, id FROM contacts_contact WHERE number = ANY(%s) AND erased_at IS NULL AND merged_into IS NULL",
            [list(numbers)],
        )
    )


def stored_indexes(pairs: Sequence[tuple[bytes, UUID]]) -> int:
    """Return how many of the (blind index, contact) pairs are stored."""
    ((number,),) = fetch(
        "SELECT count(*) FROM unnest(%s::bytea[], %s::uuid[]) AS asked (blind, contact_id) "
        "JOIN contacts_blind b ON b.blind = asked.blind AND b.contact_id = asked.contact_id",
        [[blind for blind, _ in pairs], [contact_id for _, contact_id in pairs]],
    )
    return int(number)


def ids_after(number: int, limit: int) -> list[tuple[int, UUID]]:
    """Return number and id of the next `limit` living contacts after `number`."""
    return [
        (found, id)
        for found, id in fetch(
            "SELECT number, id FROM contacts_contact WHERE number > %s AND erased_at IS NULL AND merged_into IS NULL "
            "ORDER BY number LIMIT %s",
            [number, limit],
        )
    ]
