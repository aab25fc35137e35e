"""What stands out in an access review, and which days nobody has signed for: without a database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.reports.access_rules import Counts, Why, stands_out, unsigned, usual

START = date(2026, 11, 1)


@pytest.mark.parametrize(
    ("counts", "usually", "why"),
    [
        (Counts(looks=60, patients=60), 20, {Why.MANY_PATIENTS}),
        (Counts(looks=59, patients=59), 20, set()),
        (Counts(looks=19, patients=19), 1, set()),
        (Counts(looks=10, at_odd_hours=5), 0, {Why.ODD_HOURS}),
        (Counts(looks=11, at_odd_hours=5), 0, set()),
        (Counts(looks=4, at_odd_hours=4), 0, set()),
        (Counts(repeats=1), 0, {Why.SAME_PATIENT}),
        (Counts(exports=1), 0, {Why.EXPORTS}),
        (Counts(failed_sign_ins=5, lock_outs=1), 0, {Why.FAILED_SIGN_INS, Why.LOCKED_OUT}),
        (Counts(failed_sign_ins=4, networks=3, refusals=4), 0, set()),
        (Counts(networks=4, refusals=5), 0, {Why.NETWORKS, Why.REFUSED}),
    ],
)
def test_who_stands_out_and_why(counts: Counts, usually: float, why: set[Why]) -> None:
    assert set(stands_out(counts, usually)) == why
    assert all(each.words for each in why)


def test_what_is_usual_is_the_median_of_those_who_look_at_anybody() -> None:
    assert usual([0, 0, 2, 4, 90]) == 4
    assert usual([0]) == usual([]) == 0


days = st.integers(-5, 35).map(lambda number: START + timedelta(days=number))
spans = st.lists(
    st.tuples(days, st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + timedelta(days=pair[1])))
)


@given(spans)
def test_signed_and_unsigned_days_are_all_days_and_never_the_same(signed: list[tuple[date, date]]) -> None:
    last = START + timedelta(days=29)
    gaps = unsigned(signed, START, last)
    every = [START + timedelta(days=number) for number in range(30)]
    for day in every:
        covered = any(since <= day <= until for since, until in signed)
        assert covered is not any(since <= day <= until for since, until in gaps)
    assert all(START <= since <= until <= last for since, until in gaps)
