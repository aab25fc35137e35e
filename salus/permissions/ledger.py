"""How an entry is written down before it is sealed, and read again after."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import orjson

from salus.kernel.vocabulary import Channel
from salus.permissions.contracts import Entry, EntryKind


def pack(entry: Entry) -> bytes:
    """Return all of one entry but its id and contact, which stand in the row."""
    optional = {
        "topic": entry.topic,
        "channel": entry.channel,
        "valid_until": entry.valid_until,
        "ends": entry.ends.hex if entry.ends else None,
        "key": entry.key,
    }
    always = {
        "kind": entry.kind,
        "at": entry.at,
        "recorded_at": entry.recorded_at,
        "evidence": entry.evidence,
        "details": dict(entry.details),
    }
    return orjson.dumps(always | {name: value for name, value in optional.items() if value})


def unpack(raw: bytes, entry_id: UUID, contact_id: UUID) -> Entry:
    """Return the entry that `pack` wrote."""
    item = orjson.loads(raw)
    channel, until, ends = item.get("channel"), item.get("valid_until"), item.get("ends")
    return Entry(
        entry_id,
        contact_id,
        EntryKind(item["kind"]),
        datetime.fromisoformat(item["at"]),
        datetime.fromisoformat(item["recorded_at"]),
        item["evidence"],
        item.get("topic", ""),
        Channel(channel) if channel else None,
        datetime.fromisoformat(until) if until else None,
        UUID(ends) if ends else None,
        item.get("key", ""),
        item["details"],
    )
