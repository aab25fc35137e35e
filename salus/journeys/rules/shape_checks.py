"""Checks the drawing itself: every port leads somewhere, every step is reached, every loop has a bound."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from salus.journeys.contracts import AGAIN, ELSE, Branch, Finding, Goal, Graph, Repeat, Step
from salus.journeys.rules.findings import error, title, warning
from salus.journeys.rules.paths import Paths
from salus.journeys.rules.ports import optional_ports, required_ports

MOST_ROUNDS = 366
"""How often one person may come to one step, at most."""

PORT_WORDS = {
    "next": "on",
    "refused": "on for whom it may not be sent",
    "happened": "on when it happened",
    "timeout": "on when it did not happen",
    "else": "on for all others",
    "again": "back",
    "done": "on when it is done",
    "not_done": "on when it was not done",
    "failed": "on when it failed",
}
"""Where a port leads, in words; other ports are cases and arms, and go by their names."""


def check_shape(graph: Graph, paths: Paths) -> Iterator[Finding]:
    """Yield what is wrong with the drawing."""
    if not graph.enter:
        yield error("no_way_in", "", "Nobody comes in.", "Say how people come in.")
    if graph.start not in graph.steps:
        what = "It does not say where the way begins." if not graph.start else "The first step is not there."
        yield error("no_start", "", what, "Choose the first step.")
    for step in graph.steps.values():
        yield from _ports(graph, step)
        if isinstance(step.does, Branch):
            yield from _cases(step, step.does)
    if graph.start in graph.steps:
        yield from _unreachable(graph, paths)
    yield from _loops(graph, paths)


def _ports(graph: Graph, step: Step) -> Iterator[Finding]:
    has = (*required_ports(step), *optional_ports(step))
    for port in has:
        words = PORT_WORDS.get(port, f"on by “{port}”")
        if port in step.ports and step.ports[port] not in graph.steps:
            what = f"The way {words} leads to a step that is not there."
            yield error("no_such_step", step.key, what, "Lead it to a step.", port=port)
        elif port not in step.ports and port in required_ports(step):
            what = f"The way {words} leads nowhere."
            yield error("no_target", step.key, what, "Lead it to a step, or to an exit.", port=port)
    for port in step.ports:
        if port not in has:
            what = f"There is no way “{port}” from such a step, so nobody takes it."
            yield error("no_such_port", step.key, what, "Take it away.", port=port)


def _cases(step: Step, does: Branch) -> Iterator[Finding]:
    names = [case.port for case in does.cases]
    for name in dict.fromkeys(names):
        if names.count(name) > 1 or name == ELSE:
            what = "This name stands for two ways."
            yield error("case_twice", step.key, what, "Give each case a name of its own.", port=name)


def _unreachable(graph: Graph, paths: Paths) -> Iterator[Finding]:
    for key, step in graph.steps.items():
        if key in paths.reachable:
            continue
        if isinstance(step.does, Goal):
            what = "Nobody can reach this goal."
            yield error("goal_unreachable", key, what, "Lead a way to it, or take it away.")
        else:
            yield error("unreachable", key, "Nobody can come here.", "Lead a way to it, or take it away.")


def _loops(graph: Graph, paths: Paths) -> Iterator[Finding]:
    if paths.endless:
        round_ = " → ".join(title(graph, key) for key in (*paths.endless, paths.endless[0]))
        what = f"This goes round without end: {round_}."
        yield error("endless", paths.endless[0], what, "Go back only by a repeat, which counts.")
    for step in graph.steps.values():
        if isinstance(step.does, Repeat):
            yield from _repeat(step, step.does, paths)
    first = next((key for key in paths.order if paths.rounds.get(key, 1) > MOST_ROUNDS), None)
    if first is not None:
        what = f"Somebody could come here {paths.rounds[first]:,} times."
        mend = f"The repeats around it may lead back {MOST_ROUNDS - 1} times together."
        yield error("too_many_rounds", first, what, mend)


def _repeat(step: Step, does: Repeat, paths: Paths) -> Iterator[Finding]:
    if does.interval <= timedelta(0):
        what = "It leads back at once."
        yield error("no_pause", step.key, what, "Say how long to wait before each time.")
    drawn = step.key in paths.reachable and AGAIN in paths.leads[step.key]
    if drawn and step.key not in paths.after(step.key):
        what = "“Again” leads on and not back, so it never counts."
        yield warning("never_again", step.key, what, "Lead it back to an earlier step.", port=AGAIN)
