"""Checks what each step does: waits end, what is asked for exists, and somebody is there to do it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from salus.contacts.contracts import AttributeType
from salus.journeys.contracts import (
    Again,
    Branch,
    Call,
    Finding,
    GoTo,
    Graph,
    Send,
    Split,
    Step,
    StepKind,
    Task,
    Update,
    Wait,
    WaitFor,
)
from salus.journeys.rules.expressions import (
    OF_MESSAGES,
    check_condition,
    check_date,
    check_event,
    kinds_in,
)
from salus.journeys.rules.findings import error, title, warning
from salus.journeys.rules.known import Known
from salus.journeys.rules.paths import Paths
from salus.journeys.rules.send_checks import check_send
from salus.timeline.contracts import EventKind

ENTER = "enter"
"""Stands for the coming in, where a wait counts events from there."""
LONGEST_CALL = timedelta(days=30)
"""How long `delivery` tries a call at most."""
ADDRESSES = frozenset({"email", "phone"})
"""What a call may tell beside attributes."""


@dataclass(frozen=True)
class StepChecks:
    """The checks of the steps of one graph."""

    graph: Graph
    known: Known
    paths: Paths

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield what is wrong with a step, wherever its ports lead."""
        yield from self._names(step)
        match step.does:
            case Send():
                yield from check_send(step.key, step.does, self.known)
            case Wait():
                yield from self._wait(step.key, step.does)
            case WaitFor():
                yield from self._wait_for(step.key, step.does)
            case Branch():
                yield from self._branch(step.key, step.does)
            case Split():
                yield from self._split(step.key, step.does)
            case Update():
                yield from self._update(step.key, step.does)
            case GoTo():
                yield from self._go_to(step.key, step.does)
            case Task():
                yield from self._task(step, step.does)
            case Call():
                yield from self._call(step.key, step.does)
            case _:
                pass

    def _names(self, step: Step) -> Iterator[Finding]:
        """Check that keys and ports tell nothing: they stand beside people as they are, and are not sealed."""
        for name, port in ((step.key, ""), *((each, each) for each in step.ports)):
            tells = self.known.telling(name.replace("_", " "))
            if tells:
                what = f"Its {'way out' if port else 'key'} “{name}” is kept in the open. {tells}"
                yield error("telling_name", step.key, what, "Give it a neutral name.", port=port)

    def _wait(self, key: str, does: Wait) -> Iterator[Finding]:
        until = does.until_time is not None or does.until_weekday is not None
        ways = (does.span is not None, until, bool(does.attribute))
        if sum(ways) != 1:
            what = "It does not say for what." if not any(ways) else "It says several things to wait for."
            mend = "Give one: a time, a weekday and hour, or a date."
            yield error("wait_unclear", key, what, mend)
            return
        if until and does.until_time is None:
            yield error("wait_unclear", key, "It says a weekday but no hour.", "Say until what time.")
        if does.attribute:
            yield from check_date(key, does.attribute, does.where, self.known)
        elif does.offset or does.at or does.where:
            what = "It says how long before or after a date, but not which date."
            yield error("wait_unclear", key, what, "Choose the date, or take that away.")

    def _wait_for(self, key: str, does: WaitFor) -> Iterator[Finding]:
        if (does.event is None) == (does.condition is None):
            what = "It does not say for what." if does.event is None else "It says two things to wait for."
            yield error("wait_unclear", key, what, "Give either an event or a condition.")
        if does.event is not None:
            yield from check_event(key, does.event, self.known)
        if does.condition is not None:
            yield from check_condition(key, does.condition, self.known)
        yield from self._some_time(key, does.at_most, "It waits no time at all.")
        yield from self._of_step(key, does.of_step, kinds_in(does.event or does.condition))
        if does.since not in {"", ENTER, key}:
            yield from self._before(key, does.since, "since_unknown", "The step that events count from")

    def _of_step(self, key: str, of_step: str, kinds: frozenset[str], port: str = "") -> Iterator[Finding]:
        """Check that the message that an event must be of was sent to everybody who comes here."""
        if not of_step:
            return
        named = self.graph.steps.get(of_step)
        if named is not None and named.kind is not StepKind.SEND:
            what = f"{title(self.graph, of_step)} sends no message."
            yield error("of_step_unknown", key, what, "Choose a step that sends one.", port=port)
        else:
            yield from self._before(key, of_step, "of_step_unknown", "The step whose message is meant", port)
        if kinds and kinds <= frozenset(EventKind) and not kinds & OF_MESSAGES:
            what = "It asks for a message’s event, but no such event is of a message."
            yield error("of_step_unneeded", key, what, "Take the step away, or ask for a click.", port=port)

    def _before(self, key: str, other: str, code: str, noun: str, port: str = "") -> Iterator[Finding]:
        if other not in self.graph.steps:
            yield error(code, key, f"{noun} is not there.", "Choose another step.", port=port)
        elif other == key or (key in self.paths.reachable and key in self.paths.reachable_without(other)):
            what = f"{noun}, {title(self.graph, other)}, does not lie on every way to here."
            yield error(code, key, what, "Choose a step that everybody passes before.", port=port)

    def _branch(self, key: str, does: Branch) -> Iterator[Finding]:
        if not does.cases:
            yield error("no_case", key, "It has no case, so all go one way.", "Add a case, or take it away.")
        for case in does.cases:
            yield from check_condition(key, case.when, self.known, port=case.port)
            yield from self._of_step(key, case.of_step, kinds_in(case.when), case.port)

    def _split(self, key: str, does: Split) -> Iterator[Finding]:
        if len(does.weights) < 2:
            yield error("one_arm", key, "It divides nobody.", "Give it two arms or more.")
        for arm, weight in does.weights.items():
            if weight <= 0:
                yield error("no_weight", key, "Nobody goes this way.", "Give it a number above 0.", port=arm)
        if does.control and does.control not in does.weights:
            what = "The arm to compare with is not there."
            yield error("no_such_arm", key, what, "Choose one of the arms.")

    def _update(self, key: str, does: Update) -> Iterator[Finding]:
        if not (does.attributes or does.opt_out_topics or does.add_to or does.remove_from):
            yield warning("does_nothing", key, "It changes nothing.", "Say what to change, or take it away.")
        for attribute, value in does.attributes.items():
            yield from self._value(key, attribute, value)
        for segment_id in dict.fromkeys((*does.add_to, *does.remove_from)):
            yield from self._static(key, segment_id)
        if set(does.add_to) & set(does.remove_from):
            what = "It puts people into a segment and takes them out of it."
            yield error("contradiction", key, what, "Choose one of the two.")

    def _value(self, key: str, attribute: str, value: object) -> Iterator[Finding]:
        found = self.known.attributes.get(attribute)
        if found is None:
            what = f"There is no attribute “{attribute}”."
            yield error("no_such_attribute", key, what, "Choose one from the dictionary.")
        elif found.type is AttributeType.RECORDS:
            what = f"“{found.label}” are records; they come from the record system."
            yield error("bad_value", key, what, "Change another attribute.")
        elif value is not None and (fault := self.known.fault_of_value(attribute, value)):
            what = f"The value does not fit “{found.label}”: {fault}"
            yield error("bad_value", key, what, "Give a value of the right kind.")

    def _static(self, key: str, segment_id: UUID) -> Iterator[Finding]:
        if segment_id not in self.known.segments:
            yield error("no_such_segment", key, "A segment that it names is not there.", "Choose another.")
        elif not self.known.segments[segment_id]:
            what = "A segment that it names has rules: nobody can be put in or taken out."
            yield error("not_static", key, what, "Choose a segment that people are put into by hand.")

    def _go_to(self, key: str, does: GoTo) -> Iterator[Finding]:
        if does.journey_id is None:
            return
        other = self.known.journeys.get(does.journey_id)
        if does.journey_id == self.known.journey_id:
            if self.graph.rules.again is Again.NEVER:
                what = "Nobody may come in to this journey again: people would end here."
                yield warning("never_let_in", key, what, "End the way here, or let people come in again.")
        elif other is None:
            yield error("no_such_journey", key, "The other journey is not there.", "Choose another.")
        elif not other.takes_people:
            what = "The other journey takes nobody now: people would end here."
            yield warning("journey_not_live", key, what, "Start it first.")

    def _task(self, step: Step, does: Task) -> Iterator[Finding]:
        if not step.title.strip():
            yield error("no_title", step.key, "It does not say what is to be done.", "Give it a title.")
        yield from self._some_time(step.key, does.at_most, "Nobody has time to do it.")
        for role in (does.role, does.deputy):
            if role is not None and role not in self.known.doers:
                what = f"A person with the role “{role.words}” may not do tasks."
                yield error("role_cannot", step.key, what, "Choose a role that may.")
        if does.deputy is None or does.deputy is does.role:
            what = "Nobody stands in when that role has nobody there."
            yield warning("no_deputy", step.key, what, "Choose a second role.")

    def _call(self, key: str, does: Call) -> Iterator[Finding]:
        yield from self._some_time(key, does.at_most, "It is not tried at all.")
        if does.at_most > LONGEST_CALL:
            yield error("too_long", key, "A call is tried for 30 days at most.", "Say a shorter time.")
        for name in does.fields:
            if name not in self.known.attributes and name not in ADDRESSES:
                what = f"There is no attribute “{name}”."
                yield error("no_such_attribute", key, what, "Choose one from the dictionary.")
        if key in self.known.never:
            verdict = self.known.never[key]
            yield error(verdict.code, key, verdict.what, verdict.mend)

    def _some_time(self, key: str, at_most: timedelta, what: str) -> Iterator[Finding]:
        if at_most <= timedelta(0):
            yield error("no_time", key, what, "Say how long at most.")
