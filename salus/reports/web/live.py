"""The stacked bar of where messages are, and the sentence that says the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from salus.reports.contracts import Figure

_PARTS = (
    (Figure.ACCEPTED, "clear", "Sent over TLS"),
    (Figure.PORTAL, "portal", "Portal"),
    (Figure.UNNOTIFIED, "wait", "Portal, not told"),
    (Figure.BOUNCED, "broke", "Bounced"),
    (Figure.GAVE_UP, "broke", "Given up"),
    (Figure.CANCELLED, "ink", "Stopped"),
    (Figure.QUEUED, "rest", "Waiting"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of the bar and its entry in the legend."""

    figure: Figure
    kind: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Bar:
    """Parts in order; `drawn` is what `stacked_bar` takes, `says` its label."""

    parts: tuple[Part, ...]
    drawn: tuple[tuple[str, int], ...]
    says: str
    whole: int


def bar_of(outcomes: Mapping[Figure, int], refused: int = 0) -> Bar:
    """Return the bar of a sending's outcomes, with those who are not allowed when there are any."""
    parts = [
        Part(figure, kind, label, outcomes[figure]) for figure, kind, label in _PARTS if outcomes[figure]
    ]
    if refused:
        parts.append(Part(Figure.REFUSED, "refuse", "Not allowed", refused))
    whole = sum(part.count for part in parts)
    said = ", ".join(f"{part.count:,} {part.label.lower()}" for part in parts) or "nobody"
    return Bar(
        tuple(parts), tuple((part.kind, part.count) for part in parts), f"Of {whole:,} people: {said}", whole
    )
