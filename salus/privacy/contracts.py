"""What others may know of the privacy office: the facts that a look at the posture needs, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from salus.kernel.acting import Actor
from salus.kernel.leaving import Left
from salus.kernel.phi import Phi
from salus.kernel.time import Clock
from salus.privacy.posture import (
    Backups,
    Facts,
    Finding,
    Found,
    Machine,
    Office,
    Passed,
    Ready,
    Record,
    Report,
    Ruleset,
    Scanner,
    Severity,
    WaysIn,
)

__all__ = [
    "Accounting",
    "Backups",
    "Disclosed",
    "Disclosure",
    "Facts",
    "Finding",
    "Form",
    "Found",
    "Ground",
    "Kind",
    "Machine",
    "Office",
    "Package",
    "Passed",
    "PersonRequest",
    "Ready",
    "Record",
    "Report",
    "Ruleset",
    "Scanner",
    "Sent",
    "Severity",
    "Status",
    "Step",
    "Suspension",
    "To",
    "WaysIn",
]


class Kind(StrEnum):
    """What a person asks for about their own record."""

    ACCESS = "access"
    """A copy (45 CFR 164.524)."""
    ERASURE = "erasure"
    """No federal right; the organization decides, and state law may ask for it."""
    ACCOUNTING = "accounting"
    """To whom it was disclosed (45 CFR 164.528)."""


class Form(StrEnum):
    """How a person gets their copy (45 CFR 164.524(c)(2)(i): in the form and format they ask for)."""

    JSON = "json"
    FHIR = "fhir"
    """A FHIR R4 Bundle, for programs."""
    PDF = "pdf"
    """To read and to print, in their language."""


class Status(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    APPROVED = "approved"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PersonRequest:
    """One request; `reason` says why it was extended or refused."""

    id: UUID
    kind: Kind
    contact_id: UUID
    status: Status
    note: Phi[str]
    reason: Phi[str]
    received_at: datetime
    due_at: datetime
    """The last moment, the extension counted in."""
    extended: bool
    decided_by: UUID | None
    decided_at: datetime | None
    started_at: datetime | None
    """When it was last queued to be carried out."""
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """What one package erased for one request, and what it keeps with its reason; done once."""

    package: str
    done_at: datetime
    left: Left


@dataclass(frozen=True, slots=True)
class Package:
    """One package that holds something of a person: how it is exported and erased.

    `erase` is safe to repeat; packages are asked in order, the contact's own record last.
    """

    name: str
    export: Callable[[UUID, str, Actor], Mapping[str, Any]]
    erase: Callable[[UUID, Actor, Clock], Left]


class Ground(StrEnum):
    """Why a disclosure was made; the exempt ones are not in an accounting (45 CFR 164.528(a)(1))."""

    TREATMENT_PAYMENT_OPERATIONS = "treatment_payment_operations"
    TO_THE_PERSON = "to_the_person"
    INCIDENT_TO = "incident_to"
    AUTHORIZATION = "authorization"
    DIRECTORY = "directory"
    NATIONAL_SECURITY = "national_security"
    CUSTODY = "custody"
    LIMITED_DATA_SET = "limited_data_set"
    REQUIRED_BY_LAW = "required_by_law"
    PUBLIC_HEALTH = "public_health"
    ABUSE = "abuse"
    OVERSIGHT = "oversight"
    COURT = "court"
    LAW_ENFORCEMENT = "law_enforcement"
    DECEDENTS = "decedents"
    RESEARCH = "research"
    THREAT = "threat"
    WORKERS_COMPENSATION = "workers_compensation"
    NOT_PERMITTED = "not_permitted"
    """A breach, a misdirected message: it is accounted for like any other."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One disclosure as 45 CFR 164.528(b)(2) asks for it: when, to whom, what, why."""

    at: datetime
    recipient: Phi[str]
    address: Phi[str]
    what: Phi[str]
    purpose: Phi[str]
    ground: Ground


@dataclass(frozen=True, slots=True)
class Suspension:
    """What an agency stated so that it is not told for a time: who stated it, until when, how (164.528(a)(2))."""

    by: Phi[str]
    until: datetime
    in_writing: bool


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A stored disclosure, and the last suspension that an agency asked for, over or not."""

    id: UUID
    facts: Disclosure
    suspension: Suspension | None = None


class To(StrEnum):
    """To whom Salus itself told something, as a receipt or the log proves it."""

    PERSON = "person"
    REPRESENTATIVE = "representative"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Sent:
    """One message or call that Salus made: `what` are classes or fields, `purpose` a code; `sure`: it arrived."""

    id: UUID
    at: datetime
    to: To
    name: Phi[str]
    address: str
    what: tuple[str, ...]
    purpose: str
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Accounting:
    """What a person is told: disclosures that were entered and those that Salus made, each oldest first.

    `exempt` counts what is not listed, by the ground why; what an agency has `suspended` is for staff only.
    """

    since: datetime
    until: datetime
    told: tuple[Disclosed, ...]
    sent: tuple[Sent, ...]
    exempt: Mapping[Ground, int]
    suspended: tuple[Disclosed, ...]
