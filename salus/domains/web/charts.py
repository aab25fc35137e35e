"""Geometry of the charts of reports: a column a day, what passed below, what failed on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from salus.domains.contracts import DayCount

TOP, BOTTOM, FIRST, STEP, WIDTH = 18.0, 168.0, 44.0, 19.2, 14.0
EVERY = 7
"""So many days from one label to the next."""


@dataclass(frozen=True, slots=True)
class Column:
    """One day: where it stands and how high its two parts are."""

    day: DayCount
    x: str
    middle: str
    passed_y: str
    passed_height: str
    failed_y: str
    failed_height: str
    is_labelled: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns and lines (height, height of the text, value)."""

    columns: tuple[Column, ...]
    lines: tuple[tuple[str, str, int], ...]


def chart(days: Sequence[DayCount]) -> Chart:
    """Return the chart of some days; zero-based."""
    top = _round_up(max((each.passed + each.failed for each in days), default=0))
    scale = (BOTTOM - TOP) / top
    columns = []
    for place, day in enumerate(days):
        x = FIRST + place * STEP
        passed, failed = day.passed * scale, day.failed * scale
        columns.append(
            Column(
                day,
                f"{x:.1f}",
                f"{x + WIDTH / 2:.1f}",
                f"{BOTTOM - passed:.1f}",
                f"{passed:.1f}",
                f"{BOTTOM - passed - failed:.1f}",
                f"{failed:.1f}",
                (len(days) - 1 - place) % EVERY == 0,
            )
        )
    lines = tuple(
        (f"{BOTTOM - value * scale:.1f}", f"{BOTTOM - value * scale + 4:.1f}", value)
        for value in (0, top // 2, top)
    )
    return Chart(tuple(columns), lines)


def _round_up(value: int) -> int:
    """Return the next even number that a scale may end with."""
    power = 1
    while True:
        for step in (2, 4, 6, 8, 10):
            if value <= step * power:
                return step * power
        power *= 10
