"""Files, answers, the mark and more proof in a real browser: by keyboard, narrow and wide, in both languages."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import override_settings
from playwright.sync_api import FilePayload, Page, expect

from salus.delivery.contracts import State
from salus.inbox import api as inbox
from salus.platform.tenancy import acting_for

from ..browser import NARROW, WIDE
from ..files.samples import PDF
from .conftest import World, code_for
from .test_files_and_replies import attach
from .test_in_browser import fill_in, look, press

pytestmark = pytest.mark.browser

LETTER = """<!doctype html><html lang="en"><head><title>Letter</title></head>
<body style="font-family:sans-serif"><p>Dear Rosa,</p><p>Your plan for the next weeks is below.</p></body></html>"""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060"
    "000000040001f61738550000000049454e44ae426082"
)


BAD: FilePayload = {"name": "a.exe", "mimeType": "image/png", "buffer": b"MZ" + bytes(80)}


@pytest.fixture
def at_this_address(web_server: str) -> Iterator[None]:
    """Passkeys belong to the public address: in a test that is the server's."""
    with override_settings(SALUS_PUBLIC_URL=web_server):
        yield


def come_in(page: Page, world: World, url: str, message_id: object) -> None:
    """Sign Rosa in by the link of a message."""
    page.goto(f"{url}{world.link(message_id)}")  # type: ignore[arg-type]
    press(page, "button", "Send me a code")
    fill_in(page, world.mailbox.codes[-1][1])


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_files_the_mark_and_an_answer(
    world_of_rosa: World, web_server: str, page_at: Callable[..., Page], width: int
) -> None:
    world = world_of_rosa
    message_id = world.mailbox.deposit(world.rosa, html=LETTER)
    attach(world, message_id, PDF, PIXEL)
    marked = world.mailbox.deposit(world.rosa, html=LETTER, view_only=True)
    attach(world, marked, PIXEL)
    page = page_at(width)
    page.set_default_timeout(30_000)
    come_in(page, world, web_server, message_id)
    expect(page.get_by_role("heading", name="Files")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_text("Dear Rosa,")).to_be_visible()
    look(page, "m-files")
    with page.expect_download() as download:
        page.get_by_role("link", name="scan.pdf").click()
    assert download.value.suggested_filename.startswith("file-"), "its name tells nothing on a shared device"
    page.get_by_label("Your message").focus()
    page.keyboard.type("May I take it with milk?")
    page.keyboard.press("Tab")
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.png"
        photo.write_bytes(PIXEL)
        page.locator("#file").set_input_files(photo)
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Sent. We answer within one working day.")
    look(page, "n-answered")
    with acting_for(world.organization.id):
        assert inbox.count_waiting() == 1
    page.locator("#file").set_input_files(BAD)
    page.get_by_label("Your message").fill("One more")
    press(page, "button", "Send")
    expect(page.get_by_text("We cannot take this kind of file.")).to_be_visible()
    assert page.get_by_label("Your message").input_value() == "One more"
    look(page, "o-bad-file")
    page.goto(f"{web_server}/p/messages/{marked}")
    expect(page.locator("img.letter-picture")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_text("Dear Rosa,")).to_be_visible()
    look(page, "p-mark")
    letter, mark = page.locator("article.letter"), page.locator(".mark-over")
    with_mark = letter.screenshot()
    mark.evaluate("mark => mark.remove()")
    assert letter.screenshot() != with_mark, "the mark is really drawn"
    page.emulate_media(media="print")
    assert page.locator("article.letter").is_hidden()
    assert page.locator(".print-says").is_visible()
    page.emulate_media(media="screen")
    press(page, "link", "Español")
    look(page, "q-mark-es")


def test_more_proof_a_passkey_and_the_next_time_with_it(
    world_of_rosa: World, web_server: str, page_at: Callable[..., Page], at_this_address: None
) -> None:
    world = world_of_rosa
    plain = world.mailbox.deposit(world.rosa, html=LETTER)
    special = world.mailbox.deposit(world.rosa, html=LETTER, special=True)
    page = page_at(NARROW)
    page.set_default_timeout(30_000)
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
    come_in(page, world, web_server, plain)
    press(page, "link", "My passkeys")
    expect(page.get_by_text("first sign in with a code from us")).to_be_visible()
    look(page, "r-no-passkey")
    page.goto(f"{web_server}/p/messages/{special}")
    expect(page.get_by_role("heading", level=1)).to_have_text("This one needs more than a code by e-mail")
    look(page, "s-stronger")
    page.locator("[name=code]").fill("12")
    press(page, "button", "Open my message")
    expect(page.get_by_text("This code does not match.")).to_be_visible()
    look(page, "t-wrong-code")
    page.locator("[name=code]").fill(code_for(world))
    press(page, "button", "Open my message")
    page.wait_for_url(f"**/p/messages/{special}")
    press(page, "link", "My passkeys")
    press(page, "button", "Make a passkey")
    expect(page.get_by_role("status").first).to_have_text("Done. Next time you can use your passkey.")
    look(page, "u-passkey")
    press(page, "button", "Sign out")
    page.goto(web_server + world.link(special))
    look(page, "v-check-with-passkey")
    press(page, "button", "Use my passkey")
    page.wait_for_url(f"**/p/messages/{special}")
    expect(page.frame_locator("iframe").get_by_text("Dear Rosa,")).to_be_visible()
    press(page, "button", "Sign out")
    world.clock.advance(timedelta(minutes=2))
    come_in(page, world, web_server, plain)
    page.goto(f"{web_server}/p/messages/{special}")
    look(page, "w-step-up-with-passkey")
    press(page, "button", "Use my passkey")
    page.wait_for_url(f"**/p/messages/{special}")
    press(page, "link", "My passkeys")
    press(page, "button", "Remove my passkeys")
    expect(page.get_by_role("status").first).to_have_text("Done. Your passkeys do not work here any more.")


def test_what_was_taken_back_says_so_kindly(
    world_of_rosa: World, web_server: str, page_at: Callable[..., Page]
) -> None:
    world = world_of_rosa
    plain = world.mailbox.deposit(world.rosa, html=LETTER)
    gone = world.mailbox.deposit(world.rosa, state=State.RECALLED)
    page = page_at(NARROW)
    come_in(page, world, web_server, plain)
    page.goto(f"{web_server}/p/messages/{gone}")
    expect(page.get_by_role("heading", level=1)).to_have_text("We took this message back")
    look(page, "x-recalled")
