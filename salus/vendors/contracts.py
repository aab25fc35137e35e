"""What other packages may know of vendors: agreements and what they lack, services, why one is out of scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from salus.kernel.outbound import Label, OutOfScope, Why
from salus.kernel.outbound import ServiceKind as Kind
from salus.kernel.phi import Phi

__all__ = [
    "Agreement",
    "Attestation",
    "BreachClock",
    "Clause",
    "Control",
    "Due",
    "DueKind",
    "Duty",
    "Finding",
    "Kind",
    "Label",
    "OutOfScope",
    "Owner",
    "Relation",
    "Reminder",
    "Responsibility",
    "Service",
    "Severity",
    "Standing",
    "Subcontractor",
    "Vendor",
    "Verification",
    "Waiting",
    "Why",
]


class Relation(StrEnum):
    """What a vendor is to us (45 CFR 160.103, "business associate"); `rules.RELATIONS` has words and citations."""

    ASSOCIATE = "associate"
    OURS = "ours"
    """We run it ourselves: nobody outside is told anything."""
    NO_PHI = "no_phi"
    """It does something for us for which it is told nothing of anybody."""


class Clause(StrEnum):
    """What an agreement says (45 CFR 164.504(e)(2), 164.314(a)(2)); `rules.CLAUSES` has words and citations."""

    PERMITTED_USES = "permitted_uses"
    NO_OTHER_USE = "no_other_use"
    SAFEGUARDS = "safeguards"
    REPORTING = "reporting"
    SUBCONTRACTORS = "subcontractors"
    ACCESS = "access"
    AMENDMENT = "amendment"
    ACCOUNTING = "accounting"
    OUR_OBLIGATIONS = "our_obligations"
    BOOKS = "books"
    RETURN_OR_DESTROY = "return_or_destroy"
    TERMINATION = "termination"
    AUDIT_RIGHTS = "audit_rights"
    LIABILITY = "liability"
    SHORTER_REPORTING = "shorter_reporting"
    SUBCONTRACTOR_PROOF = "subcontractor_proof"
    CONFIGURATION = "configuration"
    PART2 = "part2"


class Standing(StrEnum):
    """How an agreement stands on a day."""

    IN_FORCE = "in_force"
    NOT_SIGNED = "not_signed"
    INCOMPLETE = "incomplete"
    """A clause that the law asks for is missing."""
    EXPIRED = "expired"
    ENDED = "ended"


class Control(StrEnum):
    """How a service has to be set up before PHI goes there; `rules.CONTROLS` has words and citations."""

    ENCRYPTION = "encryption"
    ACCESS_CONTROL = "access_control"
    MFA = "mfa"
    AUDIT = "audit"


class Duty(StrEnum):
    """What somebody has to do about a service, we or the vendor; `duties.DUTIES` has words and citations."""

    RISK_ANALYSIS = "risk_analysis"
    PEOPLE = "people"
    SIGN_IN = "sign_in"
    IN_TRANSIT = "in_transit"
    AT_REST = "at_rest"
    KEYS = "keys"
    LOGGING = "logging"
    LOG_REVIEW = "log_review"
    PATCHES = "patches"
    BACKUPS = "backups"
    RECOVERY = "recovery"
    INCIDENTS = "incidents"
    BREACH_NOTICE = "breach_notice"
    PREMISES = "premises"
    RIGHTS = "rights"
    DISPOSAL = "disposal"


class Owner(StrEnum):
    """Who has a duty."""

    WE = "we"
    VENDOR = "vendor"
    BOTH = "both"


class DueKind(StrEnum):
    """What comes up again and again with vendors; `due.WORDS` says it."""

    AGREEMENT_ENDS = "agreement_ends"
    AGREEMENT_MISSING = "agreement_missing"
    ATTESTATION = "attestation"
    SUBCONTRACTOR = "subcontractor"
    VERIFICATION = "verification"


class Severity(StrEnum):
    """How much a finding matters: an error stops something, a warning will, a note is good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement with a vendor; a signed one never changes, it ends and another one follows.

    `agent`: the vendor is our agent under federal common law, so what it discovers we have discovered
    (164.404(a)(2)). `report_hours`: within how many hours of a discovery it reports to us.
    """

    id: UUID
    vendor_id: UUID
    signed_on: date | None
    valid_until: date | None
    """The last day it holds; None: until it is ended."""
    agent: bool
    report_hours: int
    clauses: frozenset[Clause]
    note: Phi[str]
    agency: Phi[str]
    """Who signed off, and why, that the vendor is not our agent; empty for one that is."""
    ended_on: date | None
    recorded_at: datetime
    recorded_by: UUID | None
    standing: Standing
    missing: tuple[Clause, ...]
    """Clauses that the law asks for and it does not have."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """Somebody's word that a service has a control: `by` whom (vendor or staff), on which day, seen in what.

    It holds from `attested_on` through `expires_on`; the newest of a control counts.
    """

    id: UUID
    service_id: UUID
    control: Control
    by: Phi[str]
    evidence: Phi[str]
    attested_on: date
    expires_on: date
    recorded_at: datetime
    recorded_by: UUID | None
    holds: bool
    """On the day of asking."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a vendor: what it does, where it is, and which PHI it may carry.

    `address` is a URL, of the schemes of its kind (`rules.SCHEMES`); `attestations` are the newest of each control.
    """

    id: UUID
    vendor_id: UUID
    kind: Kind
    name: Phi[str]
    address: str = field(repr=False)
    may_carry: frozenset[Label]
    active: bool
    attestations: tuple[Attestation, ...]
    changed_at: datetime
    why_not: Why | None
    """Why nothing at all may go to it at the moment of asking; None: it is in use."""


@dataclass(frozen=True, slots=True)
class Verification:
    """That somebody looked whether a vendor does what it agreed to: what was seen, and when to look again."""

    id: UUID
    by: Phi[str]
    evidence: Phi[str]
    verified_on: date
    next_on: date
    recorded_at: datetime
    recorded_by: UUID | None


@dataclass(frozen=True, slots=True)
class Subcontractor:
    """Who works for a vendor with our patients' data, and the proof that it agreed to the same restrictions.

    `proof` (empty: none was seen) was looked at on `seen_on` and is looked at again by `next_on`.
    """

    id: UUID
    vendor_id: UUID
    name: Phi[str]
    does: Phi[str]
    proof: Phi[str]
    seen_on: date | None
    next_on: date | None
    holds: bool
    """Proof was seen, and need not be looked at again yet, on the day of asking."""


@dataclass(frozen=True, slots=True)
class Responsibility:
    """Who has a duty about a vendor's services; `who` is the person or role at our side."""

    duty: Duty
    owner: Owner
    who: Phi[str]


