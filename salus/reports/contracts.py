"""What other packages may know of reports: a campaign's sums, who is behind a figure, what waits, the log's health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from salus.audit.contracts import Entry, Evidence, Fault
from salus.campaigns.contracts import Campaign
from salus.delivery.contracts import Engagement, Progress, State
from salus.gate.contracts import Explained
from salus.kernel.phi import Phi


class Figure(StrEnum):
    """A figure of the report that somebody may ask "who exactly" about."""

    ALL = "all"
    CLEARED = "cleared"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    PORTAL = "portal"
    UNNOTIFIED = "portal_unnotified"
    BOUNCED = "bounced"
    GAVE_UP = "gave_up"
    CANCELLED = "cancelled"
    QUEUED = "queued"
    OPENED = "opened"
    CLICKED = "clicked"
    READ = "read"
    UNCERTAIN = "uncertain"


OUTCOMES = (
    Figure.ACCEPTED,
    Figure.PORTAL,
    Figure.UNNOTIFIED,
    Figure.BOUNCED,
    Figure.GAVE_UP,
    Figure.CANCELLED,
    Figure.QUEUED,
)
"""Where a cleared message can be; each is in exactly one."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many, and why: `code` is a word of the gate or of the wire; `told` explains one of the gate's."""

    code: str
    count: int
    told: Explained | None = None


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """What became of a campaign, every person counted exactly once.

    planned = cleared + refused; cleared = the sum of `outcomes`. `unaccounted` is 0, or the report
    says so.
    """

    campaign_id: UUID
    plan_id: UUID
    name: Phi[str]
    status: str
    launched_at: datetime | None
    planned: int
    cleared: int
    refused: int
    outcomes: Mapping[Figure, int]
    protection: Mapping[str, int]
    """Sent messages by what protected them: "named", "verified", "key", "portal"."""
    refusals: tuple[Counted, ...]
    allowances: tuple[Counted, ...]
    """Cleared messages by the rule that allowed them."""
    stopped: tuple[Counted, ...]
    """Cancelled ones: by staff, or by the gate when it was asked again before sending."""
    detours: tuple[Counted, ...]
    """Why the way by mail was not protected, for those in the portal."""
    failures: tuple[Counted, ...]
    """Why messages bounced or were given up."""
    engagement: Engagement
    uncertain: int

    @property
    def sent(self) -> int:
        """Return how many were handed over or put into the portal."""
        return sum(self.outcomes[each] for each in (Figure.ACCEPTED, Figure.PORTAL, Figure.UNNOTIFIED))

    @property
    def unaccounted(self) -> int:
        """Return how many people are in no figure, or in two: always 0."""
        return abs(self.planned - self.cleared - self.refused) + abs(
            self.cleared - sum(self.outcomes.values())
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which recipients: those behind a figure, narrowed by a reason's code."""

    figure: Figure = Figure.ALL
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """One person behind a figure; name and address are opened only for a stated purpose."""

    message_id: UUID
    contact_id: UUID
    contact_number: int
    state: State
    reason: str
    rule: str
    reached: str
    uncertain: bool
    given_name: Phi[str] | None = None
    family_name: Phi[str] | None = None
    address: Phi[str] | None = None


class TodoKind(StrEnum):
    """What can wait for a person of the staff."""

    LOG_BROKEN = "log_broken"
    APPROVE = "approve"
    SENT_BACK = "sent_back"
    LAUNCH = "launch"
    CONFIRM = "confirm"
    UNNOTIFIED = "unnotified"
    REJECTS = "rejects"
    NO_SECOND_FACTOR = "no_second_factor"
    KEY_ENDS = "key_ends"
    TASKS = "tasks"
    CALLS_PAUSED = "calls_paused"
    """Nothing goes to a vendor's services, and calls wait."""
    AGREEMENT_ENDS = "agreement_ends"


@dataclass(frozen=True, slots=True)
class Todo:
    """One thing that waits: what, of which object, how many, since when; names and notes are staff's words."""

    kind: TodoKind
    object_id: UUID | None = None
    name: Phi[str] | None = None
    count: int = 0
    of: int = 0
    at: datetime | None = None
    by: str = ""
    note: Phi[str] | None = None
    reasons: tuple[tuple[str, int], ...] = ()
    """Of rows that were not imported, and of calls that wait: why, most first."""


@dataclass(frozen=True, slots=True)
class Live:
    """A campaign that is being sent, or paused."""

    campaign: Campaign
    progress: Progress
    outcomes: Mapping[Figure, int]

    @property
    def done(self) -> int:
        """Return how many do not wait any more."""
        return sum(self.outcomes.values()) - self.outcomes[Figure.QUEUED]


@dataclass(frozen=True, slots=True)
class Day:
    """What became of the messages of the campaigns released on one day."""

    day: date
    mail: int
    portal: int
    refused: int
    other: int
    """Bounced, given up, cancelled, or still waiting."""

    @property
    def planned(self) -> int:
        """Return the sum."""
        return self.mail + self.portal + self.refused + self.other


@dataclass(frozen=True, slots=True)
class Week:
    """The last seven days, by the day of release, and their sums."""

    days: tuple[Day, ...]
    sent: int
    readers: int
    refused: int
    bounced: int
    waiting: int
    planned: int

    @property
    def rest(self) -> int:
        """Return how many were stopped or given up."""
        return self.planned - self.sent - self.refused - self.bounced - self.waiting


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A campaign that is not sent yet, and how far it is."""

    campaign: Campaign
    people: int | None


@dataclass(frozen=True, slots=True)
class LogHealth:
    """What the last verification of the log found, and how far the log is now."""

    verified_at: datetime | None
    verified: bool
    entries: int
    faults: int
    first_fault: int | None
    seconds: float
    signed_at: datetime | None
    signed_size: int


@dataclass(frozen=True, slots=True)
class Home:
    """All that the first page shows; what a person may not see is None or empty."""

    todos: tuple[Todo, ...]
    live: tuple[Live, ...]
    week: Week | None
    upcoming: tuple[Upcoming, ...]
    log: LogHealth | None
    staff: tuple[int, int] | None = None
    """Active staff, and those of them with a second factor."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of verifying the log just now."""

    at: datetime
    entries: int
    checkpoints: int
    pending: int
    root: str
    verified: bool
    faults: tuple[Fault, ...]
    remarks: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class EntryProof:
    """One entry of the log, what proves it, and what of that does not hold."""

    entry: Entry
    evidence: Evidence | None
    """None while no signed checkpoint can cover it."""
    faults: tuple[str, ...]
    names: Mapping[UUID, str] = field(default_factory=dict)

    @property
    def is_proven(self) -> bool:
        """Tell whether the entry was just found in the log, unchanged: only then show a seal."""
        return self.evidence is not None and not self.faults


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some entries of the log, newest first, with the names of the staff who acted."""

    entries: Sequence[Entry]
    names: Mapping[UUID, str]
    more: bool


class LogForm(StrEnum):
    """What a file with entries of the log is made of."""

    CSV = "csv"
    JSON = "json"
    """JSON lines."""
    SYSLOG = "syslog"
    """RFC 5424, a message a line."""


class Reveal(StrEnum):
    """What protected values are opened for, in the words of 45 CFR 164.506 and of daily work."""

    TREATMENT = "treatment"
    PAYMENT = "payment"
    OPERATIONS = "health_care_operations"
    PATIENT_ASKED = "patient_asked"


@dataclass(frozen=True, slots=True)
class LogCopy:
    """Somebody outside who gets a copy of the log: a witness its checkpoints, a log server its entries."""

    service_id: UUID
    name: Phi[str]
    witness: bool
    hours: int
    """A witness is written to every so many hours at most; 0: only when somebody asks."""
    reached: int
    """How many entries it has, or are under the checkpoint that it has."""
    sent_at: datetime | None
    tries: int
    """Attempts in a row that failed."""
    reason: str
    why: str
    """Why the last attempt failed, in words; empty: it did not."""
    failing: bool
    """It failed too often to be chance."""
