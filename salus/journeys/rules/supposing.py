"""Walks one person through a journey on a clock of its own, supposing what only time could tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from salus.journeys.contracts import DONE as TASK_DONE
from salus.journeys.contracts import HAPPENED, NOT_DONE, Fate, StepKind, Supposed, Visit, WaitFor
from salus.journeys.rules.expressions import kinds_in
from salus.journeys.rules.moving import Course
from salus.journeys.rules.position import Decision, Do, End, Facts, Leave, Position, Stay, Why

MOST_VISITS = 10_000
"""More than a verified journey allows; who walks further walks in a circle, which is said."""


class Imagined(Facts, Protocol):
    """Facts of a person whose clock the walk moves on."""

    def move_to(self, at: datetime) -> None:
        """Answer from now on as of `at`."""
        ...

    def sent(self, message_id: UUID, at: datetime) -> None:
        """Remember a message, so that what is supposed to be done with it can be asked for."""
        ...


@dataclass(frozen=True, slots=True)
class Walk:
    """One person's supposed way; `step` is where they still stood at the end of the time, "" when it was over."""

    visits: tuple[Visit, ...]
    fate: Fate
    reason: str
    entered_at: datetime
    ended_at: datetime | None
    step: str = ""


class Endless(Exception):
    """A walk did not end: the journey is not one that the check would let live."""


Act = Callable[[Do, Position, Facts, datetime], Decision]
"""Does in imagination what a step does to the world, and says how the person goes on."""


def walk(
    course: Course, position: Position, facts: Imagined, act: Act, supposed: Supposed, until: datetime
) -> Walk:
    """Move one person along from their entry until their way ends, or until `until`; raises `Endless`."""
    at, visits = position.entered_at, list[Visit]()
    entered = at
    while len(visits) < MOST_VISITS:
        facts.move_to(at)
        decision: Decision | None = course.ended(position, facts, at) or course.decide(position, facts, at)
        if isinstance(decision, Do):
            decision = act(decision, position, facts, at)
        if isinstance(decision, End):
            visits.append(course.end(position, decision, at))
            return Walk(tuple(visits), decision.fate, decision.reason, entered, at)
        if isinstance(decision, Leave):
            visit, position = course.leave(position, decision, at)
            visits.append(visit)
            if visit.outcome == "sent" and visit.message_id is not None:
                facts.sent(visit.message_id, at)
            continue
        assert isinstance(decision, Stay)
        at, position = _next(course, position, decision, supposed, at)
        if at > until:
            return Walk(tuple(visits), Fate.WAITING, "", entered, None, position.step)
    raise Endless


def chance(supposed: Supposed, *parts: bytes | str) -> float:
    """Return a number from 0 to below 1 that is the same for the same parts and seed."""
    hashed = sha256(str(supposed.seed).encode())
    for part in parts:
        hashed.update(b"\x00" + (part.encode() if isinstance(part, str) else part))
    return int.from_bytes(hashed.digest()[:7], "big") / 2**56


def _next(
    course: Course, position: Position, stay: Stay, supposed: Supposed, at: datetime
) -> tuple[datetime, Position]:
    """Return when something happens next to somebody who stays, and what has been answered by then."""
    waiting = replace(position, waits=stay.why)
    if stay.why in (Why.EVENT, Why.TASK, Why.CALL):
        share, answer = _answer(course, position, supposed)
        halfway = position.arrived_at + (stay.due_at - position.arrived_at) / 2
        lucky = chance(supposed, position.contact_id.bytes, position.step, str(position.ordinal)) < share
        if lucky and halfway >= at:
            return halfway, replace(waiting, answer=answer)
        if stay.why is Why.TASK and not lucky:
            return stay.due_at, replace(waiting, answer=NOT_DONE)
    return max(stay.due_at, at), waiting


def _answer(course: Course, position: Position, supposed: Supposed) -> tuple[float, str]:
    """Return the share of people for whom a wait is answered, and the answer."""
    step = course.graph.steps[position.step]
    if step.kind is StepKind.TASK:
        return supposed.tasks_done, TASK_DONE
    if step.kind is StepKind.CALL:
        return supposed.calls_done, TASK_DONE
    does = step.does
    assert isinstance(does, WaitFor)
    assert does.event is not None
    return max((supposed.happens.get(kind, 0.0) for kind in kinds_in(does.event)), default=0.0), HAPPENED
