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
    Record,
    Report,
    Ruleset,
    Severity,
)

__all__ = [
    "Accounting",
    "Backups",
    "Disclosed",
    "Disclosure",
    "Facts",
    "Finding",
    "Found",
    "Ground",
    "Kind",
    "Machine",
    "Office",
    "Package",
    "Passed",
    "PersonRequest",
    "Record",
    "Report",
    "Ruleset",
    "Severity",
    "Status",
    "Step",
]


class Kind(StrEnum):
    """What a person asks for about their own record."""

    ACCESS = "access"
    """A copy (45 CFR 164.524)."""
    ERASURE = "erasure"
    """No federal right; the organization decides, and state law may ask for it."""
    ACCOUNTING = "accounting"
    """To whom it was disclosed (45 CFR 164.528)."""


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
class Disclosed:
    """A stored disclosure, and until when an agency has suspended telling of it."""

    id: UUID
    facts: Disclosure
    suspended_until: datetime | None


@dataclass(frozen=True, slots=True)
class Accounting:
    """What a person is told: the disclosures, oldest first. How many were left out, and why, is for staff only."""

    since: datetime
    until: datetime
    told: tuple[Disclosed, ...]
    exempt: Mapping[Ground, int]
    suspended: int
