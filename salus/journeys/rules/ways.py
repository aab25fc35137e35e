"""Which steps lead to which: the ways through a graph, whatever decides at each step."""

from __future__ import annotations

from collections.abc import Mapping

from salus.journeys.contracts import Graph


def following(graph: Graph, key: str) -> frozenset[str]:
    """Return the steps that may come after `key`; `key` itself only when a way leads back to it."""
    return _reached({each: tuple(step.ports.values()) for each, step in graph.steps.items()}, key)


def preceding(graph: Graph, key: str) -> frozenset[str]:
    """Return the steps that may have come before `key`; `key` itself only when a way leads back to it."""
    back: dict[str, tuple[str, ...]] = {}
    for each, step in graph.steps.items():
        for target in step.ports.values():
            back[target] = (*back.get(target, ()), each)
    return _reached(back, key)


def _reached(leads: Mapping[str, tuple[str, ...]], key: str) -> frozenset[str]:
    found: set[str] = set()
    ahead = list(leads.get(key, ()))
    while ahead:
        here = ahead.pop()
        if here not in found:
            found.add(here)
            ahead += leads.get(here, ())
    return frozenset(found)
