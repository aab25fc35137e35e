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
    found = {key for key in keys if key != without}
    ahead = list(found)
    while ahead:
        for target in leads.get(ahead.pop(), ()):
            if target not in found and target != without:
                found.add(target)
                ahead.append(target)
    return frozenset(found)
