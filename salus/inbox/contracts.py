"""What other packages may know of the inbox: a new task, a task as it stands, how one ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from salus.delivery.contracts import Letter
from salus.files.contracts import FileFacts
from salus.identity.contracts import Role
from salus.kernel.errors import Conflict
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Special


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


class Side(StrEnum):
    """Who wrote something in a conversation."""

    PATIENT = "patient"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was written: a patient's words, or a letter of staff as delivery has it."""

    id: UUID
    side: Side
    at: datetime
    text: Phi[str]
    files: tuple[FileFacts, ...] = ()
    letter: Letter | None = None
    by: UUID | None = None
    """The staff member or program that wrote it."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation with one patient, about the message it began with; `said` is in the order of time."""

    id: UUID
    contact_id: UUID
    message_id: UUID
    waiting: bool
    """The patient wrote last, and nobody has answered or settled it."""
    begun_at: datetime
    last_at: datetime
    said: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class NewLetter:
    """What somebody writes to one patient. `tells` are the special categories that its words or files touch.

    `draft_id` is under which its files were taken; `days` None: as the organization's rule says; `key`: the
    same key of the same writer makes one letter.
    """

    contact_id: UUID
    subject: str = field(repr=False)
    text: str = field(repr=False)
    tells: frozenset[Special] = frozenset()
    files: tuple[UUID, ...] = ()
    draft_id: UUID | None = None
    view_only: bool = False
    days: int | None = None
    conversation_id: UUID | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a letter: `reason` (a code of the gate) says why it may not go; then nothing was attached."""

    message_id: UUID | None
    conversation_id: UUID | None
    reason: str = ""


class TooOften(Conflict):
    """A patient wrote as often as one may in this time."""
