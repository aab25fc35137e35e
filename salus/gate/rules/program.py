"""Decides one message for many people: all that depends on the message alone is worked out once.

Few things about a person matter to the rules (`Traits`), so the plan for each combination (which
rules apply, which gates they set) is made once and kept; per person only their standing is checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from salus.gate.contracts import Decision, GateResult, MessageFacts, PersonFacts, Reason
from salus.gate.rules.cases import Case, Traits
from salus.gate.rules.checks import (
    CHECKS,
    GUARDS,
    OF_THE_MESSAGE,
    OPEN,
    Check,
    Step,
    said_nothing,
    settle,
)
from salus.gate.rules.codes import Codes
from salus.gate.rules.elements import elements_of, greatest
from salus.gate.rules.logic import NEVER, Condition, specialise
from salus.gate.rules.message import disclosed, message_of
from salus.gate.rules.moment import Moment
from salus.gate.rules.protection import floor_of
from salus.gate.rules.quiet_hours import open_until, opens_at
from salus.gate.rules.reasons import first
from salus.gate.rules.rule import Demand, Kind, Rule, Window
from salus.gate.rules.table import RULES, RULES_VERSION, STATES_WITH_RULES, version_of
from salus.gate.rules.traits import Reader, ends_at
from salus.gate.rules.words import CARE_CLASSES, CLINICAL_SPECIALS
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Footer, Protection

Applicable = tuple[Rule, Condition, tuple[Demand, ...]]
"""A rule that may apply, what is left of its condition, and its gates in the profile."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the rules come to for one combination of traits.

    `steps` are checked for each person; `guards` only when the person has said something, else
    `guards_open` are their results; `settled` are results that are the same for everybody. `reason`
    is the first reason why nobody with these traits may get it.
    """

    rule_ids: tuple[str, ...]
    reason: Reason | None
    steps: tuple[tuple[Check, Step], ...]
    guards: tuple[tuple[Check, Step], ...]
    guards_open: tuple[GateResult, ...]
    settled: tuple[GateResult, ...]
    footer: Footer
    elements: tuple[str, ...]
    floor: Protection
    disclosed: tuple[str, ...]
    window: Window | None


class Program:
    """The rules in force, made ready for one message."""

    def __init__(self, facts: MessageFacts, codes: Codes, day: date, rules: Sequence[Rule] = RULES) -> None:
        """Compile `facts` for decisions on `day` (UTC); on another day compile again."""
        self.facts = facts
        self.version = RULES_VERSION if rules is RULES else version_of(rules)
        self.message = message_of(facts, codes)
        self._day = day
        self._rules = self._applicable(rules, day)
        self._next_change = _next_change(rules, day)
        self._reader = Reader(self.message, codes, STATES_WITH_RULES)
        self._plans: dict[Traits, Plan] = {}

    def _applicable(self, rules: Sequence[Rule], day: date) -> list[Applicable]:
        """Return the rules that may apply to this message, with what is left of their conditions."""
        found = []
        for rule in rules:
            demands = rule.demands(self.facts.profile)
            if demands is None or not rule.in_force(day):
                continue
            if rule.purposes and self.facts.purpose not in rule.purposes:
                continue
            when = specialise(rule.when, self.message)
            if when is not NEVER:
                found.append((rule, when, demands))
        return found

    def decide(self, person: PersonFacts, now: Moment) -> Decision:
        """Return the decision for one person at `now`, on the day for which it was compiled."""
        if now.today != self._day:
            raise ValueError("a program decides on the day for which it was compiled")
        seen = self._reader.see(person, now)
        plan = self._plans.get(seen.traits)
        if plan is None:
            plan = self._plans[seen.traits] = self._plan(seen.traits)
        standing, reason = person.standing, plan.reason
        until = ends_at(seen, person, min(standing.valid_until, self._next_change))
        results: list[GateResult] = []
        quiet = said_nothing(standing)
        for check, step in plan.steps if quiet else plan.steps + plan.guards:
            answer = check(step, person, now)
            results.append(step.passed if answer is OPEN else step.result(answer))
            if not answer.satisfied:
                reason = first(reason, answer.reason or step.demand.reason)
            elif answer.until < until:
                until = answer.until
        if quiet:
            results.extend(plan.guards_open)
        if standing.valid_until <= now.at or standing.at > now.at:
            reason = first(reason, Reason.UNKNOWN_FACT)
        if plan.window is not None and person.time_zone:
            reason, until = self._hours(plan.window, person.time_zone, now, reason, until)
        return Decision(
            person.contact_id,
            reason is None,
            reason,
            plan.rule_ids,
            (*results, *plan.settled),
            plan.footer,
            plan.elements,
            plan.floor,
            until,
            self.version,
            self.facts.profile,
            plan.disclosed,
        )

    @property
    def plans(self) -> int:
        """Return how many different combinations of traits have been decided so far."""
        return len(self._plans)

    def _hours(
        self, window: Window, zone: str, now: Moment, reason: Reason | None, until: datetime
    ) -> tuple[Reason | None, datetime]:
        closes = open_until(window, zone, now.at)
        if closes is None:
            return first(reason, Reason.QUIET_HOURS), min(until, opens_at(window, zone, now.at))
        return reason, min(until, closes)

    def _plan(self, traits: Traits) -> Plan:
        """Merge all rules that apply: the union of their gates, the strictest of their numbers."""
        applying = self._applying(traits)
        rules = [rule for rule, _, _ in applying]
        steps = self._steps(applying, traits)
        reason = None if any(rule.kind is Kind.PERMIT for rule in rules) else Reason.NO_RULE
        settled = []
        for step in steps:
            if step.demand.gate in OF_THE_MESSAGE:
                answer = settle(step)
                settled.append(step.result(answer))
                reason = reason if answer.satisfied else first(reason, step.demand.reason)
        checks = [(CHECKS[step.demand.gate], step) for step in steps if step.demand.gate in CHECKS]
        guards = tuple(pair for pair in checks if pair[1].demand.gate in GUARDS)
        footer = greatest(rule.footer for rule in rules if rule.footer is not None)
        extra = [element for rule in rules for element in rule.elements]
        return Plan(
            tuple(rule.id for rule in rules),
            reason,
            tuple(pair for pair in checks if pair[1].demand.gate not in GUARDS),
            guards,
            tuple(step.passed for _, step in guards),
            tuple(settled),
            footer,
            elements_of(footer, extra, frozenset(step.demand.gate for step in steps)),
            floor_of(
                self.facts.profile, self.message.classes, traits.specials, [rule.protection for rule in rules]
            ),
            disclosed(self.message, traits.specials),
            _meet([rule.window for rule in rules if rule.window is not None]),
        )

    def _applying(self, traits: Traits) -> list[Applicable]:
        """Return the rules that apply; those that look at the gates of others are asked again last."""
        case = Case(self.message, traits)
        first_round = [entry for entry in self._rules if entry[1].holds(case)]
        gates = frozenset(demand.gate for _, _, demands in first_round for demand in demands)
        case = Case(self.message, traits, gates)
        applying = [entry for entry in self._rules if entry[1].holds(case)]
        exempt = {row for rule, _, _ in applying for row in rule.exempts}
        return [entry for entry in applying if entry[0].row not in exempt]

    def _steps(self, applying: list[Applicable], traits: Traits) -> list[Step]:
        """Return one step for each different gate, named after the first rule that set it."""
        opt_outs = max((rule.opt_outs for rule, _, _ in applying), key=lambda word: word.value)
        classes, specials = self.message.classes & CARE_CLASSES, traits.specials & CLINICAL_SPECIALS
        steps: dict[Demand, Step] = {}
        for rule, _, demands in applying:
            for demand in demands:
                if demand not in steps:
                    passed = GateResult(demand.gate, rule.id, rule.citation, True, None, demand.detail)
                    steps[demand] = Step(demand, self.facts, opt_outs, classes, specials, passed)
        return list(steps.values())


def _meet(windows: list[Window]) -> Window | None:
    met: Window | None = None
    for window in windows:
        met = window if met is None else met.meet(window)
    return met


def _next_change(rules: Sequence[Rule], day: date) -> datetime:
    """Return the next midnight at which a rule begins or ends."""
    changes = [rule.effective for rule in rules] + [rule.ends for rule in rules if rule.ends is not None]
    return min((datetime.combine(one, time(), UTC) for one in changes if one > day), default=FAR)
