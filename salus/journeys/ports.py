"""The clock that journeys run on, which a demo may let run faster."""

from __future__ import annotations

from salus.kernel.time import Clock, SystemClock

_clock: Clock = SystemClock()


def use_clock(clock: Clock) -> Clock:
    """Take `clock` from now on in this process; return the one that was used before."""
    global _clock
    before, _clock = _clock, clock
    return before


def clock() -> Clock:
    """Return the clock in use."""
    return _clock
