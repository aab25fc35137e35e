"""The way to the outside: a service is found by kind and address, and everything that does not hold closes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from salus.identity.contracts import Organization
from salus.kernel.acting import Actor, system
from salus.kernel.outbound import ServiceKind
from salus.kernel.vocabulary import PhiClass, SenderRole, Special
from salus.platform import outbound
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Control, Kind, OutOfScope, Relation, Why
from tests.registered import attest

MakeClinic = Callable[..., Organization]
AT = datetime(2026, 11, 24, 18, tzinfo=UTC)
TODAY = AT.date()
ADDRESSES = {
    Kind.WEBHOOK: "https://hooks.harbor.example/salus",
    Kind.SMTP_ROUTE: "smtp://relay.harbor.example",
    Kind.SMS: "https://sms.harbor.example/v1",
    Kind.KMS: "https://kms.harbor.example",
    Kind.BACKUP: "s3://harbor-vault/cedar-row",
    Kind.IDENTITY_PROVIDER: "https://sso.harbor.example/realms/clinic",
    Kind.SYSLOG: "syslog+tls://logs.harbor.example",
    Kind.WITNESS: "mailto:witness@harbor.example",
    Kind.TLS_REPORTS: "tls-reports://any",
}


@pytest.fixture
def clinic(make_clinic: MakeClinic) -> Organization:
    return make_clinic()


def register(actor: Actor, kind: Kind, *, attested: bool = True, **facts: Any) -> tuple[UUID, UUID]:
    """Return a vendor whose agreement is in force unless `facts` say otherwise, and its service of this kind."""
    made: dict[str, Any] = {"actor": actor, "at": AT}
    vendor_id = vendors.create_vendor("Harbor", **made)
    given: dict[str, Any] = {"signed_on": TODAY, "report_hours": 24, "clauses": frozenset(Clause), **facts}
    vendors.record_agreement(vendor_id, **given, **made)
    carries = [*PhiClass, Special.PART2_SUD]
    service_id = vendors.create_service(
        vendor_id, kind=kind, name="Service", address=ADDRESSES[kind], may_carry=carries, **made
    )
    if attested:
        attest(service_id, **made)
    return vendor_id, service_id


def refusal(kind: Kind, address: str, *labels: PhiClass | Special, at: datetime = AT) -> Why:
    with pytest.raises(OutOfScope) as refused:
        outbound.ask(kind, address, labels, at=at)
    return refused.value.why


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_goes_nowhere_until_its_service_is_in_the_register(clinic: Organization, kind: Kind) -> None:
    with acting_for(clinic.id):
        assert refusal(kind, ADDRESSES[kind]) is Why.UNKNOWN
        _, service_id = register(system(clinic.id, "test"), kind)
        assert outbound.ask(kind, ADDRESSES[kind], at=AT) == service_id
        for other in set(Kind) - {kind}:
            assert refusal(other, ADDRESSES[kind]) is Why.UNKNOWN
        assert refusal(kind, ADDRESSES[kind] + "x") is Why.UNKNOWN
        assert refusal(kind, "https://[broken") is Why.UNKNOWN


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"signed_on": None}, Why.NOT_SIGNED),
        ({"signed_on": TODAY - timedelta(days=9), "valid_until": TODAY - timedelta(days=1)}, Why.EXPIRED),
        ({"clauses": frozenset(Clause) - {Clause.BOOKS}}, Why.INCOMPLETE),
    ],
)
def test_without_an_agreement_that_holds_every_kind_is_closed(
    clinic: Organization, kind: Kind, facts: dict[str, Any], why: Why
) -> None:
    with acting_for(clinic.id):
        register(system(clinic.id, "test"), kind, **facts)
        assert refusal(kind, ADDRESSES[kind]) is why


def test_all_four_controls_are_attested_or_nothing_goes(clinic: Organization) -> None:
    actor, relay = system(clinic.id, "test"), ADDRESSES[Kind.SMTP_ROUTE]
    made: dict[str, Any] = {
        "actor": actor,
        "at": AT,
        "by": "Rosa",
        "evidence": "Report",
        "attested_on": TODAY,
    }
    with acting_for(clinic.id):
        _, service_id = register(actor, Kind.SMTP_ROUTE, attested=False)
        for control in Control:
            assert refusal(Kind.SMTP_ROUTE, relay) is Why.NOT_ATTESTED
            vendors.attest(service_id, {control}, expires_on=TODAY + timedelta(days=30), **made)
        assert outbound.ask(Kind.SMTP_ROUTE, relay, at=AT) == service_id
        assert refusal(Kind.SMTP_ROUTE, relay, at=AT + timedelta(days=31)) is Why.NOT_ATTESTED
        # The newest counts, also when it holds shorter than the one before.
        later = made | {"at": AT + timedelta(minutes=1)}
        vendors.attest(service_id, {Control.MFA}, expires_on=TODAY + timedelta(days=2), **later)
        assert refusal(Kind.SMTP_ROUTE, relay, at=AT + timedelta(days=3)) is Why.NOT_ATTESTED
        holding = {each.control: each.holds for each in vendors.service(service_id, AT).attestations}
        assert holding == dict.fromkeys(Control, True)


def test_a_relay_is_told_what_a_message_tells_and_no_more(clinic: Organization) -> None:
    actor, relay = system(clinic.id, "test"), ADDRESSES[Kind.SMTP_ROUTE]
    with acting_for(clinic.id):
        _, service_id = register(actor, Kind.SMTP_ROUTE)
        assert outbound.ask(Kind.SMTP_ROUTE, relay, [PhiClass.LAB], at=AT) == service_id
        assert refusal(Kind.SMTP_ROUTE, relay, Special.HIV) is Why.CLASS
        assert refusal(Kind.SMTP_ROUTE, relay, Special.PSYCHOTHERAPY_NOTES) is Why.CLASS
        vendors.change_service(service_id, name="Relay", address=relay, may_carry=["lab"], actor=actor, at=AT)
        assert refusal(Kind.SMTP_ROUTE, relay) is Why.CLASS  # even a mere address is the patient's


def test_a_backup_of_a_part_2_program_needs_the_clause_of_a_qualified_service_organization(
    make_clinic: MakeClinic,
) -> None:
    clinic = make_clinic(sender_role=SenderRole.PART2_PROGRAM)
    vault = ADDRESSES[Kind.BACKUP]
    with acting_for(clinic.id):
        register(system(clinic.id, "test"), Kind.BACKUP, clauses=frozenset(Clause) - {Clause.PART2})
        assert refusal(Kind.BACKUP, vault) is Why.PART2


def test_one_service_in_scope_is_enough_where_two_vendors_have_one_address(clinic: Organization) -> None:
    actor, relay = system(clinic.id, "test"), ADDRESSES[Kind.SMTP_ROUTE]
    with acting_for(clinic.id):
        _, first = register(actor, Kind.SMTP_ROUTE)
        register(actor, Kind.SMTP_ROUTE, signed_on=None)
        assert outbound.ask(Kind.SMTP_ROUTE, relay, at=AT) == first


def test_who_is_told_no_phi_needs_no_agreement_and_what_we_run_ourselves_neither(
    clinic: Organization,
) -> None:
    made: dict[str, Any] = {"actor": system(clinic.id, "test"), "at": AT}
    with acting_for(clinic.id):
        outside = vendors.create_vendor("Notary", relation=Relation.NO_PHI, **made)
        witness = vendors.create_service(
            outside, kind=Kind.WITNESS, name="Mail", address=ADDRESSES[Kind.WITNESS], may_carry=[], **made
        )
        assert outbound.ask(Kind.WITNESS, ADDRESSES[Kind.WITNESS], at=AT) == witness
        own = vendors.create_vendor("Ourselves", relation=Relation.OURS, **made)
        logs = vendors.create_service(
            own, kind=Kind.SYSLOG, name="Logs", address=ADDRESSES[Kind.SYSLOG], may_carry=["contact"], **made
        )
        assert refusal(Kind.SYSLOG, ADDRESSES[Kind.SYSLOG]) is Why.NOT_ATTESTED
        attest(logs, **made)
        assert outbound.ask(Kind.SYSLOG, ADDRESSES[Kind.SYSLOG], at=AT) == logs


def test_nobody_uses_the_service_of_another_organization(
    clinic: Organization, make_clinic: MakeClinic
) -> None:
    with acting_for(clinic.id):
        register(system(clinic.id, "test"), Kind.KMS)
    with acting_for(make_clinic("Somebody Else").id):
        assert refusal(Kind.KMS, ADDRESSES[Kind.KMS]) is Why.UNKNOWN


def test_what_serves_everybody_is_allowed_by_everybody(
    make_clinic: MakeClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = make_clinic("One"), make_clinic("Other")
    vault = ADDRESSES[Kind.BACKUP]
    known: list[UUID] = []
    monkeypatch.setattr(outbound, "_organizations", lambda: known)
    with pytest.raises(OutOfScope):  # nobody is there yet who could allow it
        outbound.ask_everywhere(Kind.BACKUP, vault, at=AT)
    known += [one.id, other.id]
    for clinic in (one, other):
        with pytest.raises(OutOfScope):
            outbound.ask_everywhere(Kind.BACKUP, vault, at=AT)
        with acting_for(clinic.id):
            register(system(clinic.id, "test"), Kind.BACKUP)
    outbound.ask_everywhere(Kind.BACKUP, vault, at=AT)


def test_without_a_register_every_way_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "_register", outbound._closed)
    with pytest.raises(OutOfScope):
        outbound.ask(ServiceKind.KMS, "https://kms.harbor.example", at=AT)
