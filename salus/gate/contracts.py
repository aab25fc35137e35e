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
    NOT_ENCRYPTED = "channel_not_encrypted"
    QUIET_HOURS = "quiet_hours"


class Element(StrEnum):
    """What a message must carry, beyond its own words (`law.md` 1.4); `explain` has the citation."""

    POSTAL_ADDRESS = "postal_address"
    UNSUBSCRIBE_LINK = "unsubscribe_link"
    LIST_UNSUBSCRIBE = "list_unsubscribe"
    LIST_UNSUBSCRIBE_POST = "list_unsubscribe_post"
    AD_IDENTIFIER = "ad_identifier"
    PREFERENCE_LINK = "preference_link"
    FUNDRAISING_OPT_OUT = "fundraising_opt_out"
    REMUNERATION_STATEMENT = "remuneration_statement"
    PART2_NOTICE = "part2_notice"
    PART2_CONSENT_SCOPE = "part2_consent_scope"
    NEUTRAL_SENDER = "neutral_sender"
    NEUTRAL_NOTICE = "neutral_notice"
    HIV_REDISCLOSURE_NOTICE = "hiv_redisclosure_notice"
    CA_REMUNERATION_SOURCE = "ca_remuneration_source"
    CA_OPT_OUT_14_POINT = "ca_opt_out_14pt"
    TOLL_FREE_NUMBER = "toll_free_number"
    IRB_TEXT = "irb_text"
    BREACH_CONTENT = "breach_content"
    SMS_IDENTITY = "sms_identity"
    SMS_MINIMAL_TEXT = "sms_minimal_text"
    SMS_STOP = "sms_stop_instructions"
    SMS_PORTAL_LINK = "sms_portal_link"
    SMS_AT_MOST_3_A_DAY = "sms_max_3_per_24h"


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
    sending this message would reveal about this person. What is not known (`relation` or
    `birth_date` None, no `states`, no `time_zone` for a text message) blocks.
    """

    contact_id: UUID
    version: int
    address: Address | None
    address_blind: bytes | None
    address_source: AddressSource
    relation: Relation | None
    birth_date: date | None
    states: frozenset[str]
    treatments: tuple[Treatment, ...]
    specials: frozenset[Special]
    standing: Standing
    prescriptions: tuple[Treatment, ...] = ()
    """Drugs prescribed now or lately: the code, and until when the supply is known to last."""
    time_zone: str = ""
    """IANA name; only text messages need it."""
    recorded_deceased: bool = False
    """The record says so, whether or not the ledger does."""


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


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule as people read it: what it says, what it asks for, where it stands in the law.

    `row` is the row of the law tables that it transcribes ("D12", "TX:marketing"), `strict` and
    `federal_floor` the gates it sets in each profile; `verified` how its source was read.
    """

    id: str
    row: str
    layer: str
    purposes: tuple[Purpose, ...]
    sentence: str
    strict: tuple[str, ...]
    federal_floor: tuple[str, ...]
    footer: str
    citation: str
    effective: date
    verified: str
    rulings: tuple[str, ...]
    version: int
