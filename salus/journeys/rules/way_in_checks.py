"""Checks how people come in, what ends the journey early, and its rules: and that it does not feed itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from salus.journeys.contracts import (
    Again,
    Ending,
    EndsOn,
    Enter,
    EnterKind,
    Finding,
    GoTo,
    Graph,
    Rules,
    Send,
    Tree,
    Update,
)
from salus.journeys.rules.expressions import (
    OF_MESSAGES,
    PRODUCE,
    check_condition,
    check_date,
    check_event,
    form_sent,
    kinds_in,
)
from salus.journeys.rules.findings import error, warning
from salus.journeys.rules.known import Known

_OF_SEGMENTS = frozenset({EnterKind.SEGMENT_ENTERED, EnterKind.SEGMENT_LEFT, EnterKind.SCHEDULE})


def check_ways_in(graph: Graph, known: Known) -> Iterator[Finding]:
    """Yield what is wrong with the ways in, the early endings and the rules."""
    for enter in graph.enter:
        yield from _enter(enter, known)
    for ending in graph.rules.endings:
        yield from _ending(ending, known)
    yield from _rules(graph.rules)
    yield from _feeds_itself(graph, known)


def _enter(enter: Enter, known: Known) -> Iterator[Finding]:
    if enter.kind in _OF_SEGMENTS:
        yield from _segment(enter.segment_id, "People come in by a segment", known)
    if enter.kind is EnterKind.SCHEDULE:
        yield from _schedule(enter)
    if enter.kind is EnterKind.EVENT:
        if enter.event is None:
            what = "People come in by an event, but it does not say which."
            yield error("bad_event", "", what, "Choose an event.")
        else:
            yield from check_event("", enter.event, known)
    if enter.kind is EnterKind.DATE:
        yield from check_date("", enter.attribute, enter.where, known)
    if enter.kind is EnterKind.FORM and not enter.form:
        yield error("no_such_form", "", "It does not say which form.", "Give the form's key.")
    elif enter.kind is EnterKind.FORM:
        yield from check_event("", form_sent(enter.form), known)


def _schedule(enter: Enter) -> Iterator[Finding]:
    if enter.every == "week" and enter.on > 6:
        what = "People come in on a weekday that there is not."
        yield error("bad_schedule", "", what, "Choose 0 (Monday) to 6 (Sunday).")
    if enter.every == "month" and enter.on < 1:
        what = "People come in on a day of the month that there is not."
        yield error("bad_schedule", "", what, "Choose 1 to 28.")


def _segment(segment_id: UUID | None, noun: str, known: Known) -> Iterator[Finding]:
    if segment_id is None:
        yield error("no_such_segment", "", f"{noun}, but it does not say which.", "Choose a segment.")
    elif segment_id not in known.segments:
        yield error("no_such_segment", "", f"{noun} that is not there.", "Choose another segment.")


def _ending(ending: Ending, known: Known) -> Iterator[Finding]:
    if ending.on is EndsOn.SEGMENT_LEFT:
        yield from _segment(ending.segment_id, "It ends for whoever leaves a segment", known)
    if ending.on is EndsOn.EVENT:
        if ending.event is None:
            what = "It ends early by an event, but it does not say which."
            yield error("bad_event", "", what, "Choose an event.")
        else:
            yield from check_event("", ending.event, known)
    if ending.on is EndsOn.GOAL:
        if ending.when is None:
            what = "It has a goal that ends it early, but does not say what holds then."
            yield error("goal_unclear", "", what, "Say when the goal is reached.")
        else:
            yield from _goal(ending.when, known)


def _goal(when: Tree, known: Known) -> Iterator[Finding]:
    kinds = kinds_in(when)
    if kinds and not kinds & known.produced:
        what = "Nobody can reach the goal: nobody tells Salus of what it asks for."
        yield error("goal_unreachable", "", what, PRODUCE)
    else:
        yield from check_condition("", when, known)


def _rules(rules: Rules) -> Iterator[Finding]:
    if rules.again is Again.AFTER and not rules.again_after:
        what = "People may come in again after a time, but it does not say after how long."
        yield error("again_unclear", "", what, "Say after how long.")
    if (rules.quiet_from is None) != (rules.quiet_until is None) or (
        rules.quiet_from is not None and rules.quiet_from == rules.quiet_until
    ):
        what = "The quiet hours have no beginning or no end."
        yield error("quiet_unclear", "", what, "Say from when until when, or that there are none.")
    if rules.at_most <= timedelta(0):
        yield error("no_time", "", "Everybody leaves at once.", "Say how long people may be inside at most.")


def _feeds_itself(graph: Graph, known: Known) -> Iterator[Finding]:
    """Find ways by which people who finish come in again, and again, without anything new of themselves."""
    if graph.rules.again is Again.NEVER:
        return
    finding = error if graph.rules.again is Again.ALWAYS else warning
    what = "What the journey does brings the same people in again: without end."
    entered = {enter.segment_id for enter in graph.enter if enter.kind is EnterKind.SEGMENT_ENTERED}
    left = {enter.segment_id for enter in graph.enter if enter.kind is EnterKind.SEGMENT_LEFT}
    kinds = frozenset().union(*(kinds_in(enter.event) for enter in graph.enter))
    sends = any(isinstance(step.does, Send) for step in graph.steps.values())
    if sends and kinds & OF_MESSAGES:
        mend = "Let nobody come in again, or let them come in by something else."
        yield finding("feeds_itself", "", what, mend)
    for key, step in graph.steps.items():
        does = step.does
        if isinstance(does, Update) and (set(does.add_to) & entered or set(does.remove_from) & left):
            yield finding("feeds_itself", key, what, "Let nobody come in again, or use another segment.")
        if isinstance(does, GoTo) and does.journey_id is not None and _leads_back(does.journey_id, known):
            what_else = "The other journey leads back here: people go round without end."
            yield error("endless", key, what_else, "Let nobody come in again to one of them.")


def _leads_back(journey_id: UUID, known: Known) -> bool:
    """Tell whether who goes to a journey may come back here, by journeys that take people again."""
    seen: set[UUID] = set()
    ahead = [journey_id]
    while ahead:
        here = ahead.pop()
        if here == known.journey_id:
            return True
        other = known.journeys.get(here)
        if here not in seen and other is not None and other.again is not Again.NEVER:
            seen.add(here)
            ahead += other.leads_to
    return False
