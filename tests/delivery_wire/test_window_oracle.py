"""The window against Postfix's own rule, written down once more from its SCHEDULER_README: they agree on every history."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from salus.delivery import window


class Scheduler:
    """Postfix's destination: feedback 1/window both ways, hysteresis 1, dead after `cohorts` failed pseudo-cohorts."""

    def __init__(self, initial: int, limit: int, cohorts: float) -> None:
        self.initial, self.limit, self.cohorts = initial, limit, cohorts
        self.window, self.success, self.failure, self.failed = initial, 0.0, 0.0, 0.0
        self.dead = False

    def delivered(self, busy: int) -> None:
        self.failed = 0.0
        if self.dead:
            self.dead, self.success, self.failure = False, 0.0, 0.0
            self.window = min(busy or self.initial, self.limit)
            return
        if self.window < self.limit and self.window < busy + self.initial:
            feedback = 1 / self.window
            self.success += feedback
            while self.success + feedback / 2 >= 1:
                self.window, self.success, self.failure = self.window + 1, self.success - 1, 0.0
            self.window = min(self.window, self.limit)

    def deferred(self) -> None:
        self.failed += 1 / self.window
        if self.failed >= self.cohorts:
            self.dead = True
            return
        feedback = 1 / self.window
        self.failure -= feedback
        while self.failure - feedback / 2 < 0:
            self.window, self.success, self.failure = self.window - 1, 0.0, self.failure + 1
        self.window = max(1, self.window)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=400),
    st.integers(1, 20),
    st.integers(1, 40),
    st.sampled_from([1.0, 2.0, 5.0, 1000.0]),
)
@settings(max_examples=300, deadline=None)
def test_every_history_leads_to_postfix_s_window(
    events: list[tuple[bool, int]], initial: int, limit: int, cohorts: float
) -> None:
    initial = min(initial, limit)
    ours, theirs = window.start(initial, limit, cohorts), Scheduler(initial, limit, cohorts)
    for good, busy in events:
        if good:
            ours = window.after_success(ours, busy)
            theirs.delivered(busy)
        elif not theirs.dead:  # a dead destination is asked nothing
            ours = window.after_failure(ours)
            theirs.deferred()
        assert ours.dead == theirs.dead
        if not theirs.dead:
            assert ours.size == theirs.window


@given(st.integers(1, 30), st.integers(1, 40), st.integers(1, 40))
def test_another_limit_keeps_what_was_learned_as_far_as_it_allows(
    initial: int, limit: int, other: int
) -> None:
    learned = window.start(initial, limit)
    now = window.within(learned, initial, other)
    assert now.size == min(learned.size, other)
    assert now.limit == other
