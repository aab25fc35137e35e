"""The pages of roles, sessions and emergency access in a real browser, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

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
def test_a_role_is_made_and_granted_by_two(console: Console, page_at: PageAt, width: int) -> None:
    page = page_at(width)
    sign_in(page, "administrator")
    page.goto(console.url + "/roles/new")
    page.get_by_label("Name").fill("Front desk")
    page.get_by_label("See contacts, with protected values masked").check()
    page.get_by_label("See settings").check()
    page.get_by_role("button", name="Make the role").click()
    expect(page.get_by_role("heading", name="Front desk")).to_be_visible()
    expect(page.get_by_text("1 of 2 permissions wait")).to_be_visible()
    looks_right(page, "role")
    sign_in(page, "marketer")
    page.goto(console.url + "/roles")
    looks_right(page, "roles")
    page.get_by_role("link", name="Front desk").click()
    page.get_by_role("button", name="Grant the 1 that you hold").click()
    expect(page.get_by_text("Granted.")).to_be_visible()
    expect(page.get_by_role("heading", name="Waits to be granted")).to_have_count(0)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_emergency_access_is_taken_seen_ended_and_reviewed(
    console: Console, page_at: PageAt, width: int
) -> None:
    page, officer = page_at(width), page_at(width, dark=True)
    sign_in(page, "marketer")
    page.goto(console.url + "/emergency")
    page.get_by_role("button", name="Open emergency access").click()
    expect(page.locator(".error").first).to_be_visible()
    looks_right(page, "emergency refused")
    page.get_by_label("Open protected values, for a purpose").check()
    page.get_by_label("Why?").fill("The care coordinator is ill and a patient waits for a call")
    page.get_by_role("button", name="Open emergency access").click()
    expect(page.get_by_role("button", name="Give it back now")).to_be_visible()
    looks_right(page, "emergency open")
    sign_in(officer, "privacy_officer")
    officer.goto(console.url + "/emergency/reviews")
    looks_right(officer, "emergency reviews")
    officer.get_by_role("table").get_by_role("link").first.click()
    officer.get_by_role("button", name="End it now").click()
    expect(officer.get_by_text("Emergency access is over.")).to_be_visible()
    officer.get_by_role("table").get_by_role("link").first.click()
    officer.get_by_label("As it should be").check()
    looks_right(officer, "emergency review")
    officer.get_by_role("button", name="Sign the review").click()
    expect(officer.get_by_text("Reviewed.")).to_be_visible()
    page.goto(console.url + "/emergency")
    expect(page.get_by_role("button", name="Open emergency access")).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_kill_switch_sends_everybody_else_to_sign_in(
    console: Console, page_at: PageAt, width: int
) -> None:
    author, boss = page_at(width), page_at(width)
    sign_in(author, "author")
    author.goto(console.url + "/account")
    expect(author.get_by_role("heading", name="Priya Raman")).to_be_visible()
    sign_in(boss, "administrator")
    boss.goto(console.url + "/sessions")
    looks_right(boss, "sessions")
    boss.get_by_role("button", name="End every session but mine").click()
    expect(boss.get_by_text("1 session ended.")).to_be_visible()
    author.reload()
    expect(author.get_by_role("heading", name="Sign in")).to_be_visible()
