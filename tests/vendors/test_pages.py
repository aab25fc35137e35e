"""The pages of the register and its addresses for programs: who sees and changes what, and plain words for what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission
from salus.kernel.acting import system
from salus.kernel.vocabulary import PhiClass, Special
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors import ports
from salus.vendors.contracts import Clause, Control, Kind, Service, Standing, Vendor, Waiting, Why
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from tests.registered import attest

NAME = "Harbor Print and Post"
AGREEMENT = {
    "agent": "yes",
    "report_hours": "24",
    "required": [clause.value for clause in vendors.REQUIRED],
    "further": ["part2"],
    "note": "",
}
ATTESTED = {
    "by": "Rosa Delgado, security lead",
    "evidence": "Report of the yearly review.",
    "attested_on": str(timezone.localdate() - timedelta(days=2)),
    "expires_on": str(timezone.localdate() + timedelta(days=200)),
}
SERVICE = {"kind": "webhook", "name": "Letters", "address": "https://hooks.harbor.example/salus"}


def registered(organization: Organization, **facts: Any) -> tuple[UUID, UUID]:
    """Return a vendor whose agreement is in force unless `facts` say otherwise, and its webhook."""
    actor, at = system(organization.id, "test"), timezone.now()
    with acting_for(organization.id):
        vendor_id = vendors.create_vendor(NAME, "Ask for Bea.", actor=actor, at=at)
        today = timezone.localdate(at, timezone=timezone.get_default_timezone())
        given: dict[str, Any] = {
            "signed_on": today.replace(year=today.year - 1),
            "report_hours": 24,
            "clauses": frozenset(Clause),
            **facts,
        }
        vendors.record_agreement(vendor_id, **given, actor=actor, at=at)
        service_id = vendors.create_service(
            vendor_id,
            kind=Kind.WEBHOOK,
            name="Letters",
            address="https://hooks.harbor.example/salus",
            may_carry=["contact", "dates_of_care"],
            actor=actor,
            at=at,
        )
        attest(service_id, actor=actor, at=at)
    return vendor_id, service_id


def vendor_of(console: Console, vendor_id: UUID) -> Vendor:
    with acting_for(console.organization.id):
        return vendors.vendor(vendor_id, timezone.now())


def service_of(console: Console, service_id: UUID) -> Service:
    with acting_for(console.organization.id):
        return vendors.service(service_id, timezone.now())


def page_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_an_officer_adds_a_vendor_its_agreement_and_a_service(console: Console) -> None:
    officer = console.client("privacy_officer")
    assert "No vendors yet" in page_of(officer, "/vendors/")
    address = officer.post("/vendors/new", {"name": NAME, "note": "Ask for Bea.", "relation": "associate"})[
        "Location"
    ]
    vendor_id = UUID(address.rpartition("/")[2])
    assert "Nothing may go to this vendor." in page_of(officer, address)
    answer = officer.post(f"{address}/agreements/new", {**AGREEMENT, "signed_on": "2026-01-15"})
    assert answer.status_code == 302
    shown = page_of(officer, address)
    assert "Nothing may go to this vendor." not in shown
    assert "12 of 12 that the law asks for" in shown
    assert "Qualified service organization: records of a Part 2 program (42 CFR 2.11)" in shown
    made = officer.post(
        f"{address}/services/new", {**SERVICE, "classes": ["contact"], "specials": ["part2_sud"]}
    )
    service = service_of(console, UUID(made["Location"].rpartition("/")[2]))
    assert service.may_carry == {PhiClass.CONTACT, Special.PART2_SUD}
    assert service.why_not is Why.NOT_ATTESTED
    attested = officer.post(f"{made['Location']}/attest", ATTESTED | {"controls": [*Control]})
    assert attested.status_code == 302
    assert service_of(console, service.id).why_not is None
    vendor = vendor_of(console, vendor_id)
    assert (vendor.name.reveal(), vendor.agreements[0].agent) == (NAME, True)
    assert "1 of 1" in page_of(officer, "/vendors/")


def test_what_an_agreement_lacks_is_listed_with_its_citation(console: Console) -> None:
    vendor_id, _ = registered(console.organization, clauses=frozenset(Clause) - {Clause.BOOKS})
    shown = page_of(console.client("auditor"), f"/vendors/{vendor_id}")
    assert "Clauses missing" in shown
    assert "11 of 12" in shown
    assert "Opens its books to the Secretary of HHS" in shown
    assert "45 CFR 164.504(e)(2)(ii)(I)" in shown
    assert "Agreement lacks clauses" in shown


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"signed_on": "2026-13-01"}, "Write the day like 2026-12-01."),
        ({"signed_on": "2099-01-01"}, "It cannot have been signed after today."),
        ({"signed_on": "2026-01-15", "valid_until": "2026-01-14"}, "It cannot end before it was signed."),
        ({"report_hours": "soon"}, "Write a number of hours."),
        ({"report_hours": "2000"}, "Choose between 1 hour and 1,440 hours (60 days)."),
        ({"required": ["shoe_size"]}, "Select a valid choice"),
    ],
)
def test_an_agreement_that_cannot_be_says_so_and_keeps_what_was_typed(
    console: Console, change: dict[str, Any], said: str
) -> None:
    vendor_id, _ = registered(console.organization)
    answer = console.client("privacy_officer").post(
        f"/vendors/{vendor_id}/agreements/new", {**AGREEMENT, "note": "Kept in the safe", **change}
    )
    assert answer.status_code == 400
    text = answer.content.decode()
    assert said in text
    assert "Kept in the safe" in text
    assert len(vendor_of(console, vendor_id).agreements) == 1


def test_an_agreement_that_is_not_signed_is_changed_and_a_signed_one_is_not(console: Console) -> None:
    vendor_id, service_id = registered(console.organization, signed_on=None)
    agreement = vendor_of(console, vendor_id).agreements[0]
    officer = console.client("privacy_officer")
    address = f"/vendors/{vendor_id}/agreements/{agreement.id}/edit"
    assert "Not signed" in page_of(officer, f"/vendors/{vendor_id}")
    assert 'value="24"' in page_of(officer, address)
    assert officer.post(address, {**AGREEMENT, "signed_on": "2026-01-15"}).status_code == 302
    assert service_of(console, service_id).why_not is None
    again = officer.post(address, {**AGREEMENT, "signed_on": "2026-01-16"})
    assert again.status_code == 400
    assert "A signed agreement does not change." in again.content.decode()


def test_ending_an_agreement_is_asked_first_and_stops_its_services(console: Console) -> None:
    vendor_id, service_id = registered(console.organization)
    agreement = vendor_of(console, vendor_id).agreements[0]
    officer = console.client("security_officer")
    address = f"/vendors/{vendor_id}/agreements/{agreement.id}/end"
    assert "It is the one that holds." in page_of(officer, address)
    assert vendor_of(console, vendor_id).in_force is not None
    assert officer.post(address).status_code == 302
    assert vendor_of(console, vendor_id).agreements[0].standing is Standing.ENDED
    shown = page_of(officer, "/vendors/")
    assert "What stands in the way" in shown
    assert "The agreement with the vendor of this service was ended." in shown
    assert service_of(console, service_id).why_not is Why.ENDED
    assert officer.post(address).status_code == 409


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"address": "hooks.harbor.example"}, "The address must begin with https://."),
        ({"address": "http://hooks.harbor.example/"}, "The address must begin with https://."),
        ({"address": "https://a:b@hooks.harbor.example/"}, "Leave user name, password"),
        ({"address": ""}, "This field is required."),
        ({"name": ""}, "This field is required."),
        ({"kind": ""}, "This field is required."),
        ({"kind": "smtp_route"}, "The address must begin with smtp:// or smtps://."),
        ({"kind": "pigeon"}, "Select a valid choice"),
        ({"classes": ["shoe_size"]}, "Select a valid choice"),
        ({"specials": ["psychotherapy_notes"]}, "Select a valid choice"),
    ],
)
def test_a_service_that_cannot_be_says_so(console: Console, change: dict[str, Any], said: str) -> None:
    vendor_id, _ = registered(console.organization)
    answer = console.client("privacy_officer").post(
        f"/vendors/{vendor_id}/services/new", {**SERVICE, "classes": ["contact"], **change}
    )
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert len(vendor_of(console, vendor_id).services) == 1


def test_a_service_is_changed_switched_and_its_secret_shown_and_renewed(console: Console) -> None:
    vendor_id, service_id = registered(console.organization)
    officer = console.client("privacy_officer")
    address = f"/vendors/{vendor_id}/services/{service_id}"
    assert "whsec_" not in page_of(officer, address)
    changed = officer.post(address, {**SERVICE, "name": "Cards", "classes": ["contact", "lab"]})
    assert changed.status_code == 302
    found = service_of(console, service_id)
    assert found.name.reveal() == "Cards"
    assert found.may_carry == {PhiClass.CONTACT, PhiClass.LAB}

    def secret() -> str:
        shown = officer.post(f"{address}/secret").content.decode()
        return str(re.findall(r"whsec_[A-Za-z0-9+/=]+", shown)[0])

    first = secret()
    assert officer.post(f"{address}/secret/renew").status_code == 303
    assert secret() != first
    assert officer.post(f"{address}/switch", {"active": "no"}).status_code == 303
    assert service_of(console, service_id).why_not is Why.SWITCHED_OFF
    assert "The service is switched off." in page_of(officer, address)
    officer.post(f"{address}/switch", {"active": "yes"})
    assert service_of(console, service_id).why_not is None
    with acting_for(console.organization.id):
        outcomes = [each.outcome for each in audit.entries(Filters(action=Action.VENDOR_SERVICE))]
    assert outcomes == [
        "on",
        "off",
        "secret_shown",
        "secret_renewed",
        "secret_shown",
        "changed",
        "attested",
        "created",
    ]


def test_a_service_that_is_no_webhook_has_no_secret(console: Console) -> None:
    vendor_id, _ = registered(console.organization)
    officer = console.client("privacy_officer")
    vault = {"kind": "backup", "name": "Vault", "address": "s3://cedar-row-vault"}
    address = officer.post(f"/vendors/{vendor_id}/services/new", vault)["Location"]
    assert "Signing secret" not in page_of(officer, address)
    assert officer.post(address, vault | {"name": "Vault 2"}).status_code == 302
    assert officer.post(f"{address}/secret").status_code == 404


@pytest.fixture
def queues() -> Iterator[Callable[[Waiting], None]]:
    """Say what waits for every service, until the test ends."""
    before = ports._queues
    yield lambda waits: ports.use_queues(lambda ids: dict.fromkeys(ids, waits))
    ports.use_queues(before)


def test_a_paused_queue_is_said_on_the_pages(console: Console, queues: Callable[[Waiting], None]) -> None:
    vendor_id, service_id = registered(console.organization)
    queues(Waiting(1204, "agreement_expired"))
    officer = console.client("privacy_officer")
    shown = page_of(officer, f"/vendors/{vendor_id}/services/{service_id}")
    assert "The queue of this service is paused, 1,204 calls wait." in shown
    assert "The agreement with the vendor of this service has expired." in shown
    listed = page_of(officer, f"/vendors/{vendor_id}")
    assert "Its queue is paused." in listed
    assert "1,204" in listed


@pytest.mark.parametrize("role", ["marketer", "care_coordinator", "developer", "auditor"])
def test_who_may_only_look_changes_nothing(console: Console, role: str) -> None:
    vendor_id, service_id = registered(console.organization)
    client = console.client(role)
    shown = page_of(client, f"/vendors/{vendor_id}")
    assert NAME in shown
    assert "Record an agreement" not in shown
    agreement = vendor_of(console, vendor_id).agreements[0]
    one, service = f"/vendors/{vendor_id}", f"/vendors/{vendor_id}/services/{service_id}"
    for address in (
        "/vendors/new",
        f"{one}/edit",
        f"{one}/agreements/new",
        f"{one}/agreements/{agreement.id}/edit",
        f"{one}/agreements/{agreement.id}/end",
        f"{one}/services/new",
        service,
        f"{service}/attest",
        f"{service}/switch",
        f"{service}/secret",
        f"{service}/secret/renew",
    ):
        assert client.post(address, {"name": "x"}).status_code == 404
    assert service_of(console, service_id).why_not is None


@pytest.mark.parametrize("role", ["author", "analyst"])
def test_who_may_not_look_finds_no_register(console: Console, role: str) -> None:
    client = console.client(role)
    assert client.get("/vendors/").status_code == 404
    assert "/vendors/" not in client.get("/account/").content.decode()


def test_an_outsider_finds_no_vendor(console: Console, make_clinic: Callable[..., Organization]) -> None:
    theirs, service_id = registered(make_clinic("Somebody Else"))
    ours, ours_service = registered(console.organization)
    officer = console.client("privacy_officer")
    one = f"/vendors/{theirs}"
    for address in (
        one,
        f"{one}/services/{service_id}/attest",
        f"{one}/edit",
        f"{one}/agreements/new",
        f"{one}/services/{service_id}",
    ):
        assert officer.get(address).status_code == 404
    assert officer.post(f"{one}/services/{service_id}/secret").status_code == 404
    # A service is reached through its own vendor only.
    assert officer.get(f"/vendors/{ours}/services/{service_id}").status_code == 404
    assert officer.get(f"/vendors/{ours}/services/{ours_service}").status_code == 200
    assert str(theirs) not in page_of(officer, "/vendors/")
    assert str(ours) in page_of(officer, "/vendors/")


def test_a_vendor_is_renamed(console: Console) -> None:
    vendor_id, _ = registered(console.organization)
    officer = console.client("privacy_officer")
    facts = {"name": "Harbor Post", "note": "Ask for Cy.", "relation": "associate"}
    address = f"/vendors/{vendor_id}/edit"
    for wrong in ({"name": " "}, {"relation": "friend"}, {"relation": ""}, {"relation": "no_phi"}):
        assert officer.post(address, facts | wrong).status_code == 400
    officer.post(address, facts)
    shown = page_of(officer, f"/vendors/{vendor_id}")
    assert "Harbor Post" in shown
    assert "Ask for Cy." in shown


def test_what_we_run_ourselves_needs_no_agreement_and_is_attested_all_the_same(console: Console) -> None:
    officer = console.client("privacy_officer")
    ours = {"name": "Our own servers", "note": "", "relation": "ours"}
    address = officer.post("/vendors/new", ours)["Location"]
    shown = page_of(officer, address)
    assert "We run it ourselves" in shown
    assert "Nothing may go to this vendor." not in shown
    relay = {
        "kind": "smtp_route",
        "name": "Relay",
        "address": "smtp://relay.internal",
        "classes": ["contact"],
    }
    service = officer.post(f"{address}/services/new", relay)["Location"]
    assert "Nobody attests at present how the service is set up" in page_of(officer, service)
    officer.post(f"{service}/attest", ATTESTED | {"controls": [*Control]})
    assert "In use" in page_of(officer, service)
    assert "Run by us" in page_of(officer, "/vendors/")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"controls": []}, "Choose what is attested."),
        ({"controls": ["shoes"]}, "Select a valid choice"),
        ({"by": ""}, "This field is required."),
        ({"evidence": ""}, "This field is required."),
        (
            {"attested_on": "2099-01-01", "expires_on": "2099-02-01"},
            "That day is still to come.",
        ),
        ({"expires_on": "2099-01-01"}, "It holds for a year at most"),
        ({"expires_on": ""}, "This field is required."),
    ],
)
def test_an_attestation_that_cannot_be_says_so(console: Console, change: dict[str, Any], said: str) -> None:
    vendor_id, service_id = registered(console.organization)
    address = f"/vendors/{vendor_id}/services/{service_id}/attest"
    answer = console.client("privacy_officer").post(address, ATTESTED | {"controls": ["mfa"]} | change)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert "Rosa Delgado" in answer.content.decode() or "by" in change


def test_programs_list_the_services_and_whether_each_may_be_used(console: Console) -> None:
    _, service_id = registered(console.organization, signed_on=None)
    with acting_for(console.organization.id):
        key = identity.create_api_key(
            "Editor",
            [Permission.VENDORS_VENDOR_READ],
            actor=system(console.organization.id, "test"),
            allowed=Permission,
        )
    client = Client(headers={"host": "localhost", "authorization": f"Bearer {key}"})
    (found,) = client.get("/api/v1/services").json()["services"]
    assert (found["id"], found["kind"], found["name"]) == (str(service_id), "webhook", "Letters")
    assert (found["may_carry"], found["why_not"]) == (["contact", "dates_of_care"], "agreement_not_signed")
    assert client.get("/api/v1/services?kind=sms").json() == {"services": []}
    wrong = client.get("/api/v1/vendors/findings").json()["findings"]
    assert (wrong[0]["code"], wrong[0]["severity"]) == ("agreement_not_signed", "error")
    assert wrong[0]["subject_id"] == str(service_id)
    assert NAME not in str(wrong)
    assert client.get("/api/v1/services?kind=pigeon").status_code == 400
    for address in ("/api/v1/services", "/api/v1/vendors/findings"):
        assert Client(headers={"host": "localhost"}).get(address).status_code == 401


@pytest.mark.browser
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_pages_fit_and_are_accessible(console: Console, page_at: Callable[..., Page], width: int) -> None:
    vendor_id, service_id = registered(console.organization)
    lacking, _ = registered(console.organization, clauses=frozenset({Clause.SAFEGUARDS, Clause.LIABILITY}))
    agreement = vendor_of(console, vendor_id).agreements[0]
    page = page_at(width, dark=width == NARROW)
    sign_in(page, "privacy_officer")
    for name, address in (
        ("vendors", "/vendors/"),
        ("vendor-new", "/vendors/new"),
        ("vendor", f"/vendors/{vendor_id}"),
        ("vendor-lacking", f"/vendors/{lacking}"),
        ("vendor-agreement", f"/vendors/{vendor_id}/agreements/new"),
        ("vendor-end", f"/vendors/{vendor_id}/agreements/{agreement.id}/end"),
        ("vendor-service-new", f"/vendors/{vendor_id}/services/new"),
        ("vendor-service", f"/vendors/{vendor_id}/services/{service_id}"),
        ("vendor-attest", f"/vendors/{vendor_id}/services/{service_id}/attest"),
    ):
        page.goto(console.url + address)
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        keep_picture(page, name)
    page.goto(f"{console.url}/vendors/{vendor_id}/services/{service_id}")
    page.get_by_role("button", name="Show it").click()
    page.wait_for_selector("text=whsec_")
    assert_no_sideways_scroll(page)
    assert_accessible(page)
