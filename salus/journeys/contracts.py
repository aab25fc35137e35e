"""What other packages may know of journeys: the graph, findings, where people are, and what is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from salus.identity.contracts import Role
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel
from salus.timeline.contracts import EventKind

JOURNEY = "journey"
"""The kind of the origin of a journey's messages."""

Tree = Mapping[str, Any]
"""A segment expression: the JSON tree of `audiences.api.schema()`."""


# --- The graph -------------------------------------------------------------------------------------------------


class StepKind(StrEnum):
    """What a step does."""

    SEND = "send"
    WAIT = "wait"
    WAIT_FOR = "wait_for"
    BRANCH = "branch"
    SPLIT = "split"
    UPDATE = "update"
    GO_TO = "go_to"
    REPEAT = "repeat"
    TASK = "task"
    CALL = "call"
    GOAL = "goal"
    EXIT = "exit"


NEXT, REFUSED, HAPPENED, TIMEOUT, ELSE, AGAIN, DONE, NOT_DONE, FAILED = (
    "next",
    "refused",
    "happened",
    "timeout",
    "else",
    "again",
    "done",
    "not_done",
    "failed",
)
"""Names of ports. Branch and split have ports of their own besides: one for each case, one for each arm."""


@dataclass(frozen=True, slots=True)
class Send:
    """Write to the person; the gate decides. Ports: `next`; `refused`, if drawn, for whom it may not be sent.

    Without a `refused` port those people go on by `next`; their visit says that nothing was sent, and why.
    `versions` maps a language to a template version whose classification is confirmed.
    """

    channel: Channel
    versions: Mapping[str, UUID]


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait; port `next`. Exactly one of the three is given.

    `span`: a duration. `until_weekday` (0 Monday ... 6 Sunday; None any day) and `until_time`: until then
    in the person's time zone. `attribute` and `offset`: until so long before (negative) or after a date
    that may still move, `attribute` being a date, or "records.part" ("appointments.date": the next one of
    them that `where` holds for). A date that is gone or never was leads on at once with its outcome.
    """

    span: timedelta | None = None
    until_weekday: int | None = None
    until_time: time | None = None
    attribute: str = ""
    offset: timedelta = timedelta(0)
    at: time | None = None
    """The time of day, in the person's zone, for a wait on a date."""
    where: Tree = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Wait for something, at most `at_most`. Ports: `happened`, `timeout`.

    `event` is an event expression ({"did": kind, "where": {...}}), or `condition` a segment expression
    that turns true. `of_step` ties an engagement event to the message of that send step. Events count
    from when they happened: from the arrival at this step, or at `since` (a step, or "enter").
    """

    at_most: timedelta
    event: Tree | None = None
    condition: Tree | None = None
    of_step: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One way out of a branch: the first case whose expression holds is taken."""

    port: str
    when: Tree
    of_step: str = ""
    """Ties the expression's engagement events to the message of that send step."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Choose by what is known of the person. Ports: each case's, and `else`."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Divide people by chance, the same way for the same person always. Ports: the arms' names.

    `weights` are whole numbers above 0; `control` names an arm that is compared with, if any.
    """

    weights: Mapping[str, int]
    control: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """Change what is known of the person; port `next`.

    `attributes`: key -> value (None clears). `opt_out_topics` are opted out of on every channel: taking
    somebody off a list needs no consent, putting them on one does, so there is no counterpart.
    `add_to` and `remove_from` are static segments.
    """

    attributes: Mapping[str, Any] = field(default_factory=dict)
    opt_out_topics: tuple[str, ...] = ()
    add_to: tuple[UUID, ...] = ()
    remove_from: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class GoTo:
    """Go on at another step (port `next`), or leave for another journey (`journey_id`; no port)."""

    journey_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """The only way back: port `again` at most `times` times, not before `interval` passed; then `done`."""

    times: int
    interval: timedelta


@dataclass(frozen=True, slots=True)
class Task:
    """Ask somebody of a role to do what the step's title says. Ports: `done`; `not_done` after `at_most`."""

    role: Role
    at_most: timedelta
    instructions: str = field(default="", repr=False)
    deputy: Role | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Tell a vendor's service in scope by a signed webhook. Ports: `done`; `failed`, if drawn, else `done`.

    `service_id` names the service of the vendor register; `fields` are the attributes that it may carry.
    """

    service_id: UUID
    fields: tuple[str, ...] = ()
    at_most: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Goal:
    """The person did what the journey is for; it ends here."""


@dataclass(frozen=True, slots=True)
class Exit:
    """The journey ends here without its goal."""


Action = Send | Wait | WaitFor | Branch | Split | Update | GoTo | Repeat | Task | Call | Goal | Exit


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it does and where its ports lead (port name -> key of a step)."""

    key: str
    kind: StepKind
    title: str = field(repr=False)
    does: Action
    ports: Mapping[str, str]


