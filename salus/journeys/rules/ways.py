"""Which steps lead to which: the ways through a graph, whatever decides at each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from salus.journeys.contracts import Graph


def following(graph: Graph, key: str) -> frozenset[str]:
    """Return the steps that may come after `key`; `key` itself only when a way leads back to it."""
    leads = {each: tuple(step.ports.values()) for each, step in graph.steps.items()}
    return reached(leads.get(key, ()), leads)


def preceding(graph: Graph, key: str) -> frozenset[str]:
    """Return the steps that may have come before `key`; `key` itself only when a way leads back to it."""
    back: dict[str, tuple[str, ...]] = {}
    for each, step in graph.steps.items():
        for target in step.ports.values():
            back[target] = (*back.get(target, ()), each)
    return reached(back.get(key, ()), back)


def reached(
    keys: Iterable[str], leads: Mapping[str, Sequence[str]], without: str | None = None
) -> frozenset[str]:
    """Return `keys` and all that they lead to, without passing the step `without`."""
    found: set[str] = set()
    ahead = list(keys)
    while ahead:
        here = ahead.pop()
        if here not in found and here != without:
            found.add(here)
            ahead += leads.get(here, ())
    return frozenset(found)
