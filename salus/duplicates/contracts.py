"""What others may know of duplicates: proposals, merges, and the step that each package has in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.contacts.contracts import Compared
from salus.kernel.acting import Actor
from salus.kernel.joining import GivenBy, Pair
from salus.kernel.phi import Phi


@dataclass(frozen=True, slots=True)
class Proposals:
    """Some pairs that may be one person; `next` asks for more, "" when there are none."""

    pairs: tuple[Compared, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge as pages show it; `why` and `why_ended` are staff's own words."""

    id: UUID
    kept_id: UUID
    gone_id: UUID
    kept_number: int
    gone_number: int
    at: datetime
    by: str
    why: Phi[str]
    ended_at: datetime | None
    ended_by: str
    why_ended: Phi[str]
    given_by: GivenBy | None
    """Whose word was given in between, as whoever split them said."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one package does in a merge and in a split, in the caller's transaction.

    `join` returns what it moved (ids and counts as JSON), which `part` is given back.
    """

    name: str
    join: Callable[[Pair, Mapping[str, Any], Actor, datetime], dict[str, Any]]
    """(pair, choices by field, actor, now)."""
    part: Callable[[Pair, dict[str, Any], GivenBy, Actor, datetime], None]