class EnterKind(StrEnum):
    """How people come in."""

    SEGMENT_ENTERED = "segment_entered"
    SEGMENT_LEFT = "segment_left"
    EVENT = "event"
    DATE = "date"
    FORM = "form"
    API = "api"
    BY_HAND = "by_hand"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Enter:
    """One way in; which of the fields count is told by the kind.

    segment_entered, segment_left: `segment_id`; `present` takes in also who is in it when the journey
    goes live. event: `event`, an event expression. form: `form`, the form's key. date: `attribute`
    ("birth_date", "appointments.date"), `offset` (negative: before), `yearly` for anniversaries, `at` the
    time of day in the organization's zone, `where` a filter on the record. schedule: `every` ("day",
    "week", "month"), `on` (weekday 0 to 6, or day of the month 1 to 28), `at`, `segment_id`. api and
    by_hand need nothing.
    """

    kind: EnterKind
    segment_id: UUID | None = None
    present: bool = False
    event: Tree | None = None
    form: str = ""
    attribute: str = ""
    offset: timedelta = timedelta(0)
    yearly: bool = False
    at: time | None = None
    where: Tree = field(default_factory=dict)
    every: str = ""
    on: int = 0


class EndsOn(StrEnum):
    """What ends a journey early for one person."""

    GOAL = "goal"
    """`when` holds: counted as reaching the goal."""
    SEGMENT_LEFT = "segment_left"
    OPTED_OUT = "opted_out"
    """Of `topic`, or of everything."""
    DECEASED = "deceased"
    EVENT = "event"
    """`event` happened after they came in: an appointment was cancelled."""


@dataclass(frozen=True, slots=True)
class Ending:
    """One early end. Deceased people always leave, whether it is listed or not."""

    on: EndsOn
    when: Tree | None = None
    segment_id: UUID | None = None
    topic: str = ""
    event: Tree | None = None


