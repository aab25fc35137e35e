"""What others may know of retention: kinds of contents and the bounds of their time, holds, and a package's step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from salus.kernel.aging import Old, Walked
from salus.kernel.phi import Phi


class Kind(StrEnum):
    """What has a time of its own."""

    MESSAGES = "messages"
    CONVERSATIONS = "conversations"
    TASKS = "tasks"
    REJECTS = "rejects"
    COPIES = "copies"
    MAIL_REPORTS = "mail-reports"
    DOCUMENTS = "documents"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a kind is kept when nobody says otherwise, and what may be said; all in days.

    `usual` None: until its person is erased. `most` None: it may be kept like that too.
    """

    usual: int | None
    least: int
    most: int | None
    why: str
    """Why not for a shorter time."""
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Always:
    """What is never emptied by its age, and why."""

    what: str
    why: str
    citation: str


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one kind is kept, and what was emptied of it so far; `left` is what a run has before it."""

    kind: Kind
    days: int | None
    is_usual: bool
    emptied: int
    left: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """How the package that owns a kind counts what is due, and empties up to `limit` of it after a place."""

    kind: Kind
    count: Callable[[Old], int]
    empty: Callable[[Old, Any | None, int], Walked]


@dataclass(frozen=True, slots=True)
class Hold:
    """One legal hold. `contact_ids` are the records that it covers; none when it is on the whole organization."""

    id: UUID
    everybody: bool
    contact_ids: tuple[UUID, ...]
    reason: Phi[str]
    reference: Phi[str]
    put_by: UUID | None
    put_at: datetime
    reason_to_lift: Phi[str]
    lifted_by: UUID | None
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Spared:
    """Whose nothing may go at this moment: `everybody`, or these records."""

    everybody: bool
    people: frozenset[UUID]
