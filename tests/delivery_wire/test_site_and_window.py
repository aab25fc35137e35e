"""Destinations and how many connections they get."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.delivery import site, window
from salus.kernel.errors import BadInput


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("gmail.com", "google"),
        ("GoogleMail.com.", "google"),
        ("hotmail.com", "microsoft"),
        ("aol.com", "yahoo"),
        ("Clinic.Example", "clinic.example"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_domain_belongs_to_its_family_before_any_look_up(domain: str, expected: str) -> None:
    assert site.of_domain(domain) == expected


def test_a_domain_that_cannot_exist_has_no_site() -> None:
    with pytest.raises(BadInput):
        site.of_domain("not a domain")


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (["gmail-smtp-in.l.google.com.", "alt1.gmail-smtp-in.l.google.com"], "google"),
        (["clinic-org.mail.protection.outlook.com"], "microsoft"),
        (["mta5.am0.yahoodns.net"], "yahoo"),
        (["mx1.clinic.example", "MX2.clinic.example."], "(mx1|mx2).clinic.example"),
        (["mx.clinic.example"], "mx.clinic.example"),
        (["mx.a.example", "mx.b.example"], "mx.a.example,mx.b.example"),
        (["evilgoogle.com"], "evilgoogle.com"),
    ],
)
def test_the_same_mail_hosts_are_one_site(hosts: list[str], expected: str) -> None:
    assert site.of_hosts(hosts) == site.of_hosts(hosts[::-1]) == expected


def test_many_hosts_still_make_a_short_site() -> None:
    hosts = [f"mx{number}.a-rather-long-name-{number}.example" for number in range(30)]
    assert site.of_hosts(hosts).startswith("hosts-")
    assert len(site.of_hosts(hosts)) < 100


def test_a_window_grows_by_one_after_a_window_of_successes_and_stops_at_its_limit() -> None:
    now = window.start(initial=5, limit=20)
    sizes = []
    for _ in range(400):
        now = window.after_success(now, busy=now.size)
        sizes.append(now.size)
    assert sizes[:6] == [5, 5, 5, 5, 6, 6]
    assert max(sizes) == now.size == 20
    assert all(after - before in (0, 1) for before, after in itertools.pairwise(sizes))


def test_a_window_shrinks_at_the_first_refusal_and_then_after_a_window_of_them() -> None:
    now = window.start(initial=8, limit=20, cohorts=100)
    sizes = []
    for _ in range(9):
        now = window.after_failure(now)
        sizes.append(now.size)
    assert sizes[0] == 7
    assert sizes[7] <= 6
    assert not now.dead


def test_a_window_does_not_grow_far_beyond_what_is_in_use() -> None:
    now = window.start(initial=5, limit=20)
    for _ in range(200):
        now = window.after_success(now, busy=1)
    assert now.size == 6


def test_a_destination_rests_after_a_cohort_of_failures_in_a_row_and_then_one_connection_tries() -> None:
    now = window.start(initial=5)
    for _ in range(3):
        now = window.after_failure(now)
    now = window.after_success(now, busy=4)
    assert now.failed_cohorts == 0
    for _ in range(5):
        now = window.after_failure(now)
    assert now.dead
    assert window.rested(now).size == 1
    assert not window.rested(now).dead


@given(st.lists(st.booleans(), max_size=300), st.integers(1, 30), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_whatever_happens_the_window_stays_between_one_and_its_limit(
    events: list[bool], initial: int, limit: int
) -> None:
    now = window.start(initial, limit)
    for good in events:
        if now.dead:
            now = window.rested(now)
        now = window.after_success(now, now.size) if good else window.after_failure(now)
        assert 1 <= now.size <= limit