class Again(StrEnum):
    """Whether somebody may come in again; never twice at once."""

    NEVER = "never"
    AFTER = "after"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for the whole journey.

    `quiet_from`, `quiet_until`: no message leaves between them in the person's time zone; `holidays`: none
    on public holidays of their state. `priority` (0 to 100): of two journeys that want the same person on
    the same day, the higher one writes and the other waits a day. `at_most`: whoever is inside for longer
    leaves with the reason "time_over". Neither quiet hours nor caps hold back transactional mail.
    """

    again: Again = Again.NEVER
    again_after: timedelta | None = None
    endings: tuple[Ending, ...] = ()
    quiet_from: time | None = time(20)
    quiet_until: time | None = time(8)
    holidays: bool = True
    priority: int = 50
    at_most: timedelta = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Graph:
    """A journey as drawn; immutable once a version is live. `layout` is where the canvas puts steps."""

    name: str = field(repr=False)
    enter: tuple[Enter, ...]
    start: str
    steps: Mapping[str, Step]
    rules: Rules = field(default_factory=Rules)
    layout: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    note: str = field(default="", repr=False)


# --- Checks ----------------------------------------------------------------------------------------------------


class Severity(StrEnum):
    """An error keeps a version from going live; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the check found: at which step ("" the journey) and port, what, and how to mend it."""

    code: str
    step: str
    what: str
    mend: str
    severity: Severity = Severity.ERROR
    port: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the check can promise: `findings`, the longest and the shortest way through, in time and steps."""

    findings: tuple[Finding, ...]
    longest: timedelta | None
    """None when it has no bound (then there is a finding too)."""
    most_messages: int | None
    promises: tuple[str, ...]
    """In words: "Everyone finishes. The longest path takes 26 days."."""

    @property
    def holds(self) -> bool:
        """Tell whether it may go live."""
        return not any(each.severity is Severity.ERROR for each in self.findings)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a journey may use here: ways to write, events that somebody tells of, roles that do tasks."""

    channels: tuple[Channel, ...]
    kinds: tuple[EventKind, ...]
    roles: tuple[Role, ...]


# --- Versions --------------------------------------------------------------------------------------------------


class Status(StrEnum):
    """How a journey stands."""

    DRAFT = "draft"
    """No version was live yet."""
    LIVE = "live"
    PAUSED = "paused"
    """Nobody comes in and nobody moves; what is due waits."""
    CLOSED = "closed"
    """Nobody comes in any more; those inside go on to their end."""
    STOPPED = "stopped"
    """Everybody was taken out."""


class VersionStatus(StrEnum):
    """How a version stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    LIVE = "live"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a journey; all but a draft never change."""

    id: UUID
    journey_id: UUID
    number: int
    status: VersionStatus
    graph: Graph
    author_id: UUID | None
    writers: frozenset[UUID]
    approved_by: UUID | None
    approved_at: datetime | None
    live_at: datetime | None
    retired_at: datetime | None
    changed_at: datetime
    note: Phi[str]
    """What the approver wrote when sending it back."""


@dataclass(frozen=True, slots=True)
class Journey:
    """A journey as it stands; the name is free text of staff and so counts as PHI."""

    id: UUID
    name: Phi[str]
    status: Status
    live: UUID | None
    """The version that takes new people."""
    draft: UUID | None
    """The version that is being drawn, if any."""
    created_at: datetime
    changed_at: datetime


class Change(StrEnum):
    """What became of a step from one version to another."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class PortChange:
    """Where a port leads before and after: keys of steps, "" where there is no such port."""

    port: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StepChange:
    """One step that differs; `fields` are the names of what it does otherwise."""

    step: str
    kind: StepKind
    title: str = field(repr=False)
    change: Change
    fields: tuple[str, ...] = ()
    ports: tuple[PortChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two versions; `parts` are of the whole journey: "name", "enter", "start", "rules"."""

    steps: tuple[StepChange, ...]
    parts: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.steps or self.parts)


@dataclass(frozen=True, slots=True)
class Move:
    """What moving to another version means for the people who stand at a step.

    `to` is their step there, "" while nobody said; `goes_on` tells whether they keep waiting from when
    they arrived, or arrive at `to` anew. `findings` say why it may not be so.
    """

    step: str
    to: str
    people: int
    goes_on: bool
    findings: tuple[Finding, ...] = ()


# --- People ----------------------------------------------------------------------------------------------------


class Fate(StrEnum):
    """Where an enrolment stands; the numbers add up: entered = the sum of all."""

    WAITING = "waiting"
    COMPLETED = "completed"
    """At a goal, or an ending of kind goal."""
    EXITED = "exited"
    """At an exit step, or by an early ending; `reason` says which."""
    REFUSED = "refused"
    """At an exit that was reached by a `refused` port."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One step of one person, written when they leave it: exactly one for each (enrolment, ordinal)."""

    enrolment_id: UUID
    ordinal: int
    step: str
    arrived_at: datetime
    left_at: datetime
    port: str
    outcome: str
    """"sent", "refused", "waited", "happened", "timeout", "date_gone", "case", "control", "updated",
    "moved", "again", "done", "not_done", "failed", "goal", "exit", "ended"."""
    reason: str = ""
    """The gate's reason code, the ending, or what went wrong; a code, never words of a person."""
    message_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Diary:
    """One person's way through one journey, in order; `step` is where they are, "" when it is over."""

    enrolment_id: UUID
    journey_id: UUID
    version_id: UUID
    contact_id: UUID
    fate: Fate
    reason: str
    entered_at: datetime
    ended_at: datetime | None
    step: str
    due_at: datetime | None
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class StepCounts:
    """One step's numbers: `arrived == here + sum(left.values())`.

    `left` counts by port (an early ending counts under "ended"), `outcomes` by (outcome, reason),
    `hours` is the median time in the step in hours, None when nobody left it.
    """

    step: str
    arrived: int
    here: int
    left: Mapping[str, int]
    outcomes: Mapping[tuple[str, str], int]
    hours: float | None = None
    opened: int = 0
    clicked: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """A journey's numbers; `entered == waiting + completed + exited + refused`."""

    entered: int
    waiting: int
    completed: int
    exited: int
    refused: int
    reasons: Mapping[str, int]
    """Why people left early or were not let in, by code."""
    steps: Mapping[str, StepCounts]


@dataclass(frozen=True, slots=True)
class Figure:
    """Which figure somebody asks to see behind; what is not given does not narrow.

    Of a step: who is there now (`here`), who left it by `port`, or with `outcome` and `reason`; of the
    whole journey: whose enrolment has this `fate` and `reason`.
    """

    step: str = ""
    here: bool = False
    port: str = ""
    outcome: str = ""
    reason: str = ""
    fate: Fate | None = None


@dataclass(frozen=True, slots=True)
class Someone:
    """One person behind a figure; `at` is when they arrived at the step or left it, or came in.

    `ordinal` is the place of that step on their way: whoever passes a step twice is there twice.
    """

    enrolment_id: UUID
    contact_id: UUID
    contact_number: int
    version_id: UUID
    fate: Fate
    reason: str
    step: str
    """Where they are now, "" when it is over."""
    at: datetime
    ordinal: int


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of a list of numbers: `asked == entered + refused + unknown + repeated`, each counted.

    `refused` says by contact number why somebody may not come in; `unknown` are the places of the lines
    that nobody has.
    """

    asked: int
    entered: tuple[int, ...]
    refused: Mapping[int, str]
    unknown: tuple[int, ...]
    repeated: int


# --- Simulation ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Supposed:
    """What a simulation supposes of people, since it can only ask the law: shares from 0 to 1.

    `happens` by event kind: the share of waits for it that end with it, half-way through the wait.
    """

    happens: Mapping[str, float] = field(default_factory=dict)
    tasks_done: float = 1.0
    calls_done: float = 1.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Simulation:
    """What would happen: counts by step and reason over `people`, to the end of everybody's way."""

    counts: Counts
    people: int
    until: datetime
    diary: tuple[Visit, ...] = ()
    """Of one contact, when one was asked for."""
