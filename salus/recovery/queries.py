"""Reads the evidence of the current organization."""

from __future__ import annotations

from salus.recovery.contracts import Event, Run
from salus.recovery.models import RunRow


def runs(event: Event | None, limit: int) -> tuple[Run, ...]:
    """Return the newest runs, newest first."""
    rows = RunRow.objects.order_by("-at")
    if event:
        rows = rows.filter(event=event)
    return tuple(Run(row.id, Event(row.event), row.at, row.passed, row.facts) for row in rows[:limit])
