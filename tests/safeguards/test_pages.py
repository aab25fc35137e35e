"""The page of the protection policy and the panel of a person's wish: who may, what is refused, how it looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from salus.identity import api as identity
from salus.identity.contracts import Permission, Role
from salus.kernel.vocabulary import Protection
from salus.platform.tenancy import acting_for
from salus.safeguards import api
from salus.safeguards.web.wording import EXAMPLE, LEVELS, WISHES
from tests.browser import NARROW, Console, assert_accessible, assert_no_sideways_scroll, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = "/settings/protection/"
READ, EDIT = Permission.ORGANIZATION_SETTINGS_READ, Permission.ORGANIZATION_SETTINGS_EDIT


def number(console: Console) -> int:
    with acting_for(console.organization.id):
        return api.number()


@pytest.mark.parametrize("role", list(Role))
def test_who_may_read_settings_sees_it_and_who_may_not_finds_nothing(console: Console, role: Role) -> None:
    may, before = identity.permissions_of([role]), number(console)
    client = console.client(role)
    assert client.get(PAGE).status_code == (200 if READ in may else 404)
    client.post(PAGE, {"text": EXAMPLE, "after": before})
    assert number(console) == before + (1 if EDIT in may else 0)


def test_a_policy_is_told_in_sentences_and_a_fault_by_its_rule(console: Console) -> None:
    client, before = console.client("administrator"), number(console)
    shown = client.post(PAGE, {"text": EXAMPLE, "after": before}, follow=True).content.decode()
    assert "Messages for lab result or portal notice need at least the portal." in shown
    assert "marked [secure]" in shown
    refused = client.post(PAGE, {"text": EXAMPLE.replace('"diagnosis"', '"diagnoses"'), "after": before + 1})
    assert refused.status_code == 422
    assert "rule 3" in refused.content.decode()
    assert "diagnoses" in refused.content.decode()
    late = client.post(PAGE, {"text": "# mine", "after": before})
    assert late.status_code == 409
    assert "Somebody saved another policy meanwhile" in late.content.decode()
    assert "# mine" in late.content.decode()
    assert number(console) == before + 1


def test_the_page_is_for_everybody_and_for_small_screens(
    console: Console, page_at: Callable[..., Page]
) -> None:
    page = page_at(NARROW)
    sign_in(page, "administrator")
    page.goto(f"{console.url}{PAGE}")
    assert_accessible(page)
    page.get_by_label("The policy").fill(EXAMPLE)
    page.get_by_role("button", name="Put in force").click()
    page.get_by_text("need at least the portal.").first.wait_for()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_what_a_level_is_called_is_said_for_each() -> None:
    assert set(LEVELS) == set(Protection)
    assert {level for level in WISHES if level} == set(api.WISHES)
