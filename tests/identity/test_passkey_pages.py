"""Passkeys in a real browser, whose authenticator is Chromium's own virtual one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.test.utils import override_settings
from playwright.sync_api import Page, expect

from salus.identity import api as identity
from salus.identity import staff
from salus.identity.contracts import Role
from salus.kernel.acting import system
from salus.kernel.time import FakeClock
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

pytestmark = pytest.mark.browser
PageAt = Callable[..., Page]


@pytest.fixture(autouse=True)
def here(console: Console) -> Iterator[None]:
    """Passkeys belong to the public address: in a test that is the server's."""
    with override_settings(SALUS_PUBLIC_URL=console.url):
        yield


def with_device(page: Page) -> None:
    """Give the browser a device that has passkeys and knows its holder."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def looks_right(page: Page, name: str) -> None:
    keep_picture(page, name)
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_somebody_adds_a_passkey_and_signs_in_with_nothing_else(
    console: Console, page_at: PageAt, width: int
) -> None:
    page = page_at(width)
    with_device(page)
    sign_in(page, Role.MARKETER)
    page.goto(console.url + "/account")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("Chrome on Linux").first).to_be_visible()
    expect(page.get_by_role("button", name="Remove the passkey of Chrome on Linux")).to_be_visible()
    looks_right(page, "account with a passkey")
    page.context.clear_cookies()
    page.goto(console.url + "/sign-in?next=/account")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    looks_right(page, "sign in with a passkey")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Marisol Ibarra")).to_be_visible()
    assert page.url == console.url + "/account"
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_text("The passkey is removed")).to_be_visible()
    page.context.clear_cookies()
    page.goto(console.url + "/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("That did not work")
    looks_right(page, "passkey refused")


def test_a_passkey_is_the_first_second_factor_of_somebody_who_joins(
    console: Console, page_at: PageAt
) -> None:
    page = page_at(WIDE)
    with_device(page)
    email = f"nora@{console.organization.slug}.example.org"
    with acting_for(console.organization.id):
        actor = system(console.organization.id, "test")
        person = staff.create(name="Nora Quist", email=email, roles=[Role.ANALYST], actor=actor)
        path = identity.invite_staff(person.id, actor=actor)
    page.goto(console.url + path)
    page.get_by_label("Choose a password").fill("umbrella quartz seven lanterns")
    page.get_by_label("The same again").fill("umbrella quartz seven lanterns")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Use a passkey of this device")).to_be_visible()
    looks_right(page, "set up with a passkey")
    page.get_by_role("button", name="Use a passkey of this device").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    code = page.get_by_role("listitem").first.inner_text()
    for choice in ("passkey", "code"):
        page.context.clear_cookies()
        page.goto(console.url + "/sign-in?next=/account")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill("umbrella quartz seven lanterns")
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("heading", name="Your second factor")).to_be_visible()
        if choice == "passkey":
            looks_right(page, "passkey after the password")
            page.get_by_role("button", name="Use your passkey").click()
        else:
            page.get_by_role("textbox", name="Code").fill(code)
            page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name="Nora Quist")).to_be_visible()
    page.get_by_role("button", name="Make new recovery codes").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    assert page.get_by_role("listitem").first.inner_text() != code


def test_a_device_without_the_passkey_says_so_and_the_form_goes_on(console: Console, page_at: PageAt) -> None:
    page = page_at(WIDE)
    with_device(page)
    page.goto(console.url + "/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("No passkey was used.")).to_be_visible()
    page.get_by_label("E-mail").fill("somebody@example.org")


def test_an_old_session_does_not_change_passkeys(console: Console, clock: FakeClock) -> None:
    client = console.client(Role.ANALYST)
    clock.advance(timedelta(minutes=10))
    assert client.get("/account").status_code == 200
    clock.advance(timedelta(minutes=6))
    assert b"sign out and in again" in client.get("/account").content
    for path in ("/account/passkeys", "/account/passkeys/1/remove"):
        refused = client.post(path, {"answer": "{}"})
        assert refused.status_code == 409
        assert b"more than 15 minutes ago" in refused.content


def test_nobody_without_a_first_step_sets_anything_up(console: Console) -> None:
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    for path in ("/sign-in/set-up/passkey", "/sign-in/set-up/passkey/ask", "/account/passkeys/ask"):
        assert client.post(path).status_code == 302
    assert client.post("/sign-in/passkey", {"answer": "no JSON"}).status_code == 200
