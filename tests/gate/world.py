"""A small world for the gate's tests: a clinic's message, one of its patients, and what they may sign."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from salus.contacts.contracts import Address, Read
from salus.gate.contracts import Decision, MessageFacts, PersonFacts, Treatment
from salus.gate.rules.codes import PlainCodes
from salus.gate.rules.moment import Moment
from salus.gate.rules.program import Program
from salus.gate.rules.table import RULES
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import (
    AddressSource,
    Channel,
    PhiClass,
    Profile,
    Promotes,
    Purpose,
    Relation,
    Remuneration,
    SenderRole,
    Special,
)
from salus.permissions.contracts import (
    Authorization,
    ConfidentialAddress,
    Part2Consent,
    Representative,
    Restriction,
    Standing,
    Suppression,
    TopicChoice,
    UnencryptedPreference,
)

AT = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
"""A Tuesday: noon in New York, 9:00 in Los Angeles."""
LONG = AT + timedelta(days=400)
CARA = UUID(int=0xCA7A)
TOPIC = "care-news"
MAIL = "cara@example.org"
CODES = PlainCodes()

CLASS_OF = {
    "given_name": PhiClass.CONTACT, "birth_date": PhiClass.DEMOGRAPHIC, "encounters": PhiClass.DATES_OF_CARE,
    "department": PhiClass.DEPARTMENT, "physician": PhiClass.PHYSICIAN, "outcome": PhiClass.OUTCOME,
    "insurance_type": PhiClass.INSURANCE, "conditions": PhiClass.DIAGNOSIS, "medications": PhiClass.MEDICATION,
    "procedures": PhiClass.PROCEDURE, "labs": PhiClass.LAB, "hospitalizations": PhiClass.HOSPITALIZATION,
    "event:lab_available": PhiClass.LAB, "vaccinations": PhiClass.VACCINATION, "health_interests": PhiClass.ENGAGEMENT,
}  # fmt: skip


def read(
    field: str, code: str | None = None, special: Special | None = None, origin: str = "segment"
) -> Read:
    return Read(field, CLASS_OF[field], special, origin, "$", code)


def message(purpose: Purpose, **changes: Any) -> MessageFacts:
    """A clinic's e-mail that reads only the name, promotes nothing, and for which nobody pays."""
    facts = MessageFacts(
        purpose=purpose,
        promotes=Promotes.NOTHING,
        remuneration=Remuneration.NONE,
        payer="",
        payer_is_promoted_party=False,
        topic=TOPIC,
        channel=Channel.EMAIL,
        sender_role=SenderRole.PROVIDER,
        profile=Profile.STRICT,
        reads=(read("given_name", origin="merge"),),
        conditions=(),
        classification_confirmed=True,
        individual=False,
        service_in_scope=True,
    )
    if isinstance(changes.get("reads"), str):
        changes["reads"] = tuple(read(field) for field in changes["reads"].split())
    return replace(facts, **changes)


def standing(**changes: Any) -> Standing:
    """Cara's standing: nothing permitted, nothing forbidden, unless `changes` say so."""
    return Standing(CARA, 3, AT, changes.pop("valid_until", LONG), **changes)


def person(**changes: Any) -> PersonFacts:
    """Cara, 46, a patient from Ohio whose e-mail address came with her care."""
    facts = PersonFacts(
        contact_id=CARA,
        version=7,
        address=Address(
            Channel.EMAIL, Phi(MAIL), AddressSource.CLINICAL_ENCOUNTER, "registration", date(2025, 1, 2)
        ),
        address_blind=b"cara",
        address_source=AddressSource.CLINICAL_ENCOUNTER,
        relation=Relation.PATIENT,
        birth_date=date(1980, 3, 1),
        states=frozenset({"OH"}),
        treatments=(),
        specials=frozenset(),
        standing=standing(),
        time_zone="America/New_York",
    )
    if "source" in changes:
        changes["address_source"] = changes.pop("source")
    if isinstance(changes.get("states"), str):
        changes["states"] = frozenset(changes["states"].split())
    if isinstance(changes.get("treatments"), str):
        changes["treatments"] = tuple(
            Treatment(code, date(2026, 6, 1)) for code in changes["treatments"].split()
        )
    if isinstance(changes.get("prescriptions"), str):
        changes["prescriptions"] = tuple(
            Treatment(code, date(2026, 11, 1)) for code in changes["prescriptions"].split()
        )
    granted = {key: changes.pop(key) for key in list(changes) if key in Standing.__dataclass_fields__}
    if granted:
        changes["standing"] = standing(**granted)
    return replace(facts, **changes)


def signed(*purposes: Purpose, **changes: Any) -> tuple[Authorization, ...]:
    """An authorization for `purposes` that covers every class and no special category."""
    found = Authorization(
        UUID(int=0xA1), frozenset(purposes), frozenset(PhiClass), frozenset(), False, False,
        AT - timedelta(days=30), AT + timedelta(days=300),
    )  # fmt: skip
    return (replace(found, **changes),)


def opted_in(
    topic: str = TOPIC, channel: Channel = Channel.EMAIL, *, confirmed: bool = True
) -> tuple[TopicChoice, ...]:
    return (TopicChoice(UUID(int=0x1A), topic, channel, AT - timedelta(days=9), confirmed),)


def opted_out(topic: str = TOPIC, channel: Channel = Channel.EMAIL) -> tuple[TopicChoice, ...]:
    return (TopicChoice(UUID(int=0x0A), topic, channel, AT - timedelta(days=5)),)


def consent(**names: bool) -> tuple[Part2Consent, ...]:
    return (Part2Consent(UUID(int=0xB2), AT + timedelta(days=90), **{"tpo": False, **names}),)


def guardian(value: str = MAIL, **changes: Any) -> Representative:
    return Representative(UUID(int=0xC6), Channel.EMAIL, Phi(value), **changes)


def only_at(value: str | None = MAIL, channel: Channel | None = Channel.EMAIL) -> ConfidentialAddress:
    return ConfidentialAddress(UUID(int=0xC9), channel, Phi(value) if value else None)


def bounced(address: bytes | None = b"cara") -> tuple[Suppression, ...]:
    return (Suppression(UUID(int=0x5B), Channel.EMAIL, "hard_bounce", address),)


def restricted(*purposes: Purpose, channels: frozenset[Channel] = frozenset()) -> tuple[Restriction, ...]:
    return (Restriction(UUID(int=0x5A), frozenset(purposes), channels),)


def in_clear(*purposes: Purpose) -> tuple[UnencryptedPreference, ...]:
    return (
        UnencryptedPreference(UUID(int=0xE3), Channel.SMS, frozenset(purposes), AT + timedelta(days=200)),
    )


def decide(facts: MessageFacts, who: PersonFacts, at: datetime = AT, rules: Any = RULES) -> Decision:
    """Decide with the real program."""
    return Program(facts, CODES, at.date(), rules).decide(who, Moment.of(at))


def without(rule_id: str) -> tuple[Any, ...]:
    """The table with one rule dropped."""
    kept = tuple(rule for rule in RULES if rule.id != rule_id)
    assert len(kept) == len(RULES) - 1, f"no rule {rule_id}"
    return kept
