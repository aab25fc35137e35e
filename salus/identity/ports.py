"""The clock of identity, which tests can set."""

from __future__ import annotations

from datetime import datetime

from salus.kernel.time import Clock, SystemClock

_clock: Clock = SystemClock()


def use_clock(clock: Clock) -> Clock:
    """Take `clock` from now on; return the one that was used before."""
    global _clock
    before, _clock = _clock, clock
    return before


def now() -> datetime:
    """Return the present moment by the clock in use."""
    return _clock.now()
