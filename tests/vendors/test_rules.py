"""The register's pure decisions: checklists, standings, addresses."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import PhiClass, SenderRole, Special
from salus.vendors import rules
from salus.vendors.contracts import Clause, Control, Kind, Label, Relation, Standing, Why

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
    some.sampled_from(Relation),
    some.frozensets(some.sampled_from(LABELS)),
    some.frozensets(some.sampled_from(LABELS)),
    some.lists(
        some.tuples(some.sampled_from(Standing), some.frozensets(some.sampled_from(Clause))), max_size=3
    ),
    some.frozensets(some.sampled_from(Control), max_size=1),
)
def test_nothing_is_carried_unless_everything_that_is_asked_holds(
    active: bool,
    relation: Relation,
    may_carry: frozenset[Label],
    asked: frozenset[Label],
    agreements: list[tuple[Standing, frozenset[Clause]]],
    unattested: frozenset[Control],
) -> None:
    why = rules.why_not(
        active=active,
        relation=relation,
        may_carry=may_carry,
        agreements=agreements,
        unattested=unattested,
        asked=asked,
    )
    in_force = [clauses for standing, clauses in agreements if standing is Standing.IN_FORCE]
    qualified = relation is Relation.OURS or any(Clause.PART2 in clauses for clauses in in_force)
    may = (
        active
        and (bool(in_force) or relation is not Relation.ASSOCIATE)
        and not unattested
        and asked <= may_carry
        and Special.PSYCHOTHERAPY_NOTES not in asked
        and (Special.PART2_SUD not in asked or qualified)
    )
    assert (why is None) == may


def test_without_an_agreement_in_force_the_newest_one_says_why() -> None:
    agreements = [(Standing.EXPIRED, frozenset(Clause)), (Standing.NOT_SIGNED, frozenset(Clause))]
    given: dict[str, Any] = {"active": True, "relation": Relation.ASSOCIATE, "may_carry": ()}
    assert rules.why_not(**given, agreements=agreements) is Why.EXPIRED
    assert rules.why_not(**given, agreements=[]) is Why.NO_AGREEMENT


def test_every_control_has_its_section_and_only_who_is_told_of_nobody_needs_none() -> None:
    assert set(rules.CONTROLS) == set(Control)
    assert all("45 CFR 164.312" in asked.citation for asked in rules.CONTROLS.values())
    assert [kind for kind in Kind if not rules.controls(kind)] == [Kind.WITNESS, Kind.TLS_REPORTS]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Kind.SMTP_ROUTE, {PhiClass.CONTACT}),
        (Kind.SMS, {PhiClass.CONTACT}),
        (Kind.SYSLOG, {PhiClass.CONTACT}),
        (Kind.BACKUP, {*PhiClass, Special.PART2_SUD}),
        (Kind.KMS, set()),
        (Kind.IDENTITY_PROVIDER, set()),
        (Kind.WITNESS, set()),
        (Kind.TLS_REPORTS, set()),
        (Kind.WEBHOOK, set()),
    ],
)
def test_what_a_kind_of_service_is_told_in_any_case(kind: Kind, told: set[Label]) -> None:
    assert rules.always_told(kind, SenderRole.PART2_PROGRAM) == told
    assert Special.PART2_SUD not in rules.always_told(kind, SenderRole.PROVIDER)


def test_who_is_told_no_phi_has_no_service_that_is_told_some() -> None:
    rules.check_relation(Relation.NO_PHI, [(Kind.KMS, ()), (Kind.WITNESS, ()), (Kind.TLS_REPORTS, ())])
    rules.check_relation(Relation.ASSOCIATE, [(Kind.BACKUP, (PhiClass.LAB,))])
    for kind, told in ((Kind.KMS, (PhiClass.CONTACT,)), (Kind.BACKUP, ())):
        with pytest.raises(BadInput) as refused:
            rules.check_relation(Relation.NO_PHI, [(kind, told)])
        assert refused.value.place == "relation"


PLACES = ("attested_on", "expires_on")


@pytest.mark.parametrize(
    ("attested", "expires", "place"),
    [(1, 30, "attested_on"), (0, -1, "expires_on"), (0, 367, "expires_on")],
)
def test_an_attestation_holds_a_year_at_most(attested: int, expires: int, place: str) -> None:
    rules.check_period(DAY, DAY + timedelta(days=366), DAY, places=PLACES)
    with pytest.raises(BadInput) as refused:
        rules.check_period(DAY + timedelta(days=attested), DAY + timedelta(days=expires), DAY, places=PLACES)
    assert refused.value.place == place


def test_every_reason_has_words_and_a_next_step() -> None:
    assert set(rules.WORDS) == set(Why)
    assert all(what.endswith(".") and next_step.endswith(".") for what, next_step in rules.WORDS.values())
