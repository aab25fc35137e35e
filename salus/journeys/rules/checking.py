"""What can be said of a journey before it runs: every fault, the longest way, and what is certain of everybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from salus.journeys.contracts import (
    Action,
    Again,
    Call,
    Finding,
    Graph,
    Proof,
    Send,
    Severity,
    Task,
    Wait,
    WaitFor,
)
from salus.journeys.rules.findings import in_order, in_words, warning
from salus.journeys.rules.known import Known
from salus.journeys.rules.longest import longest
from salus.journeys.rules.paths import Paths
from salus.journeys.rules.shape_checks import check_shape
from salus.journeys.rules.step_checks import StepChecks
from salus.journeys.rules.way_in_checks import check_ways_in

_MINUTE = timedelta(minutes=1)
_FAR = 1e9
"""Minutes that are more than anybody waits."""
_WITHOUT_END = frozenset(
    {"no_way_in", "no_start", "no_target", "no_such_step", "endless", "no_pause", "too_many_rounds"}
)
"""Findings with which nobody can say that everyone finishes."""


def check(graph: Graph, known: Known) -> Proof:
    """Return what is wrong with a journey and what it promises; never raises, and costs little more than its size.

    `longest` does not count that a message waits for quiet hours, holidays or other messages: `at_most` of
    the rules bounds that too.
    """
    paths = Paths(graph)
    findings = [*check_shape(graph, paths), *check_ways_in(graph, known)]
    steps = StepChecks(graph, known, paths)
    for step in graph.steps.values():
        findings += steps.check(step)
    span, messages = None, None
    if not paths.endless:
        asked = _time(paths, dates=timedelta(0))
        dated = any(isinstance(step.does, Wait) and step.does.attribute for step in graph.steps.values())
        span = min(_time(paths, graph.rules.at_most) if dated else asked, graph.rules.at_most)
        messages = int(longest(paths, lambda step: isinstance(step.does, Send), lambda _: 0))
        findings += _too_short(graph, asked)
    ordered = in_order(graph, findings)
    return Proof(ordered, span, messages, tuple(_promises(graph, paths, ordered, span, messages)))


def _time(paths: Paths, dates: timedelta) -> timedelta:
    """Return how long the longest way takes; `dates` stands for a wait until a date, which may be far."""
    minutes = longest(
        paths,
        lambda step: _longest_stay(step.does, dates) / _MINUTE,
        lambda repeat: repeat.interval / _MINUTE,
    )
    return timedelta(minutes=min(minutes, _FAR))


def _longest_stay(does: Action, dates: timedelta) -> timedelta:
    match does:
        case Wait() if does.span is not None:
            return does.span
        case Wait() if does.attribute:
            return dates
        case Wait():
            return timedelta(days=1 if does.until_weekday is None else 7)
        case WaitFor() | Task() | Call():
            return does.at_most
        case _:
            return timedelta(0)


def _too_short(graph: Graph, asked: timedelta) -> Iterator[Finding]:
    if asked > graph.rules.at_most:
        what = f"The longest way takes {in_words(asked)}, but people leave after {in_words(graph.rules.at_most)}."
        yield warning("time_short", "", what, "Let people be inside for longer, or wait less.")


def _promises(
    graph: Graph,
    paths: Paths,
    findings: tuple[Finding, ...],
    span: timedelta | None,
    messages: int | None,
) -> Iterator[str]:
    """Yield what is certain, as far as no error speaks against it."""
    errors = [one for one in findings if one.severity is Severity.ERROR]
    if span is None or messages is None or any(one.code in _WITHOUT_END for one in errors):
        return
    inside = "" if graph.rules.again is Again.NEVER else " while inside"
    rounds = max(paths.rounds.values(), default=1)
    sends = {key for key, step in graph.steps.items() if isinstance(step.does, Send)}
    yield f"Everyone finishes. The longest path takes {'' if paths.neat else 'at most '}{in_words(span)}."
    yield f"Nobody gets a step {'twice' if rounds == 1 else f'more than {rounds} times'}{inside}."
    if sends:
        yield f"Nobody gets more than {messages} message{'' if messages == 1 else 's'}{inside}."
        yield f"However long messages wait for others, nobody is inside after {in_words(graph.rules.at_most)}."
    if sends and not any(one.step in sends for one in errors):
        yield "Every send can be lawful, and what it is for is confirmed."
