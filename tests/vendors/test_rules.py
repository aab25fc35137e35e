"""The register's pure decisions: checklists, standings, addresses."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import PhiClass, Special
from salus.vendors import rules
from salus.vendors.contracts import Clause, Label, Standing, Why

DAY = date(2026, 11, 24)


def test_the_twelve_clauses_of_the_law_are_required_and_the_others_are_not() -> None:
    assert len(rules.REQUIRED) == 12
    assert set(rules.CLAUSES) == set(Clause)
    assert all("45 CFR 164" in rules.CLAUSES[clause].citation for clause in rules.REQUIRED)


@given(some.sets(some.sampled_from(Clause)))
def test_an_agreement_is_complete_exactly_when_nothing_is_missing(clauses: set[Clause]) -> None:
    lacks = rules.missing(clauses)
    assert set(lacks) == rules.REQUIRED - clauses
    stands = rules.standing(DAY, None, None, clauses, DAY)
    assert stands is (Standing.INCOMPLETE if lacks else Standing.IN_FORCE)


@given(
    some.one_of(some.none(), some.dates(DAY - timedelta(days=5), DAY + timedelta(days=5))),
    some.one_of(some.none(), some.dates(DAY - timedelta(days=5), DAY + timedelta(days=5))),
    some.one_of(some.none(), some.dates(DAY - timedelta(days=5), DAY + timedelta(days=5))),
)
def test_an_agreement_is_in_force_only_between_its_days(
    signed: date | None, until: date | None, ended: date | None
) -> None:
    holds = rules.standing(signed, until, ended, rules.REQUIRED, DAY) is Standing.IN_FORCE
    assert holds == (
        signed is not None
        and signed <= DAY
        and (until is None or until >= DAY)
        and (ended is None or ended > DAY)
    )


LABELS: list[Label] = [*PhiClass, *Special]


@given(
    some.booleans(),
    some.frozensets(some.sampled_from(LABELS)),
    some.frozensets(some.sampled_from(LABELS)),
    some.lists(
        some.tuples(some.sampled_from(Standing), some.frozensets(some.sampled_from(Clause))), max_size=3
    ),
)
def test_nothing_is_carried_unless_everything_that_is_asked_holds(
    active: bool,
    may_carry: frozenset[Label],
    asked: frozenset[Label],
    agreements: list[tuple[Standing, frozenset[Clause]]],
) -> None:
    why = rules.why_not(active=active, may_carry=may_carry, agreements=agreements, asked=asked)
    in_force = [clauses for standing, clauses in agreements if standing is Standing.IN_FORCE]
    may = (
        active
        and bool(in_force)
        and asked <= may_carry
        and Special.PSYCHOTHERAPY_NOTES not in asked
        and (Special.PART2_SUD not in asked or any(Clause.PART2 in clauses for clauses in in_force))
    )
    assert (why is None) == may


def test_without_an_agreement_in_force_the_newest_one_says_why() -> None:
    agreements = [(Standing.EXPIRED, frozenset(Clause)), (Standing.NOT_SIGNED, frozenset(Clause))]
    assert rules.why_not(active=True, may_carry=(), agreements=agreements) is Why.EXPIRED


def test_every_reason_has_words_and_a_next_step() -> None:
    assert set(rules.WORDS) == set(Why)
    assert all(what.endswith(".") and next_step.endswith(".") for what, next_step in rules.WORDS.values())


@pytest.mark.parametrize(
    "text",
    ["https://hooks.harbor.example/salus", "https://hooks.harbor.example:8443/a?b=c", " https://a.example "],
)
def test_an_https_address_of_the_internet_is_taken(text: str) -> None:
    assert rules.check_address(text, laboratory=False) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hooks.harbor.example",
        "http://hooks.harbor.example/",
        "ftp://hooks.harbor.example/",
        "https://",
        "https:///path",
        "https://user:secret@hooks.harbor.example/",
        "https://@hooks.harbor.example/",
        "https://hooks.harbor.example/#part",
        "https://hooks.harbor.example/a b",
        "https://hooks.harbor.example/\r\nHost: x",
        "https://hooks.harbor.example/\x00",
        "https://höoks.example/",
        "https://hooks.harbor.example:0/",
        "https://hooks.harbor.example:99999/",
        "https://[::1/",
        "https://localhost/",
        "https://intranet/",
        "https://ehr.local/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://" + "a" * 500 + ".example/",
    ],
)
def test_any_other_address_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        rules.check_address(text, laboratory=False)
    assert refused.value.place == "address"
    assert len(str(refused.value)) < 100


def test_in_a_laboratory_http_is_for_loopback_alone() -> None:
    for text in ("http://localhost:8080/x", "http://127.0.0.1:9/", "http://[::1]:9/", "https://10.0.0.1/"):
        assert rules.check_address(text, laboratory=True) == text
    with pytest.raises(BadInput):
        rules.check_address("http://hooks.harbor.example/", laboratory=True)
