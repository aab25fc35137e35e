"""What is known of a person becomes facts for the gate: proven care, their own categories, one address."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from salus.contacts.contracts import Address, Opened
from salus.gate.catalogue import CODES, joined, own_specials
from salus.gate.contracts import MessageFacts, PersonFacts, Treatment
from salus.gate.people import Assembler, Ports, fields_of
from salus.gate.rules.moment import Moment
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel, Purpose, Relation, Special
from salus.permissions.contracts import Standing, Suppression

from .world import AT, CARA, MAIL, guardian, message, only_at, read, standing

P = Purpose
DIABETES = message(P.CONDITION_EDUCATION, reads=(read("conditions", "E11"),), conditions=("E11",))


def opened(addresses: tuple[Address, ...] | None = None, **values: Any) -> Opened:
    known = {"relation": "patient", "birth_date": "1980-03-01", "state": "OH"} | values
    own = (_mail(MAIL),) if addresses is None else addresses
    return Opened(CARA, 5, 7, {name: Phi(value) for name, value in known.items() if value is not None}, own)


def _mail(value: str, source: AddressSource = AddressSource.CLINICAL_ENCOUNTER) -> Address:
    return Address(Channel.EMAIL, Phi(value), source, "registration", None)


def facts(
    who: Opened, about: MessageFacts = DIABETES, has: Standing | None = None, any_code: tuple[str, ...] = ()
) -> PersonFacts:
    ports = Ports(
        CODES,
        lambda channel, value: value.encode(),
        own_specials,
        lambda state: {"OH": "America/New_York"}.get(state),
    )
    return Assembler(about, any_code, ports, Moment.of(AT)).facts_of(who, has or standing())


def condition(code: str, day: str, **more: str) -> dict[str, str]:
    return {"id": code, "code": code, "system": "icd10", "date": day, **more}


def visit(day: str, **more: str) -> dict[str, str]:
    return {"id": f"visit {day}", "date": day, "status": "finished", **more}


def test_a_visit_proves_care_for_a_condition_that_is_on_the_record() -> None:
    person = facts(
        opened(
            conditions=[condition("E11.9", "2015-05-05")],
            encounters=[visit("2026-10-01"), visit("2020-01-01")],
        )
    )
    assert person.treatments == (Treatment("E11.9", date(2026, 10, 1)),)


@pytest.mark.parametrize("over", [{"status": "resolved"}, {"end": "2026-09-09"}, {"status": "entered-in-error"}, {"status": "inactive"}])  # fmt: skip
def test_a_condition_that_is_over_is_not_under_treatment(over: dict[str, str]) -> None:
    person = facts(
        opened(conditions=[condition("E11.9", "2026-05-05", **over)], encounters=[visit("2026-10-01")])
    )
    assert person.treatments == ()


@pytest.mark.parametrize("when", [{"date": "2026-12-24"}, {"status": "cancelled"}, {"status": "planned"}])
def test_a_visit_that_did_not_take_place_proves_nothing(when: dict[str, str]) -> None:
    person = facts(
        opened(conditions=[condition("E11.9", "2015-05-05")], encounters=[visit("2026-10-01") | when])
    )
    assert person.treatments == (Treatment("E11.9", date(2015, 5, 5)),)


def test_a_procedure_or_visit_for_the_condition_proves_it_by_its_own_code() -> None:
    person = facts(
        opened(encounters=[visit("2026-08-01", code="E11.65")], procedures=[visit("2026-09-01", code="I10")])
    )
    assert person.treatments == (Treatment("E11.65", date(2026, 8, 1)),)


def test_a_stay_in_hospital_is_care_like_a_visit() -> None:
    person = facts(
        opened(conditions=[condition("E11.9", "2015-05-05")], hospitalizations=[visit("2026-09-09")])
    )
    assert person.treatments == (Treatment("E11.9", date(2026, 9, 9)),)


def test_a_value_set_names_the_codes_of_every_system() -> None:
    about = replace(DIABETES, conditions=("vs:diabetes",))
    person = facts(opened(conditions=[condition("44054006", "2026-01-01"), condition("E10.1", "2026-02-01"), condition("I10", "2026-03-01")]), about)  # fmt: skip
    assert {one.code for one in person.treatments} == {"44054006", "E10.1"}


def test_an_active_prescription_lasts_until_today_and_a_finished_one_until_its_end() -> None:
    about = message(P.REFILL, reads="medications", conditions=("860975",))
    drugs = [
        {"id": "1", "code": "860975", "status": "active", "date": "2024-01-01"},
        {"id": "2", "code": "860975", "status": "completed", "date": "2026-01-01", "end": "2026-04-01"},
        {"id": "3", "code": "860975", "status": "stopped", "date": "2026-11-01"},
    ]
    assert {one.last_care for one in facts(opened(medications=drugs), about).prescriptions} == {
        date(2026, 11, 24),
        date(2026, 4, 1),
    }


def test_a_read_without_a_code_reveals_the_persons_own_categories_only() -> None:
    (kept,) = joined([replace(read("conditions"), special=Special.PART2_SUD)])
    assert kept.special is None
    plain = facts(opened(conditions=[condition("I10", "2026-01-01")]), any_code=("conditions",))
    hiv = facts(
        opened(conditions=[condition("I10", "2026-01-01"), condition("B20", "2020-01-01")]),
        any_code=("conditions",),
    )
    assert plain.specials == frozenset()
    assert hiv.specials == {Special.HIV}


def test_a_department_can_tell_a_category_by_its_words() -> None:
    person = facts(opened(department="Addiction Medicine"), any_code=("department",))
    assert Special.PART2_SUD in person.specials


def test_reads_are_joined_without_doubles_in_one_order() -> None:
    several = [read("conditions", "E11"), read("given_name"), read("conditions", "E11", origin="merge")]
    assert joined(several) == joined(reversed(several[:2]))
    assert len(joined(several)) == 2


def test_only_the_fields_that_the_rules_read_are_opened() -> None:
    plain = fields_of(message(P.APPOINTMENT), ())
    assert set(plain) == {"relation", "birth_date", "deceased_date", "state", "care_state", "email"}
    assert {"conditions", "encounters", "procedures"} <= set(fields_of(DIABETES, ()))
    assert "medications" in fields_of(message(P.REFILL), ())
    assert {"phone", "time_zone"} <= set(fields_of(message(P.APPOINTMENT, channel=Channel.SMS), ()))


def test_the_first_address_is_used_and_never_the_second_best() -> None:
    has = standing(suppressions=(Suppression(UUID(int=1), Channel.EMAIL, "hard_bounce", MAIL.encode()),))
    person = facts(opened((_mail(MAIL), _mail("second@example.org"))), has=has)
    assert person.address is not None
    assert person.address.value == Phi(MAIL)
    assert person.address_blind == MAIL.encode()


def test_an_address_is_blinded_only_to_compare_it_with_a_suppression() -> None:
    assert facts(opened()).address_blind is None


def test_a_confidential_address_replaces_all_others() -> None:
    person = facts(opened(), has=standing(confidential_address=only_at("quiet@example.org")))
    assert person.address is not None
    assert person.address.value == Phi("quiet@example.org")
    assert facts(opened(), has=standing(confidential_address=only_at(None, None))).address is None
    assert facts(opened(), has=standing(confidential_address=only_at("1", Channel.SMS))).address is None


def test_a_minors_mail_goes_to_the_representative() -> None:
    child = opened(birth_date="2012-05-05")
    person = facts(child, has=standing(representative=guardian("mother@example.org")))
    assert person.address is not None
    assert person.address.value == Phi("mother@example.org")
    adult = facts(opened(), has=standing(representative=guardian("mother@example.org")))
    assert adult.address is not None
    assert adult.address.value == Phi(MAIL)


@pytest.mark.parametrize(
    ("word", "source", "relation"),
    [
        ("former", AddressSource.CLINICAL_ENCOUNTER, Relation.FORMER),
        (None, AddressSource.CLINICAL_ENCOUNTER, Relation.PATIENT),
        (None, AddressSource.WEBSITE_SIGNUP, Relation.PROSPECT),
        (None, AddressSource.PLAN_ENROLLMENT, Relation.ENROLLED),
        (None, AddressSource.REFERRAL, None),
        (None, AddressSource.UNKNOWN, None),
    ],
)
def test_what_a_person_is_comes_from_the_record_or_from_the_declared_source(
    word: str | None, source: AddressSource, relation: Relation | None
) -> None:
    assert facts(opened((_mail(MAIL, source),), relation=word)).relation is relation


def test_states_are_those_of_home_and_of_care() -> None:
    assert facts(opened(care_state="WA")).states == {"OH", "WA"}
    assert facts(opened(state=None)).states == frozenset()


def test_the_time_zone_is_known_or_follows_from_the_only_state() -> None:
    by_text = message(P.APPOINTMENT, channel=Channel.SMS)
    assert facts(opened(), by_text).time_zone == "America/New_York"
    assert facts(opened(time_zone="America/Denver"), by_text).time_zone == "America/Denver"
    assert facts(opened(care_state="WA"), by_text).time_zone == ""
    assert facts(opened(state="TX"), by_text).time_zone == ""


def test_a_death_date_on_the_record_counts_without_the_ledger() -> None:
    assert facts(opened(deceased_date="2026-01-01")).recorded_deceased
    assert not facts(opened()).recorded_deceased


def test_in_the_portal_the_source_is_that_of_the_persons_first_address() -> None:
    person = facts(opened(), message(P.APPOINTMENT, channel=Channel.PORTAL))
    assert person.address is None
    assert person.address_source is AddressSource.CLINICAL_ENCOUNTER


def test_care_long_ago_is_a_fact_that_the_rules_weigh() -> None:
    person = facts(opened(conditions=[condition("E11.9", "2015-05-05")], encounters=[]))
    assert person.treatments[0].last_care < AT.date() - timedelta(days=366)
