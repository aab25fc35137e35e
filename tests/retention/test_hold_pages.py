"""The pages of legal holds: from a person's page to a hold that stands and is lifted, for those who may."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from salus.identity.contracts import Role
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.privacy import api as privacy
from salus.privacy.contracts import Kind
from salus.retention import api
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
    privacy.use_packages(PACKAGES)
    actor, now = system(console.organization.id, "test"), timezone.now()
    with acting_for(console.organization.id):
        (id,) = office.admit([office.patient("ada", "ada@lakepost.example.test", now)], actor)
    return id


def put(console: Console, person: UUID | None) -> UUID:
    with acting_for(console.organization.id):
        actor = system(console.organization.id, "test")
        return api.put(person, reason="A lawyer wrote", reference="No. 7", actor=actor, at=timezone.now())


def test_only_the_privacy_office_sees_holds_and_forbidden_reads_like_absent(
    console: Console, person: UUID
) -> None:
    hold = put(console, person)
    addresses = [
        "/privacy/holds/", "/privacy/holds/new", f"/privacy/holds/{hold}", f"/privacy/people/{person}/holds/new",
    ]  # fmt: skip
    for role in Role:
        client = console.client(role)
        shown = client.get(f"/contacts/{person}").content.decode()
        assert ("Put another hold" in shown) == (role == OFFICER)
        for each in addresses:
            assert (client.get(each).status_code == 200) == (role == OFFICER)
            if role != OFFICER:
                assert client.post(each, {"reason": "x"}).status_code in (404, 405)
    client = console.client(OFFICER)
    for each in addresses[2:]:
        absent = each.replace(str(hold), str(new_id())).replace(str(person), str(new_id()))
        assert {client.get(absent).status_code, client.post(absent, {"reason": "x"}).status_code} == {404}
    with acting_for(console.organization.id):
        assert api.standing() == 1


def test_bad_input_is_said_at_its_field_and_changes_nothing(console: Console, person: UUID) -> None:
    client, hold = console.client(OFFICER), put(console, person)
    for address in (f"/privacy/people/{person}/holds/new", "/privacy/holds/new", f"/privacy/holds/{hold}"):
        refused = client.post(address, {"reason": " "})
        assert refused.status_code == 400
        assert "Say why." in refused.content.decode()
    assert client.post(f"/privacy/holds/{hold}", {"reason": "over"}).status_code == 302
    again = client.post(f"/privacy/holds/{hold}", {"reason": "over"})
    assert again.status_code == 409
    assert "lifted already" in again.content.decode()


def test_a_request_for_erasure_says_that_it_waits_for_a_hold(console: Console, person: UUID) -> None:
    actor, now = system(console.organization.id, "test"), timezone.now()
    with acting_for(console.organization.id):
        id = privacy.receive(person, Kind.ERASURE, note="", received_at=now, actor=actor, at=now)
    client = console.client(OFFICER)
    assert client.post(f"/privacy/requests/{id}/approve").status_code == 302
    hold = put(console, person)
    shown = client.get(f"/privacy/requests/{id}").content.decode()
    assert "The request waits until" in shown
    assert "carry-out" not in shown
    refused = client.post(f"/privacy/requests/{id}/carry-out")
    assert refused.status_code == 409
    assert "A legal hold covers this person since" in refused.content.decode()
    client.post(f"/privacy/holds/{hold}", {"reason": "over"})
    assert "carry-out" in client.get(f"/privacy/requests/{id}").content.decode()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_hold_is_put_listed_and_lifted_in_the_browser(
    console: Console, person: UUID, page_at: Callable[..., Page], width: int
) -> None:
    page = page_at(width)
    sign_in(page, OFFICER)
    page.goto(f"{console.url}/privacy/holds/")
    expect(page.get_by_role("heading", name="No holds")).to_be_visible()
    assert_accessible(page)
    page.goto(f"{console.url}/contacts/{person}")
    page.get_by_role("link", name="Put a legal hold").click()
    expect(page.get_by_role("button", name="Put the hold on 1 person")).to_be_visible()
    assert_accessible(page)
    keep_picture(page, "hold-new")
    page.get_by_label("Reason").fill("A lawyer asked us to keep everything")
    page.get_by_label("Reference").fill("No. 26-1187")
    page.get_by_role("button", name="Put the hold on 1 person").click()
    expect(page.get_by_text("Stands", exact=True)).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "hold")
    page.goto(f"{console.url}/contacts/{person}")
    panel = page.locator("section", has=page.get_by_role("heading", name="Legal holds"))
    expect(panel).to_contain_text("Until it is lifted nothing of theirs is erased.")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "hold-contact")
    page.goto(f"{console.url}/privacy/holds/")
    page.get_by_role("link", name="Hold everybody").click()
    page.get_by_label("Reason").fill("An inquiry")
    page.get_by_role("button", name="Hold everybody").click()
    expect(page.get_by_text("Stands", exact=True)).to_be_visible()
    page.goto(f"{console.url}/privacy/holds/")
    expect(page.get_by_text("Everybody is held.")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "holds")
    page.locator("tbody").get_by_role("link").first.click()
    page.get_by_label("Reason").fill("The case is over")
    page.get_by_role("button", name="Lift the hold").click()
    expect(page.get_by_text("Why lifted")).to_be_visible()
    assert_accessible(page)
    keep_picture(page, "hold-lifted")
    page.goto(f"{console.url}/contacts/{person}")
    expect(panel).to_contain_text("Stands")
    expect(panel).to_contain_text("Lifted")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
