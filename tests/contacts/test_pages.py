"""The contacts pages: masked until somebody says what for, and nothing for outsiders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from django.utils.safestring import mark_safe

from salus.audit.models import EntryRow
from salus.contacts import api
from salus.contacts.web import panels, views
from salus.contacts.web.showing import parse_number
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from salus.platform.web.templatetags.salus import contact_number
from tests.browser import Console, assert_accessible, assert_no_sideways_scroll, sign_in

from .people import email, patch, phone

CANARY = "Quandrethelmine"


@pytest.fixture
def people(console: Console) -> list[UUID]:
    with acting_for(console.organization.id):
        merged = api.merge(
            [
                patch(
                    email(f"{CANARY}@lakepost.test"),
                    phone("415-555-0132"),
                    mrn="CR-77",
                    given_name=CANARY,
                    birth_date="1980-02-28",
                    language="es",
                    state="WA",
                    relation="patient",
                    records={
                        "conditions": ({"id": "1", "system": "icd10", "code": "E11.9", "text": "Diabetes"},),
                        "labs": (
                            {"id": "2", "text": "A1c", "value": 9.1, "unit": "%", "date": "2026-01-02"},
                        ),
                    },
                ),
                patch(email("home@lakepost.test"), given_name="Orvin"),
                patch(email("home@lakepost.test"), given_name="Ulvric"),
            ],
            actor=system(console.organization.id, "test"),
        )
    return [one.contact_id for one in merged if one.contact_id]


def actions(console: Console) -> list[str]:
    with acting_for(console.organization.id):
        return list(EntryRow.objects.order_by("at").values_list("action", flat=True))


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_coordinator_finds_somebody_reveals_and_masks_again(
    console: Console, people: list[UUID], page_at: Callable[..., Any], width: int
) -> None:
    page = page_at(width)
    sign_in(page, "care_coordinator")
    page.goto(console.url + "/contacts/")
    assert CANARY.lower() not in page.content().lower()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("searchbox").fill(f"{CANARY}@lakepost.test")
    page.get_by_role("button", name="Find").click()

    assert page.url == f"{console.url}/contacts/{people[0]}"
    assert CANARY.lower() not in page.content().lower()
    assert "E11.9" not in page.content()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_label("What for?").select_option("treatment")
    page.get_by_label("Name and birth date").check()
    page.get_by_label("Conditions, medicines").check()
    page.get_by_role("button", name="Reveal for 5 minutes").click()

    assert CANARY in page.content()
    assert "Diabetes (E11.9)" in page.content()
    assert "2026-01-02 A1c 9.1 %" in page.content()
    assert "lakepost" not in page.content()
    assert CANARY not in page.title()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("button", name="Mask now").click()
    assert CANARY not in page.content()


def test_a_crowd_is_not_counted_to_its_end(
    console: Console, people: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = console.client("care_coordinator")
    monkeypatch.setattr(views, "COUNTED", 3)
    assert "3 people. " in client.get("/contacts/").content.decode()
    monkeypatch.setattr(views, "COUNTED", 2)
    assert "More than 2 people. " in client.get("/contacts/").content.decode()
    with acting_for(console.organization.id):
        assert (api.count(), api.count(2), api.count(4)) == (3, 2, 3)


def test_looking_and_searching_are_recorded_with_the_purpose(console: Console, people: list[UUID]) -> None:
    client = console.client("care_coordinator")
    client.post("/contacts/search", {"q": "CR-77"})
    client.post(f"/contacts/{people[0]}/reveal", {"purpose": "payment", "groups": ["reach"]})

    found = actions(console)
    assert {"contacts:record:search", "contacts:phi:reveal"} <= set(found)
    with acting_for(console.organization.id):
        entry = EntryRow.objects.get(action="contacts:phi:reveal")
        assert (entry.purpose, entry.patient_id) == ("payment", people[0])
        assert "email" in entry.fields


@pytest.mark.parametrize(
    "text", ["CR-77", "C-000 001", "1", "(415) 555-0132", f"{CANARY.upper()}@lakepost.test"]
)
def test_somebody_is_found_by_whatever_only_they_have(
    console: Console, people: list[UUID], text: str
) -> None:
    response = console.client("marketer").post("/contacts/search", {"q": text})

    assert response["Location"] == f"/contacts/{people[0]}"


def test_people_who_share_an_address_are_listed_masked(console: Console, people: list[UUID]) -> None:
    page = console.client("marketer").post("/contacts/search", {"q": "home@lakepost.test"}).content.decode()

    assert "2 people share this" in page
    assert "Orvin" not in page


@pytest.mark.parametrize("odd", ["²", "9" * 30, "-1", "x"])
def test_a_page_that_is_no_number_is_the_first_one(console: Console, people: list[UUID], odd: str) -> None:
    assert console.client("marketer").get("/contacts/", {"before": odd}).status_code == 200


@pytest.mark.parametrize("text", ["", "²", CANARY, "nobody@lakepost.test", "lakepost"])
def test_parts_of_names_and_addresses_find_nobody(console: Console, people: list[UUID], text: str) -> None:
    page = console.client("marketer").post("/contacts/search", {"q": text}).content.decode()

    assert "Nobody here has this" in page or "Write a whole" in page


def test_a_reveal_needs_a_purpose_and_ends_after_five_minutes(
    console: Console, people: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = console.client("care_coordinator")
    address = f"/contacts/{people[0]}"
    refused = client.post(f"{address}/reveal", {"groups": ["who"]}).content.decode()
    assert "Say what for" in refused
    assert CANARY not in refused

    client.post(f"{address}/reveal", {"groups": ["who"], "purpose": "treatment"})
    assert CANARY in client.get(address).content.decode()
    later = timezone.now() + timedelta(minutes=5, seconds=1)
    monkeypatch.setattr("salus.contacts.web.views.timezone.now", lambda: later)
    assert CANARY not in client.get(address).content.decode()


def test_a_role_that_may_not_reveal_sees_the_mask_only(console: Console, people: list[UUID]) -> None:
    client = console.client("marketer")
    page = client.get(f"/contacts/{people[0]}").content.decode()

    assert "Reveal for 5 minutes" not in page
    assert "Spanish" in page
    assert (
        client.post(f"/contacts/{people[0]}/reveal", {"groups": ["who"], "purpose": "treatment"}).status_code
        == 404
    )


def test_an_outsider_sees_nobody(
    console: Console, people: list[UUID], make_clinic: Callable[..., Any]
) -> None:
    stranger = Console(console.url, make_clinic("Other Clinic")).client("care_coordinator")

    assert stranger.get(f"/contacts/{people[0]}").status_code == 404
    assert (
        stranger.post(
            f"/contacts/{people[0]}/reveal", {"groups": ["who"], "purpose": "treatment"}
        ).status_code
        == 404
    )
    assert "Nobody here has this" in stranger.post("/contacts/search", {"q": "CR-77"}).content.decode()
    assert "No people yet" in stranger.get("/contacts/").content.decode()


def test_older_contacts_are_a_page_away(console: Console) -> None:
    with acting_for(console.organization.id):
        api.merge([patch(mrn=str(n)) for n in range(60)], actor=system(console.organization.id, "test"))
    client = console.client("marketer")
    first = client.get("/contacts/").content.decode()

    assert "C-000 060" in first
    assert "C-000 010" not in first
    assert "?before=11" in first
    assert "C-000 010" in client.get("/contacts/", {"before": "11"}).content.decode()


def test_higher_storeys_add_panels_to_the_page(console: Console, people: list[UUID]) -> None:
    said = mark_safe('<section class="sheet"><h2>May we write?</h2></section>')
    before = list(panels._panels)
    panels.use_panels([lambda request, contact_id: said, lambda request, contact_id: None])
    try:
        assert "May we write?" in console.client("marketer").get(f"/contacts/{people[0]}").content.decode()
    finally:
        panels.use_panels(before)


@pytest.mark.parametrize("number", [1, 4218, 12_345_678])
def test_a_contact_number_is_read_as_it_is_written(number: int) -> None:
    assert parse_number(contact_number(number)) == number
    assert parse_number("C-abc") is None
