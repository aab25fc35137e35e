"""The door of retention. Call it inside the organization's context."""

from __future__ import annotations

from salus.retention.holds import (
    LONGEST,
    LONGEST_REFERENCE,
    held_since,
    hold,
    holds,
    join_person,
    lift,
    must_be_free,
    put,
    spared,
    standing,
)

__all__ = [
    "LONGEST",
    "LONGEST_REFERENCE",
    "held_since",
    "hold",
    "holds",
    "join_person",
    "lift",
    "must_be_free",
    "put",
    "spared",
    "standing",
]
