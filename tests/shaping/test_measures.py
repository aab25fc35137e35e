"""What holds at a destination under measures; how often a reply has to come; how far a warm-up is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salus.shaping import rules
from salus.shaping.contracts import OTHER, Act, Curve, Limits, Measure, Rate, Rule, Source, Whose

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
RATES = st.one_of(st.none(), st.builds(Rate, st.integers(1, 10_000), st.sampled_from([1.0, 60.0, 3600.0])))


def measure(act: Act, seconds: float = 60, **facts: Any) -> Measure:
    given: dict[str, Any] = {"messages": None, "connections": None, "to": "", **facts}
    return Measure(
        UUID(int=1), UUID(int=2), "google", act, Whose.EVERYBODY, AT + timedelta(seconds=seconds), **given
    )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.integers(1, 100),
    RATES,
    st.lists(st.tuples(RATES, st.one_of(st.none(), st.integers(1, 100))), max_size=5),
)
def test_throttles_only_ever_narrow(
    most: int, rate: Rate | None, each: list[tuple[Rate | None, int | None]]
) -> None:
    limits = Limits(connections=most, connections_at_first=1, message_rate=rate)
    throttles = [measure(Act.THROTTLE, messages=slow, connections=few) for slow, few in each]
    found = rules.standing(limits, throttles, AT).limits
    assert found.connections == min([most, *(few for _, few in each if few)])
    intervals = [one.interval for one in (rate, *(slow for slow, _ in each)) if one]
    assert (found.message_rate.interval if found.message_rate else None) == max(intervals, default=None)


def test_a_measure_that_ended_changes_nothing() -> None:
    found = rules.standing(Limits(), [measure(Act.SUSPEND, 0), measure(Act.THROTTLE, -1, connections=1)], AT)
    assert found == rules.Standing(Limits())


def test_of_suspensions_the_one_that_ends_last_counts() -> None:
    long = measure(Act.SUSPEND, 90)
    assert rules.standing(Limits(), [measure(Act.SUSPEND), long, measure(Act.SUSPEND)], AT).suspended is long


def test_a_rule_is_set_off_by_so_many_refusals_within_its_time() -> None:
    rule = Rule("x", "x", Act.SUSPEND, after=3, within=timedelta(minutes=10))
    times = [AT - timedelta(minutes=minutes) for minutes in (30, 11, 10, 9, 0)]
    assert not rules.often_enough(rule, times, AT)
    assert rules.often_enough(rule, [*times, AT], AT)


@pytest.mark.parametrize(
    ("code", "enhanced", "fits"),
    [(421, "4.7.28", True), (450, "4.7.28", False), (421, "4.7.2", False), (421, "", False)],
)
def test_everything_that_a_rule_gives_has_to_fit(code: int, enhanced: str, fits: bool) -> None:
    rule = Rule("x", "slow", Act.SUSPEND, codes=frozenset({421}), enhanced="4.7.28")
    assert bool(rules.rule_for([rule], code, enhanced, "Slow down")) is fits
    beginning = Rule("x", "slow", Act.SUSPEND, codes=frozenset({421}), enhanced="4.7.")
    assert bool(rules.rule_for([beginning], code, enhanced, "Slow down")) is (code == 421 and bool(enhanced))


def test_a_warm_up_goes_by_days_and_ends() -> None:
    curve = Curve("fast", {"google": (10, 20), OTHER: (100,)})
    source = Source("mta.example", ("203.0.113.9",), "fast", date(2026, 3, 1))
    days = [rules.day_of(source, date(2026, 2, 28) + timedelta(days=number)) for number in range(4)]
    assert days == [-1, 0, 1, 2]
    assert [rules.most_of(curve, "google", day) for day in days] == [0, 10, 20, None]
    assert [rules.most_of(curve, "yahoo", day) for day in days] == [0, 100, None, None]
    assert rules.tomorrow(AT) == datetime(2026, 3, 2, tzinfo=UTC)
