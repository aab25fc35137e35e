"""Pure decisions of delivery: moves, waits, checks, sums; no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from salus.delivery import rules
from salus.delivery.contracts import State
from salus.delivery.rules import Bound, Check, Present

AT = datetime(2026, 12, 1, 18, tzinfo=UTC)
ENDS = {State.REFUSED, State.CANCELLED, State.BOUNCED, State.GAVE_UP, State.EXPIRED, State.RECALLED}
versions = st.integers(0, 2**40)
moments = st.integers(-(10**8), 10**9).map(lambda seconds: AT + timedelta(seconds=seconds))


@given(st.integers(0, 500), st.floats(0, 1))
def test_the_next_attempt_is_within_three_quarters_and_five_quarters_of_its_wait(
    attempts: int, jitter: float
) -> None:
    wait = rules.next_attempt(attempts, AT, jitter) - AT
    assert rules.FIRST_WAIT * 0.75 <= wait <= rules.LONGEST_WAIT * 1.25
    middle = rules.next_attempt(attempts, AT, 0.5) - AT
    assert middle * 0.75 - timedelta(microseconds=2) <= wait <= middle * 1.25 + timedelta(microseconds=2)


@given(st.integers(1, 400))
def test_waits_never_get_shorter(attempts: int) -> None:
    assert rules.next_attempt(attempts, AT, 0.5) <= rules.next_attempt(attempts + 1, AT, 0.5)


def test_the_first_wait_is_five_minutes_and_the_longest_four_hours() -> None:
    assert rules.next_attempt(1, AT, 0.5) == AT + timedelta(minutes=5)
    assert rules.next_attempt(2, AT, 0.5) == AT + timedelta(minutes=10)
    assert rules.next_attempt(100, AT, 0.5) == AT + timedelta(hours=4)


def test_it_is_given_up_after_five_days() -> None:
    assert not rules.has_given_up(AT, AT + timedelta(days=5) - timedelta(seconds=1))
    assert rules.has_given_up(AT, AT + timedelta(days=5))


@given(versions, versions, moments, versions, versions, moments)
def test_a_clearance_stands_only_while_nothing_changed_and_its_time_is_not_over(
    contact: int, standing: int, until: datetime, contact_now: int, standing_now: int, at: datetime
) -> None:
    found = rules.check(Bound(contact, standing, until), Present(contact_now, standing_now, at))
    stands = contact == contact_now and standing == standing_now and at < until
    assert (found is Check.STILL_GOOD) == stands


@given(versions, versions, moments)
def test_a_person_who_is_gone_is_always_asked_about_again(contact: int, standing: int, at: datetime) -> None:
    bound = Bound(contact, standing, at + timedelta(days=1))
    assert rules.check(bound, Present(None, standing, at)) is Check.ASK_AGAIN
    assert rules.check(bound, Present(contact, standing, at)) is Check.STILL_GOOD


def test_what_has_ended_moves_no_more_but_for_a_late_bounce() -> None:
    assert {state for state in State if not rules.LEGAL_MOVES[state]} == ENDS
    assert rules.LEGAL_MOVES[State.ACCEPTED] == {State.BOUNCED}
    assert set(rules.LEGAL_MOVES) == set(State)


@given(st.sampled_from(State), st.sampled_from(State))
def test_what_was_handed_over_is_never_sent_again(old: State, new: State) -> None:
    handed_over = {State.ACCEPTED, *rules.IN_PORTAL, *ENDS}
    if old in handed_over:
        assert not rules.may_have_become(old, new) or new in handed_over
    assert rules.may_have_become(old, old)
    if rules.may_move(old, new):
        assert rules.may_have_become(old, new)


@given(st.dictionaries(st.sampled_from([str(state) for state in State]), st.integers(0, 10**7)))
def test_every_message_falls_into_exactly_one_word_of_the_summary(states: dict[str, int]) -> None:
    summed = rules.accounted(states)
    assert sum(summed.values()) == sum(states.values()) - states.get(State.REFUSED, 0)
