"""What a merge of two contacts, and a split, come to in each package: who goes on, and who gave what since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Pair:
    """Two contacts that are (or were) one person: `kept` goes on, `gone` is an alias of it meanwhile."""

    id: UUID
    """The merge's own."""
    kept_id: UUID
    kept_number: int
    gone_id: UUID
    gone_number: int
    at: datetime
    """When they were merged."""


class GivenBy(StrEnum):
    """Whose word it was that was given between a merge and its split, as whoever splits knows it."""

    KEPT = "kept"
    GONE = "gone"
    NOBODY = "nobody"
    """Nobody can tell: then it permits nothing to either."""
