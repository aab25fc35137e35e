"""What other packages may know of vendors: agreements and what they lack, services, why one is out of scope."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from salus.kernel.errors import Conflict
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import PhiClass, Special

Label = PhiClass | Special
"""What a piece of data tells, as far as an agreement has to cover it."""


class Kind(StrEnum):
    """What a service does for us; each has a way out of its own."""

    WEBHOOK = "webhook"
    SMTP_ROUTE = "smtp_route"
    SMS = "sms"
    KMS = "kms"
    BACKUP = "backup"
    IDENTITY_PROVIDER = "identity_provider"


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


class Why(StrEnum):
    """Why a service may not be used, or not for this."""

    UNKNOWN = "unknown_service"
    SWITCHED_OFF = "service_switched_off"
    NO_AGREEMENT = "no_agreement"
    NOT_SIGNED = "agreement_not_signed"
    INCOMPLETE = "agreement_incomplete"
    EXPIRED = "agreement_expired"
    ENDED = "agreement_ended"
    CLASS = "class_out_of_scope"
    PART2 = "part2_not_agreed"


class OutOfScope(Conflict):
    """A service may not be used for this now; `why` is the code, the text says it to staff without PHI."""

    def __init__(self, why: Why, what: str, *, next_step: str = "") -> None:
        self.why = why
        super().__init__(what, kept="Nothing was sent.", next_step=next_step)


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
    ended_on: date | None
    recorded_at: datetime
    recorded_by: UUID | None
    standing: Standing
    missing: tuple[Clause, ...]
    """Clauses that the law asks for and it does not have."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a vendor: what it does, where it is, and which PHI it may carry.

    `address` is the https URL of a webhook; empty for kinds without one.
    """

    id: UUID
    vendor_id: UUID
    kind: Kind
    name: Phi[str]
    address: str = field(repr=False)
    may_carry: frozenset[Label]
    active: bool
    changed_at: datetime
    why_not: Why | None
    """Why nothing at all may go to it at the moment of asking; None: it is in use."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor with its agreements, newest first, and its services; names and notes are free text of staff."""

    id: UUID
    name: Phi[str]
    note: Phi[str]
    agreements: tuple[Agreement, ...]
    services: tuple[Service, ...]
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
