"""The longest way through a graph with loops, without walking every way: in time, in messages, in steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from salus.journeys.contracts import Repeat, Step
from salus.journeys.rules.paths import Loop, Paths

_END = ""
"""Stands for the end of the journey among the keys of steps."""

_Ways = dict[str, float]
"""To where -> the greatest sum on the way there."""


def longest(paths: Paths, cost: Callable[[Step], float], pause: Callable[[Repeat], float]) -> float:
    """Return the greatest sum of `cost` over any way through; each round of a loop takes `pause` at least.

    Needs a graph without endless ways. Exact when its loops are neat (`Paths.neat`), else not below the
    greatest sum. Whoever leaves a repeat for good comes back to it only by a later one, in the order of
    steps. So a table of the longest ways between the ends of ways back is made without any of them, and
    improved once for each repeat, the first ones first: what the rounds of later ones pass is in it then.
    """
    sources = dict.fromkeys([*paths.starts, *(one.again for one in paths.loops)])
    costs = {
        key: 0.0 if isinstance(step.does, Repeat) else float(cost(step))
        for key, step in paths.graph.steps.items()
    }
    kept = {end for one in paths.loops for end in (one.step, one.again)}
    table = {source: _one_way(paths, source, costs, kept) for source in sources}
    for loop in paths.loops:
        lap = _Lap(paths, loop, pause(loop.does), dict(table[loop.again]))
        for source, ways in table.items():
            lap.add(source, ways)
    return table.get(paths.graph.start, {}).get(_END, 0.0)


def _one_way(paths: Paths, source: str, costs: Mapping[str, float], kept: Set[str]) -> _Ways:
    """Return the longest ways from `source` to the `kept` ends of ways back, and to the end, without any of them."""
    far, found, end = {source: 0.0}, {}, 0.0
    for key in paths.order:
        if key not in far:
            continue
        if key in kept:
            found[key] = far[key]
        here = far[key] + costs[key]
        end = max(end, here)
        for target in paths.onward[key]:
            if far.get(target, -1.0) < here:
                far[target] = here
    return {_END: end, **found}


class _Lap:
    """What one repeat adds: `back` are the longest ways from where it leads again, before it is added."""

    def __init__(self, paths: Paths, loop: Loop, pause: float, back: Mapping[str, float]) -> None:
        self._loop, self._pause, self._back = loop, pause, back
        self._past = paths.leading_to(loop.step, loop.again)
        self._round = max(pause, back[loop.step]) if loop.step in back else 0.0

    def add(self, source: str, ways: _Ways) -> None:
        """Make `ways` the longest ways from `source` when the way back may be taken too."""
        firsts = self._first(source, ways)
        if not firsts:
            return
        gone = max(firsts) + (self._loop.times - 1) * self._round
        for to, far in self._back.items():
            if ways.get(to, -1.0) < gone + far:
                ways[to] = gone + far

    def _first(self, source: str, ways: Mapping[str, float]) -> list[float]:
        """Return what it may take until it has led back once: by where it leads, or past that."""
        found = []
        if self._loop.again in ways and self._loop.step in self._back:
            found.append(ways[self._loop.again] + self._round)
        if self._loop.step in ways and source in self._past:
            found.append(ways[self._loop.step] + self._pause)
        return found
