"""The pure mover: where a person goes next in a journey, decided from values alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from salus.journeys.contracts import (
    AGAIN,
    DONE,
    ELSE,
    FAILED,
    HAPPENED,
    NEXT,
    NOT_DONE,
    REFUSED,
    TIMEOUT,
    Branch,
    Call,
    EndsOn,
    Fate,
    Graph,
    Repeat,
    Send,
    Split,
    Step,
    StepKind,
    Task,
    Visit,
    Wait,
    WaitFor,
)
from salus.journeys.rules import calendar
from salus.journeys.rules.position import (
    ENDED,
    NO_MESSAGE,
    Decision,
    Do,
    End,
    Facts,
    Leave,
    Memory,
    Position,
    Stay,
    Why,
)
from salus.journeys.rules.ways import following

ENTER = "enter"
"""What a step names that counts events from when the person came in."""
ASK_AGAIN = timedelta(days=1)
"""How often a condition is asked at least: it may speak of relative times."""
NO_ANSWER = "no_answer"
_ACTS = frozenset({StepKind.SEND, StepKind.UPDATE, StepKind.TASK, StepKind.CALL})


class Course:
    """A graph made ready to move people along: made once for a version, asked for each person.

    `salt` (the journey's id) makes the chances of a split differ between journeys and stay the same
    between versions of one. Who moves a person asks `ended` first whenever they look at them, then
    `decide` until it is no `Leave` any more, and writes down what `leave` and `end` return.
    """

    def __init__(self, graph: Graph, salt: UUID) -> None:
        self.graph = graph
        self.channels = frozenset(
            step.does.channel for step in graph.steps.values() if isinstance(step.does, Send)
        )
        self._salt = salt.bytes
        self._counted = frozenset(_counted(graph))
        self._dated = frozenset(_dated(graph))
        self._deciders: Mapping[StepKind, Callable[[Step, Any, Position, Facts, datetime], Decision]] = {
            StepKind.SEND: self._send,
            StepKind.WAIT: self._wait,
            StepKind.WAIT_FOR: self._wait_for,
            StepKind.BRANCH: self._branch,
            StepKind.SPLIT: self._split,
            StepKind.UPDATE: self._do,
            StepKind.GO_TO: self._go_to,
            StepKind.REPEAT: self._repeat,
            StepKind.TASK: self._task,
            StepKind.CALL: self._call,
            StepKind.GOAL: lambda *_: End(Fate.COMPLETED, "goal"),
            StepKind.EXIT: self._exit,
        }

    def enter(self, enrolment_id: UUID, contact_id: UUID, at: datetime, *, entry: int = 0) -> Position:
        """Return where somebody stands who comes in at `at`, having been let in `entry` times before."""
        memory = self._arriving(Memory(), self.graph.start, at)
        return Position(enrolment_id, contact_id, self.graph.start, at, at, entry=entry, memory=memory)

    def resettled(
        self, position: Position, step: str, names: Mapping[str, str], at: datetime, *, goes_on: bool
    ) -> Position:
        """Return where somebody stands who comes from another version to `step` of this one.

        What they remember stays, under the new names of steps (old key -> new key). With `goes_on` they wait
        on from when they arrived; otherwise they arrive at `at`, and nothing that came from outside counts,
        but that they are to leave.
        """
        memory = position.memory.renamed(names)
        if goes_on:
            return replace(position, step=step, memory=memory)
        leaving = position.answer if position.answer.partition(":")[0] == ENDED else ""
        memory = self._arriving(memory, step, at)
        return replace(
            position, step=step, arrived_at=at, came_by="", waits=None, answer=leaving, memory=memory
        )

    def ended(self, position: Position, facts: Facts, at: datetime) -> End | None:
        """Return the early ending that holds for a person now, if any."""
        kind, _, reason = position.answer.partition(":")
        if kind == ENDED:
            return _early(reason)
        if facts.deceased():
            return _early(EndsOn.DECEASED)
        for ending in self.graph.rules.endings:
            if ending.on is EndsOn.GOAL and ending.when is not None and facts.holds(ending.when):
                return End(Fate.COMPLETED, "goal", EndsOn.GOAL, port=ENDED)
            if ending.on is EndsOn.OPTED_OUT and facts.opted_out(ending.topic):
                return _early(EndsOn.OPTED_OUT)
        return _early("time_over") if at >= self._over(position) else None

    def decide(self, position: Position, facts: Facts, at: datetime) -> Decision:
        """Return what a person does now at the step where they stand."""
        step = self.graph.steps[position.step]
        found = self._deciders[step.kind](step, step.does, position, facts, at)
        if isinstance(found, Stay):
            over = self._over(position)
            return found if found.due_at <= over else Stay(over, found.why)
        return found

    def leave(self, position: Position, leave: Leave, at: datetime) -> tuple[Visit, Position]:
        """Return the visit that ends with `leave`, and where the person stands then."""
        step = self.graph.steps[position.step]
        target = step.ports[leave.port]
        visit = _visit(position, at, leave.port, leave.outcome, leave.reason, leave.message_id)
        memory = self._arriving(self._leaving(position.memory, step, leave), target, at)
        return visit, Position(
            position.enrolment_id,
            position.contact_id,
            target,
            at,
            position.entered_at,
            position.ordinal + 1,
            position.entry,
            leave.port,
            memory=memory,
        )

    def end(self, position: Position, end: End, at: datetime) -> Visit:
        """Return the last visit of a person."""
        return _visit(position, at, end.port, end.outcome, end.reason, None)

    def writes_soon(self, key: str) -> bool:
        """Return whether somebody who stands at this step is written to as soon as they may go on."""
        step = self.graph.steps[key]
        if isinstance(step.does, Wait):
            step = self.graph.steps[step.ports[NEXT]]
        return step.kind is StepKind.SEND

    # What became of what was done

    def sent(self, position: Position, message_id: UUID | None, *, allowed: bool, reason: str = "") -> Leave:
        """Return how a person goes on whose message was handed to delivery, or refused for `reason`."""
        if allowed:
            return Leave(NEXT, "sent", message_id=message_id)
        return Leave(self._drawn(position, REFUSED, NEXT), "refused", reason, message_id)

    def updated(self, fault: str = "") -> Leave:
        """Return how a person goes on of whom something was changed, or could not be, with a code why."""
        return Leave(NEXT, "failed", fault) if fault else Leave(NEXT, "updated")

    def waiting(self, position: Position, facts: Facts, at: datetime) -> Decision:
        """Return how long a person waits whose task, or call, was made."""
        why = Why.TASK if self.graph.steps[position.step].kind is StepKind.TASK else Why.CALL
        return self.decide(replace(position, waits=why, answer=""), facts, at)

    def called(self, position: Position, origin_id: UUID) -> Position:
        """Return where somebody stands who remembers which call it is that they wait for."""
        memory = position.memory
        messages = {**memory.messages, position.step: origin_id}
        return replace(position, memory=Memory(messages, memory.times, memory.since))

    def failed(self, position: Position, reason: str) -> Leave:
        """Return how a person goes on whose call could not be made or was not answered."""
        return Leave(self._drawn(position, FAILED, DONE), "failed", reason)

    def moved(self, refusal: str = "") -> End:
        """Return the end of a person who left for another journey, or was not let in there."""
        return End(Fate.EXITED, "moved", refusal or "moved")

    # How each step decides

    def _send(self, step: Step, does: Send, position: Position, facts: Facts, at: datetime) -> Decision:
        rules = self.graph.rules
        if not facts.transactional(step):
            holiday = facts.holiday if rules.holidays else (lambda day: False)
            free = calendar.send_time(at, rules.quiet_from, rules.quiet_until, facts.zone, holiday)
            if free > at:
                return Stay(free, Why.QUIET)
        return self._do(step, does, position, facts, at)

    def _do(self, step: Step, does: Any, position: Position, facts: Facts, at: datetime) -> Decision:
        return Do(step, (position.entry, position.memory.times.get(step.key, 0)))

    def _wait(self, step: Step, does: Wait, position: Position, facts: Facts, at: datetime) -> Decision:
        if does.span is not None:
            due, why = position.arrived_at + does.span, Why.TIME
        elif does.attribute:
            date_due = _until_date(does, position, facts)
            if date_due is None:
                return Leave(NEXT, "date_gone")
            due, why = date_due, Why.DATE
        else:
            due = calendar.next_weekday(position.arrived_at, does.until_weekday, does.until_time, facts.zone)
            why = Why.TIME
        return Leave(NEXT, "waited") if due <= at else Stay(due, why)

    def _wait_for(
        self, step: Step, does: WaitFor, position: Position, facts: Facts, at: datetime
    ) -> Decision:
        deadline = position.arrived_at + does.at_most
        if does.event is not None:
            happened = position.answer == HAPPENED or bool(
                facts.happened(does.event, anchor(position, does), deadline, tied_to(position, does.of_step))
            )
            again, why = deadline, Why.EVENT
        else:
            happened = does.condition is not None and facts.holds(
                does.condition, tied_to(position, does.of_step)
            )
            again, why = min(deadline, at + ASK_AGAIN), Why.CONDITION
        if happened:
            return Leave(HAPPENED, "happened")
        return Leave(TIMEOUT, "timeout") if deadline <= at else Stay(again, why)

    def _branch(self, step: Step, does: Branch, position: Position, facts: Facts, at: datetime) -> Decision:
        for case in does.cases:
            if facts.holds(case.when, tied_to(position, case.of_step)):
                return Leave(case.port, "case")
        return Leave(ELSE, "case")

    def _split(self, step: Step, does: Split, position: Position, facts: Facts, at: datetime) -> Decision:
        arm = chosen(does.weights, self._salt + position.contact_id.bytes + step.key.encode())
        return Leave(arm, "control" if arm == does.control else "case")

    def _go_to(self, step: Step, does: Any, position: Position, facts: Facts, at: datetime) -> Decision:
        if does.journey_id is not None:
            return self._do(step, does, position, facts, at)
        return Leave(NEXT, "moved")

    def _repeat(self, step: Step, does: Repeat, position: Position, facts: Facts, at: datetime) -> Decision:
        if position.memory.times.get(step.key, 0) >= does.times:
            return Leave(DONE, "done")
        due = position.memory.since.get(step.ports[AGAIN], position.arrived_at) + does.interval
        return Leave(AGAIN, "again") if due <= at else Stay(due, Why.INTERVAL)

    def _task(self, step: Step, does: Task, position: Position, facts: Facts, at: datetime) -> Decision:
        if position.waits is not Why.TASK:
            return self._do(step, does, position, facts, at)
        deadline = position.arrived_at + does.at_most
        if position.answer == DONE:
            return Leave(DONE, "done")
        over = position.answer == NOT_DONE or deadline <= at
        return Leave(NOT_DONE, "not_done") if over else Stay(deadline, Why.TASK)

    def _call(self, step: Step, does: Call, position: Position, facts: Facts, at: datetime) -> Decision:
        if position.waits is not Why.CALL:
            return self._do(step, does, position, facts, at)
        answer, _, reason = position.answer.partition(":")
        if answer == DONE:
            return Leave(DONE, "done")
        deadline = position.arrived_at + does.at_most
        over = answer == FAILED or deadline <= at
        return self.failed(position, reason or NO_ANSWER) if over else Stay(deadline, Why.CALL)

    def _exit(self, step: Step, does: Any, position: Position, facts: Facts, at: datetime) -> Decision:
        return End(Fate.REFUSED if position.came_by == REFUSED else Fate.EXITED, "exit")

    # What is remembered

    def _drawn(self, position: Position, port: str, otherwise: str) -> str:
        return port if port in self.graph.steps[position.step].ports else otherwise

    def _over(self, position: Position) -> datetime:
        return position.entered_at + self.graph.rules.at_most

    def _leaving(self, memory: Memory, step: Step, leave: Leave) -> Memory:
        messages, times = memory.messages, memory.times
        if step.kind is StepKind.SEND:
            if leave.outcome == "sent" and leave.message_id is not None:
                messages = {**messages, step.key: leave.message_id}
            elif step.key in messages:
                messages = {key: sent for key, sent in messages.items() if key != step.key}
        if step.key in self._counted and (step.kind is not StepKind.REPEAT or leave.port == AGAIN):
            times = {**times, step.key: times.get(step.key, 0) + 1}
        if messages is memory.messages and times is memory.times:
            return memory
        return Memory(messages, times, memory.since)

    def _arriving(self, memory: Memory, step: str, at: datetime) -> Memory:
        if step not in self._dated:
            return memory
        return Memory(memory.messages, memory.times, {**memory.since, step: at})


def anchor(position: Position, does: WaitFor) -> datetime:
    """Return the moment from which events count at a wait."""
    if not does.since:
        return position.arrived_at
    if does.since == ENTER:
        return position.entered_at
    return position.memory.since.get(does.since, position.entered_at)


def tied_to(position: Position, of_step: str) -> UUID | None:
    """Return the message that engagement events must belong to, None when any will do."""
    return position.memory.messages.get(of_step, NO_MESSAGE) if of_step else None


def chosen(weights: Mapping[str, int], of: bytes) -> str:
    """Return the arm that `of` falls to, the same for the same bytes, each as often as its weight says."""
    place = int.from_bytes(sha256(of).digest()[:8], "big") * sum(weights.values()) >> 64
    for arm in sorted(weights):
        place -= weights[arm]
        if place < 0:
            return arm
    raise AssertionError("an arm of weight 0")


def _until_date(does: Wait, position: Position, facts: Facts) -> datetime | None:
    """Return until when to wait for a date: of several, the next one as seen from the arrival here."""
    zone = facts.zone
    arrived = position.arrived_at.astimezone(calendar.zone_named(zone)).date()
    for day, at in sorted(
        facts.dates(does.attribute, does.where), key=lambda one: (one[0], str(one[1] or ""))
    ):
        due = calendar.with_offset(day, at, does.offset, does.at, zone)
        if day >= arrived or due >= position.arrived_at or "." not in does.attribute:
            return due
    return None


def _counted(graph: Graph) -> list[str]:
    """Return the steps whose times are remembered: repeats, and steps that act and lie on a loop."""
    return [
        key
        for key, step in graph.steps.items()
        if step.kind is StepKind.REPEAT or (step.kind in _ACTS and key in following(graph, key))
    ]


def _dated(graph: Graph) -> list[str]:
    """Return the steps whose last arrival is remembered: others count from it."""
    found = []
    for step in graph.steps.values():
        if isinstance(step.does, WaitFor) and step.does.since not in ("", ENTER):
            found.append(step.does.since)
        if step.kind is StepKind.REPEAT:
            found.append(step.ports[AGAIN])
    return found


def _early(reason: str) -> End:
    return End(Fate.EXITED, ENDED, reason, port=ENDED)


def _visit(
    position: Position, at: datetime, port: str, outcome: str, reason: str, message_id: UUID | None
) -> Visit:
    return Visit(
        position.enrolment_id,
        position.ordinal,
        position.step,
        position.arrived_at,
        at,
        port,
        outcome,
        reason,
        message_id,
    )
