"""The patient by hand: from the notice in their mailbox to the letter, their choices, and who wrote to them."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from playwright.sync_api import Page, expect

from .by_hand import PATIENT, House
from .the_job import SENTENCE, Job, facts, ids_in

NUMBER, GIVEN, FAMILY, BORN, MAIL, _ = PATIENT
MONTH, DAY, YEAR = BORN.split("/")


def newest_mail(house: House, to: str) -> EmailMessage:
    """Return the newest mail that the relay caught for an address."""
    found = house.mails(to=to)
    assert found, "no mail for this address"
    raw = house.inbox(f"mail/{found[0]['number']}/raw")
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(mail: EmailMessage) -> str:
    """Return a mail's plain text."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def link_in(notice: EmailMessage) -> str:
    """Return the one address that a notice leads to in the portal."""
    links: set[str] = set(re.findall(r"http://localhost:\d+/p/m/[^\s<>\")]+", text_of(notice)))
    assert len(links) == 1
    return links.pop()


def code_from_staff(job: Job) -> str:
    """Have a care coordinator check who calls, and return the code that they read out."""
    page = job.house.signed_in(job.clinic, "care_coordinator")
    page.get_by_role("link", name="Sign-in codes").click()
    page.get_by_label("Record number").fill("M-9999")
    page.get_by_role("button", name="Find this person").click()
    page.get_by_text("Nobody here has this record number.").wait_for()
    page.get_by_label("Record number").fill(NUMBER)
    page.get_by_role("button", name="Find this person").click()
    page.get_by_text(f"{GIVEN} {FAMILY}").wait_for()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Make a code").click()
    code = page.locator(".figure").inner_text().strip()
    assert re.fullmatch(r"\d{3}.?\d{3}", code)
    page.context.close()
    return code


def sign_in(page: Page, link: str, code: str) -> None:
    """Open the link and prove who it is; a wrong birth date is refused without saying what was wrong."""
    page.goto(link)
    expect(page.get_by_text("because your message needs more protection")).to_be_visible()
    fill_in(page, code, month=str(int(MONTH) % 12 + 1))
    refused = page.get_by_role("alert")
    refused.wait_for()
    assert "The code and the birth date do not match." in refused.inner_text()
    fill_in(page, code, month=str(int(MONTH)))
    page.wait_for_url("**/p/messages/*")


def fill_in(page: Page, code: str, month: str) -> None:
    """Type code and birth date."""
    page.get_by_label("6-digit code").fill(code)
    page.get_by_label("Month").select_option(month)
    page.get_by_label("Day").fill(DAY)
    page.get_by_label("Year").fill(YEAR)
    page.get_by_role("button", name="Open my message").click()


def read(page: Page) -> bytes:
    """Read the letter in its frame; return its bytes, which are the same each time."""
    letter = page.frame_locator("iframe")
    letter.get_by_text(f"Dear {GIVEN},").wait_for()
    letter.get_by_text(SENTENCE).wait_for()
    body = f"{page.url}/body"
    first, again = page.context.request.get(body).body(), page.context.request.get(body).body()
    assert first == again
    return first


def opt_out(page: Page) -> str:
    """Stop the topic of the letter; return what the page says then."""
    page.get_by_role("link", name="My choices").first.click()
    box = page.get_by_role("group", name="Care tips").get_by_label("By e-mail")
    expect(box).to_be_checked()
    box.uncheck()
    page.get_by_role("button", name="Save my choices").click()
    page.get_by_role("status").get_by_text("Saved.").wait_for()
    expect(box).not_to_be_checked()
    return facts(page.locator("main").inner_text())


def history(page: Page) -> str:
    """Return what the page says of who wrote and why."""
    page.get_by_role("link", name="Who wrote to me and why").first.click()
    page.get_by_role("heading", name="Who wrote to me and why").wait_for()
    return facts(page.locator("main").inner_text())


def unsubscribe_in_one_click(mail: EmailMessage) -> tuple[int, str]:
    """Do what a mail program does (RFC 8058): one POST, no cookie, nobody signed in."""
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.search(r"<(http[^>]+)>", mail["List-Unsubscribe"])
    assert found
    request = Request(found[1], data=urlencode({"List-Unsubscribe": "One-Click"}).encode(), method="POST")
    with urlopen(request, timeout=60) as answer:
        return answer.status, answer.read().decode()


def message_of(page: Page) -> str:
    """Return the id of the message that is open."""
    return ids_in(page.url)[-1]
