"""Pages about how vendors keep their word: the calendar, who does what, subcontractors, verifications."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from salus.identity.contracts import Organization
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Duty, Owner
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from tests.vendors.test_pages import NAME, page_of, registered, vendor_of

TODAY = timezone.localdate()
SUBCONTRACTOR = {
    "name": "Tern Cloud",
    "does": "Keeps the servers",
    "proof": "Agreement of May, section 4",
    "seen_on": str(TODAY - timedelta(days=2)),
    "next_on": str(TODAY + timedelta(days=200)),
}
NOBODY = {f"{duty}_owner": "nobody" for duty in Duty}
VERIFICATION = {
    "by": "Ida Brandt, auditor",
    "evidence": "Report 12",
    "verified_on": str(TODAY - timedelta(days=2)),
    "next_on": str(TODAY + timedelta(days=300)),
}


def test_a_subcontractor_comes_changes_and_leaves(console: Console) -> None:
    vendor_id, _ = registered(console.organization)
    officer, one = console.client("privacy_officer"), f"/vendors/{vendor_id}"
    assert "None is known." in page_of(officer, one)
    unproven = SUBCONTRACTOR | {"proof": "", "seen_on": "", "next_on": ""}
    assert officer.post(f"{one}/subcontractors/new", unproven).status_code == 302
    shown = page_of(officer, one)
    assert "none seen" in shown
    assert "No proof" in shown
    [found] = vendor_of(console, vendor_id).subcontractors
    address = f"{one}/subcontractors/{found.id}"
    assert 'value="Tern Cloud"' in page_of(officer, address)
    assert officer.post(address, SUBCONTRACTOR).status_code == 302
    assert "Proven" in page_of(officer, one)
    assert officer.post(f"{address}/drop").status_code == 303
    assert vendor_of(console, vendor_id).subcontractors == ()
    assert officer.get(address).status_code == 404


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("subcontractors/new", SUBCONTRACTOR | {"name": ""}, "This field is required."),
        ("subcontractors/new", SUBCONTRACTOR | {"seen_on": "yesterday"}, "Write the day like 2026-12-01."),
        ("subcontractors/new", SUBCONTRACTOR | {"seen_on": ""}, "Write when it was seen."),
        ("subcontractors/new", SUBCONTRACTOR | {"proof": ""}, "Write what was seen."),
        ("verify", VERIFICATION | {"evidence": ""}, "This field is required."),
        ("verify", VERIFICATION | {"verified_on": "2099-01-01"}, "That day is still to come."),
        ("verify", VERIFICATION | {"next_on": "2099-01-01"}, "It holds for a year at most"),
        ("who-does-what", NOBODY | {"keys_who": "Ida"}, "Choose who has it."),
        ("who-does-what", NOBODY | {"keys_owner": "somebody"}, "Select a valid choice"),
        ("who-does-what", NOBODY | {"keys_owner": ""}, "This field is required."),
        ("who-does-what", NOBODY | {"keys_owner": "we", "keys_who": "x" * 121}, "at most 120 characters"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    console: Console, path: str, form: dict[str, str], said: str
) -> None:
    vendor_id, _ = registered(console.organization)
    answer = console.client("privacy_officer").post(f"/vendors/{vendor_id}/{path}", form)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    vendor = vendor_of(console, vendor_id)
    assert (vendor.subcontractors, vendor.verification, vendor.responsibilities) == ((), None, {})


def test_a_verification_is_recorded_and_said_to_be_asked_for_by_a_proposal(console: Console) -> None:
    vendor_id, _ = registered(console.organization)
    officer, one = console.client("privacy_officer"), f"/vendors/{vendor_id}"
    assert "proposed, not law" in page_of(officer, f"{one}/verify")
    assert officer.post(f"{one}/verify", VERIFICATION).status_code == 302
    shown = page_of(officer, one)
    assert "by Ida Brandt, auditor: Report 12" in shown
    assert "Proposed, not law" in shown


def test_who_does_what_is_said_for_one_vendor_and_shown_for_all(console: Console) -> None:
    vendor_id, _ = registered(console.organization)
    officer, one = console.client("privacy_officer"), f"/vendors/{vendor_id}"
    assert "16 of 16 duties have no owner" in page_of(officer, one)
    said = NOBODY | {
        "keys_owner": "we",
        "keys_who": "Ida Brandt",
        "logging_owner": "vendor",
        "backups_owner": "both",
    }
    assert officer.post(f"{one}/who-does-what", said).status_code == 302
    assert "14 of 16 duties have no owner" in page_of(officer, one)
    assert 'value="Ida Brandt"' in page_of(officer, f"{one}/who-does-what")
    shown = page_of(officer, "/vendors/who-does-what")
    assert "14 have no owner." in shown
    assert shown.count(NAME) == 16
    assert vendor_of(console, vendor_id).responsibilities[Duty.BACKUPS].owner is Owner.BOTH


def test_the_calendar_says_what_is_due_and_how_soon(console: Console) -> None:
    registered(console.organization, valid_until=TODAY + timedelta(days=20))
    shown = page_of(console.client("auditor"), "/vendors/calendar")
    assert "The agreement ends" in shown
    assert "Soon" in shown
    assert "Later" in shown
    assert "90 FR 898, 164.308(b)(1)(ii), proposed, not law" in shown


def test_without_vendors_the_pages_say_what_will_be_there(console: Console) -> None:
    officer = console.client("privacy_officer")
    assert "Nothing is due" in page_of(officer, "/vendors/calendar")
    assert "No business associates yet" in page_of(officer, "/vendors/who-does-what")


def test_an_independent_vendor_is_shown_with_who_signed_off(console: Console) -> None:
    vendor_id, _ = registered(console.organization, agent=False, agency="R. Poe, counsel, 3 May")
    assert "R. Poe, counsel, 3 May" in page_of(console.client("auditor"), f"/vendors/{vendor_id}")
    form = {"agent": "no", "agency": "", "report_hours": "24", "required": [*vendors.REQUIRED]}
    answer = console.client("privacy_officer").post(f"/vendors/{vendor_id}/agreements/new", form)
    assert answer.status_code == 400
    assert "Write who signed off that it is independent, and why." in answer.content.decode()


def written(console: Console, vendor_id: UUID) -> UUID:
    """Return the vendor's subcontractor, after every page has something to show."""
    made: dict[str, Any] = {"actor": system(console.organization.id, "test"), "at": timezone.now()}
    day = TODAY - timedelta(days=2)
    with acting_for(console.organization.id):
        vendors.assign(
            vendor_id,
            {
                Duty.KEYS: (Owner.WE, "Ida Brandt"),
                Duty.IN_TRANSIT: (Owner.BOTH, "Ida Brandt"),
                Duty.AT_REST: (Owner.VENDOR, ""),
            },
            **made,
        )
        text: dict[str, Any] = {"by": "Ida Brandt, auditor", "evidence": "Report 12"}
        vendors.verify(vendor_id, **text, verified_on=day, next_on=day + timedelta(days=300), **made)
        return vendors.record_subcontractor(vendor_id, name="Tern Cloud", does="Keeps the servers", **made)


