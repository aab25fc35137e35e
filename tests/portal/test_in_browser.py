"""The portal in a real browser: by hand from the link to the letter, on a phone, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from salus.delivery.contracts import CHOICES_LINK, State
from salus.kernel.vocabulary import Channel, Purpose
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind, NewEntry
from salus.platform.tenancy import acting_for

from ..browser import NARROW, WIDE, assert_accessible, assert_no_sideways_scroll, keep_picture
from ..permissions.cast import GOOD_FORM
from .conftest import World

pytestmark = pytest.mark.browser

LETTER = """<!doctype html><html lang="en"><head><title>Letter</title></head>
<body style="font-family:sans-serif"><p>Dear Rosa,</p><p>Your last A1c test was in <b>March</b>.</p>
<p><a href="https://clinic.example.org/t/c/abc">Choose a time</a></p>
<script>document.body.innerHTML = "script ran"</script></body></html>"""


def look(page: Page, name: str) -> None:
    """Hold the page to what every page promises, and keep a picture when asked."""
    if page.viewport_size and page.viewport_size["width"] == NARROW:
        assert_accessible(page)  # the same elements at both widths
    assert_no_sideways_scroll(page)
    keep_picture(page, f"portal-{name}")


def press(page: Page, role: Any, name: str, which: int = 0) -> None:
    """Press a button or link that leads to another page, and wait until that is there."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).nth(which).click()


def fill_in(page: Page, code: str, month: str = "4") -> None:
    page.locator("[name=code]").fill(code)
    page.locator("[name=m]").select_option(month)
    page.locator("[name=d]").fill("17")
    page.locator("[name=y]").fill("1961")
    with page.expect_navigation():
        page.locator("form[novalidate] button.is-main").click()


def sign(world: World) -> None:
    entry = NewEntry(
        world.rosa,
        EntryKind.AUTHORIZATION,
        world.clock.now() - timedelta(days=9),
        "paper",
        valid_until=world.clock.now() + timedelta(days=90),
        details=GOOD_FORM,
    )
    wanted = NewEntry(
        world.rosa, EntryKind.OPT_IN, entry.at, "web form", topic="newsletter", channel=Channel.EMAIL
    )
    with acting_for(world.organization.id):
        signed, asked = permissions.append([entry, wanted], actor=world.actor)
    world.mailbox.deposit(
        world.rosa,
        purpose=Purpose.THIRD_PARTY_PRODUCT,
        evidence_ids=(signed, asked),
        rule_ids=("D17",),
        state=State.ACCEPTED,
        reached="verified",
        in_portal=False,
    )


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_from_the_link_to_the_letter_and_the_choices(
    world_of_rosa: World, web_server: str, page_at: Callable[..., Page], width: int
) -> None:
    sign(world_of_rosa)
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, html=LETTER)
    page = page_at(width)
    page.set_default_timeout(30_000)
    page.goto(web_server + world_of_rosa.link(message_id))
    look(page, "1-link")
    press(page, "button", "Send me a code")
    look(page, "2-code")
    code = world_of_rosa.mailbox.codes[-1][1]
    fill_in(page, code, month="5")
    assert "do not match" in page.get_by_role("alert").inner_text()
    look(page, "3-no-match")
    fill_in(page, code)
    page.wait_for_url(f"**/p/messages/{message_id}")
    frame = page.frame_locator("iframe")
    assert frame.get_by_text("Your last A1c test was in March.").is_visible()
    look(page, "4-letter")
    page.get_by_text("Why did I get this?").click()
    press(page, "link", "Who wrote to me and why")
    look(page, "5-history")
    press(page, "link", "My choices")
    look(page, "6-choices")
    page.get_by_label("By text").first.check()
    press(page, "button", "Save my choices")
    assert page.get_by_role("status").inner_text() == "Saved."
    look(page, "7-saved")
    press(page, "link", "All messages")
    look(page, "8-list")
    press(page, "link", "Español")
    assert page.get_by_role("heading", level=1).inner_text() == "Sus mensajes"
    look(page, "9-list-es")
    press(page, "button", "Salir")
    look(page, "a-signed-out-es")


@pytest.mark.parametrize(("width", "dark"), [(NARROW, False), (NARROW, True), (WIDE, False)])
def test_the_pages_of_links_without_signing_in(
    world_of_rosa: World, web_server: str, page_at: Callable[..., Page], width: int, dark: bool
) -> None:
    mailbox = world_of_rosa.mailbox
    message_id = mailbox.deposit(world_of_rosa.rosa, language="es" if dark else "en")
    special = mailbox.deposit(world_of_rosa.rosa, special=True)
    gone = mailbox.deposit(world_of_rosa.rosa, state=State.EXPIRED, in_portal=False)
    choices = world_of_rosa.token(CHOICES_LINK, message_id)
    page = page_at(width, dark=dark)
    tint = "-dark-es" if dark else ""
    for name, address in (
        ("b-special", world_of_rosa.link(special)),
        ("c-gone", world_of_rosa.link(gone)),
        ("d-not-me", world_of_rosa.link(message_id) + "/not-me"),
        ("e-stop", f"/p/u/{choices}"),
        ("f-why", f"/p/w/{choices}"),
        ("g-choose", f"/p/c/{choices}"),
        ("h-bad", "/p/m/nonsense"),
        ("i-away", "/p/messages"),
    ):
        page.goto(web_server + address)
        look(page, name + tint)
    page.goto(f"{web_server}/p/u/{choices}")
    with page.expect_navigation():
        page.locator("main button.is-main").click()
    look(page, f"j-stopped{tint}")
    for _ in range(5):
        page.goto(web_server + world_of_rosa.link(message_id) + "?code")
        fill_in(page, "1")
    look(page, f"k-locked{tint}")


def test_everything_works_without_javascript(
    world_of_rosa: World, web_server: str, page_at: Callable[..., Page]
) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, html=LETTER)
    page: Any = page_at(NARROW, javascript=False)
    page.set_default_timeout(30_000)
    page.goto(web_server + world_of_rosa.link(message_id))
    press(page, "button", "Send me a code")
    fill_in(page, world_of_rosa.mailbox.codes[-1][1])
    page.wait_for_url(f"**/p/messages/{message_id}")
    assert page.frame_locator("iframe").get_by_text("Dear Rosa,").is_visible()
    press(page, "link", "My choices", -1)
    press(page, "button", "Stop all of these")
    assert "You will not get these messages any more." in page.get_by_role("status").inner_text()
