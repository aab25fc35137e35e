"""The ways through a graph: what can be reached, what comes before what, loops, and the longest way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from salus.journeys.contracts import AGAIN, Graph, Repeat, Step
from salus.journeys.rules.ports import optional_ports, required_ports
from salus.journeys.rules.ways import reached


@dataclass(frozen=True)
class Loop:
    """A repeat that can be reached: where it stands, where it leads again, and what it does."""

    step: str
    again: str
    does: Repeat

    @property
    def times(self) -> int:
        """Return how often it leads back at most, in all."""
        return self.does.times


class Paths:
    """The ways of one graph, by the ports that its steps have and that lead to a step."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.leads = {key: dict(_leads(graph, step)) for key, step in graph.steps.items()}
        self._without: dict[str, frozenset[str]] = {}
        self.starts = [graph.start] if graph.start in self.leads else []
        self._targets = {key: tuple(ports.values()) for key, ports in self.leads.items()}

    @cached_property
    def reachable(self) -> frozenset[str]:
        """Return the steps that somebody can come to."""
        return reached(self.starts, self._targets)

    def reachable_without(self, key: str) -> frozenset[str]:
        """Return the steps that somebody can come to without having been at `key`."""
        if key not in self._without:
            self._without[key] = reached(self.starts, self._targets, key)
        return self._without[key]

    def after(self, key: str) -> frozenset[str]:
        """Return the steps that may come after `key`; itself only when a way leads back."""
        return reached(self.leads[key].values(), self._targets)

    def before(self, key: str) -> frozenset[str]:
        """Return the steps that may have come before `key`; itself only when a way leads back."""
        return reached(self._sources_of.get(key, ()), self._sources_of)

    @cached_property
    def _sources_of(self) -> Mapping[str, list[str]]:
        back: dict[str, list[str]] = {}
        for key, targets in self._targets.items():
            for target in targets:
                back.setdefault(target, []).append(key)
        return back

    @cached_property
    def endless(self) -> tuple[str, ...]:
        """Return the steps of a way that goes round without a repeat, the one drawn first first; or nothing."""
        return self._sorted[1]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Return what can be reached, each step after those that lead to it; repeats' ways back aside."""
        return self._sorted[0]

    @cached_property
    def _sorted(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        before: dict[str, list[str]] = {key: [] for key in self.leads if key in self.reachable}
        for key in before:
            for target in self.onward[key]:
                before[target].append(key)
        try:
            return tuple(TopologicalSorter(before).static_order()), ()
        except CycleError as found:
            return (), self._from_the_first(found.args[1][1:])

    def _from_the_first(self, cycle: Sequence[str]) -> tuple[str, ...]:
        place = {key: number for number, key in enumerate(self.leads)}
        first = min(range(len(cycle)), key=lambda number: place[cycle[number]])
        return (*cycle[first:], *cycle[:first])

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """Return the repeats that can be reached and have a way back, in the order of steps."""
        return tuple(
            Loop(key, self.leads[key][AGAIN], does)
            for key in self.order
            if isinstance(does := self.graph.steps[key].does, Repeat) and AGAIN in self.leads[key]
        )

    @cached_property
    def rounds(self) -> Mapping[str, int]:
        """Return how often at most somebody comes to each step that a loop leads through.

        Between two ways back a step is passed once, and each repeat leads back so many times in all.
        """
        inside = {key for steps in self._around.values() for key in steps}
        return {
            key: 1 + sum(one.times for one, steps in self._around.items() if key in steps) for key in inside
        }

    @cached_property
    def neat(self) -> bool:
        """Tell whether people come to each loop where it leads back to, and no repeat lies in another's loop."""
        entered = all(self.graph.start not in self.leading_to(one.step, one.again) for one in self.loops)
        return entered and not any(
            other.step in steps for one, steps in self._around.items() for other in self.loops if other != one
        )

    @cached_property
    def _around(self) -> Mapping[Loop, frozenset[str]]:
        return {one: self.after(one.step) & self.before(one.step) for one in self.loops}

    @cached_property
    def onward(self) -> Mapping[str, tuple[str, ...]]:
        """Return where the ports of each step lead, the ways back of repeats aside."""
        return {
            key: tuple(
                target
                for port, target in ports.items()
                if port != AGAIN or not isinstance(self.graph.steps[key].does, Repeat)
            )
            for key, ports in self.leads.items()
        }

    def leading_to(self, key: str, without: str) -> frozenset[str]:
        """Return the steps from which a way leads to `key`, itself included, that does not pass `without`."""
        return reached([key], self._sources_of, without)


def _leads(graph: Graph, step: Step) -> Iterable[tuple[str, str]]:
    for port in (*required_ports(step), *optional_ports(step)):
        if step.ports.get(port) in graph.steps:
            yield port, step.ports[port]
