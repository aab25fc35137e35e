"""What an event must be, and how it is written down before it is sealed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from salus.kernel.errors import BadInput
from salus.timeline.contracts import Event, EventKind, NewEvent

LONGEST_KEY = 280
LONGEST_DETAILS = 16_384
_PLAIN = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def check(event: NewEvent, place: str) -> None:
    """Raise `BadInput` naming the faulty part when `event` cannot be stored."""
    if not isinstance(event.kind, EventKind):
        raise BadInput("This kind of event is not known.", place=f"{place}: kind")
    if event.at.utcoffset() is None:
        raise BadInput("A moment needs its offset from UTC.", place=f"{place}: at")
    if not event.key or len(event.key) > LONGEST_KEY:
        raise BadInput(f"An event needs a key of at most {LONGEST_KEY} characters.", place=f"{place}: key")


def pack(event: NewEvent, place: str) -> bytes:
    """Return kind, time and details as JSON; raises `BadInput` for details that are no JSON."""
    body = {"kind": event.kind, "at": event.at.astimezone(UTC).isoformat(), "details": dict(event.details)}
    try:
        raw = orjson.dumps(body, option=_PLAIN)
    except TypeError:
        raise BadInput("Details are plain JSON values only.", place=f"{place}: details") from None
    if len(raw) > LONGEST_DETAILS:
        raise BadInput("Details are too long (16 KB at most).", place=f"{place}: details")
    return raw


def unpack(
    body: Mapping[str, Any], number: int, contact_id: UUID, message_id: UUID | None, recorded_at: datetime
) -> Event:
    """Return the event that `pack` wrote, with what stands beside it in the row."""
    return Event(
        number,
        contact_id,
        EventKind(body["kind"]),
        datetime.fromisoformat(body["at"]),
        recorded_at,
        message_id,
        body["details"],
    )
