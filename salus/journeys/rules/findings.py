"""How findings are made and put in order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from salus.journeys.contracts import Finding, Graph, Severity


def error(code: str, step: str, what: str, mend: str, *, port: str = "") -> Finding:
    """Return a finding that keeps a version from going live."""
    return Finding(code, step, what, mend, Severity.ERROR, port)


def warning(code: str, step: str, what: str, mend: str, *, port: str = "") -> Finding:
    """Return a finding that keeps nothing from going live."""
    return Finding(code, step, what, mend, Severity.WARNING, port)


def title(graph: Graph, key: str) -> str:
    """Return what people call a step, in quotation marks."""
    return f"“{graph.steps[key].title or key}”"


def in_order(graph: Graph, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings of the whole journey first, then by step as they are drawn; errors before warnings."""
    place = {key: number for number, key in enumerate(graph.steps)}
    return tuple(
        sorted(findings, key=lambda one: (place.get(one.step, -1), one.severity is Severity.WARNING))
    )


def in_words(span: timedelta) -> str:
    """Return a length of time as people say it, to the hour above a day: "26 days", "1 day and 2 hours"."""
    hours, minutes = divmod(round(span / timedelta(minutes=1)), 60)
    days, hours = divmod(hours, 24)
    named = ((days, "day"), (hours, "hour"), (0 if days else minutes, "minute"))
    said = [f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in named if count]
    return " and ".join(said) or "no time"
