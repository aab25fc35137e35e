"""Counts ways through a journey: by step, port, outcome and reason, so that every number adds up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Protocol

from salus.journeys.contracts import Counts, Fate, Graph, StepCounts, Visit


class Way(Protocol):
    """One person's way: a diary, or a supposed walk."""

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Return the steps they left, in order."""
        ...

    @property
    def fate(self) -> Fate:
        """Return where it stands."""
        ...

    @property
    def reason(self) -> str:
        """Return why it ended, when it did early."""
        ...

    @property
    def step(self) -> str:
        """Return where they stand, "" when it is over."""
        ...


def tally(graph: Graph, ways: Iterable[Way]) -> Counts:
    """Return the numbers of all `ways`; steps that nobody came to are there with zeros."""
    fates: Counter[Fate] = Counter()
    reasons: Counter[str] = Counter()
    here: Counter[str] = Counter()
    left: dict[str, Counter[str]] = defaultdict(Counter)
    outcomes: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    hours: dict[str, list[float]] = defaultdict(list)
    for way in ways:
        fates[way.fate] += 1
        if way.reason:
            reasons[way.reason] += 1
        if way.step:
            here[way.step] += 1
        for visit in way.visits:
            left[visit.step][visit.port] += 1
            outcomes[visit.step][visit.outcome, visit.reason] += 1
            hours[visit.step].append((visit.left_at - visit.arrived_at).total_seconds() / 3600)
    steps = {key: _step(key, here[key], left[key], outcomes[key], hours[key]) for key in (*graph.steps,)}
    return Counts(
        fates.total(),
        fates[Fate.WAITING],
        fates[Fate.COMPLETED],
        fates[Fate.EXITED],
        fates[Fate.REFUSED],
        dict(reasons),
        steps,
    )


def _step(
    key: str,
    here: int,
    left: Mapping[str, int],
    outcomes: Mapping[tuple[str, str], int],
    hours: list[float],
) -> StepCounts:
    return StepCounts(
        key, here + sum(left.values()), here, dict(left), dict(outcomes), median(hours) if hours else None
    )