def test_who_may_only_look_changes_nothing_and_an_outsider_finds_nothing(
    console: Console, make_clinic: Callable[..., Organization]
) -> None:
    vendor_id, _ = registered(console.organization)
    id = written(console, vendor_id)
    before = vendor_of(console, vendor_id)
    one = f"/vendors/{vendor_id}"
    acts = (
        "who-does-what",
        "verify",
        "subcontractors/new",
        f"subcontractors/{id}",
        f"subcontractors/{id}/drop",
    )
    outsider = Console(console.url, make_clinic("Somebody Else"))
    for client in (console.client("auditor"), outsider.client("privacy_officer")):
        for act in acts:
            assert client.post(f"{one}/{act}", SUBCONTRACTOR | VERIFICATION).status_code == 404
    assert vendor_of(console, vendor_id) == before
    for page in ("/vendors/calendar", "/vendors/who-does-what"):
        assert NAME not in page_of(outsider.client("privacy_officer"), page)
        assert console.client("author").get(page).status_code == 404


@pytest.mark.browser
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_pages_fit_and_are_accessible(console: Console, page_at: Callable[..., Page], width: int) -> None:
    soon = TODAY + timedelta(days=20)
    vendor_id, _ = registered(console.organization, valid_until=soon, clauses=frozenset(Clause))
    registered(console.organization, valid_until=TODAY - timedelta(days=3))
    id = written(console, vendor_id)
    page = page_at(width, dark=width == NARROW)
    sign_in(page, "privacy_officer")
    for name, address in (
        ("vendors-calendar", "/vendors/calendar"),
        ("vendors-matrix", "/vendors/who-does-what"),
        ("vendor-word", f"/vendors/{vendor_id}"),
        ("vendor-duties", f"/vendors/{vendor_id}/who-does-what"),
        ("vendor-verify", f"/vendors/{vendor_id}/verify"),
        ("vendor-subcontractor", f"/vendors/{vendor_id}/subcontractors/{id}"),
    ):
        page.goto(console.url + address)
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        keep_picture(page, name)
