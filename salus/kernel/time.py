"""Time as the domain sees it: an aware UTC moment, given by a clock that tests can set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

from salus.kernel.errors import BadInput


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC)


class FakeClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Return the moment it was set to."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move the clock forward by `by`."""
        self._at += by


def in_utc(moment: datetime, *, place: str) -> datetime:
    """Return a moment that somebody gave, in UTC; raises `BadInput` when it has no zone or is none in UTC."""
    if moment.tzinfo is None:
        raise BadInput("A time needs its zone, like 2026-12-01T10:00:00-08:00.", place=place)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise BadInput("There is no such time in UTC.", place=place) from None


FAR = datetime(9999, 12, 31, tzinfo=UTC)
"""The `valid_until` of something that has no end of its own."""
