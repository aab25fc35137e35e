"""The page and the address of the frequency cap: who may see it, who may change it, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from salus.delivery import api
from salus.delivery.contracts import Cap
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission, Role
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from tests.browser import NARROW, Console, assert_accessible, assert_no_sideways_scroll, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE, ADDRESS = "/settings/how-often/", "/api/v1/frequency-cap"
READ, EDIT = Permission.ORGANIZATION_SETTINGS_READ, Permission.ORGANIZATION_SETTINGS_EDIT


def present(organization: Organization) -> Cap | None:
    with acting_for(organization.id):
        return api.cap()


def program(organization: Organization, *scopes: Permission) -> Client:
    with acting_for(organization.id):
        key = identity.create_api_key(
            "settings", scopes, actor=system(organization.id, "test"), allowed=scopes
        )
    return Client(headers={"host": "localhost", "authorization": f"Bearer {key}"})


def put(client: Client, body: Any) -> Any:
    return client.put(ADDRESS, data=body, content_type="application/json")


@pytest.mark.parametrize("role", list(Role))
def test_who_may_read_settings_sees_it_and_who_may_not_finds_nothing(console: Console, role: Role) -> None:
    may = identity.permissions_of([role])
    client = console.client(role)
    assert client.get(PAGE).status_code == (200 if READ in may else 404)
    client.post(PAGE, {"at_most": "3", "days": "7"})
    assert present(console.organization) == (Cap(3, 7) if EDIT in may else None)


def test_an_administrator_sets_it_sees_it_and_takes_it_away(console: Console) -> None:
    client = console.client("administrator")
    assert b"There is no limit." in client.get(PAGE).content
    shown = client.post(PAGE, {"at_most": "3", "days": "7"}, follow=True)
    assert b"At most <b>3</b> messages in any <b>7</b> days." in shown.content
    assert b'value="3"' in shown.content
    client.post(PAGE, {"none": "1"})
    assert present(console.organization) is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"at_most": "0", "days": "7"}, b"This must be a whole number from 1 to 100."),
        ({"at_most": "3", "days": "91"}, b"This must be a whole number from 1 to 90."),
        ({"at_most": "three", "days": "7"}, b"Enter a whole number."),
        ({}, b"This field is required."),
    ],
)
def test_odd_numbers_come_back_with_what_is_wrong(
    console: Console, typed: dict[str, str], said: bytes
) -> None:
    answer = console.client("administrator").post(PAGE, typed)
    assert answer.status_code == 422
    assert said in answer.content
    assert present(console.organization) is None


def test_a_program_reads_sets_and_takes_it_away_as_far_as_its_key_goes(console: Console) -> None:
    clinic = console.organization
    whole, reader = program(clinic, READ, EDIT), program(clinic, READ)
    assert whole.get(ADDRESS).json() == {"cap": None}
    assert put(whole, {"cap": {"at_most": 3, "days": 7}}).json() == {"cap": {"at_most": 3, "days": 7}}
    assert reader.get(ADDRESS).json() == {"cap": {"at_most": 3, "days": 7}}
    assert put(reader, {"cap": None}).status_code in {403, 404}
    assert present(clinic) == Cap(3, 7)
    assert put(whole, {"cap": None}).json() == {"cap": None}
    odd: list[Any] = [
        {"cap": {"at_most": 0, "days": 7}},
        {"cap": {"at_most": True, "days": 7}},
        {},
        {"cap": {}},
    ]
    for body in odd:
        refused = put(whole, body)
        assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
    assert present(clinic) is None


def test_the_page_is_for_everybody_and_for_small_screens(
    console: Console, page_at: Callable[..., Page]
) -> None:
    page = page_at(NARROW)
    sign_in(page, "administrator")
    page.goto(f"{console.url}{PAGE}")
    assert_accessible(page)
    page.get_by_label("Messages, at most").fill("2")
    page.get_by_label("In so many days").fill("14")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("At most 2 messages in any 14 days.").wait_for()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
