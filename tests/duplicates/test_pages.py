"""The pages of duplicates: from a proposal to one record and back, for those who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.duplicates import api
from salus.identity.contracts import Permission, Role
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel
from salus.platform.tenancy import acting_for
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)

MAY = (Role.PRIVACY_OFFICER, Role.CARE_COORDINATOR)
OFFICER = "privacy_officer"
CANARY = "Quillfeather"


def take_in(console: Console, mrn: str, email: str, given: str = "Ada", born: str = "1980-02-03") -> UUID:
    actor, day = system(console.organization.id, "test"), timezone.now().date()
    address = Address(Channel.EMAIL, Phi(email), AddressSource.CLINICAL_ENCOUNTER, "front desk", day)
    patch = ContactPatch(
        identifiers=(Identifier("mrn", Phi(mrn)),),
        addresses=(address,),
        values={
            "given_name": given,
            "family_name": CANARY,
            "birth_date": born,
            "state": "WA",
            "relation": "patient",
        },
    )
    with acting_for(console.organization.id):
        (merged,) = contacts.merge([patch], actor=actor)
    assert merged.contact_id is not None
    return merged.contact_id


@pytest.fixture
def two(console: Console) -> tuple[UUID, UUID]:
    """Two records of Ada, and a child of hers who shares an address."""
    mrns = [new_id().hex[-8:] for _ in range(3)]
    kept = take_in(console, mrns[0], "ada@lakepost.example.test")
    gone = take_in(console, mrns[1], "ada.l@lakepost.example.test")
    take_in(console, mrns[2], "ada@lakepost.example.test", "Björn", "2015-05-06")
    return kept, gone


def numbers(console: Console, *ids: UUID) -> list[int]:
    with acting_for(console.organization.id):
        found = contacts.numbers_of(ids)
    return [found[each] for each in ids]


def test_only_who_merges_sees_the_room_and_forbidden_reads_like_absent(
    console: Console, two: tuple[UUID, UUID]
) -> None:
    kept, gone = two
    gets = ["/duplicates/", f"/duplicates/{kept}/{gone}", "/duplicates/merges/"]
    posts = [f"/duplicates/{kept}/{gone}", f"/duplicates/{kept}/{gone}/apart", "/duplicates/find"]
    for role in Role:
        client = console.client(role)
        wanted = {200} if role in MAY else {404}
        assert {client.get(each).status_code for each in gets} == wanted, role
        if role not in MAY:
            assert {client.post(each).status_code for each in posts} == {404}
    client = console.client(OFFICER)
    assert CANARY not in client.get("/duplicates/").content.decode(), (
        "a list of proposals shows nobody's values"
    )
    shown = client.get("/duplicates/").content.decode()
    assert str(kept) in shown
    assert "Björn" not in shown
    for path in (
        f"/duplicates/{kept}/{new_id()}",
        f"/duplicates/{kept}/{kept}",
        f"/duplicates/merges/{new_id()}",
    ):
        assert client.get(path).status_code == 404
    assert client.get("/duplicates/?after=zz").status_code == 400
    assert len(numbers(console, *two)) == 2


def test_bad_input_is_said_at_its_field_and_merges_nobody(console: Console, two: tuple[UUID, UUID]) -> None:
    kept, gone = two
    client, (one, other) = console.client(OFFICER), numbers(console, *two)
    missing = client.post(f"/duplicates/{kept}/{gone}", {"keep": "0", "of_email": "0", "why": ""})
    assert missing.status_code == 400
    assert "Say why" in missing.content.decode()
    assert (
        client.post(f"/duplicates/{kept}/{gone}", {"keep": "7", "of_email": "0", "why": "x"}).status_code
        == 400
    )
    for first, second in ((one, 999_999), (one, one), ("x", other), ("", "")):
        assert client.post("/duplicates/find", {"first": first, "second": second}).status_code == 400
    found = client.post("/duplicates/find", {"first": one, "second": f"C-{other}"})
    assert (found.status_code, found.headers["Location"]) == (302, f"/duplicates/{kept}/{gone}")


def test_the_old_address_leads_to_the_person_for_pages_and_programs(
    console: Console, two: tuple[UUID, UUID]
) -> None:
    kept, gone = two
    who = Actor(
        ActorKind.STAFF, console.organization.id, new_id(),
        permissions=frozenset({Permission.CONTACTS_RECORD_MERGE.value}),
    )  # fmt: skip
    with acting_for(console.organization.id):
        api.merge(kept, gone, {}, "One person", actor=who, at=timezone.now() + timedelta(seconds=1))
    client = console.client(OFFICER)
    old = client.get(f"/contacts/{gone}")
    assert (old.status_code, old.headers["Location"]) == (302, f"/contacts/{kept}")
    page = client.get(f"/contacts/{kept}").content.decode()
    assert "Merged records" in page
    assert client.post(f"/contacts/{gone}/reveal").status_code == 404
    assert client.get(f"/duplicates/{kept}/{gone}").status_code == 404, "there is nothing left to merge"
    assert console.client("developer").get(f"/contacts/{gone}").status_code == 404


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_two_records_are_merged_and_taken_apart_in_a_browser(
    console: Console, two: tuple[UUID, UUID], page_at: Callable[..., Page], width: int
) -> None:
    kept, gone = two
    page, name = page_at(width), "duplicates"
    sign_in(page, OFFICER)
    page.goto(f"{console.url}/duplicates/")
    expect(page.get_by_role("heading", name="Duplicates", level=1)).to_be_visible()
    expect(page.get_by_text("Same name and birth date").first).to_be_visible()
    look(page, f"{name}-list")

    page.goto(f"{console.url}/duplicates/{kept}/{gone}")
    expect(page.get_by_role("heading", name="One person?")).to_be_visible()
    look(page, f"{name}-pair")
    page.get_by_role("group", name="E-mail: whose?").get_by_label("Both").check()
    page.get_by_label("Why are they one person?").fill("The front desk met her")
    page.get_by_role("button", name="Merge 2 records into 1").click()
    expect(page.get_by_role("heading", name="Merged records")).to_be_visible()
    look(page, f"{name}-contact")

    page.goto(f"{console.url}/contacts/{gone}")
    expect(page).to_have_url(f"{console.url}/contacts/{kept}")
    page.get_by_role("link", name=" into ").click()
    expect(page.get_by_role("heading", name="Take it apart")).to_be_visible()
    look(page, f"{name}-merge")
    page.get_by_label("Why were they not one person?").fill("Two sisters")
    page.get_by_role("button", name="Split into 2 records").click()
    expect(page.get_by_role("heading", name="Taken apart")).to_be_visible()
    look(page, f"{name}-split")
    page.goto(f"{console.url}/duplicates/merges/")
    expect(page.get_by_text("Taken apart").first).to_be_visible()
    look(page, f"{name}-merges")
    assert len(numbers(console, *two)) == 2


def look(page: Page, name: str) -> None:
    """Look with axe, and for sideways scroll; keep a picture."""
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, name)
