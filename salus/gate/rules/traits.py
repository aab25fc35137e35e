"""From a person's facts to the few traits that rules look at, and when those traits end."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from salus.gate.contracts import PersonFacts, Treatment
from salus.gate.rules.cases import Age, Message, Traits
from salus.gate.rules.codes import Codes, covers
from salus.gate.rules.moment import Moment, birthday, prescribed_until, treated_until
from salus.gate.rules.words import PATIENTS
from salus.kernel.vocabulary import Purpose, SenderRole, Special

_NO_SPECIALS: frozenset[Special] = frozenset()
_SUD = frozenset({Special.PART2_SUD})


class Seen(NamedTuple):
    """The traits of a person, with the days of care and supply that two of them rest on."""

    traits: Traits
    last_care: date | None
    supply_ends: date | None


class Reader:
    """Reads the traits of many people for one message; remembers what codes and states come to."""

    def __init__(self, message: Message, codes: Codes, states_with_rules: frozenset[str]) -> None:
        self._message = message
        self._codes = codes
        self._states_with_rules = states_with_rules
        self._states: dict[frozenset[str], frozenset[str]] = {}
        self._covered: dict[str, bool] = {}
        self._treats_sud = message.facts.sender_role is SenderRole.PART2_PROGRAM
        self._about_drugs = message.facts.purpose is Purpose.REFILL

    def see(self, person: PersonFacts, now: Moment) -> Seen:
        """Return what the rules may know of `person`."""
        states = self._states.get(person.states)
        if states is None:
            states = self._states[person.states] = person.states & self._states_with_rules
        last_care = self._last_care(person.treatments, now) if person.treatments else None
        supply = self._supply(person.prescriptions) if self._about_drugs and person.prescriptions else None
        standing = person.standing
        traits = Traits(
            person.relation,
            person.address_source,
            states,
            bool(person.states),
            self._specials(person),
            last_care is not None and last_care >= now.treated_since,
            supply is not None and supply >= now.lapsed_since,
            _age(person.birth_date, now),
            person.recorded_deceased or standing.deceased is not None,
            bool(person.time_zone),
            person.address is not None,
        )
        return Seen(traits, last_care, supply)

    def _specials(self, person: PersonFacts) -> frozenset[Special]:
        """Return what the message reveals about everybody, and what it would reveal about this person.

        A Part 2 program's own name tells that its patients are patients of it.
        """
        specials = self._message.specials
        if person.specials:
            specials = specials | person.specials
        if self._treats_sud and person.relation in PATIENTS:
            specials = specials | _SUD
        return specials

    def _last_care(self, treatments: tuple[Treatment, ...], now: Moment) -> date | None:
        """Return the latest day of care, not after today, for a condition that the message names."""
        latest = None
        for treatment in treatments:
            day = treatment.last_care
            if day <= now.today and (latest is None or day > latest) and self._is_named(treatment.code):
                latest = day
        return latest

    def _supply(self, prescriptions: tuple[Treatment, ...]) -> date | None:
        """Return how long the supply lasts of a drug that the message is about (any, if it names none)."""
        named = self._message.facts.conditions
        ends = [one.last_care for one in prescriptions if not named or self._is_named(one.code)]
        return max(ends, default=None)

    def _is_named(self, code: str) -> bool:
        known = self._covered.get(code)
        if known is None:
            known = self._covered[code] = any(
                covers(self._codes, named, code) for named in self._message.facts.conditions
            )
        return known


def _age(born: date | None, now: Moment) -> Age:
    if born is None:
        return Age.UNKNOWN
    if born <= now.adult_if_born_by:
        return Age.ADULT
    return Age.MINOR if born <= now.over_12_if_born_by else Age.UNDER_13


def ends_at(seen: Seen, person: PersonFacts, until: datetime) -> datetime:
    """Return `until`, or the earlier moment when a trait that a decision may rest on ends by itself."""
    traits = seen.traits
    if traits.active_treatment and seen.last_care is not None:
        until = min(until, treated_until(seen.last_care))
    if traits.current_prescription and seen.supply_ends is not None:
        until = min(until, prescribed_until(seen.supply_ends))
    if traits.age is not Age.ADULT and person.birth_date is not None:
        until = min(until, birthday(person.birth_date, 13 if traits.age is Age.UNDER_13 else 18))
    return until
