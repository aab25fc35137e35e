"""The longest way through a graph with loops, without walking every way: in time, in messages, in steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from salus.journeys.contracts import Repeat, Step
from salus.journeys.rules.paths import Loop, Paths

_END = ""
"""Stands for the end of the journey among the keys of steps."""

_Ways = Mapping[str, float]
"""To where -> the greatest sum on the way there."""


def longest(paths: Paths, cost: Callable[[Step], float], pause: Callable[[Repeat], float]) -> float:
    """Return the greatest sum of `cost` over any way through; each round of a loop takes `pause` at least.

    Needs a graph without endless ways. Exact when no repeat lies inside another's loop, else not below the
    greatest sum. Whoever leaves a repeat for good comes back to it only by a later one, in the order of
    steps. So a table of the longest ways between the ends of ways back is made without any of them, and
    improved once for each repeat, the first ones first: what the rounds of later ones pass is in it then.
    """
    sources = dict.fromkeys([*paths.starts, *(one.again for one in paths.loops)])
    table: dict[str, _Ways] = {source: _one_way(paths, source, cost) for source in sources}
    for loop in paths.loops:
        lap = _Lap(paths, loop, pause(loop.does), table[loop.again])
        table = {source: lap.added(source, ways) for source, ways in table.items()}
    return table.get(paths.graph.start, {}).get(_END, 0.0)


def _one_way(paths: Paths, source: str, cost: Callable[[Step], float]) -> _Ways:
    """Return the longest ways from `source` to the ends of ways back, and to the end, without any of them."""
    kept = {end for one in paths.loops for end in (one.step, one.again)}
    far, found = {source: 0.0}, {_END: 0.0}
    for key in paths.order:
        if key not in far:
            continue
        if key in kept:
            found[key] = far[key]
        step = paths.graph.steps[key]
        here = far[key] + (0.0 if isinstance(step.does, Repeat) else cost(step))
        found[_END] = max(found[_END], here)
        for target in paths.onward(key):
            far[target] = max(far.get(target, 0.0), here)
    return found


@dataclass(frozen=True)
class _Lap:
    """What one repeat adds: `back` are the longest ways from where it leads again."""

    paths: Paths
    loop: Loop
    pause: float
    back: _Ways

    def added(self, source: str, ways: _Ways) -> _Ways:
        """Return the longest ways from `source` when the way back may be taken too."""
        firsts = list(self._first(source, ways))
        if not firsts:
            return ways
        gone = max(firsts) + (self.loop.times - 1) * self._round
        return {**ways, **{to: max(ways.get(to, 0.0), gone + far) for to, far in self.back.items()}}

    @property
    def _round(self) -> float:
        return max(self.pause, self.back[self.loop.step]) if self.loop.step in self.back else 0.0

    def _first(self, source: str, ways: _Ways) -> list[float]:
        """Return what it may take until it has led back once: by where it leads, or past that."""
        found = []
        if self.loop.again in ways and self.loop.step in self.back:
            found.append(ways[self.loop.again] + self._round)
        if self.loop.step in ways and self.loop.step in self.paths.past(source, self.loop.again):
            found.append(ways[self.loop.step] + self.pause)
        return found