@dataclass(frozen=True, slots=True)
class BreachClock:
    """When the clocks of a breach at a vendor run (45 CFR 164.404(a)(2), (b), 164.410).

    `starts_at` is the moment from which the organization's own 60 days count; None: nobody told it yet.
    `vendor_tells_by` is the end of the vendor's time to tell it.
    """

    starts_at: datetime | None
    notice_by: datetime | None
    vendor_tells_by: datetime
    agent: bool


@dataclass(frozen=True, slots=True)
class Due:
    """Something to do about a vendor by a day; the past is overdue. `subject_id` is what it is about.

    `citation` is the law that asks for it; what is only proposed says so.
    """

    kind: DueKind
    on: date
    vendor_id: UUID
    subject_id: UUID
    vendor: Phi[str]
    subject: Phi[str]
    words: str
    citation: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """A task that comes of the calendar; `key` names it, the text names no vendor."""

    key: str
    title: str
    instructions: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a vendor that stands in the way, or will; `words` name nobody, so they may go anywhere."""

    code: str
    severity: Severity
    vendor_id: UUID
    subject_id: UUID
    words: str
    next_step: str
    citation: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor with its agreements, newest first, and its services; names and notes are free text of staff."""

    id: UUID
    name: Phi[str]
    note: Phi[str]
    relation: Relation
    agreements: tuple[Agreement, ...]
    services: tuple[Service, ...]
    subcontractors: tuple[Subcontractor, ...]
    verification: Verification | None
    """The newest."""
    responsibilities: Mapping[Duty, Responsibility]
    created_at: datetime
    changed_at: datetime

    @property
    def in_force(self) -> Agreement | None:
        """Return the agreement that holds at the moment of asking, if one does."""
        return next((each for each in self.agreements if each.standing is Standing.IN_FORCE), None)

    @property
    def covered_until(self) -> date | None:
        """Return the last day on which an agreement holds; None: none does now, or one has no end."""
        ends = [each.valid_until for each in self.agreements if each.standing is Standing.IN_FORCE]
        return None if None in ends else max((end for end in ends if end is not None), default=None)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a service in a queue of a higher storey, and why the queue is paused ("" when it is not)."""

    count: int
    paused: str = ""
