"""What a rule may look at: the message, a few traits of the person, and the gates already asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from salus.gate.contracts import MessageFacts
from salus.kernel.vocabulary import AddressSource, Gate, PhiClass, Relation, Special


class Age(StrEnum):
    """The ages that rules know."""

    UNKNOWN = "unknown"
    UNDER_13 = "under 13"
    MINOR = "13 to 17"
    ADULT = "18 or older"


class Traits(NamedTuple):
    """All that a rule's condition may know of a person; few values, so decisions can be shared.

    `states` holds only states that have rules; `states_known` is False when none was recorded.
    `specials` is what this message reveals about this person.
    """

    relation: Relation | None
    source: AddressSource
    states: frozenset[str]
    states_known: bool
    specials: frozenset[Special]
    active_treatment: bool
    current_prescription: bool
    age: Age
    deceased: bool
    zone_known: bool
    has_address: bool


@dataclass(frozen=True, slots=True)
class Message:
    """The message as rules see it: its facts and what follows from them for everybody.

    `classes` are the PHI classes that it discloses, also those that follow from the conditions it
    names; `specials` those it reveals about whoever gets it; `names_only_its_conditions` says that
    every diagnosis it reads belongs to a condition that it names; `chronic` that each of these is
    chronic or life-threatening.
    """

    facts: MessageFacts
    classes: frozenset[PhiClass]
    specials: frozenset[Special]
    names_only_its_conditions: bool
    chronic: bool


class Case(NamedTuple):
    """One question put to a condition."""

    message: Message
    traits: Traits
    gates: frozenset[Gate] = frozenset()
