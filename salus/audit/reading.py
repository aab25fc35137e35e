"""Reads the log in its order, each entry encoded anew from its columns, in batches of a steady size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

import orjson
from django.db import connection

BATCH = 64 * 256

_COLUMNS = (
    "at",
    "action",
    "actor_kind",
    "actor_id",
    "actor_name",
    "role",
    "session_id",
    "ip",
    "object_kind",
    "object_id",
    "patient_id",
    "fields",
    "purpose",
    "outcome",
    "reason",
    "rule_version",
)
_AS_TEXT = {
    "at": "to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    "actor_id": "entry.actor_id::text",
    "object_id": "entry.object_id::text",
    "patient_id": "entry.patient_id::text",
}
_ORDERED = f"""
SELECT place.position, place.entry_id::text, place.leaf_hash, entry.leaf_hash, entry.details::text,
    {", ".join(_AS_TEXT.get(column, f"entry.{column}") for column in _COLUMNS)}
FROM audit_index AS place
LEFT JOIN audit_entry AS entry ON entry.organization_id = place.organization_id AND entry.id = place.entry_id
WHERE place.organization_id = %s AND place.position < %s
ORDER BY place.position
"""  # noqa: S608  the columns are constants of this module


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
    """Yield the first `size` places in order, from one cursor on the server."""
    organization = str(organization_id)
    with connection.chunked_cursor() as cursor:
        cursor.execute(_ORDERED, [organization_id, size])
        while rows := cursor.fetchmany(BATCH):
            batch = []
            for position, entry_id, placed, kept, details, *columns in rows:
                if kept is None:
                    batch.append(Placed(position, entry_id, bytes(placed), None, b""))
                    continue
                content = dict(zip(_COLUMNS, columns, strict=True))
                content["v"], content["organization"], content["id"] = 1, organization, entry_id
                content["details"] = orjson.loads(details)
                encoded = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
                batch.append(Placed(position, entry_id, bytes(placed), bytes(kept), encoded))
            yield batch
