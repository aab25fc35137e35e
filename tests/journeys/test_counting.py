"""Times in a step, counted by place on a scale."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.journeys.rules.counting import hours_at, median_hours, place

SECONDS = st.integers(0, 10 * 365 * 86_400)


def test_nobody_has_no_median() -> None:
    assert median_hours({}) is None


@given(SECONDS)
def test_a_place_stands_for_its_time_to_a_fortieth(seconds: int) -> None:
    assert hours_at(place(timedelta(seconds=seconds))) * 3600 == pytest.approx(seconds, rel=0.026)


@given(st.lists(SECONDS, min_size=1, max_size=50))
def test_the_median_of_places_is_the_median_of_times(seconds: list[int]) -> None:
    counted = Counter(place(timedelta(seconds=each)) for each in seconds)
    assert median_hours(counted) == pytest.approx(median(seconds) / 3600, rel=0.026)
