"""The access review: counted from the log, signed when the period is over, and recorded with the log's state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters, NewEntry
from salus.identity.contracts import Organization, Role
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.reports import access
from salus.reports.access_rules import Why
from salus.reports.models import AccessReviewRow
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from tests.identity.people import acting

TODAY = datetime.now(UTC).replace(hour=20, minute=0, second=0, microsecond=0)
"""Noon in the clinic's time zone, or an hour before it."""
SINCE, UNTIL = (TODAY - timedelta(days=7)).date(), (TODAY - timedelta(days=1)).date()


@pytest.fixture
def week(console: Console) -> Organization:
    """A week in which Dana looked at 30 people, Theo at two, and Marisol was up at night and locked out."""
    organization = console.organization
    neighbor = new_id()
    with acting_for(organization.id):
        dana, theo, marisol = (
            acting(organization, role)
            for role in (Role.CARE_COORDINATOR, Role.PRIVACY_OFFICER, Role.MARKETER)
        )
        noon, night = TODAY - timedelta(days=3), TODAY - timedelta(days=3, hours=12)
        seen = [NewEntry(Action.CONTACT_READ, dana, "contact", patient_id=new_id()) for _ in range(30)]
        seen += [NewEntry(Action.CONTACT_REVEAL, theo, "contact", patient_id=new_id()) for _ in range(2)]
        seen += [NewEntry(Action.CONTACT_READ, theo, "contact", patient_id=new_id(), outcome="refused")]
        audit.record_many([*seen, NewEntry(Action.STAFF_SIGN_IN, dana, "staff")], at=noon)
        up = [NewEntry(Action.CONTACT_READ, marisol, "contact", patient_id=neighbor) for _ in range(10)]
        up += [NewEntry(Action.STAFF_SIGN_IN, marisol, "staff", outcome="refused") for _ in range(5)]
        audit.record_many(
            [*up, NewEntry(Action.STAFF_LOCK_OUT, marisol, "staff", outcome="refused")], at=night
        )
        audit.record(Action.CONTACT_READ, actor=dana, object_kind="contact", patient_id=new_id(), at=TODAY)
        audit.integrate()
        audit.checkpoint()
    return organization


def test_who_looked_at_whom_is_counted_and_who_stands_out_is_named(week: Organization) -> None:
    with acting_for(week.id):
        officer = acting(week, Role.SECURITY_OFFICER)
        found = access.review(SINCE, UNTIL, actor=officer, at=TODAY)
        recorded = audit.entries(Filters(action=Action.ACCESS_READ))[0]
    by_name = {each.name: each for each in found.lookers}
    assert list(by_name) == ["Dana Whitfield", "Theo Lindqvist", "Marisol Ibarra"]
    dana, theo, marisol = by_name.values()
    assert (dana.activity.patients, dana.activity.looks, dana.activity.sign_ins) == (30, 30, 1)
    assert (theo.activity.patients, theo.activity.reveals, theo.reasons) == (2, 2, ())
    assert dana.reasons == (Why.MANY_PATIENTS,)
    assert set(marisol.reasons) == {Why.ODD_HOURS, Why.SAME_PATIENT, Why.FAILED_SIGN_INS, Why.LOCKED_OUT}
    assert [(name, each.looks) for name, each in found.repeated] == [("Marisol Ibarra", 10)]
    assert (found.outliers, found.entries, found.over, found.has_own) == (2, 50, True, False)
    assert recorded.details["entries"] == 50


