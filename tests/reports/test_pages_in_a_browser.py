"""Home, reports, the log and receipts, looked at in a browser, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from salus.campaigns.contracts import Status
from salus.delivery import deposits
from salus.identity.contracts import Role
from salus.kernel.acting import system
from salus.kernel.time import SystemClock
from salus.kernel.vocabulary import PhiClass
from salus.platform.tenancy import acting_for
from salus.reports import api
from salus.reports.models import LogCopyRow
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind, Relation
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from tests.reports.world import (
    World,
    fetch_picture,
    make_campaign,
    make_plan,
    make_version,
    make_world,
    staff,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

MARGINS: Any = dict.fromkeys(("top", "bottom", "left", "right"), "12mm")
PageAt = Callable[..., "Page"]
pytestmark = pytest.mark.browser


@pytest.fixture
def clinic(console: Console) -> World:
    """A busy clinic: one campaign sent, one being sent, others coming, some mail opened."""
    world = make_world(console.organization, people=60)
    for place, message_id in enumerate(world.messages["accepted"]):
        if place % 2 == 0:
            fetch_picture(world, message_id, "person")
        elif place % 3 == 0:
            fetch_picture(world, message_id, "proxy")
    fetch_picture(world, world.message("accepted", 7), "scanner")
    now = SystemClock().now()
    with acting_for(console.organization.id):
        version_id = make_version(console.organization)
        origin, counts = make_plan(console.organization, world.people, version_id, now)
        facts: dict[str, Any] = {"at": now, "version_id": version_id}
        make_campaign(
            console.organization, origin, counts, status=Status.PLANNED, name="Mammogram recall", **facts
        )
        make_campaign(
            console.organization,
            None,
            None,
            status=Status.DRAFT,
            name="December newsletter",
            note="Say that booking by phone is fine too.",
            **facts,
        )
        make_campaign(
            console.organization,
            origin,
            counts,
            status=Status.SENDING,
            name="Flu clinic Saturdays",
            launch_at=now,
            **facts,
        )
        make_campaign(
            console.organization,
            origin,
            counts,
            status=Status.SCHEDULED,
            name="Flu clinic, second call",
            launch_at=now + timedelta(hours=5),
            **facts,
        )
        deposits.settle_notices(
            failed=world.messages["portal"][:2], actor=system(console.organization.id, "test"), at=now
        )
        api.verify_log(actor=staff(console.organization, Role.AUDITOR))
        _keep_copies_outside(console.organization.id, now)
    return world


def _keep_copies_outside(organization_id: UUID, at: datetime) -> None:
    """Register a witness that has its checkpoint, and a log server that cannot be reached."""
    made: dict[str, Any] = {"actor": system(organization_id, "test"), "at": at}
    vendor_id = vendors.create_vendor("Our own", relation=Relation.OURS, **made)
    for kind, name, address, state in (
        (Kind.WITNESS, "Notary", "mailto:log@notary.example", {"reached": 120, "sent_at": at}),
        (Kind.SYSLOG, "Log host", "syslog+tls://logs.example", {"tries": 3, "reason": "unreachable"}),
    ):
        service_id = vendors.create_service(
            vendor_id, kind=kind, name=name, address=address, may_carry=tuple(PhiClass), **made
        )
        LogCopyRow.objects.create(service_id=service_id, **state)


def look(page: Page, url: str, name: str) -> None:
    """Open a page, look at it with axe, and keep a picture."""
    answer = page.goto(url)
    assert answer is not None
    assert answer.ok, f"{url}: {answer.status}"
    if page.viewport_size and page.viewport_size["width"] == WIDE:  # the same page, whatever its width
        assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, name)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_page_can_be_read_wide_and_narrow(
    console: Console, page_at: PageAt, clinic: World, width: int
) -> None:
    page = page_at(width)
    sign_in(page, "privacy_officer")
    look(page, console.url + "/", "home-privacy")
    look(page, console.url + "/reports/", "reports")
    look(page, f"{console.url}/reports/campaigns/{clinic.campaign_id}/", "report")
    look(page, f"{console.url}/reports/campaigns/{clinic.campaign_id}/who/", "who")
    look(page, f"{console.url}/messages/{clinic.message('accepted')}/receipt/", "receipt")
    assert page.get_by_role("heading", name="In the log, unchanged").is_visible()
    look(page, f"{console.url}/messages/{clinic.message('portal', 2)}/receipt/", "receipt-portal")
    look(page, f"{console.url}/messages/{clinic.message('refused')}/receipt/", "receipt-refused")
    look(page, f"{console.url}/messages/{clinic.message('portal', 2)}/recall/", "recall")
    look(page, console.url + "/reports/to-tell/", "to-tell")
    look(page, f"{console.url}/contacts/{clinic.people[0]}", "contact-looks")
    look(page, f"{console.url}/log/people/{clinic.people[0]}/", "looks")
    assert page.get_by_role("heading", name="Looks").is_visible()
    look(page, console.url + "/log/", "log")
    assert page.get_by_role("button", name="Send now to Notary").is_visible()
    page.get_by_role("button", name="Verify the log now").click()
    keep_picture(page, "log-verified")
    page.locator("table tbody tr th a").nth(30).click()
    assert page.get_by_role("heading", name="In the log, unchanged").is_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "entry")
    for role in ("marketer", "administrator", "author", "developer"):
        sign_in(page, role)
        look(page, console.url + "/", f"home-{role}")


def test_a_receipt_prints_on_one_page(console: Console, page_at: PageAt, clinic: World) -> None:
    page = page_at(725)  # a sheet of paper without its margins
    page.emulate_media(media="print")
    sign_in(page, "auditor")
    for kind in ("accepted", "portal", "refused"):
        page.goto(f"{console.url}/messages/{clinic.messages[kind][-1]}/receipt/")
        for paper in ("Letter", "A4"):
            printed = page.pdf(format=paper, margin=MARGINS)
            assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) == 1, (kind, paper)
        keep_picture(page, f"printed-{kind}")


def test_the_pages_work_in_the_dark_and_without_javascript(
    console: Console, page_at: PageAt, clinic: World
) -> None:
    page = page_at(WIDE, dark=True, javascript=False)
    sign_in(page, "privacy_officer")
    page.goto(f"{console.url}/reports/campaigns/{clinic.campaign_id}/who/?figure=portal")
    keep_picture(page, "who-dark")
    page.get_by_label("What for?").select_option("treatment")
    page.get_by_role("button", name="Show 1 name").click()
    assert page.locator(".open").count() == 3
    page.goto(f"{console.url}/messages/{clinic.message('portal', 2)}/receipt/")
    keep_picture(page, "receipt-dark")
    page.get_by_role("link", name="Recall").click()
    page.get_by_label("Why?").select_option("other")
    page.get_by_role("button", name="Recall 1 message").click()
    assert page.get_by_text("The message is recalled.").is_visible()
    page.goto(console.url + "/")
    keep_picture(page, "home-dark")
