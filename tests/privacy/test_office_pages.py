"""The pages of the privacy office: from a contact's page to an answered request, for those who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from salus.identity.contracts import Role
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.platform.tenancy import acting_for
from salus.privacy import api, tasks
from salus.privacy.contracts import Disclosure, Ground, Kind, Status
from salus.wiring.person import PACKAGES
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from tests.delivery import office

OFFICER = "privacy_officer"


@pytest.fixture
def person(console: Console) -> UUID:
    api.use_packages(PACKAGES)
    actor, now = system(console.organization.id, "test"), timezone.now()
    with acting_for(console.organization.id):
        (id,) = office.admit([office.patient("ada", "ada@lakepost.example.test", now)], actor)
    return id


def receive(console: Console, person: UUID, kind: Kind, days_ago: int = 0) -> UUID:
    now = timezone.now()
    with acting_for(console.organization.id):
        return api.receive(
            person, kind, note="Came in with an ID card", received_at=now - timedelta(days=days_ago),
            actor=system(console.organization.id, "test"), at=now,
        )  # fmt: skip


def status(console: Console, request_id: UUID) -> Status:
    with acting_for(console.organization.id):
        return api.request(request_id, actor=system(console.organization.id, "test")).status


def test_only_who_answers_requests_sees_the_room_and_forbidden_reads_like_absent(
    console: Console, person: UUID
) -> None:
    id = receive(console, person, Kind.ACCESS)
    gets = ["/privacy/requests/", f"/privacy/requests/{id}", f"/privacy/requests/{id}/carry-out",
            f"/privacy/people/{person}/requests/new", f"/privacy/people/{person}/accounting"]  # fmt: skip
    posts = [f"/privacy/requests/{id}/{act}" for act in ("approve", "extend", "refuse", "carry-out", "copy")]
    posts += [f"/privacy/people/{person}/{act}" for act in ("requests/new", "accounting", "accounting/file")]
    for role in Role:
        client = console.client(role)
        shown = client.get(f"/contacts/{person}").content.decode()
        assert (f"/privacy/people/{person}/requests/new" in shown) == (role == OFFICER)
        if role != OFFICER:
            assert {client.get(each).status_code for each in gets} == {404}
            assert {client.post(each).status_code for each in posts} == {404}
    client = console.client(OFFICER)
    assert client.get(gets[2]).status_code == 409, "nothing is carried out before it is approved"
    gone = [each.replace(str(id), str(new_id())).replace(str(person), str(new_id())) for each in gets[1:]]
    assert {client.get(each).status_code for each in gone} == {404}
    assert status(console, id) is Status.OPEN


def test_bad_input_is_said_at_its_field_and_changes_nothing(console: Console, person: UUID) -> None:
    client, id = console.client(OFFICER), receive(console, person, Kind.ACCESS)
    late = receive(console, person, Kind.ACCESS, days_ago=40)
    tomorrow = (timezone.localdate() + timedelta(days=2)).isoformat()
    new, accounting = f"/privacy/people/{person}/requests/new", f"/privacy/people/{person}/accounting"
    for address, sent, says in (
        (new, {"kind": "access", "received_at": tomorrow}, "in the future"),
        (new, {"kind": "everything", "received_at": "x"}, "Write the day"),
        (f"/privacy/requests/{id}/refuse", {"reason": " "}, "required"),
        (f"/privacy/requests/{id}/extend", {"reason": ""}, "required"),
        (accounting, {"at": tomorrow, "recipient": "C", "what": "n", "purpose": "p", "ground": "court"}, "future"),
        (accounting, {"at": "2026-01-02", "recipient": "", "ground": "gossip"}, "required"),
    ):  # fmt: skip
        answer = client.post(address, sent)
        assert answer.status_code == 400
        assert says in answer.content.decode()
    assert client.post(f"/privacy/requests/{late}/extend", {"reason": "x"}).status_code == 409
    assert client.post(f"{accounting}/file", {"language": "fr"}).status_code == 400
    copied = client.post(f"/privacy/requests/{id}/copy", {"form": "pdf"})
    assert copied.status_code == 404, "no copy was made"
    assert client.get(f"/privacy/requests/{id}/approve").status_code == 405
    assert status(console, id) is Status.OPEN


def test_a_copy_and_an_accounting_are_handed_over_as_files(console: Console, person: UUID) -> None:
    client, id, clinic = (
        console.client(OFFICER),
        receive(console, person, Kind.ACCESS),
        console.organization.id,
    )
    client.post(f"/privacy/requests/{id}/approve")
    assert client.post(f"/privacy/requests/{id}/carry-out").status_code == 302
    assert "Under way" in client.get(f"/privacy/requests/{id}").content.decode()
    tasks.export(organization_id=str(clinic), request_id=str(id))
    assert client.post(f"/privacy/requests/{id}/copy", {"form": "tape"}).status_code == 400
    for form, kind, ending in (
        ("json", "application/json", "json"),
        ("fhir", "application/fhir+json", "fhir.json"),
        ("pdf", "application/pdf", "pdf"),
    ):
        answer = client.post(f"/privacy/requests/{id}/copy", {"form": form})
        assert answer["Content-Type"] == kind
        assert answer["Content-Disposition"] == f'attachment; filename="record-{id}.{ending}"'
        assert answer["Cache-Control"] == "no-store"
        if form == "pdf":
            assert answer.content.startswith(b"%PDF-")
        else:
            assert "Ada" in answer.content.decode()
    day = {
        "at": (timezone.localdate() - timedelta(days=1)).isoformat(),
        "recipient": "County Court",
        "what": "Notes",
    }
    address = f"/privacy/people/{person}/accounting"
    assert client.post(address, {**day, "purpose": "An order", "ground": "court"}).status_code == 302
    assert "County Court" in client.post(f"{address}/file", {"language": "en"}).content.decode()


def suspend_on_the_page(page: Page, look: Callable[[str], None]) -> None:
    page.get_by_role("link", name="The agency asks not to tell").click()
    expect(page.get_by_role("heading", name="An agency asks not to tell")).to_be_visible()
    page.get_by_label("Who asks for it").fill("Agent Roe")
    page.get_by_label("Aloud").check()
    page.get_by_label("Ends on").fill((timezone.localdate() + timedelta(days=60)).isoformat())
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_text("within 30 days")).to_be_visible()
    look("privacy-suspend")
    page.get_by_label("Ends on").fill((timezone.localdate() + timedelta(days=20)).isoformat())
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_role("heading", name="Not told for now")).to_be_visible()
    look("privacy-suspended")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_pages_are_accessible_and_fit(
    console: Console, person: UUID, page_at: Callable[..., Page], width: int
) -> None:
    page, clinic = page_at(width), console.organization.id
    overdue = receive(console, person, Kind.ACCOUNTING, days_ago=90)
    erasure = receive(console, person, Kind.ERASURE)
    sign_in(page, OFFICER)

    def look(name: str) -> None:
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        keep_picture(page, name)

    page.goto(f"{console.url}/contacts/{person}")
    page.get_by_role("link", name="Record a request").click()
    expect(page.get_by_role("heading", name="Record a request")).to_be_visible()
    look("privacy-new")
    page.get_by_label("A copy of the record").check()
    page.get_by_role("button", name="Record the request").click()
    expect(page.get_by_role("heading", name="A copy of the record")).to_be_visible()
    look("privacy-request")
    page.get_by_role("button", name="Refuse the request").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    look("privacy-request-wrong")
    page.goto(f"{console.url}/privacy/requests/")
    expect(page.get_by_role("heading", name="Requests", exact=True)).to_be_visible()
    look("privacy-requests")
    page.goto(f"{console.url}/privacy/requests/{erasure}")
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("link", name="Carry it out").click()
    expect(page.get_by_role("button", name="Erase 1 person")).to_be_visible()
    look("privacy-carry-out")
    now = timezone.now()
    with acting_for(clinic):
        said = {
            "address": "1 Main St",
            "what": "Visit notes",
            "purpose": "An order",
        }
        for ground in (Ground.COURT, Ground.AUTHORIZATION, Ground.OVERSIGHT):
            said["recipient"] = "State Board" if ground is Ground.OVERSIGHT else "County Court"
            facts = Disclosure(now, ground=ground, **{name: Phi(text) for name, text in said.items()})
            api.record_disclosure(person, facts, actor=system(clinic, "test"), at=now)
    page.goto(f"{console.url}/privacy/people/{person}/accounting")
    expect(page.get_by_text("County Court")).to_be_visible()
    look("privacy-accounting")
    suspend_on_the_page(page, look)
    page.goto(f"{console.url}/privacy/requests/{erasure}/carry-out")
    page.get_by_role("button", name="Erase 1 person").click()
    expect(page.get_by_text("Under way since")).to_be_visible()
    tasks.erase(organization_id=str(clinic), request_id=str(erasure))
    page.reload()
    expect(page.get_by_role("heading", name="Completion record")).to_be_visible()
    look("privacy-done")
    assert status(console, erasure) is Status.DONE
    assert status(console, overdue) is Status.OPEN