def test_a_signature_holds_the_numbers_and_the_state_of_the_log(week: Organization) -> None:
    with acting_for(week.id):
        officer = acting(week, Role.PRIVACY_OFFICER)
        said = "Marisol covered the night shift, asked her zeugma"
        review_id = access.sign(SINCE, UNTIL, "followed_up", said, actor=officer, at=TODAY)
        entry = audit.entries(Filters(action=Action.ACCESS_REVIEW))[0]
        signed = audit.latest_checkpoint()
        after = access.review(SINCE, UNTIL, actor=officer, at=TODAY)
        row = AccessReviewRow.objects.get()
    assert signed is not None
    assert (entry.object_id, entry.outcome, entry.actor_id) == (review_id, "followed_up", officer.id)
    assert entry.details == {
        "since": SINCE.isoformat(),
        "until": UNTIL.isoformat(),
        "entries": 50,
        "people": 3,
        "outliers": 2,
        "log_size": signed.size,
        "log_root": signed.root.hex(),
    }
    assert b"zeugma" not in bytes(row.sealed)
    assert after.signatures[0].note.reveal() == said
    assert after.has_own
    assert len(after.unsigned) == 1
    assert after.unsigned[0][1] == SINCE - timedelta(days=1)


def test_what_cannot_be_signed_is_refused_with_its_place(week: Organization) -> None:
    with acting_for(week.id):
        officer = acting(week, Role.PRIVACY_OFFICER)
        with pytest.raises(Conflict, match="goes on"):
            access.sign(SINCE, UNTIL + timedelta(days=1), "as_expected", "", actor=officer, at=TODAY)
        for since, until, finding, note, place in (
            (UNTIL, SINCE, "as_expected", "", "until"),
            (SINCE - timedelta(days=400), UNTIL, "as_expected", "", "since"),
            (SINCE, UNTIL, "fine", "", "finding"),
            (SINCE, UNTIL, "followed_up", "short", "note"),
            (SINCE, UNTIL, "as_expected", "", "note"),
            (SINCE, UNTIL, "as_expected", "x" * 1001, "note"),
        ):
            with pytest.raises(BadInput) as refused:
                access.sign(since, until, finding, note, actor=officer, at=TODAY)
            assert refused.value.place == place
        assert not AccessReviewRow.objects.exists()


def test_a_quiet_period_needs_no_note(week: Organization) -> None:
    quiet = SINCE - timedelta(days=20)
    with acting_for(week.id):
        officer = acting(week, Role.SECURITY_OFFICER)
        access.sign(quiet, quiet, "as_expected", "", actor=officer, at=TODAY)
        assert AccessReviewRow.objects.get().entries == 0


def test_only_reviewers_see_it_and_only_their_own_clinic(
    console: Console, week: Organization, make_clinic: Callable[..., Organization]
) -> None:
    for role in Role:
        allowed = role in {Role.PRIVACY_OFFICER, Role.SECURITY_OFFICER}
        assert console.client(role).get("/access/").status_code == (200 if allowed else 404)
    other = make_clinic("Elsewhere")
    with acting_for(other.id):
        assert access.review(SINCE, UNTIL, actor=acting(other, Role.PRIVACY_OFFICER), at=TODAY).lookers == ()
        with pytest.raises(NotFound):
            access.sign(SINCE, UNTIL, "as_expected", "", actor=acting(other, Role.ADMINISTRATOR), at=TODAY)


@pytest.mark.parametrize(
    "query",
    ["since=x&until=y", "since=2026-02-01&until=2026-01-01", "since=0001-01-01&until=9999-12-31", "since="],
)
def test_a_period_that_is_none_is_said_and_the_usual_one_shown(console: Console, query: str) -> None:
    page = console.client("privacy_officer").get(f"/access/?{query}")
    assert page.status_code == 200
    assert "Records examined" in page.content.decode()


@pytest.mark.browser
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_review_is_signed_in_a_browser(
    console: Console, week: Organization, page_at: Callable[..., Page], width: int
) -> None:
    page = page_at(width)
    sign_in(page, "privacy_officer")
    page.goto(console.url + "/access/")
    expect(page.get_by_text("2 stand out")).to_be_visible()
    keep_picture(page, "access review")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_label("As it should be").check()
    page.get_by_role("button", name="Sign for 50 records").click()
    expect(page.get_by_text("Write what you looked into")).to_be_visible()
    page.get_by_label("What you looked into").fill("Night shift, and a list of thirty for the flu clinic")
    page.get_by_role("button", name="Sign for 50 records").click()
    expect(page.get_by_role("heading", name="Signed reviews")).to_be_visible()
    keep_picture(page, "access review signed")
    assert_accessible(page)
