"""Vendors, agreements, services: who may be told what, and why not."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from salus.audit import api as audit
from salus.audit.contracts import Filters
from salus.identity.contracts import Organization
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import PhiClass, Special
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Kind, Label, OutOfScope, Standing, Why
from tests.registered import attest

from ..conftest import World

MakeClinic = Callable[..., Organization]
AT = datetime(2026, 11, 24, 18, tzinfo=UTC)
TODAY = AT.date()


@pytest.fixture
def clinic(make_clinic: MakeClinic) -> Organization:
    return make_clinic()


@pytest.fixture
def officer(clinic: Organization) -> Actor:
    return system(clinic.id, "test")


@pytest.fixture
def inside(clinic: Organization) -> Iterator[Organization]:
    with acting_for(clinic.id):
        yield clinic


def vendor_with_service(
    officer: Actor, *, may_carry: tuple[str, ...] = ("contact",), **facts: Any
) -> tuple[UUID, UUID]:
    """Return a vendor whose agreement is in force unless `facts` say otherwise, and its webhook."""
    vendor_id = vendors.create_vendor("Harbor Print and Post", actor=officer, at=AT)
    given: dict[str, Any] = {"signed_on": TODAY, "report_hours": 24, "clauses": frozenset(Clause), **facts}
    vendors.record_agreement(vendor_id, **given, actor=officer, at=AT)
    service_id = vendors.create_service(
        vendor_id,
        kind=Kind.WEBHOOK,
        name="Letters",
        address="https://hooks.harbor.example/salus",
        may_carry=may_carry,
        actor=officer,
        at=AT,
    )
    attest(service_id, actor=officer, at=AT)
    return vendor_id, service_id


def test_a_service_in_scope_may_carry_its_classes(inside: Organization, officer: Actor) -> None:
    _, service_id = vendor_with_service(officer)
    found = vendors.service_in_scope(service_id, [PhiClass.CONTACT], AT)
    assert found.address == "https://hooks.harbor.example/salus"
    assert found.why_not is None


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"signed_on": None}, Why.NOT_SIGNED),
        ({"signed_on": TODAY - timedelta(days=9), "valid_until": TODAY - timedelta(days=1)}, Why.EXPIRED),
        ({"clauses": frozenset(Clause) - {Clause.REPORTING}}, Why.INCOMPLETE),
    ],
)
def test_without_an_agreement_in_force_nothing_is_in_scope(
    inside: Organization, officer: Actor, facts: dict[str, Any], why: Why
) -> None:
    _, service_id = vendor_with_service(officer, **facts)
    asked: tuple[list[Label], ...] = ([], [PhiClass.CONTACT])
    for classes in asked:
        with pytest.raises(OutOfScope) as refused:
            vendors.service_in_scope(service_id, classes, AT)
        assert refused.value.why is why
    assert vendors.service(service_id, AT).why_not is why


def test_a_vendor_without_any_agreement_has_no_service_in_scope(inside: Organization, officer: Actor) -> None:
    vendor_id = vendors.create_vendor("Harbor", actor=officer, at=AT)
    service_id = vendors.create_service(
        vendor_id,
        kind=Kind.SMS,
        name="Text",
        address="https://sms.harbor.example/",
        may_carry=["contact"],
        actor=officer,
        at=AT,
    )
    assert vendors.service(service_id, AT).why_not is Why.NO_AGREEMENT


def test_an_unknown_service_and_one_that_is_switched_off_are_out_of_scope(
    inside: Organization, officer: Actor
) -> None:
    with pytest.raises(OutOfScope) as unknown:
        vendors.service_in_scope(new_id(), [], AT)
    assert unknown.value.why is Why.UNKNOWN
    _, service_id = vendor_with_service(officer)
    vendors.switch_service(service_id, active=False, actor=officer, at=AT)
    with pytest.raises(OutOfScope) as off:
        vendors.service_in_scope(service_id, [], AT)
    assert off.value.why is Why.SWITCHED_OFF
    vendors.switch_service(service_id, active=True, actor=officer, at=AT)
    assert vendors.service_in_scope(service_id, [], AT).active


def test_an_agreement_holds_through_its_last_day_where_the_clinic_is(
    inside: Organization, officer: Actor
) -> None:
    """The clinic is in California: 06:00 UTC of the next day is still the evening of the last one."""
    _, service_id = vendor_with_service(officer, valid_until=TODAY)
    evening = datetime(2026, 11, 25, 6, tzinfo=UTC)
    assert vendors.service_in_scope(service_id, [], evening).id == service_id
    with pytest.raises(OutOfScope) as refused:
        vendors.service_in_scope(service_id, [], evening + timedelta(hours=3))
    assert refused.value.why is Why.EXPIRED


def test_one_agreement_in_force_is_enough_beside_ended_and_unsigned_ones(
    inside: Organization, officer: Actor
) -> None:
    vendor_id, service_id = vendor_with_service(officer)
    first = vendors.vendor(vendor_id, AT).agreements[0]
    vendors.end_agreement(first.id, actor=officer, at=AT)
    assert vendors.service(service_id, AT).why_not is Why.ENDED
    later = AT + timedelta(minutes=5)
    given: dict[str, Any] = {"report_hours": 24, "clauses": frozenset(Clause), "actor": officer}
    vendors.record_agreement(vendor_id, signed_on=TODAY, **given, at=later)
    vendors.record_agreement(vendor_id, signed_on=None, **given, at=later + timedelta(minutes=5))
    assert vendors.service(service_id, AT).why_not is None
    standings = [each.standing for each in vendors.vendor(vendor_id, AT).agreements]
    assert standings == [Standing.NOT_SIGNED, Standing.IN_FORCE, Standing.ENDED]


def test_a_signed_agreement_does_not_change_and_one_that_is_not_signed_does(
    inside: Organization, officer: Actor
) -> None:
    vendor_id, service_id = vendor_with_service(officer, signed_on=None, clauses=frozenset())
    agreement = vendors.vendor(vendor_id, AT).agreements[0]
    assert len(agreement.missing) == 12
    given: dict[str, Any] = {"report_hours": 48, "clauses": frozenset(Clause), "actor": officer, "at": AT}
    vendors.record_agreement(vendor_id, signed_on=TODAY, agreement_id=agreement.id, **given)
    assert vendors.service(service_id, AT).why_not is None
    with pytest.raises(Conflict):
        vendors.record_agreement(vendor_id, signed_on=TODAY, agreement_id=agreement.id, **given)
    other = vendors.create_vendor("Other", actor=officer, at=AT)
    with pytest.raises(NotFound):
        vendors.record_agreement(other, signed_on=TODAY, agreement_id=agreement.id, **given)
    vendors.end_agreement(agreement.id, actor=officer, at=AT)
    with pytest.raises(Conflict):
        vendors.end_agreement(agreement.id, actor=officer, at=AT)


@pytest.mark.parametrize(
    ("facts", "place"),
    [
        ({"signed_on": TODAY + timedelta(days=1)}, "signed_on"),
        ({"valid_until": TODAY - timedelta(days=1)}, "valid_until"),
        ({"report_hours": 0}, "report_hours"),
        ({"report_hours": 1441}, "report_hours"),
        ({"note": "x" * 2001}, "note"),
    ],
)
def test_an_agreement_that_cannot_be_is_refused_with_its_place(
    inside: Organization, officer: Actor, facts: dict[str, Any], place: str
) -> None:
    with pytest.raises(BadInput) as refused:
        vendor_with_service(officer, **facts)
    assert refused.value.place == place


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_vendor_needs_a_name(inside: Organization, officer: Actor, name: str) -> None:
    with pytest.raises(BadInput) as refused:
        vendors.create_vendor(name, actor=officer, at=AT)
    assert refused.value.place == "name"


def test_a_class_beyond_the_scope_and_psychotherapy_notes_never_go(
    inside: Organization, officer: Actor
) -> None:
    _, service_id = vendor_with_service(officer, may_carry=("contact", "diagnosis", "part2_sud"))
    assert vendors.service_in_scope(service_id, [PhiClass.DIAGNOSIS, Special.PART2_SUD], AT).active
    too_much: tuple[Label, ...] = (PhiClass.LAB, Special.HIV, Special.PSYCHOTHERAPY_NOTES)
    for beyond in too_much:
        with pytest.raises(OutOfScope) as refused:
            vendors.service_in_scope(service_id, [PhiClass.CONTACT, beyond], AT)
        assert refused.value.why is Why.CLASS


@pytest.mark.parametrize("word", ["psychotherapy_notes", "shoe_size", ""])
def test_a_class_that_is_none_or_never_leaves_cannot_be_given_to_a_service(
    inside: Organization, officer: Actor, word: str
) -> None:
    with pytest.raises(BadInput) as refused:
        vendor_with_service(officer, may_carry=(word,))
    assert refused.value.place == "may_carry"


def test_records_of_a_substance_use_program_need_a_clause_of_their_own(
    inside: Organization, officer: Actor
) -> None:
    facts: dict[str, Any] = {"may_carry": ("part2_sud",), "clauses": frozenset(Clause) - {Clause.PART2}}
    _, service_id = vendor_with_service(officer, **facts)
    with pytest.raises(OutOfScope) as refused:
        vendors.service_in_scope(service_id, [Special.PART2_SUD], AT)
    assert refused.value.why is Why.PART2
    assert "42 CFR 2.11" in str(refused.value)


def test_a_refusal_says_what_was_not_lost_and_what_to_do(inside: Organization, officer: Actor) -> None:
    _, service_id = vendor_with_service(officer, signed_on=None)
    with pytest.raises(OutOfScope) as refused:
        vendors.service_in_scope(service_id, [], AT)
    assert str(refused.value) == (
        "The agreement with the vendor of this service is not signed. Nothing was sent. "
        "Record when it was signed in the vendor register."
    )


def test_only_a_webhook_has_a_secret(inside: Organization, officer: Actor) -> None:
    vendor_id, _ = vendor_with_service(officer)
    given: dict[str, Any] = {"name": "Relay", "may_carry": ["contact"], "actor": officer, "at": AT}
    with pytest.raises(BadInput) as refused:
        vendors.create_service(vendor_id, kind=Kind.SMTP_ROUTE, address="https://x.example/", **given)
    assert refused.value.place == "address"
    relay = vendors.create_service(vendor_id, kind=Kind.SMTP_ROUTE, address="smtp://x.example", **given)
    with pytest.raises(NotFound):
        vendors.show_secret(relay, actor=officer, at=AT)
    with pytest.raises(NotFound):
        vendors.renew_secret(relay, actor=officer, at=AT)
    with pytest.raises(NotFound):
        vendors.signing_secrets(relay, AT)


def test_a_renewed_secret_signs_beside_the_one_before_for_a_day(inside: Organization, officer: Actor) -> None:
    _, service_id = vendor_with_service(officer)
    (first,) = vendors.signing_secrets(service_id, AT)
    assert len(first) == 32
    vendors.renew_secret(service_id, actor=officer, at=AT)
    second, old = vendors.signing_secrets(service_id, AT)
    assert old == first != second
    assert vendors.signing_secrets(service_id, AT + timedelta(days=1)) == (second,)
    vendors.renew_secret(service_id, actor=officer, at=AT)
    third, old = vendors.signing_secrets(service_id, AT)
    assert old == second != third
    shown = vendors.show_secret(service_id, actor=officer, at=AT)
    assert base64.b64decode(shown.removeprefix("whsec_")) == third


def test_a_change_of_a_service_keeps_its_secret(inside: Organization, officer: Actor) -> None:
    _, service_id = vendor_with_service(officer)
    before = vendors.signing_secrets(service_id, AT)
    vendors.change_service(
        service_id,
        name="Letters and cards",
        address="https://hooks.harbor.example/v2",
        may_carry=["contact", "lab"],
        actor=officer,
        at=AT,
    )
    found = vendors.service(service_id, AT)
    assert (found.name.reveal(), found.address) == ("Letters and cards", "https://hooks.harbor.example/v2")
    assert found.may_carry == {PhiClass.CONTACT, PhiClass.LAB}
    assert vendors.signing_secrets(service_id, AT) == before


def test_vendors_and_services_come_by_name(inside: Organization, officer: Actor) -> None:
    for name in ("tern", "Kestrel", "heron"):
        vendors.create_vendor(name, actor=officer, at=AT)
    assert [each.name.reveal() for each in vendors.vendors(AT)] == ["heron", "Kestrel", "tern"]
    vendor_with_service(officer)
    assert [each.kind for each in vendors.services(AT, Kind.WEBHOOK)] == [Kind.WEBHOOK]
    assert vendors.services(AT, Kind.KMS) == []


def test_every_act_is_in_the_log_without_a_word_of_what_staff_wrote(
    inside: Organization, officer: Actor
) -> None:
    vendor_id, service_id = vendor_with_service(officer)
    vendors.change_vendor(vendor_id, "Harbor Post", "Ask for Bea", actor=officer, at=AT)
    vendors.renew_secret(service_id, actor=officer, at=AT)
    vendors.show_secret(service_id, actor=officer, at=AT)
    vendors.end_agreement(vendors.vendor(vendor_id, AT).agreements[0].id, actor=officer, at=AT)
    entries = audit.entries(Filters(action="vendors:"))
    assert [(each.action, each.outcome) for each in entries] == [
        ("vendors:agreement:record", "ended"),
        ("vendors:service:change", "secret_shown"),
        ("vendors:service:change", "secret_renewed"),
        ("vendors:vendor:change", "ok"),
        ("vendors:service:change", "attested"),
        ("vendors:service:change", "created"),
        ("vendors:agreement:record", "signed"),
        ("vendors:vendor:change", "ok"),
    ]
    assert all(each.object_id == vendor_id for each in entries)
    assert entries[5].fields == ("contact",)


def test_nobody_of_another_organization_sees_or_uses_a_vendor(
    clinic: Organization, officer: Actor, make_clinic: MakeClinic
) -> None:
    with acting_for(clinic.id):
        vendor_id, service_id = vendor_with_service(officer)
    other = make_clinic("Somebody Else")
    actor = system(other.id, "test")
    with acting_for(other.id):
        assert vendors.vendors(AT) == []
        with pytest.raises(NotFound):
            vendors.vendor(vendor_id, AT)
        with pytest.raises(NotFound):
            vendors.change_vendor(vendor_id, "Mine", actor=actor, note="", at=AT)
        with pytest.raises(NotFound):
            vendors.show_secret(service_id, actor=actor, at=AT)
        with pytest.raises(OutOfScope) as refused:
            vendors.service_in_scope(service_id, [], AT)
        assert refused.value.why is Why.UNKNOWN


def test_names_addresses_and_secrets_are_sealed_in_the_database(
    clinic: Organization, officer: Actor, world: World
) -> None:
    with acting_for(clinic.id):
        vendor_id, service_id = vendor_with_service(officer, note="kestrel-note")
        vendors.change_vendor(vendor_id, "kestrel-name", "kestrel-note", actor=officer, at=AT)
        secret = vendors.signing_secrets(service_id, AT)[0].hex()
    with psycopg.connect(world.superuser_dsn) as superuser:
        stored = [
            superuser.execute(f"SELECT t::text || encode(sealed, 'escape') FROM {table} t").fetchall()
            for table in ("vendors_vendor", "vendors_agreement", "vendors_service", "vendors_attestation")
        ]
    text = str(stored).lower()
    for word in ("kestrel", "harbor", "delgado", "report of the yearly", secret):
        assert word not in text
