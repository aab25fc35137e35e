"""What other packages may know of the gate: facts in, decision out, and the words for refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from salus.contacts.contracts import Address, Read
from salus.kernel.vocabulary import (
    AddressSource,
    Channel,
    Footer,
    Gate,
    Profile,
    Promotes,
    Protection,
    Purpose,
    Relation,
    Remuneration,
    SenderRole,
    Special,
)
from salus.permissions.contracts import Standing


class Reason(StrEnum):
    """Why a message may not go to a person; each is explained to its citation by `explain`."""

    UNCLASSIFIED = "unclassified"
    NOT_CONFIRMED = "classification_not_confirmed"
    NO_RULE = "no_rule_applies"
    BLOCKED_BY_RULE = "blocked_by_rule"
    NO_ADDRESS = "no_address"
    ADDRESS_SOURCE = "address_source_not_accepted"
    NO_AUTHORIZATION = "no_authorization"
    NO_AUTHORIZATION_REMUNERATION = "no_authorization_naming_remuneration"
    NO_SPECIAL_AUTHORIZATION = "no_special_authorization"
    NO_OPT_IN = "no_opt_in"
    OPTED_OUT = "opted_out"
    FUNDRAISING_OPTED_OUT = "fundraising_opted_out"
    NO_PART2_CONSENT = "no_part2_consent"
    RESTRICTED = "restriction_agreed"
    CONFIDENTIAL_MEANS = "confidential_means_only"
    SUPPRESSED = "address_suppressed"
    DECEASED = "deceased"
    MINOR_WITHOUT_REPRESENTATIVE = "minor_without_representative"
    NO_E_NOTICE = "no_agreement_to_electronic_notice"
    NO_WAIVER = "no_waiver"
    NO_COMPLIANCE_APPROVAL = "no_compliance_approval"
    SERVICE_OUT_OF_SCOPE = "service_out_of_scope"
    NEVER_IN_MESSAGES = "category_never_in_messages"
    STATE_LAW = "state_law"
    UNKNOWN_FACT = "unknown_fact"


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """All that the gate must know about the message; nothing is optional that a rule reads.

    `reads` joins what the segment and the template read. `conditions` are the codes whose active
    treatment the message is about. The ids of sign-offs are evidence ids, None when absent.
    """

    purpose: Purpose
    promotes: Promotes
    remuneration: Remuneration
    payer: str
    payer_is_promoted_party: bool
    topic: str
    channel: Channel
    sender_role: SenderRole
    profile: Profile
    reads: tuple[Read, ...]
    conditions: tuple[str, ...]
    classification_confirmed: bool
    individual: bool
    service_in_scope: bool
    clinician_sign_off: UUID | None = None
    safety_flag: UUID | None = None
    waiver_id: UUID | None = None
    compliance_approval: UUID | None = None
    double_opt_in_required: bool = True


@dataclass(frozen=True, slots=True)
class Treatment:
    """One condition under treatment: its code, and when care for it was last recorded."""

    code: str
    last_care: date


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """All that the gate must know about the person; `address` None means none on this channel.

    `states` is residence and care state together (two-letter codes); `address_blind` the blind
    index of the address, to compare with suppressions. `specials` are the special categories that
    sending this message would reveal about this person.
    """

    contact_id: UUID
    version: int
    address: Address | None
    address_blind: bytes | None
    address_source: AddressSource
    relation: Relation
    birth_date: date | None
    states: frozenset[str]
    treatments: tuple[Treatment, ...]
    specials: frozenset[Special]
    standing: Standing


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate, the rule that set it, and the evidence that satisfies it (or None)."""

    gate: Gate
    rule_id: str
    citation: str
    satisfied: bool
    evidence_id: UUID | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one person: allowed or the first reason why not, with everything it rests on.

    `floor` is the least protection; `elements` the required message elements ("postal_address",
    "list_unsubscribe", "part2_notice"...); `valid_until` the earliest end of what it rests on;
    `disclosed` the sorted PHI classes and special categories that the message discloses.
    """

    contact_id: UUID
    allowed: bool
    reason: Reason | None
    rule_ids: tuple[str, ...]
    results: tuple[GateResult, ...]
    footer: Footer
    elements: tuple[str, ...]
    floor: Protection
    valid_until: datetime
    rules_version: str
    profile: Profile
    disclosed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clearance:
    """A decision bound to what it was made on, and the address it was made for.

    Delivery stores it with the row and compares every version again before hand-over.
    """

    decision: Decision
    contact_id: UUID
    contact_number: int
    contact_version: int
    standing_version: int
    address: Address | None


@dataclass(frozen=True, slots=True)
class Explained:
    """A rule or reason in plain English with its citations."""

    code: str
    sentence: str
    citations: tuple[str, ...]
    next_step: str = ""
