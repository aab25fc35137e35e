"""Geometry of the one chart: where every planned message of the last seven days went, a column a day."""

from __future__ import annotations

from dataclasses import dataclass

from salus.reports.contracts import Day, Week

TOP, BOTTOM, LEFT = 18.0, 168.0, 36.0
FIRST, STEP, WIDTH = 58.0, 80.0, 44.0
GAP = 0.8


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of a column: `paint` is the value of `class` or `fill`."""

    hatched: bool
    paint: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    """One day."""

    x: str
    middle: str
    pieces: tuple[Piece, ...]
    total: int
    label_y: str
    day: Day


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the scale with its figure."""

    y: str
    text_y: str
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns, lines, and the sentence that says the same."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    says: str


def chart(week: Week) -> Chart:
    """Return the chart of a week; zero-based, its top a round number."""
    top = _round_up(max((each.planned for each in week.days), default=0))
    scale = (BOTTOM - TOP) / top
    columns = tuple(_column(place, day, scale) for place, day in enumerate(week.days))
    values = (0, top // 2, top) if top > 1 else (0, top)
    lines = tuple(
        Line(f"{BOTTOM - value * scale:.1f}", f"{BOTTOM - value * scale + 4:.1f}", value) for value in values
    )
    busiest = max(week.days, key=lambda each: each.planned)
    says = (
        f"Planned messages a day by outcome, {week.planned} in all. "
        f"Busiest: {busiest.day:%A} with {busiest.planned}."
    )
    return Chart(columns, lines, says)


def _column(place: int, day: Day, scale: float) -> Column:
    x = FIRST + place * STEP
    pieces, y = [], BOTTOM
    for paint, value in (
        ("f-clear", day.mail),
        ("f-portal", day.portal),
        ("f-wait", day.other),
        ("refuse", day.refused),
    ):
        if value:
            height = max(1.0, value * scale - GAP)
            y -= height + GAP
            pieces.append(
                Piece(
                    paint == "refuse",
                    "url(#hatch)" if paint == "refuse" else paint,
                    f"{y:.1f}",
                    f"{height:.1f}",
                )
            )
    return Column(f"{x:.0f}", f"{x + WIDTH / 2:.0f}", tuple(pieces), day.planned, f"{y - 5:.1f}", day)


def _round_up(value: int) -> int:
    """Return the next number that a scale may end with: 2, 4, 6, 8, 10, 20, 40..."""
    power = 1
    while True:
        for step in (2, 4, 6, 8, 10):
            if value <= step * power and (step * power) % 2 == 0:
                return step * power
        power *= 10
