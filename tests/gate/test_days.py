"""Days, birthdays, treatment windows and quiet hours: every border is the same from both sides."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from salus.gate.rules.moment import LAPSED_DAYS, Moment, add_months, birthday, prescribed_until, treated_until
from salus.gate.rules.quiet_hours import open_until, opens_at
from salus.gate.rules.rule import Window
from salus.kernel.time import FAR

days = st.dates(date(1950, 1, 1), date(2040, 12, 31))
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
zones = st.sampled_from(["America/New_York", "America/Phoenix", "Pacific/Honolulu", "America/Anchorage"])
windows = st.sampled_from(
    [Window(time(8), time(21)), Window(time(9), time(21), time(12)), Window(time(9), time(20))]
)


@given(days, moments)
def test_treatment_counts_exactly_until_it_ends(last_care: date, at: datetime) -> None:
    now = Moment.of(at)
    assert (last_care >= now.treated_since) == (at < treated_until(last_care))


@given(days, moments)
def test_a_supply_counts_exactly_until_it_ends(supply: date, at: datetime) -> None:
    assert (supply >= Moment.of(at).lapsed_since) == (at < prescribed_until(supply))
    assert prescribed_until(supply).date() - supply == timedelta(days=LAPSED_DAYS + 1)


@given(days, moments)
def test_a_person_is_of_age_exactly_from_the_birthday(born: date, at: datetime) -> None:
    now = Moment.of(at)
    assert (born <= now.adult_if_born_by) == (at >= birthday(born, 18))
    assert (born <= now.over_12_if_born_by) == (at >= birthday(born, 13))


def test_who_was_born_on_29_february_is_of_age_on_1_march() -> None:
    assert birthday(date(2008, 2, 29), 18) == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert birthday(date(2008, 2, 29), 20) == datetime(2028, 2, 29, 12, tzinfo=UTC)


def test_a_birthday_begins_when_it_is_that_day_everywhere() -> None:
    born = date(2008, 11, 24)
    in_hawaii_still_the_day_before = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert born > Moment.of(in_hawaii_still_the_day_before).adult_if_born_by


@given(days, st.integers(-40, 40))
def test_months_keep_the_day_or_take_the_last_one(day: date, months: int) -> None:
    moved = add_months(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved + timedelta(days=1)).day == 1


@given(windows, zones, moments)
def test_hours_are_open_or_open_next_and_never_both(window: Window, zone: str, at: datetime) -> None:
    until = open_until(window, zone, at)
    if until is not None:
        assert at < until <= at + timedelta(hours=14)
        assert open_until(window, zone, until) is None
    else:
        opens = opens_at(window, zone, at)
        assert at < opens <= at + timedelta(hours=17)
        assert open_until(window, zone, opens) is not None


def test_hours_follow_the_change_to_winter_time() -> None:
    summer, winter = datetime(2026, 10, 31, 12, 0, tzinfo=UTC), datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    window = Window(time(8), time(21))
    assert open_until(window, "America/New_York", summer) is not None
    assert open_until(window, "America/New_York", winter) is None


@given(windows, windows, zones, moments)
def test_of_two_windows_only_what_both_allow_is_left(
    one: Window, two: Window, zone: str, at: datetime
) -> None:
    both = open_until(one, zone, at) is not None and open_until(two, zone, at) is not None
    assert (open_until(one.meet(two), zone, at) is not None) == both


def test_a_day_at_the_end_of_the_calendar_never_ends() -> None:
    assert prescribed_until(date(9999, 12, 31)) == birthday(date(9998, 1, 1), 18) == FAR
