"""The sign-in pages in a real browser, by hand, wide and narrow, light and dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from salus.identity import api as identity
from salus.identity import ports, second_factor, staff
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


def looks_right(page: Page, name: str) -> None:
    """Check what every page must be, and keep a picture of it."""
    keep_picture(page, name)
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_demo_sign_in_works_by_hand(console: Console, page_at: PageAt, width: int) -> None:
    page = page_at(width)
    ready = {each.role: each for each in identity.demo_sign_ins(console.organization)}[Role.MARKETER]
    page.goto(console.url + "/account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    looks_right(page, "sign in")
    page.get_by_label("E-mail").fill(ready.email)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("That did not work")
    assert page.get_by_label("E-mail").input_value() == ready.email, "nothing typed is lost"
    looks_right(page, "sign in refused")
    page.get_by_label("Password").fill(ready.password)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("textbox", name="Code")).to_be_focused()
    looks_right(page, "code")
    page.get_by_role("textbox", name="Code").fill(ready.code)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Marisol Ibarra")).to_be_visible()
    assert page.url == console.url + "/account", "back where they wanted to go"
    looks_right(page, "account")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_an_invitation_leads_to_a_password_a_second_factor_and_recovery_codes(
    console: Console, page_at: PageAt, width: int
) -> None:
    page = page_at(width, dark=True)
    with acting_for(console.organization.id):
        actor = system(console.organization.id, "test")
        email = f"new-{width}@{console.organization.slug}.example.org"
        person = staff.create(name="Nora Quist", email=email, roles=[Role.ANALYST], actor=actor)
        path = identity.invite_staff(person.id, actor=actor)
    page.goto(console.url + path)
    looks_right(page, "join dark")
    page.get_by_label("Choose a password").fill("password1234")
    page.get_by_label("The same again").fill("password1234")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("Choose a password")).to_be_focused()
    page.get_by_label("Choose a password").fill("umbrella quartz seven lanterns")
    page.get_by_label("The same again").fill("umbrella quartz seven lanterns")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Set up your code")).to_be_visible()
    looks_right(page, "set up dark")
    page.goto(console.url + "/account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(console.url + "/sign-in/set-up")
    page.get_by_text("No camera?").click()
    secret = page.locator("details .mono").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill(second_factor.code_now(secret, ports.now()))
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    assert page.locator(".codes li").count() == 10
    looks_right(page, "recovery codes dark")
    page.goto(console.url + "/account")
    expect(page.get_by_role("heading", name="Nora Quist")).to_be_visible()
    page.goto(console.url + path)
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_staff_keys_and_error_pages_look_right(console: Console, page_at: PageAt, width: int) -> None:
    page = page_at(width)
    sign_in(page, "administrator")
    for path, name in (("/staff", "staff"), ("/keys", "keys"), ("/nothing", "absent"), ("/-/parts", "parts")):
        page.goto(console.url + path)
        looks_right(page, name)
    page.goto(console.url + "/staff")
    page.get_by_role("link", name="Priya Raman").click()
    looks_right(page, "person")
    page.goto(console.url + "/keys")
    page.get_by_label("What uses it?").fill("Health record")
    page.get_by_label("contacts:import:run").check()
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    looks_right(page, "key made")


def test_the_phone_has_the_rooms_behind_a_button_and_can_sign_out(console: Console, page_at: PageAt) -> None:
    page = page_at(NARROW)
    sign_in(page, "administrator")
    page.goto(console.url + "/account")
    expect(page.get_by_role("link", name="Staff")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Staff")).to_be_visible()
    expect(page.get_by_role("link", name="Campaigns")).to_have_count(0)
    looks_right(page, "menu")
    page.get_by_role("navigation").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_every_role_finds_the_way_out_on_a_phone(console: Console, page_at: PageAt) -> None:
    page = page_at(NARROW)
    for role in Role:
        sign_in(page, role)
        page.goto(console.url + "/account")
        page.get_by_role("button", name="Menu").click()
        expect(page.get_by_role("navigation").get_by_role("button", name="Sign out")).to_be_visible()


def test_everything_works_without_javascript(console: Console, page_at: PageAt) -> None:
    page = page_at(WIDE, javascript=False)
    sign_in(page, "analyst")
    page.goto(console.url + "/account")
    page.get_by_role("radio", name="Dark").check(force=True)
    page.get_by_role("button", name="Keep this").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_a_page_left_alone_goes_to_the_sign_in_page_and_typing_keeps_it(
    console: Console, page_at: PageAt, clock: FakeClock
) -> None:
    page = page_at(WIDE)
    page.clock.install()
    sign_in(page, "analyst")
    page.goto(console.url + "/account")

    def pass_minutes(minutes: int) -> None:
        clock.advance(timedelta(minutes=minutes))
        page.clock.fast_forward(minutes * 60_000)

    pass_minutes(10)
    with page.expect_response("**/session/alive") as told:
        page.get_by_label("Present password").press("a")
    assert told.value.status == 204
    pass_minutes(10)
    page.clock.run_for(15_000)
    assert page.url.endswith("/account"), "somebody typed ten minutes ago"
    pass_minutes(6)
    page.clock.run_for(15_000)
    expect(page).to_have_url(re.compile(r"/sign-in\?ended=idle"), timeout=15_000)
    expect(page.get_by_text("You were away for 15 minutes")).to_be_visible()
