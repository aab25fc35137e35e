"""Reads the log in its order, each entry encoded anew from its columns, in batches of a steady size."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import orjson
from django.db import connection

BATCH = 32 * 256

_PLAIN = (
    "action",
    "actor_kind",
    "actor_name",
    "role",
    "session_id",
    "ip",
    "object_kind",
    "purpose",
    "outcome",
)
_JSON = {
    **{name: f"to_json(entry.{name})" for name in (*_PLAIN, "reason", "rule_version")},
    **{name: f"coalesce(to_json(entry.{name}), 'null')" for name in ("actor_id", "object_id", "patient_id")},
    "organization": "to_json(entry.organization_id)",
    "id": "to_json(entry.id)",
    "fields": "array_to_json(entry.fields)",
    # Of a year before Christ `to_char` says the number alone.
    "at": "to_json(to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') "
    "|| CASE WHEN entry.at < '0001-01-01 00:00Z' THEN ' BC' ELSE '' END)",
    "v": "1",
}
"""What makes each value the JSON that was hashed (`rules.content`); `details` are left, whose keys have another order here."""


def _object(names: list[str]) -> str:
    return "concat(" + ", ',', ".join(f"'\"{name}\":', {_JSON[name]}" for name in names) + ")"


_ORDERED = f"""
SELECT place.position, place.entry_id::text, place.leaf_hash, entry.leaf_hash,
    {_object(sorted(name for name in _JSON if name < "details"))}, entry.details::text,
    {_object(sorted(name for name in _JSON if name > "details"))}
FROM audit_index AS place
LEFT JOIN audit_entry AS entry ON entry.organization_id = place.organization_id AND entry.id = place.entry_id
WHERE place.organization_id = %s AND place.position < %s
ORDER BY place.position
"""  # noqa: S608  the columns are constants of this module
# Entries lie nearly in the order of their places: looked up one by one they need no sort and no memory.
_ONE_BY_ONE = (
    "SELECT set_config('enable_hashjoin', %s, true), set_config('enable_mergejoin', %s, true), "
    "set_config('enable_sort', %s, true)"
)


class Placed(NamedTuple):
    """A place in the log and what stands there."""

    position: int
    entry_id: str
    placed: bytes
    """The leaf hash that the order keeps."""
    kept: bytes | None
    """The leaf hash that the entry keeps; None when the entry is gone."""
    encoded: bytes
    """The canonical bytes of the entry's columns as they are now; empty when the entry is gone."""


def ordered(organization_id: UUID, size: int) -> Iterator[list[Placed]]:
    """Yield the first `size` places in order, from one cursor on the server.

    The next batch is read while the caller looks at one: the database and this process work side by side.
    """
    with connection.chunked_cursor() as cursor, ThreadPoolExecutor(1) as ahead:
        _look_up("off")
        cursor.execute(_ORDERED, [organization_id, size])
        _look_up("on")
        coming = ahead.submit(cursor.fetchmany, BATCH)
        while rows := coming.result():
            coming = ahead.submit(cursor.fetchmany, BATCH)
            yield [
                Placed(position, entry_id, bytes(placed), None, b"")
                if kept is None
                else Placed(
                    position,
                    entry_id,
                    bytes(placed),
                    bytes(kept),
                    f'{{{before},"details":{_canonical(details)},{after}}}'.encode(),
                )
                for position, entry_id, placed, kept, before, details, after in rows
            ]


def _look_up(others: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ONE_BY_ONE, [others, others, others])


@lru_cache(maxsize=4_096)
def _canonical(details: str) -> str:
    try:
        return orjson.dumps(orjson.loads(details), option=orjson.OPT_SORT_KEYS).decode()
    except ValueError:
        return details  # nothing that we wrote: its hash will not fit
