"""The ways through a graph: what can be reached, what comes before what, loops, and the longest way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from math import inf, prod

from salus.journeys.contracts import AGAIN, Graph, Repeat, Step
from salus.journeys.rules.ports import optional_ports, required_ports

_END = ""
"""Stands for the end of the journey among the keys of steps."""


@dataclass(frozen=True)
class Loop:
    """A repeat on some way: where it leads again, how often at most."""

    step: str
    again: str
    times: int


class Paths:
    """The ways of one graph, by the ports that its steps have and that lead to a step."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.leads = {key: dict(_leads(graph, step)) for key, step in graph.steps.items()}
        self._without: dict[str, frozenset[str]] = {}
        self._starts = [graph.start] if graph.start in self.leads else []
        self._targets = {key: tuple(ports.values()) for key, ports in self.leads.items()}

    @cached_property
    def reachable(self) -> frozenset[str]:
        """Return the steps that somebody can come to."""
        return _reached(self._starts, self._targets)

    def reachable_without(self, key: str) -> frozenset[str]:
        """Return the steps that somebody can come to without having been at `key`."""
        if key not in self._without:
            self._without[key] = _reached(self._starts, self._targets, without=key)
        return self._without[key]

    def after(self, key: str) -> frozenset[str]:
        """Return the steps that may come after `key`; itself only when a way leads back."""
        return _reached(self.leads[key].values(), self._targets)

    def before(self, key: str) -> frozenset[str]:
        """Return the steps that may have come before `key`; itself only when a way leads back."""
        return _reached(self._sources_of.get(key, ()), self._sources_of)

    @cached_property
    def _sources_of(self) -> Mapping[str, list[str]]:
        back: dict[str, list[str]] = {}
        for key, targets in self._targets.items():
            for target in targets:
                back.setdefault(target, []).append(key)
        return back

    @cached_property
    def endless(self) -> tuple[str, ...]:
        """Return the steps of a way that goes round without a repeat, in order; empty when there is none."""
        return self._sorted[1]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Return what can be reached, each step after those that lead to it; repeats' ways back aside."""
        return self._sorted[0]

    @cached_property
    def _sorted(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        before: dict[str, list[str]] = {key: [] for key in self.leads if key in self.reachable}
        for key in before:
            for target in self._onward(key):
                before[target].append(key)
        try:
            return tuple(TopologicalSorter(before).static_order()), ()
        except CycleError as found:
            return (), tuple(found.args[1][1:])

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """Return the repeats that can be reached and have a way back, in the order of steps."""
        return tuple(
            Loop(key, self.leads[key][AGAIN], does.times)
            for key in self.order
            if isinstance(does := self.graph.steps[key].does, Repeat) and AGAIN in self.leads[key]
        )

    @cached_property
    def rounds(self) -> Mapping[str, int]:
        """Return how often at most somebody comes to each step that a loop leads through.

        Between two ways back a step is passed once, and of repeats that lie on the way of one another
        each is taken again and again in every round of the other: their numbers multiply.
        """
        around = {one.step: self._round(one.step) for one in self.loops}
        times = {one.step: one.times + 1 for one in self.loops}
        inside = {key for steps in around.values() for key in steps}
        return {key: prod(times[step] for step, steps in around.items() if key in steps) for key in inside}

    def _round(self, key: str) -> frozenset[str]:
        return self.after(key) & self.before(key)

    def longest(self, cost: Callable[[Step], float], again: Callable[[Repeat], float]) -> float:
        """Return the greatest sum over any way through: `cost` of steps, `again` of each way back.

        Needs a graph without endless ways. A way is cut where a repeat leads back; what the repeats before
        it in the order of steps add inside one round is known by then, for none of them can be reached
        from it but by its own way back. So one table, improved once for each repeat, has the answer.
        """
        table = {source: self._one_way(source, cost) for source in self._sources()}
        for loop in self.loops:
            does = self.graph.steps[loop.step].does
            assert isinstance(does, Repeat)
            table = _improved(table, loop, again(does))
        return max(0.0, table.get(self.graph.start, {}).get(_END, 0.0))

    def _sources(self) -> Iterable[str]:
        return dict.fromkeys([*self._starts, *(one.again for one in self.loops)])

    def _one_way(self, source: str, cost: Callable[[Step], float]) -> dict[str, float]:
        """Return the longest ways from `source` to each repeat and to the end, without any way back."""
        far = {source: 0.0}
        found = {}
        for key in self.order:
            if key not in far:
                continue
            step = self.graph.steps[key]
            here = far[key] + (0.0 if isinstance(step.does, Repeat) else cost(step))
            if isinstance(step.does, Repeat):
                found[key] = far[key]
            found[_END] = max(found.get(_END, -inf), here)
            for target in self._onward(key):
                far[target] = max(far.get(target, -inf), here)
        return found

    def _onward(self, key: str) -> list[str]:
        back = AGAIN if isinstance(self.graph.steps[key].does, Repeat) else None
        return [target for port, target in self.leads[key].items() if port != back]


def _leads(graph: Graph, step: Step) -> Iterable[tuple[str, str]]:
    for port in (*required_ports(step), *optional_ports(step)):
        if step.ports.get(port) in graph.steps:
            yield port, step.ports[port]


def _reached(
    keys: Iterable[str], leads: Mapping[str, Sequence[str]], without: str | None = None
) -> frozenset[str]:
    found: set[str] = set()
    ahead = list(keys)
    while ahead:
        here = ahead.pop()
        if here not in found and here != without:
            found.add(here)
            ahead += leads.get(here, ())
    return frozenset(found)


def _improved(
    table: Mapping[str, Mapping[str, float]], loop: Loop, pause: float
) -> dict[str, dict[str, float]]:
    """Return the table of longest ways with the ways back of `loop` allowed too."""
    back = table[loop.again]
    rounds = (loop.times - 1) * (pause + back[loop.step]) if loop.step in back else 0.0
    return {
        source: _by_way_of(ways, ways[loop.step] + pause + rounds, back) if loop.step in ways else dict(ways)
        for source, ways in table.items()
    }


def _by_way_of(ways: Mapping[str, float], gone: float, back: Mapping[str, float]) -> dict[str, float]:
    return {**ways, **{to: max(ways.get(to, -inf), gone + far) for to, far in back.items()}}
