"""Pure rules of sign-in: pauses, ends of sessions, codes that work once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.identity.pacing import paced
from salus.identity.rules import (
    ABSOLUTE,
    FIRST_PAUSE,
    IDLE,
    LONGEST_PAUSE,
    TRIES,
    End,
    GuardKind,
    pause_after,
    session_end,
    totp_steps,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2))


def test_four_failures_pause_nothing_and_the_fifth_pauses_fifteen_minutes() -> None:
    assert [pause_after(GuardKind.ACCOUNT, count) for count in range(1, 6)] == [None] * 4 + [
        timedelta(minutes=15)
    ]


def test_pauses_double_up_to_four_hours() -> None:
    pauses = [pause_after(GuardKind.ACCOUNT, 5 * count) for count in range(1, 8)]
    assert pauses == [FIRST_PAUSE * factor for factor in (1, 2, 4, 8, 16, 16, 16)]
    assert pauses[-1] == LONGEST_PAUSE


@given(st.sampled_from(GuardKind), st.integers(min_value=0, max_value=100_000))
def test_a_pause_is_never_shorter_than_the_first_nor_longer_than_the_longest(
    kind: GuardKind, failures: int
) -> None:
    pause = pause_after(kind, failures)
    assert (pause is None) == (failures < TRIES[kind] or failures % TRIES[kind] != 0)
    assert pause is None or FIRST_PAUSE <= pause <= LONGEST_PAUSE


@pytest.mark.parametrize(
    ("age", "quiet", "end"),
    [
        (timedelta(minutes=14, seconds=59), timedelta(minutes=14, seconds=59), None),
        (timedelta(minutes=15), timedelta(minutes=15), End.IDLE),
        (timedelta(hours=11, minutes=59), timedelta(0), None),
        (timedelta(hours=12), timedelta(0), End.ABSOLUTE),
    ],
)
def test_a_session_ends_after_fifteen_quiet_minutes_or_twelve_hours(
    age: timedelta, quiet: timedelta, end: End | None
) -> None:
    assert session_end(NOON - age, NOON - quiet, NOON) is end


@given(spans, spans)
def test_a_session_lives_exactly_while_both_limits_hold(age: timedelta, quiet: timedelta) -> None:
    lives = session_end(NOON - age, NOON - quiet, NOON) is None
    assert lives == (age < ABSOLUTE and quiet < IDLE)


@given(st.integers(min_value=0, max_value=2**40))
def test_a_used_time_step_and_all_before_it_are_never_offered_again(last_used: int) -> None:
    steps = totp_steps(NOON, last_used)
    assert all(step > last_used for step in steps)
    assert len(steps) <= 3


@given(st.floats(min_value=0, max_value=3))
def test_a_refusal_takes_a_whole_number_of_quarter_seconds(work: float) -> None:
    moments = iter([10.0, 10.0 + work])
    slept: list[float] = []
    with paced(0.25, monotonic=lambda: next(moments), sleep=slept.append) as wait:
        wait()
    quarters = (work + slept[0]) / 0.25
    assert abs(quarters - round(quarters)) < 1e-6
    assert 0 <= slept[0] <= 0.25
