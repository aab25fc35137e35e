"""Whether a text message may arrive now where the person is, and when that changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from salus.gate.rules.rule import Window

_SUNDAY = 6


def open_until(window: Window, zone: str, at: datetime) -> datetime | None:
    """Return when the window that is open at `at` closes (UTC), or None when it is closed."""
    local = at.astimezone(ZoneInfo(zone))
    if not _start(window, local) <= local.time() < window.end:
        return None
    return local.replace(hour=window.end.hour, minute=window.end.minute, second=0, microsecond=0).astimezone(
        UTC
    )


def opens_at(window: Window, zone: str, at: datetime) -> datetime:
    """Return when a window that is closed at `at` opens next (UTC)."""
    local = at.astimezone(ZoneInfo(zone))
    day = local if local.time() < _start(window, local) else local + timedelta(days=1)
    start = _start(window, day)
    return day.replace(hour=start.hour, minute=start.minute, second=0, microsecond=0).astimezone(UTC)


def _start(window: Window, day: datetime) -> time:
    return window.sunday_start if window.sunday_start and day.weekday() == _SUNDAY else window.start
