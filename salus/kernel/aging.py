"""What is emptied because its time is over: until when, whom to spare, and how far a walk came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.kernel.acting import Actor


@dataclass(frozen=True, slots=True)
class Old:
    """What to empty: all that ended before a moment, but nothing of the people whom a legal hold spares."""

    before: datetime
    spared: frozenset[UUID]
    """Every id of each of those people, also of records that were merged."""
    actor: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Walked:
    """What one batch came to: how many it emptied, and after what the next one goes on (None: it was the last)."""

    count: int
    last: Any | None
