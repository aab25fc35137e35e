"""What other packages may know of permissions: ledger entries in, a contact's standing out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel, PhiClass, Purpose, Special

EVERY_TOPIC = "*"
"""The topic of an opt-out that covers all topics."""


class EntryKind(StrEnum):
    """What one entry of the append-only ledger says."""

    OPT_IN = "opt_in"
    OPT_IN_CONFIRMED = "opt_in_confirmed"
    OPT_OUT = "opt_out"
    AUTHORIZATION = "authorization"
    AUTHORIZATION_REVOKED = "authorization_revoked"
    RESTRICTION = "restriction"
    RESTRICTION_ENDED = "restriction_ended"
    CONFIDENTIAL_ADDRESS = "confidential_address"
    CONFIDENTIAL_ADDRESS_ENDED = "confidential_address_ended"
    UNENCRYPTED_PREFERENCE = "unencrypted_preference"
    UNENCRYPTED_PREFERENCE_REVOKED = "unencrypted_preference_revoked"
    FUNDRAISING_OPT_OUT = "fundraising_opt_out"
    FUNDRAISING_OPT_IN = "fundraising_opt_in"
    SUPPRESSION = "suppression"
    SUPPRESSION_LIFTED = "suppression_lifted"
    DECEASED = "deceased"
    DECEASED_WITHDRAWN = "deceased_withdrawn"
    REPRESENTATIVE = "representative"
    REPRESENTATIVE_ENDED = "representative_ended"
    PART2_CONSENT = "part2_consent"
    PART2_CONSENT_REVOKED = "part2_consent_revoked"
    E_NOTICE = "e_notice"
    E_NOTICE_WITHDRAWN = "e_notice_withdrawn"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One entry to append.

    `details` is sealed with the entry; `evidence` says how it is known ("web form 2025-03-01",
    "paper, scanned"). `ends` names the entry that this one ends.
    """

    contact_id: UUID
    kind: EntryKind
    at: datetime
    evidence: str
    topic: str = ""
    channel: Channel | None = None
    valid_until: datetime | None = None
    ends: UUID | None = None
    key: str = ""
    """Idempotency key: the same key for the same contact is stored once."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Only the keys that `permissions.details` defines for this kind; anything else is refused."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the ledger holds it; `recorded_at` is when it was written down, `at` when it holds."""

    id: UUID
    contact_id: UUID
    kind: EntryKind
    at: datetime
    recorded_at: datetime
    evidence: str = ""
    topic: str = ""
    channel: Channel | None = None
    valid_until: datetime | None = None
    ends: UUID | None = None
    key: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Appended:
    """What a listener learns of a new entry; never its content."""

    contact_id: UUID
    entry_id: UUID
    kind: EntryKind


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """An opt-in or opt-out that stands, by topic and channel."""

    evidence_id: UUID
    topic: str
    channel: Channel
    at: datetime
    confirmed: bool = False
    """True after double opt-in."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """A HIPAA authorization (45 CFR 164.508) as it stands; `defects` non-empty means INVALID.

    `purposes`, `classes`, `specials` are what it covers; a defect is a code such as
    "164.508(c)(1)(v) no expiration" ready to be shown.
    """

    evidence_id: UUID
    purposes: frozenset[Purpose]
    classes: frozenset[PhiClass]
    specials: frozenset[Special]
    remuneration_stated: bool
    sale_stated: bool
    valid_from: datetime
    valid_until: datetime
    parties: tuple[str, ...] = ()
    """Third parties whose products or to whom disclosure is authorized; empty: none named."""
    form_state: str = ""
    """State whose form rules it meets ("CA": 56.11 typeface, separate signature, expiry)."""
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Restriction:
    """An agreed restriction (45 CFR 164.522(a)); empty sets mean every purpose, every channel."""

    evidence_id: UUID
    purposes: frozenset[Purpose] = frozenset()
    channels: frozenset[Channel] = frozenset()


@dataclass(frozen=True, slots=True)
class ConfidentialAddress:
    """The only address or means that may be used (45 CFR 164.522(b))."""

    evidence_id: UUID
    channel: Channel | None
    """None: paper or telephone only, so nothing may be sent by this system."""
    value: Phi[str] | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """A channel or one address that must not be used; `address_blind` None means all of them."""

    evidence_id: UUID
    channel: Channel
    reason: str
    address_blind: bytes | None = None


@dataclass(frozen=True, slots=True)
class UnencryptedPreference:
    """78 FR 5634: warned of the risk and still prefers it; `law.md` 1.5 E3."""

    evidence_id: UUID
    channel: Channel
    purposes: frozenset[Purpose]
    valid_until: datetime
    address: Phi[str] | None = None
    """The one address it was given for; None: any of theirs on this channel."""


@dataclass(frozen=True, slots=True)
class Representative:
    """Who acts for a minor or incapable person (45 CFR 164.502(g)); `value` their address."""

    evidence_id: UUID
    channel: Channel
    value: Phi[str]
    minor_own_channel: bool = False
    """True: the minor lawfully consented alone, so the representative is excluded (g)(3)."""


@dataclass(frozen=True, slots=True)
class Part2Consent:
    """A 42 CFR 2.31 consent without defects; `marketing` and `fundraising` say whether it names them."""

    evidence_id: UUID
    valid_until: datetime
    tpo: bool = True
    marketing: bool = False
    fundraising: bool = False


@dataclass(frozen=True, slots=True)
class Limited:
    """What was permitted before two records were merged: it counts at the addresses that its own record had."""

    evidence_id: UUID
    addresses: tuple[tuple[Channel, Phi[str]], ...]


@dataclass(frozen=True, slots=True)
class Barred:
    """An address of somebody who was erased: nobody writes there, unless its person asks for it after `since`."""

    id: UUID
    since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """All that a contact permits and forbids at one moment, as a value.

    `version` moves on every change of the ledger for this contact; `valid_until` is the earliest
    moment at which any part of this value ends by itself.
    """

    contact_id: UUID
    version: int
    at: datetime
    valid_until: datetime
    opt_ins: tuple[TopicChoice, ...] = ()
    opt_outs: tuple[TopicChoice, ...] = ()
    authorizations: tuple[Authorization, ...] = ()
    """Those whose time is now, defective ones included: look at `defects`."""
    restrictions: tuple[Restriction, ...] = ()
    confidential_address: ConfidentialAddress | None = None
    unencrypted: tuple[UnencryptedPreference, ...] = ()
    fundraising_opt_out: UUID | None = None
    suppressions: tuple[Suppression, ...] = ()
    deceased: UUID | None = None
    representative: Representative | None = None
    part2_consents: tuple[Part2Consent, ...] = ()
    e_notice: UUID | None = None
    limited: tuple[Limited, ...] = ()
    """Of what is permitted above, that which a merge must not widen: see `at_address`."""

    def at_address(self, channel: Channel, address: Phi[str] | None) -> Standing:
        """Return what counts for a message to one address on `channel`; the portal has none and opens for the person."""
        if not self.limited or channel is Channel.PORTAL:
            return self
        lost = {each.evidence_id for each in self.limited if (channel, address) not in each.addresses}
        return replace(
            self,
            opt_ins=tuple(each for each in self.opt_ins if each.evidence_id not in lost),
            authorizations=tuple(each for each in self.authorizations if each.evidence_id not in lost),
            unencrypted=tuple(each for each in self.unencrypted if each.evidence_id not in lost),
            part2_consents=tuple(each for each in self.part2_consents if each.evidence_id not in lost),
            e_notice=None if self.e_notice in lost else self.e_notice,
        )

    def opted_in(self, topic: str, channel: Channel) -> TopicChoice | None:
        """Return the opt-in that stands for `topic` on `channel`, or None."""
        for choice in self.opt_ins:
            if choice.topic == topic and choice.channel == channel:
                return choice
        return None

    def opted_out(self, topic: str, channel: Channel) -> TopicChoice | None:
        """Return the opt-out that bars `topic` on `channel`, or None.

        An opt-out of every topic bars each one for which no later opt-in of its own stands.
        """
        bar = None
        for choice in self.opt_outs:
            if choice.channel == channel:
                if choice.topic == topic:
                    return choice
                if choice.topic == EVERY_TOPIC:
                    bar = choice
        return None if bar is not None and self.opted_in(topic, channel) else bar


@dataclass(frozen=True, slots=True)
class StandingChange:
    """One entry of the change feed of standings."""

    change: int
    contact_id: UUID


class AuthorizationState(StrEnum):
    """How an authorization or consent form stands at a moment."""

    VALID = "valid"
    DEFECTIVE = "defective"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class FiledForm:
    """An authorization or Part 2 consent in the file, whatever its state, for staff to see."""

    entry: Entry
    state: AuthorizationState
    valid_from: datetime
    valid_until: datetime
    defects: tuple[str, ...]
    revoked_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class OptInOffer:
    """What the link of a double opt-in message confirms."""

    contact_id: UUID
    topic: str
    channel: Channel
