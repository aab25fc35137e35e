"""What other packages may know of the inbox: a new task, a task as it stands, how one ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from salus.identity.contracts import Role
from salus.kernel.phi import Phi


class Status(StrEnum):
    """How a task stands; the last four are ends."""

    OPEN = "open"
    TAKEN = "taken"
    """Somebody said that they do it."""
    DONE = "done"
    NOT_DONE = "not_done"
    """Somebody said that it is not going to be done."""
    EXPIRED = "expired"
    """Its time was over."""
    WITHDRAWN = "withdrawn"
    """Whoever asked for it needs it no more."""


@dataclass(frozen=True, slots=True)
class NewTask:
    """Something that somebody of `role` is asked to do about a person (None: about the organization), until `due_at`.

    `key` names it for whoever asks (ids and numbers only, at most 120 characters): the same key makes one
    task. `deputy` sees it when no active staff member has `role`. Title and instructions are free text
    of staff, so PHI.
    """

    key: str
    contact_id: UUID | None
    role: Role
    title: str = field(repr=False)
    due_at: datetime
    instructions: str = field(default="", repr=False)
    deputy: Role | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it stands; `ended_at` and `ended_by` (None: nobody, its time was over) tell of its end."""

    id: UUID
    key: str
    contact_id: UUID | None
    role: Role
    deputy: Role | None
    title: Phi[str]
    instructions: Phi[str]
    note: Phi[str]
    status: Status
    created_at: datetime
    due_at: datetime
    taken_by: UUID | None
    taken_at: datetime | None
    ended_by: UUID | None
    ended_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Tell whether it still can be done."""
        return self.status in (Status.OPEN, Status.TAKEN)


@dataclass(frozen=True, slots=True)
class SettledTask:
    """The end of one task: DONE, NOT_DONE or EXPIRED; `number` is its place in the feed of ended tasks."""

    number: int
    task_id: UUID
    key: str
    contact_id: UUID | None
    status: Status
    at: datetime
