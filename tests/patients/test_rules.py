"""Tries, lockout, sending and sessions, without a database."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.patients import rules
from salus.patients.rules import Sends, Tries

from .post import NOW


def test_five_wrong_tries_lock_for_half_an_hour() -> None:
    tries = Tries()
    for left in (4, 3, 2, 1):
        tries = rules.after(tries, right=False, at=NOW)
        assert tries.left == left
        assert not tries.locked(NOW)
    tries = rules.after(tries, right=False, at=NOW)
    assert tries.locked(NOW + timedelta(minutes=29))
    assert not tries.locked(NOW + timedelta(minutes=30))
    assert tries.left == rules.TRIES


def test_each_lockout_in_a_row_lasts_twice_as_long_up_to_a_day() -> None:
    tries, at, hours = Tries(), NOW, []
    for _ in range(9 * rules.TRIES):
        tries = rules.after(tries, right=False, at=at)
        if tries.locked_until is not None:
            hours.append((tries.locked_until - at) / timedelta(hours=1))
            assert tries.left == rules.TRIES
            at = tries.locked_until
    assert hours == [0.5, 1, 2, 4, 8, 16, 24, 24, 24]
    assert rules.after(tries, right=True, at=at) == Tries()


def test_nobody_gets_through_the_birth_dates_of_a_year_in_a_month() -> None:
    tries, at, guesses = Tries(), NOW, 0
    while at < NOW + timedelta(days=30):
        tries = rules.after(tries, right=False, at=at)
        guesses, at = guesses + 1, tries.locked_until or at
    assert guesses < 200
    for _ in range(40_000):
        tries = rules.after(tries, right=False, at=at)
    assert tries.failures < 2**15, "the column holds it"


@given(st.lists(st.booleans(), max_size=40))
def test_nobody_ever_gets_more_than_five_wrong_tries_in_a_row(rights: list[bool]) -> None:
    tries, wrong = Tries(), 0
    for right in rights:
        if tries.locked(NOW):
            assert wrong == rules.TRIES
            return
        tries = rules.after(tries, right=right, at=NOW)
        wrong = 0 if right else wrong + 1
        assert wrong <= rules.TRIES


def test_codes_are_not_sent_faster_than_people_read_mail() -> None:
    sends = rules.send_another(Sends(), NOW)
    assert sends is not None
    assert rules.send_another(sends, NOW + timedelta(seconds=44)) is None
    at = NOW
    for _ in range(rules.CODES_AN_HOUR - 1):
        at += rules.BETWEEN_CODES
        sends = rules.send_another(sends, at)
        assert sends is not None
    assert rules.send_another(sends, at + timedelta(minutes=5)) is None
    assert rules.send_another(sends, NOW + timedelta(hours=1)) is not None


@pytest.mark.parametrize(
    ("started", "seen", "over"),
    [(0, 0, False), (0, 1, False), (20, 15, True), (119, 14, False), (120, 0, True)],
)
def test_a_session_ends_after_15_idle_minutes_or_two_hours(started: int, seen: int, over: bool) -> None:
    def ago(minutes: int) -> datetime:
        return NOW - timedelta(minutes=minutes)

    assert rules.session_over(ago(started), ago(seen), NOW) is over


def test_typed_dates_and_codes_are_read_kindly() -> None:
    assert rules.birth_date("1961", "4", "17") == date(1961, 4, 17)
    assert rules.birth_date("1961", "2", "30") is None
    assert rules.birth_date("", "", "") is None
    assert rules.code_of(" 418-207 ") == "418207"
    assert rules.code_of("٤١٨٢٠٧") == ""


def test_a_masked_address_shows_one_letter_and_the_domain() -> None:
    assert rules.masked("rosa.diaz@lakepost.example.org") == "r•••@lakepost.example.org"
