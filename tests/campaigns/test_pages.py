"""The pages of a campaign: what each role sees and may do, and that an outsider finds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from playwright.sync_api import Page

from salus.campaigns import api
from salus.campaigns.contracts import Campaign, Status
from salus.delivery import routing
from salus.delivery.contracts import FREQUENCY_CAP, State
from salus.delivery.models import MessageRow
from salus.identity.contracts import Organization
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind, Why
from tests import browser
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)

from .conftest import CLOCK, NAME, Clinic


@pytest.fixture
def desk(web_server: str, clinic: Clinic) -> Iterator[Console]:
    """The running server, with the shared clinic's staff."""
    console = Console(web_server, clinic.organization)
    browser.use(console)
    yield console
    browser.use(None)


def page_of(client: Client, campaign: Campaign) -> str:
    answer = client.get(f"/campaigns/{campaign.id}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def post(client: Client, campaign: Campaign, act: str, **data: Any) -> Any:
    return client.post(f"/campaigns/{campaign.id}/{act}", data)


def test_who_was_written_to_often_enough_lately_is_told_apart_from_what_a_host_put_off(
    desk: Console, clinic: Clinic
) -> None:
    sending = clinic.sending()
    with acting_for(clinic.id):
        rows = MessageRow.objects.filter(origin_id=sending.plan_id, state=State.CLEARED)
        for row, reason in zip(rows[:3], (FREQUENCY_CAP, FREQUENCY_CAP, "greylisted"), strict=True):
            MessageRow.objects.filter(id=row.id).update(state=State.DEFERRED, reason=reason)
        now = api.running(sending, CLOCK.now())
        assert now is not None
        assert (now.held, now.later, now.outcomes["queued"]) == (2, 1, 4)
    shown = page_of(desk.client("marketer"), sending)
    assert "2 written to often enough lately" in shown
    assert "1 trying again" in shown


def test_a_marketer_writes_a_draft_and_asks_the_gate(desk: Console, clinic: Clinic) -> None:
    marketer = desk.client("marketer")
    form = marketer.get("/campaigns/new").content.decode()
    assert "Everybody" in form
    assert "appointment confirm remind reschedule" in form
    answer = marketer.post(
        "/campaigns/new",
        {"name": NAME, "segment": str(clinic.segment_id), "version_en": str(clinic.versions["en"])},
    )
    assert answer.status_code == 302
    draft = clinic.campaign(UUID(answer["Location"].rpartition("/")[2]))
    assert "Ask the gate about everybody" in page_of(marketer, draft)
    assert post(marketer, draft, "plan").status_code == 303
    assert "0 of 6" in page_of(marketer, draft)
    api.make_plan(clinic.id, draft.id)
    shown = page_of(marketer, draft)
    assert "Why 4 may receive it" in shown
    assert "Why 2 may not" in shown
    assert "= <b>6</b> people, all accounted for" in shown
    assert "somebody else approves it" in shown
    assert "Approve for 4 people</button>" not in shown


def test_a_draft_with_something_missing_keeps_what_was_typed(desk: Console, clinic: Clinic) -> None:
    marketer = desk.client("marketer")
    answer = marketer.post("/campaigns/new", {"name": NAME, "segment": str(clinic.segment_id)})
    said = answer.content.decode()
    assert "Choose a template in at least one language." in said
    assert NAME in said


def test_the_privacy_officer_reads_and_approves(desk: Console, clinic: Clinic) -> None:
    planned, officer = clinic.planned(), desk.client("privacy_officer")
    assert "Approve for 4 people?" in page_of(officer, planned)
    unread = post(officer, planned, "approve", plan=planned.plan_id)
    assert unread.status_code == 400
    assert "Please read the plan first" in unread.content.decode()
    assert clinic.campaign(planned.id).status is Status.PLANNED
    assert post(officer, planned, "approve", plan=planned.plan_id, read="on").status_code == 303
    assert clinic.campaign(planned.id).status is Status.APPROVED
    again = post(officer, planned, "approve", plan=planned.plan_id, read="on")
    assert again.status_code == 409
    assert "A campaign that is approved cannot be approved." in again.content.decode()


def test_what_was_planned_anew_meanwhile_is_not_approved_unseen(desk: Console, clinic: Clinic) -> None:
    planned, officer = clinic.planned(), desk.client("privacy_officer")
    with acting_for(clinic.id):
        api.plan(planned.id, actor=clinic.marketer, clock=CLOCK)
    api.make_plan(clinic.id, planned.id)
    answer = post(officer, planned, "approve", plan=planned.plan_id, read="on")
    assert answer.status_code == 409
    assert "planned anew meanwhile" in answer.content.decode()


def test_it_goes_back_with_a_note_that_the_author_reads(desk: Console, clinic: Clinic) -> None:
    planned = clinic.planned()
    officer, marketer = desk.client("privacy_officer"), desk.client("marketer")
    assert post(officer, planned, "send-back", note="").status_code == 400
    assert post(officer, planned, "send-back", note="Say that a call is fine too.").status_code == 303
    assert "Say that a call is fine too." in page_of(marketer, planned)
    assert "Sent back" in marketer.get("/campaigns/").content.decode()


def test_a_launch_at_a_time_is_by_the_organizations_clock(desk: Console, clinic: Clinic) -> None:
    approved, marketer = clinic.approved(), desk.client("marketer")
    late = post(marketer, approved, "launch", when="later", at="2020-01-01T10:00")
    assert "This time has passed." in late.content.decode()
    assert "Say when." in post(marketer, approved, "launch", when="later").content.decode()
    assert post(marketer, approved, "launch", when="later", at="2099-12-01T10:00").status_code == 303
    scheduled = clinic.campaign(approved.id)
    assert scheduled.launch_at is not None
    assert scheduled.launch_at.isoformat() == "2099-12-01T18:00:00+00:00", "ten o'clock in Los Angeles"
    assert "1 Dec 2099, 10:00" in page_of(marketer, scheduled)
    assert post(marketer, approved, "launch", when="now").status_code == 303
    assert clinic.campaign(approved.id).status is Status.SENDING


def test_pause_and_stop_ask_first_and_say_the_numbers(desk: Console, clinic: Clinic) -> None:
    sending, marketer = clinic.sending(), desk.client("marketer")
    asked = marketer.get(f"/campaigns/{sending.id}/pause").content.decode()
    assert "Pause for 4 people?" in asked
    assert clinic.campaign(sending.id).status is Status.SENDING
    assert post(marketer, sending, "pause").status_code == 303
    assert "4 wait until somebody lets it go on." in page_of(marketer, sending)
    assert post(marketer, sending, "resume").status_code == 303
    asked = marketer.get(f"/campaigns/{sending.id}/cancel").content.decode()
    assert "Stop for 4 people, for good?" in asked
    assert post(marketer, sending, "cancel").status_code == 303
    assert clinic.campaign(sending.id).status is Status.CANCELLED
    assert marketer.get(f"/campaigns/{sending.id}/cancel").status_code == 302
    assert "Read the report" in page_of(marketer, sending)


def test_the_part_that_moves_is_renewed_alone_until_the_campaign_is_further(
    desk: Console, clinic: Clinic
) -> None:
    sending, marketer = clinic.sending(), desk.client("marketer")
    part = marketer.get(f"/campaigns/{sending.id}/now?seen=sending").content.decode()
    assert part.lstrip().startswith("<section")
    assert "of 4</strong> have it" in part
    changed = marketer.get(f"/campaigns/{sending.id}/now?seen=planning")
    assert changed.headers["HX-Refresh"] == "true"


def test_while_the_relay_is_closed_the_page_says_that_mail_waits_and_why(
    desk: Console, clinic: Clinic
) -> None:
    sending, marketer = clinic.sending(), desk.client("marketer")
    made: dict[str, Any] = {"actor": system(clinic.id, "test"), "at": CLOCK.now()}
    with acting_for(clinic.id):
        vendor_id = vendors.create_vendor("Harbor Relay", **made)
        relay = vendors.create_service(
            vendor_id, kind=Kind.SMTP_ROUTE, name="Relay", address="smtp://r.example", may_carry=[], **made
        )
        routing.choose(relay, **made)
    assert "Mail waits" not in page_of(marketer, sending)
    with acting_for(clinic.id):
        routing.pause(Why.NO_AGREEMENT, **made)
    shown = page_of(marketer, sending)
    assert "Mail waits: its relay is closed." in shown
    assert "There is no agreement with the vendor of this service." in shown
    assert "Harbor" not in shown
    with acting_for(clinic.id):
        routing.choose(None, **made)
    assert "Mail waits" not in page_of(marketer, sending)


def test_a_plan_is_given_up_from_its_page(desk: Console, clinic: Clinic) -> None:
    draft, marketer = clinic.draft(), desk.client("marketer")
    post(marketer, draft, "plan")
    assert post(marketer, draft, "stop-planning").status_code == 303
    assert clinic.campaign(draft.id).status is Status.DRAFT


def test_who_is_behind_a_figure_is_shown_masked_to_roles_that_may(desk: Console, clinic: Clinic) -> None:
    planned, officer = clinic.planned(), desk.client("privacy_officer")
    address = f"/campaigns/{planned.id}/people?code=opted_out&refused=1"
    assert address.replace("&", "&amp;") in page_of(officer, planned)
    shown = officer.get(address).content.decode()
    assert shown.count('class="mask"') == 1
    assert "Eve" not in shown
    assert officer.get(f"/campaigns/{planned.id}/people?code=nonsense").status_code == 404
    assert officer.get(f"/campaigns/{planned.id}/people?floor=nonsense").status_code == 404
    for odd in ("²", "9" * 30, "-1", "x"):
        assert officer.get(f"/campaigns/{planned.id}/people", {"after": odd}).status_code == 200
    assert "/people" not in page_of(desk.client("marketer"), planned)
    assert desk.client("marketer").get(address).status_code == 404


def test_a_sign_off_is_offered_to_those_who_may_give_it(desk: Console, clinic: Clinic) -> None:
    draft = clinic.draft()
    assert "Sign-offs" not in page_of(desk.client("marketer"), draft)
    coordinator = desk.client("care_coordinator")
    assert "A clinician recommends it" in page_of(coordinator, draft)
    assert post(coordinator, draft, "sign-off", what="clinician_sign_off").status_code == 303
    assert "Given" in page_of(coordinator, draft)
    assert post(coordinator, draft, "sign-off", what="waiver_id").status_code == 404
    assert post(coordinator, draft, "sign-off", what="nonsense").status_code == 404


ACTS = ("plan", "stop-planning", "approve", "send-back", "sign-off", "launch", "pause", "resume", "cancel")


@pytest.mark.parametrize(
    ("role", "open_to_it"),
    [
        ("marketer", {"plan", "stop-planning", "launch", "pause", "resume", "cancel", "edit"}),
        ("privacy_officer", {"approve", "send-back"}),
        ("analyst", set()),
        ("auditor", set()),
    ],
)
def test_each_role_does_only_its_own_part(
    desk: Console, clinic: Clinic, role: str, open_to_it: set[str]
) -> None:
    draft, client = clinic.draft(), desk.client(role)
    assert client.get(f"/campaigns/{draft.id}").status_code == 200
    reached = {act for act in ACTS if act != "sign-off" and post(client, draft, act).status_code != 404}
    reached |= {"edit"} if client.get(f"/campaigns/{draft.id}/edit").status_code == 200 else set()
    assert reached == open_to_it


@pytest.mark.parametrize("role", ["administrator", "security_officer", "developer"])
def test_who_has_nothing_to_do_with_campaigns_finds_none(desk: Console, clinic: Clinic, role: str) -> None:
    draft, client = clinic.draft(), desk.client(role)
    assert client.get("/campaigns/").status_code == 404
    assert client.get(f"/campaigns/{draft.id}").status_code == 404


def test_an_outsider_finds_nothing_and_changes_nothing(
    desk: Console, clinic: Clinic, make_clinic: Callable[..., Organization], web_server: str
) -> None:
    planned, other = clinic.planned(), Console(web_server, make_clinic("Northfield Clinic"))
    for role in ("marketer", "privacy_officer"):
        client = other.client(role)
        for page in ("", "/now", "/edit", "/people", "/pause", "/cancel"):
            assert client.get(f"/campaigns/{planned.id}{page}").status_code == 404
        for act in ACTS:
            data = {"plan": planned.plan_id, "read": "on", "note": "x", "when": "now", "what": "waiver_id"}
            assert post(client, planned, act, **data).status_code == 404
    assert NAME not in other.client("marketer").get("/campaigns/").content.decode()
    assert clinic.campaign(planned.id) == planned


def test_the_signed_out_are_sent_to_sign_in(desk: Console, clinic: Clinic) -> None:
    answer = Client(headers={"host": "localhost"}).get("/campaigns/")
    assert answer.status_code == 302
    assert "/sign-in" in answer["Location"]


def test_a_campaigns_name_is_in_no_title_and_no_address(desk: Console, clinic: Clinic) -> None:
    planned = clinic.planned("Leakage canary")
    shown = page_of(desk.client("marketer"), planned)
    assert "Leakage canary" not in shown.partition("<title>")[2].partition("</title>")[0]
    assert "Leakage canary" in shown


@pytest.fixture
def stages(clinic: Clinic) -> dict[str, Campaign]:
    """One campaign at each stage."""
    scheduled, planning = clinic.approved("Scheduled"), clinic.draft("Being planned")
    with acting_for(clinic.id):
        api.launch(
            scheduled.id,
            actor=clinic.marketer,
            at=CLOCK.now(),
            not_before=CLOCK.now() + timedelta(days=2),
        )
        api.plan(planning.id, actor=clinic.marketer, clock=CLOCK)
    return {
        "draft": clinic.draft(),
        "planning": planning,
        "planned": clinic.planned(),
        "approved": clinic.approved(),
        "scheduled": scheduled,
        "sending": clinic.sending(),
    }


@pytest.mark.browser
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_every_stage_is_kind_to_everybody(
    desk: Console, stages: dict[str, Campaign], page_at: Callable[..., Page], width: int
) -> None:
    page = page_at(width)
    for role, names in (
        ("marketer", ("draft", "planning", "approved", "scheduled", "sending")),
        ("privacy_officer", ("planned",)),
    ):
        sign_in(page, role)
        for name in names:
            page.goto(f"{desk.url}/campaigns/{stages[name].id}")
            if width == NARROW or name == "planned":
                assert_accessible(page)
            assert_no_sideways_scroll(page)
            keep_picture(page, f"campaign-{name}")
    pages = {
        "people": f"/campaigns/{stages['planned'].id}/people?refused=1",
        "campaigns": "/campaigns/",
    }
    if width == WIDE:
        sign_in(page, "marketer")
        pages = {
            "campaign-new": "/campaigns/new",
            "campaign-pause": f"/campaigns/{stages['sending'].id}/pause",
            "campaigns": "/campaigns/",
        }
    for name, address in pages.items():
        page.goto(desk.url + address)
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        keep_picture(page, name)


@pytest.mark.browser
def test_a_plan_appears_by_itself_when_it_is_made(
    desk: Console, clinic: Clinic, page_at: Callable[..., Page]
) -> None:
    draft, page = clinic.draft(), page_at(WIDE)
    sign_in(page, "marketer")
    page.goto(f"{desk.url}/campaigns/{draft.id}")
    page.get_by_role("button", name="Ask the gate about everybody").click()
    page.get_by_text("Asking the gate about each person").wait_for()
    api.make_plan(clinic.id, draft.id)
    page.get_by_text("Why 4 may receive it").wait_for()


@pytest.mark.browser
def test_the_whole_way_works_without_javascript(
    desk: Console, clinic: Clinic, page_at: Callable[..., Page]
) -> None:
    planned, page = clinic.planned(), page_at(NARROW, javascript=False)
    sign_in(page, "privacy_officer")
    page.goto(f"{desk.url}/campaigns/{planned.id}")
    page.get_by_label("I have read who receives it").check()
    page.get_by_role("button", name="Approve for 4 people").click()
    page.get_by_text("It waits to be launched").first.wait_for()
    sign_in(page, "marketer")
    page.goto(f"{desk.url}/campaigns/{planned.id}")
    page.get_by_role("button", name="Launch for 4 people").click()
    page.get_by_role("link", name="Look again").click()
    page.get_by_role("heading", name="Sending now").wait_for()
