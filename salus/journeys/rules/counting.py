"""The scale on which times in a step are counted, so that a median needs no visit to be read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import exp, log

RATIO = log(1.05)
"""Each place on the scale is 5% longer than the one before: a median is right to 2.5%."""
HOUR = 3600.0


def place(spent: timedelta) -> int:
    """Return the place of a time on the scale: 0 below one second, 1 for a second, and so on."""
    seconds = spent.total_seconds()
    return 0 if seconds < 1 else 1 + round(log(seconds) / RATIO)


def hours_at(place: int) -> float:
    """Return the time, in hours, that a place on the scale stands for."""
    return exp((place - 1) * RATIO) / HOUR if place else 0.0


def median_hours(people: Mapping[int, int]) -> float | None:
    """Return the median in hours of times counted by place, None when there are none."""
    total = sum(people.values())
    if total <= 0:
        return None
    return (_nth(people, (total - 1) // 2) + _nth(people, total // 2)) / 2


def _nth(people: Mapping[int, int], wanted: int) -> float:
    passed = 0
    for at in sorted(people):
        passed += people[at]
        if passed > wanted:
            return hours_at(at)
    raise AssertionError("fewer people than there are")
