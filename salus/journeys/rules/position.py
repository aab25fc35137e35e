"""Where one person stands in a journey, and what can be decided about them: values of the pure mover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from salus.journeys.contracts import Fate, Step, Tree

NO_MESSAGE = UUID(int=0)
"""Stands for the message of a step that sent none: no event belongs to it."""

ENDED = "ended"
"""The port and the outcome of the last visit of somebody whom an early ending took out."""


class Why(StrEnum):
    """What somebody stands and waits for; `DUE`: nothing, they go on at once."""

    DUE = "due"
    TIME = "time"
    DATE = "date"
    EVENT = "event"
    CONDITION = "condition"
    INTERVAL = "interval"
    QUIET = "quiet"
    """A message waits for the end of the quiet hours, or of a holiday."""
    HELD = "held"
    """A message waits because others wrote, or write, to the same person: a cap, or a higher priority."""
    TASK = "task"
    """The task was made; it waits to be done."""
    CALL = "call"
    """The call was made; it waits to be answered."""


ANSWERED = frozenset({Why.EVENT, Why.TASK, Why.CALL})
"""Waits that an answer from outside ends."""
ASKED = frozenset({Why.CONDITION, Why.DATE})
"""Waits that are asked again when what is known of the person changes."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What later steps need of a person's way so far: ids, counts and times only."""

    messages: Mapping[str, UUID] = field(default_factory=dict)
    """Send step -> the message of the last time, a step that sent none is missing; call step -> its sending."""
    times: Mapping[str, int] = field(default_factory=dict)
    """Step -> how often it was left, for repeats and for steps that a loop leads through."""
    since: Mapping[str, datetime] = field(default_factory=dict)
    """Step -> the last arrival there, where a later step asks for it."""

    def renamed(self, names: Mapping[str, str]) -> Memory:
        """Return the same under other names of steps (old key -> new key); what has none stays as it is."""
        if all(old == new for old, new in names.items()):
            return self
        return Memory(
            {names.get(step, step): id for step, id in self.messages.items()},
            {names.get(step, step): times for step, times in self.times.items()},
            {names.get(step, step): at for step, at in self.since.items()},
        )


NOTHING = Memory()
"""What most people remember."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where one person stands. `ordinal` numbers the visit that is written when they leave; from 0.

    `entry` says how often they had been let in before. `came_by` is the port by which they came to
    this step. `waits` is what the last `Stay` at this step said, None on arrival. `answer` is what
    came from outside meanwhile: "happened", "done", "not_done", "failed", or "ended:" with a reason.
    """

    enrolment_id: UUID
    contact_id: UUID
    step: str
    arrived_at: datetime
    entered_at: datetime
    ordinal: int = 0
    entry: int = 0
    came_by: str = ""
    waits: Why | None = None
    answer: str = ""
    memory: Memory = NOTHING


@dataclass(frozen=True, slots=True)
class Stay:
    """They stay; look again at `due_at` (or earlier, when what they wait for happens)."""

    due_at: datetime
    why: Why


@dataclass(frozen=True, slots=True)
class Leave:
    """They leave by `port`; `outcome` and `reason` are those of `contracts.Visit`."""

    port: str
    outcome: str
    reason: str = ""
    message_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Do:
    """Something is to be done to the world, once: send, update, task, call, or enrol in another journey.

    Whoever does it turns the result into one of the other decisions: `Course.sent`, `updated`, `waiting`,
    `moved`. (enrolment, ordinal) is its identity; `nth` counts how often this person was here before:
    earlier times in this journey, and times round a loop since they came in.
    """

    step: Step
    nth: tuple[int, int]


@dataclass(frozen=True, slots=True)
class End:
    """The way ends here, with a last visit of this outcome; `port` is "ended" for an early ending."""

    fate: Fate
    outcome: str
    reason: str = ""
    port: str = ""


Decision = Stay | Leave | Do | End


class Facts(Protocol):
    """What the mover asks about one person, at the moment of the decision.

    The engine answers from what it opened for this step, the simulator also from what it supposes.
    """

    @property
    def zone(self) -> str:
        """Return the IANA name of the time zone where the person lives."""
        ...

    def holds(self, tree: Tree, message_id: UUID | None = None) -> bool:
        """Return whether a segment expression holds now.

        With `message_id` only that message's engagement events count; with `NO_MESSAGE`, none do.
        """
        ...

    def happened(
        self, event: Tree, since: datetime, until: datetime, message_id: UUID | None = None
    ) -> datetime | None:
        """Return when such an event first happened from `since` to `until`, if that is known already."""
        ...

    def dates(self, attribute: str, where: Tree) -> Sequence[tuple[date, time | None]]:
        """Return the dates that an attribute holds ("birth_date", "appointments.date"), with times of day."""
        ...

    def deceased(self) -> bool:
        """Return whether the person is known to have died."""
        ...

    def opted_out(self, topic: str) -> bool:
        """Return whether they opted out of `topic` ("": of everything) on every channel the journey uses."""
        ...

    def transactional(self, step: Step) -> bool:
        """Return whether the messages of a send step are transactional: nothing holds those back."""
        ...

    def holiday(self, day: date) -> bool:
        """Return whether `day` is a public holiday where the person lives."""
        ...


def pack(memory: Memory) -> dict[str, dict[str, str | int]]:
    """Return a memory as JSON values, {} for one of nothing."""
    parts: dict[str, dict[str, str | int]] = {
        "messages": {step: id.hex for step, id in memory.messages.items()},
        "times": {**memory.times},
        "since": {step: at.isoformat() for step, at in memory.since.items()},
    }
    return {name: part for name, part in parts.items() if part}


def unpack(packed: Mapping[str, Mapping[str, Any]] | None) -> Memory:
    """Return the memory that `pack` wrote down."""
    if not packed:
        return NOTHING
    return Memory(
        {step: UUID(id) for step, id in packed.get("messages", {}).items()},
        packed.get("times", {}),
        {step: datetime.fromisoformat(at) for step, at in packed.get("since", {}).items()},
    )
