"""What a look at the posture speaks of: the facts that are looked at, severities, findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Severity(StrEnum):
    """How soon a finding has to be mended, the worst first."""

    HIGH = "high"
    """Today: PHI is at risk, or nobody could bring it back."""
    MEDIUM = "medium"
    """Soon: a duty is not met, or a protection is thinner than it should be."""
    LOW = "low"
    """When there is time."""

    @property
    def rank(self) -> int:
        """Return 0 for the worst."""
        return list(Severity).index(self)


class Ruleset(StrEnum):
    """What is checked: the law in force, or also what was proposed."""

    LAW = "law"
    PROPOSED = "proposed"
    """Also the proposed Security Rule of 6 January 2025 (90 FR 898): proposed, not law."""


class Found(StrEnum):
    """What DNS says of one record."""

    THERE = "there"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """DNS did not answer: nobody knows."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the sending domain: what it is for ("SPF", "DKIM", "MX"...), its name, how it was found."""

    purpose: str
    name: str
    found: Found
    note: str = ""
    """What is wrong with it, or could be stricter, in words."""


@dataclass(frozen=True, slots=True)
class Backups:
    """What is kept: when the last one was made and proven; None: never."""

    last: datetime | None
    drilled: datetime | None
    drill_passed: bool = False


@dataclass(frozen=True, slots=True)
class Scanner:
    """The virus scanner that is set for attached files."""

    answers: bool
    signatures: datetime | None
    """Of when its signatures are; None: it does not say."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What can be seen of this machine and its installation."""

    public_url: str
    database: str
    """The database's host; empty when it is on this machine."""
    database_verified: bool
    """It is on this machine, or its certificate is verified."""
    open_files: tuple[str, ...]
    """Names of what others on this machine can read."""
    free_bytes: int
    workers: int
    senders: int
    kit_made: bool
    """Somebody else than this machine can bring the key file back, or a key service wraps the keys."""
    laboratory: bool
    """Mail goes to a development relay and not to anybody."""
    log_copies_apart: bool
    """Copies of the log's roots are on another disk or machine than the database."""
    shaping_fault: str = ""
    """Why the plan of what destinations get cannot be used, with its place; empty when it can."""
    addresses_away: tuple[str, ...] = ()
    """Addresses that the plan lets mail leave from and this machine does not have."""
    scanner: Scanner | None = None
    """None: no virus scanner is set."""


@dataclass(frozen=True, slots=True)
class Ready:
    """How many people with a role can sign in, and how many more an invitation waits for."""

    count: int
    invited: int = 0


@dataclass(frozen=True, slots=True)
class Office:
    """What can be seen of one organization."""

    privacy_officers: Ready
    security_officers: Ready
    administrators: Ready
    stranded: int
    """People with access who have neither a second factor nor an invitation that is still good."""
    endless_keys: int
    """API keys that work and have no end, or one more than a year away."""
    data_key_made: datetime | None
    log_verified: datetime | None
    log_sound: bool
    copies_failing: Mapping[str, int]
    """How many witnesses and log servers get no copy of the log, by reason in words."""
    refused: Mapping[str, int]
    """How many services that are switched on may not be used, by reason in words."""
    agreements_end: datetime | None
    """The first end of an agreement whose vendor has services in use."""
    relay: bool
    """All mail goes by a relay."""
    mail_paused: str
    """Why the mail queue is paused, in words; empty while it goes."""
    route_chosen: datetime | None
    proven: datetime | None
    """When somebody last confirmed that a test message had arrived."""
    records: tuple[Record, ...] = ()
    mail_signing_ends: datetime | None = None
    """When the certificate ends that encrypted mail is signed with; None: there is none."""
    mail_signing_alone: bool = False
    """Nobody vouches for it: it was made for a laboratory."""


@dataclass(frozen=True, slots=True)
class WaysIn:
    """How staff get in by identity providers and directories, and who looks after what they did."""

    certificates_end: datetime | None = None
    """The first moment from which a provider has no certificate any more that holds."""
    failing: Mapping[str, int] = field(default_factory=dict)
    """How many connections to identity providers let nobody in the last time, by reason in words."""
    directory: bool = False
    """A directory has, or had, a key to bring staff in and to take their access away."""
    directory_ends: datetime | None = None
    """When the last of its keys ends."""
    directories_silent: int = 0
    """Keys of directories that nobody used for a month."""
    examined: datetime | None = None
    """Up to when somebody signed for having examined who looked at whom; before: since when there is anything."""
    emergencies_overdue: int = 0
    """Emergency accesses that nobody reviewed in their time."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is looked at, as it was at `at`."""

    at: datetime
    machine: Machine
    office: Office
    ways_in: WaysIn = WaysIn()
    demo: bool = False
    backups: Backups | None = None
    """None: nobody looks after backups here yet."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    check: str
    severity: Severity
    what: str
    """What is so, in a sentence without PHI."""
    mend: str
    citation: str
    proposed: bool
    """Only the proposed rule asks for it: proposed, not law."""


@dataclass(frozen=True, slots=True)
class Passed:
    """One check that found nothing."""

    check: str
    title: str
    citation: str
    proposed: bool


@dataclass(frozen=True, slots=True)
class Report:
    """One look: what was found, the worst first, and what is as it should be."""

    at: datetime
    findings: tuple[Finding, ...]
    passed: tuple[Passed, ...]
    organization_id: UUID | None = field(default=None)

    @property
    def worst(self) -> Severity | None:
        """Return the worst severity; None: nothing was found."""
        return self.findings[0].severity if self.findings else None
