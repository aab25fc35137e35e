"""How many connections a destination gets: Postfix's rule, a window that grows on success and shrinks on refusal.

Positive feedback is 1/window and takes effect at the end of its cycle, negative feedback is 1/window
and takes effect at the start of its cycle; a destination is at rest after `cohorts` pseudo-cohorts of
failures in a row. Postfix's `SCHEDULER_README` gives the reasons and the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Window:
    """The state of one destination; `size` is the number of connections it may have now."""

    initial: int = 5
    limit: int = 20
    cohorts: float = 1.0
    size: int = 5
    success: float = 0.0
    failure: float = 0.0
    failed_cohorts: float = 0.0

    @property
    def dead(self) -> bool:
        """True when nothing should be tried until the destination has had a rest."""
        return self.failed_cohorts >= self.cohorts


def start(initial: int = 5, limit: int = 20, cohorts: float = 1.0) -> Window:
    """Return the window of a destination that nothing is known of."""
    initial = max(1, min(initial, limit))
    return Window(initial=initial, limit=limit, cohorts=cohorts, size=initial)


def after_success(window: Window, busy: int) -> Window:
    """Return the window after a hand-over that the destination did not mind, `busy` under way.

    It grows only while it is nearly used: a window far above what is in use could not shrink in time.
    """
    if window.dead:
        fresh = max(1, min(busy or window.initial, window.limit))
        return replace(window, size=fresh, success=0.0, failure=0.0, failed_cohorts=0.0)
    if window.size >= window.limit or window.size >= busy + window.initial:
        return replace(window, failed_cohorts=0.0) if window.failed_cohorts else window
    feedback = 1 / window.size
    size, success, failure = window.size, window.success + feedback, window.failure
    while success + feedback / 2 >= 1:
        size, success, failure = size + 1, success - 1, 0.0
    return replace(window, size=min(size, window.limit), success=success, failure=failure, failed_cohorts=0.0)


def after_failure(window: Window) -> Window:
    """Return the window after the destination refused us (421, no connection, a throttling reply)."""
    failed_cohorts = window.failed_cohorts + 1 / window.size
    if failed_cohorts >= window.cohorts:
        return replace(window, failed_cohorts=failed_cohorts)
    feedback = 1 / window.size
    size, success, failure = window.size, window.success, window.failure - feedback
    while failure - feedback / 2 < 0:
        size, success, failure = size - 1, 0.0, failure + 1
    return replace(window, size=max(1, size), success=success, failure=failure, failed_cohorts=failed_cohorts)


def rested(window: Window) -> Window:
    """Return the window of a destination whose rest is over: one connection tries the ground."""
    return replace(window, size=1, success=0.0, failure=0.0, failed_cohorts=0.0)


def within(window: Window, initial: int, limit: int) -> Window:
    """Return the window under another limit: what was learned stays, as far as the limit allows."""
    return replace(window, initial=max(1, min(initial, limit)), limit=limit, size=min(window.size, limit))
