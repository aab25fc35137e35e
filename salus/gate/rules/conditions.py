"""When a rule applies: a closed set of typed conditions, each a value that can be read and compared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from salus.gate.rules.cases import Age, Case
from salus.gate.rules.logic import About, Condition
from salus.gate.rules.words import CLINICAL_SPECIALS, NEWS_OF_A_RESULT
from salus.kernel.vocabulary import (
    AddressSource,
    Channel,
    Gate,
    PhiClass,
    Promotes,
    Purpose,
    Relation,
    Remuneration,
    SenderRole,
    Special,
)

# About the message


@dataclass(frozen=True, slots=True)
class PurposeIn(Condition):
    """The message has one of these purposes."""

    purposes: frozenset[Purpose]

    def _answer(self, case: Case) -> bool:
        return case.message.facts.purpose in self.purposes


@dataclass(frozen=True, slots=True)
class PromotesIn(Condition):
    """It promotes one of these."""

    words: frozenset[Promotes]

    def _answer(self, case: Case) -> bool:
        return case.message.facts.promotes in self.words


@dataclass(frozen=True, slots=True)
class RemunerationIn(Condition):
    """What the sender gets for it is one of these, whoever pays."""

    words: frozenset[Remuneration]

    def _answer(self, case: Case) -> bool:
        return case.message.facts.remuneration in self.words


@dataclass(frozen=True, slots=True)
class PaidByPromotedParty(Condition):
    """Financial remuneration: money from, or for, the party whose product is described (164.501)."""

    def _answer(self, case: Case) -> bool:
        facts = case.message.facts
        return facts.payer_is_promoted_party and facts.remuneration in _MONEY


_MONEY = frozenset({Remuneration.COST_ONLY, Remuneration.ABOVE_COST})


@dataclass(frozen=True, slots=True)
class ReadsOnly(Condition):
    """Every PHI class that the message discloses is one of these, and no special category of health."""

    about: ClassVar[About] = About.PERSON
    classes: frozenset[PhiClass]

    def _answer(self, case: Case) -> bool:
        return case.message.classes <= self.classes and not (case.traits.specials & CLINICAL_SPECIALS)


@dataclass(frozen=True, slots=True)
class ReadsAny(Condition):
    """The message discloses at least one of these PHI classes."""

    classes: frozenset[PhiClass]

    def _answer(self, case: Case) -> bool:
        return bool(case.message.classes & self.classes)


@dataclass(frozen=True, slots=True)
class ReadsResult(Condition):
    """The message discloses something of a lab result, beyond the news that there is one (D02)."""

    def _answer(self, case: Case) -> bool:
        return any(
            read.phi_class is PhiClass.LAB and read.field != NEWS_OF_A_RESULT
            for read in case.message.facts.reads
        )


@dataclass(frozen=True, slots=True)
class SenderIn(Condition):
    """The sender is one of these under HIPAA."""

    roles: frozenset[SenderRole]

    def _answer(self, case: Case) -> bool:
        return case.message.facts.sender_role in self.roles


@dataclass(frozen=True, slots=True)
class ChannelIn(Condition):
    """It travels on one of these channels."""

    channels: frozenset[Channel]

    def _answer(self, case: Case) -> bool:
        return case.message.facts.channel in self.channels


@dataclass(frozen=True, slots=True)
class Individual(Condition):
    """It is written for one person by somebody who treats them, not sent to a list."""

    def _answer(self, case: Case) -> bool:
        return case.message.facts.individual


class SignOff(StrEnum):
    """The sign-offs that a message may carry; the value is the field of `MessageFacts`."""

    CLINICIAN = "clinician_sign_off"
    SAFETY = "safety_flag"
    WAIVER = "waiver_id"
    COMPLIANCE = "compliance_approval"


@dataclass(frozen=True, slots=True)
class SignedOff(Condition):
    """The message carries this sign-off."""

    kind: SignOff

    def _answer(self, case: Case) -> bool:
        return getattr(case.message.facts, self.kind.value) is not None


@dataclass(frozen=True, slots=True)
class Confirmed(Condition):
    """A second person has confirmed its classification."""

    def _answer(self, case: Case) -> bool:
        return case.message.facts.classification_confirmed


@dataclass(frozen=True, slots=True)
class NamesOnlyItsConditions(Condition):
    """Every diagnosis it reads belongs to a condition that it names: nothing else is given away."""

    def _answer(self, case: Case) -> bool:
        return case.message.names_only_its_conditions


@dataclass(frozen=True, slots=True)
class Chronic(Condition):
    """All conditions it names are chronic, seriously debilitating or life-threatening."""

    def _answer(self, case: Case) -> bool:
        return case.message.chronic


# About the person


@dataclass(frozen=True, slots=True)
class RelationIn(Condition):
    """The person is one of these to the sender."""

    about: ClassVar[About] = About.PERSON
    relations: frozenset[Relation]

    def _answer(self, case: Case) -> bool:
        return case.traits.relation in self.relations


@dataclass(frozen=True, slots=True)
class SourceIn(Condition):
    """The address came from one of these."""

    about: ClassVar[About] = About.PERSON
    sources: frozenset[AddressSource]

    def _answer(self, case: Case) -> bool:
        return case.traits.source in self.sources


@dataclass(frozen=True, slots=True)
class LivesIn(Condition):
    """The person lives, or gets care, in this state."""

    about: ClassVar[About] = About.PERSON
    state: str

    def _answer(self, case: Case) -> bool:
        return self.state in case.traits.states


@dataclass(frozen=True, slots=True)
class RevealsAny(Condition):
    """The message reveals at least one of these categories about this person."""

    about: ClassVar[About] = About.PERSON
    specials: frozenset[Special]

    def _answer(self, case: Case) -> bool:
        return bool(case.traits.specials & self.specials)


@dataclass(frozen=True, slots=True)
class ActiveTreatment(Condition):
    """The record shows care for a condition that the message names in the last 12 months (X1)."""

    about: ClassVar[About] = About.PERSON

    def _answer(self, case: Case) -> bool:
        return case.traits.active_treatment


@dataclass(frozen=True, slots=True)
class CurrentPrescription(Condition):
    """A drug that the message is about is prescribed now, or lapsed at most 90 days ago (D03)."""

    about: ClassVar[About] = About.PERSON

    def _answer(self, case: Case) -> bool:
        return case.traits.current_prescription


@dataclass(frozen=True, slots=True)
class AgeIn(Condition):
    """The person is of one of these ages."""

    about: ClassVar[About] = About.PERSON
    ages: frozenset[Age]

    def _answer(self, case: Case) -> bool:
        return case.traits.age in self.ages


@dataclass(frozen=True, slots=True)
class Deceased(Condition):
    """The person has died."""

    about: ClassVar[About] = About.PERSON

    def _answer(self, case: Case) -> bool:
        return case.traits.deceased


class UnknownFact(StrEnum):
    """Facts without which nothing is decided; the value is what staff are told is missing."""

    PAYER = "who pays"
    TOPIC = "the topic that a reader may opt out of"
    RELATION = "what the person is to us"
    BIRTH_DATE = "birth date"
    STATE = "state of residence or care"
    TIME_ZONE = "time zone"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Unknown(Condition):
    """A fact that is needed is not there."""

    about: ClassVar[About] = About.PERSON
    fact: UnknownFact

    def _answer(self, case: Case) -> bool:
        facts, traits = case.message.facts, case.traits
        match self.fact:
            case UnknownFact.PAYER:
                return not facts.payer.strip()
            case UnknownFact.TOPIC:
                return not facts.topic.strip()
            case UnknownFact.RELATION:
                return traits.relation is None
            case UnknownFact.BIRTH_DATE:
                return traits.age is Age.UNKNOWN
            case UnknownFact.STATE:
                return not traits.states_known
            case UnknownFact.TIME_ZONE:
                return not traits.zone_known
            case UnknownFact.ADDRESS:
                return not traits.has_address


@dataclass(frozen=True, slots=True)
class Demanded(Condition):
    """Another rule already asks for one of these gates; looked at when all others have spoken."""

    about: ClassVar[About] = About.GATES
    gates: frozenset[Gate]

    def _answer(self, case: Case) -> bool:
        return bool(case.gates & self.gates)
