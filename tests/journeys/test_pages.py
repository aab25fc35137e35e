"""The pages of journeys, on a desk and on a phone: what is shown of one that runs, and what people do there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity.contracts import Role
from salus.journeys import drafting, queries
from salus.journeys.contracts import Status, VersionStatus
from salus.kernel.acting import system
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for
from salus.timeline.contracts import EventKind
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from tests.delivery import office
from tests.journeys.drawn import DAY, overdue, short
from tests.journeys.house import House, furnish, now
from tests.journeys.running import Running, put_live

NAME = "Bring overdue patients back"


@dataclass
class Shown:
    """A journey that ran for two weeks, with people at every step."""

    house: House
    running: Running
    people: list[UUID]

    @property
    def id(self) -> UUID:
        """Return the journey's id."""
        return self.running.journey_id


def ran(house: House) -> Shown:
    """Return a journey with forty people, some of whom opted out, booked, or speak Spanish."""
    start = now() - 12 * DAY
    running = put_live(house.id, overdue(house.versions, name=NAME), clock=FakeClock(start))
    actor = system(house.id, "test")
    with acting_for(house.id):
        people = office.admit(
            [
                office.patient(
                    f"p{number}",
                    f"p{number}@lakepost.example.test" if number > 5 else None,
                    start,
                    language="es" if number % 3 else "en",
                )
                for number in range(40)
            ],
            actor,
        )
    running.enter(*people)
    running.run()
    running.clock.advance(timedelta(hours=20))
    running.run()
    for id in people[6:14]:
        running.happens(id, EventKind.APPOINTMENT_BOOKED)
    running.after(timedelta(hours=1))
    running.after(7 * DAY)
    running.after(timedelta(hours=20))
    for id in people[14:18]:
        running.happens(id, EventKind.APPOINTMENT_BOOKED)
    running.after(timedelta(hours=1))
    return Shown(house, running, people)


@pytest.fixture
def shown(console: Console) -> Shown:
    return ran(furnish(console.organization))


def look(page: Page, name: str) -> None:
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, name)


@pytest.mark.browser
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_running_journey_is_read_in_all_its_views(
    console: Console, shown: Shown, page_at: Callable[..., Page], width: int
) -> None:
    page = page_at(width)
    sign_in(page, "care_coordinator")
    page.goto(f"{console.url}/journeys/")
    expect(page.get_by_role("link", name=NAME)).to_be_visible()
    look(page, "journeys list")
    page.get_by_role("link", name=NAME).click()
    expect(page.get_by_role("heading", level=1, name=NAME)).to_be_visible()
    look(page, "journeys funnel")
    page.get_by_role("navigation", name="View").get_by_role("link", name="List").click()
    expect(page.get_by_role("heading", name="Step by step")).to_be_visible()
    look(page, "journeys steps")
    page.get_by_role("navigation", name="View").get_by_role("link", name="Versions").click()
    page.wait_for_url("**/versions")
    look(page, "journeys versions")


def step_of(page: Page) -> Any:
    return page.locator("#step-panel")


@pytest.mark.browser
def test_a_step_tells_who_is_there_why_not_and_where_they_went_with_the_law(
    console: Console, shown: Shown, page_at: Callable[..., Page]
) -> None:
    page = page_at(WIDE)
    sign_in(page, "privacy_officer")
    page.goto(f"{console.url}/journeys/{shown.id}")
    panel = step_of(page)
    expect(panel).to_contain_text("Of 40 who arrived, 34 were written to, 6 were not allowed")
    expect(panel).to_contain_text("15% drop-off: 6 not allowed")
    expect(panel).to_contain_text("There is no address for this channel")
    node = page.get_by_role("link", name="A nurse calls").first
    node.focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", level=2)).to_have_text("Task: A nurse calls")
    assert page.url.endswith("step=call")
    expect(page.locator(".node[aria-current]")).to_contain_text("A nurse calls")
    panel.get_by_role("link", name="9").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who exactly")
    expect(page.locator("tbody tr")).to_have_count(9)
    look(page, "journeys who")
    page.get_by_role("link", name="Diary of").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("The way of C-")
    expect(page.locator(".trail")).to_contain_text("Sent")
    look(page, "journeys diary")
    with acting_for(console.organization.id):
        looks = audit.entries(Filters(action=Action.JOURNEY_PEOPLE_READ))
    assert len(looks) == 2


@pytest.mark.browser
def test_on_a_phone_a_diary_and_a_contacts_journeys_are_read(
    console: Console, shown: Shown, page_at: Callable[..., Page]
) -> None:
    page = page_at(NARROW)
    sign_in(page, "care_coordinator")
    page.goto(f"{console.url}/contacts/{shown.people[0]}")
    panel = page.get_by_role("region", name="Journeys")
    expect(panel).to_contain_text("Not allowed")
    look(page, "journeys contact panel")
    panel.get_by_role("link", name=NAME).click()
    expect(page.locator(".trail")).to_contain_text("There is no address for this channel".lower()[1:])
    look(page, "journeys diary refused")


@pytest.mark.browser
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_version_is_drawn_on_handed_in_read_approved_started_and_people_moved(
    console: Console, shown: Shown, page_at: Callable[..., Page], width: int
) -> None:
    page = page_at(width)
    sign_in(page, "marketer")
    page.goto(f"{console.url}/journeys/{shown.id}/versions")
    page.get_by_role("button", name="Edit as version 2").click()
    with acting_for(console.organization.id):
        draft = queries.version(queries.journey(shown.id).draft)  # type: ignore[arg-type]
        changed = overdue(shown.house.versions, name=NAME)
        steps = {key: each for key, each in changed.steps.items() if key != "call"}
        which = steps["which"]
        steps["which"] = type(which)(
            which.key, which.kind, which.title, which.does, {"spanish": "second", "else": "second"}
        )
        drafting.save_draft(
            draft.id,
            type(changed)(changed.name, changed.enter, changed.start, steps, changed.rules),
            seen=draft.changed_at,
            actor=shown.house.marketer,
            at=now(),
        )
    page.goto(f"{console.url}/journeys/{shown.id}/versions")
    look(page, "journeys versions draft")
    page.get_by_role("button", name="Hand in for approval").click()
    expect(page.get_by_text("You drew in it, so somebody else approves it.")).to_be_visible()

    sign_in(page, "privacy_officer")
    page.goto(f"{console.url}/journeys/{shown.id}/versions")
    look(page, "journeys versions submitted")
    page.get_by_role("link", name="What differs from version 1").click()
    expect(page.get_by_text("Steps: 1 taken out, 1 changed.")).to_be_visible()
    look(page, "journeys differences")
    page.go_back()
    page.get_by_role("button", name="Approve version 2").click()
    expect(page.get_by_text("Please read it first, then say so here.")).to_be_visible()
    page.get_by_label("I have read its steps").check()
    page.get_by_role("button", name="Approve version 2").click()
    expect(page.get_by_text("Approved. It waits to be started.")).to_be_visible()

    sign_in(page, "marketer")
    page.goto(f"{console.url}/journeys/{shown.id}/versions")
    look(page, "journeys versions approved")
    page.get_by_role("button", name="Start version 2").click()
    expect(page.get_by_text("It is live.")).to_be_visible()

    page.goto(f"{console.url}/journeys/{shown.id}/versions")
    page.get_by_role("link", name="Move 23 people to version 2").click()
    expect(page.get_by_text("9 people stand here.")).to_be_visible()
    look(page, "journeys move")
    page.get_by_role("button", name="Move 23 people").click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody was moved")
    page.get_by_label("Where those at A nurse calls go on").select_option(label="Wait for a booking")
    page.locator("#to-call").select_option("wait_again")
    page.get_by_role("button", name="Move 23 people").click()
    expect(page.get_by_text("23 people moved to version 2.")).to_be_visible()
    look(page, "journeys versions moved")
    with acting_for(console.organization.id):
        assert queries.journey(shown.id).live == draft.id


@pytest.mark.browser
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_people_are_put_in_by_their_numbers(
    console: Console, page_at: Callable[..., Page], width: int
) -> None:
    house = furnish(console.organization)
    running = put_live(house.id, short(house.versions, name="Visits"))
    running.enter(house.people["ada"])
    page = page_at(width)
    sign_in(page, "marketer")
    page.goto(f"{console.url}/journeys/{running.journey_id}")
    page.get_by_role("link", name="Put people in").click()
    page.get_by_role("button", name="Put them in").click()
    expect(page.get_by_text("Write at least one number")).to_be_visible()
    page.get_by_label("Numbers").fill("mrn-ada\nmrn-bert\nmrn-nobody\nmrn-bert")
    page.get_by_role("button", name="Put them in").click()
    expect(page.get_by_role("heading", name="1 person is in")).to_be_visible()
    expect(page.get_by_text("4 lines = 1 came in + 1 did not + 1 nobody has + 1 repeated")).to_be_visible()
    expect(page.get_by_text("Is in it already")).to_be_visible()
    expect(page.get_by_text("Line 3")).to_be_visible()
    assert "mrn-" not in page.content()
    look(page, "journeys enrol")
    page.get_by_label("Or a file").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": b"mrn-cora,Cora\nmrn-dan,Dan\n"}
    )
    page.get_by_role("button", name="Put them in").click()
    expect(page.get_by_role("heading", name="2 people are in")).to_be_visible()


@pytest.mark.browser
def test_a_journey_is_paused_closed_and_stopped_with_the_safe_button_first(
    console: Console, page_at: Callable[..., Page]
) -> None:
    house = furnish(console.organization)
    running = put_live(house.id, short(house.versions, name="Visits"))
    running.enter(*house.people.values())
    page = page_at(WIDE)
    sign_in(page, "marketer")
    page.goto(f"{console.url}/journeys/{running.journey_id}")
    page.get_by_role("link", name="Pause").click()
    expect(page.get_by_role("button", name="Pause for 5 people")).to_be_visible()
    look(page, "journeys pause")
    page.get_by_role("button", name="Pause for 5 people").click()
    expect(page.get_by_text("Paused. Everybody stands still.")).to_be_visible()
    page.get_by_role("button", name="Go on for 5 people").click()
    expect(page.get_by_text("It goes on.")).to_be_visible()
    page.goto(f"{console.url}/journeys/{running.journey_id}/versions")
    page.get_by_role("link", name="Close to new people").click()
    page.get_by_role("button", name="Close to new people").click()
    expect(page.get_by_text("Closed. Those inside go on to their end.")).to_be_visible()
    page.goto(f"{console.url}/journeys/{running.journey_id}/versions")
    page.get_by_role("link", name="Stop for everybody").click()
    expect(page.get_by_role("button", name="Stop for 5 people")).to_be_visible()
    look(page, "journeys stop")
    page.get_by_role("button", name="Stop for 5 people").click()
    expect(page.get_by_text("Stopped. Everybody is being taken out.")).to_be_visible()
    running.run()
    page.reload()
    expect(page.get_by_text("5 = 0 inside + 0 at the goal + 5 ended")).to_be_visible()


@pytest.mark.browser
def test_the_first_journey_begins_with_a_name(console: Console, page_at: Callable[..., Page]) -> None:
    page = page_at(NARROW, dark=True)
    sign_in(page, "marketer")
    page.goto(f"{console.url}/journeys/")
    look(page, "journeys none")
    page.get_by_role("link", name="Draw the first one").click()
    expect(page.get_by_label("Name")).to_be_visible()
    look(page, "journeys new")
    page.get_by_label("Name").fill("Welcome to the clinic")
    page.get_by_role("button", name="Draw it").click()
    with acting_for(console.organization.id):
        [journey] = queries.journeys()
    assert (journey.name.reveal(), journey.status) == ("Welcome to the clinic", Status.DRAFT)
    page.goto(f"{console.url}/journeys/{journey.id}/list")
    expect(page.get_by_text("Nobody said yet how people come in")).to_be_visible()
    look(page, "journeys just begun")


ROLES = (
    "administrator",
    "security_officer",
    "privacy_officer",
    "marketer",
    "author",
    "analyst",
    "care_coordinator",
    "developer",
    "auditor",
)
READERS = {"privacy_officer", "marketer", "author", "analyst", "care_coordinator", "auditor"}
SEES_PEOPLE = {"privacy_officer", "care_coordinator"}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_what_is_for_it(console: Console, role: str) -> None:
    house = furnish(console.organization)
    running = put_live(house.id, short(house.versions, name="Visits"))
    running.enter(house.people["ada"])
    running.run()
    enrolment = running.enrolment(house.people["ada"])
    client = console.client(role)
    pages = ["", "/list", "/versions"]
    for page in pages:
        wanted = 200 if role in READERS else 404
        assert client.get(f"/journeys/{running.journey_id}{page}").status_code == wanted, page
    for page in ("/who?step=letter", f"/diary/{enrolment.id}"):
        wanted = 200 if role in SEES_PEOPLE else 404
        assert client.get(f"/journeys/{running.journey_id}{page}").status_code == wanted, page
    shown = client.get(f"/journeys/{running.journey_id}").content.decode()
    assert ("See who" in shown) == (role in SEES_PEOPLE)
    wanted = 303 if Role(role) in {Role.MARKETER, Role.CARE_COORDINATOR} else 404
    assert client.post(f"/journeys/{running.journey_id}/pause").status_code == wanted


def test_an_outsider_finds_nothing_anywhere(console: Console, make_clinic: Callable[..., Any]) -> None:
    other = furnish(make_clinic())
    running = put_live(other.id, short(other.versions, name="Visits"))
    running.enter(other.people["ada"])
    enrolment, version = running.enrolment(other.people["ada"]), running.version_id
    for role in ("marketer", "care_coordinator", "privacy_officer"):
        client = console.client(role)
        assert "Visits" not in client.get("/journeys/").content.decode()
        for name, ids in (
            ("show", (running.journey_id,)),
            ("steps", (running.journey_id,)),
            ("versions", (running.journey_id,)),
            ("who", (running.journey_id,)),
            ("enrol", (running.journey_id,)),
            ("diary", (running.journey_id, enrolment.id)),
            ("pause", (running.journey_id,)),
            ("differences", (version, version)),
            ("move", (version, version)),
        ):
            assert client.get(reverse(f"journeys:{name}", args=ids)).status_code == 404, name
        for name in ("submit", "take_back", "approve", "send_back", "start", "redraw", "copy"):
            answer = client.post(reverse(f"journeys:{name}", args=[version]), {"note": "x"})
            assert answer.status_code == 404, name


@pytest.mark.parametrize(
    "query",
    ["version=nonsense", "version=00000000-0000-0000-0000-000000000000", "step=%00", "step=gone", "after=x"],
)
def test_odd_addresses_are_absent_or_harmless(console: Console, query: str) -> None:
    house = furnish(console.organization)
    running = put_live(house.id, short(house.versions))
    client = console.client("privacy_officer")
    for page in ("", "/list", "/versions", "/who"):
        assert client.get(f"/journeys/{running.journey_id}{page}?{query}").status_code in {200, 404}


def test_an_act_that_is_not_possible_is_said_and_changes_nothing(console: Console) -> None:
    house = furnish(console.organization)
    draft = house.drafted(short(house.versions))
    client = console.client("marketer")
    answer = client.post(f"/journeys/versions/{draft.id}/start")
    assert answer.status_code == 409
    assert "A version that is a draft cannot be started." in answer.content.decode()
    answer = client.post(f"/journeys/{draft.journey_id}/pause")
    assert answer.status_code == 409
    with acting_for(house.id):
        assert queries.version(draft.id).status is VersionStatus.DRAFT


def test_a_version_is_approved_only_as_it_was_seen(console: Console) -> None:
    house = furnish(console.organization)
    draft = house.drafted(short(house.versions))
    with acting_for(house.id):
        drafting.submit(draft.id, actor=house.marketer, at=now())
        seen = queries.version(draft.id).changed_at
        drafting.take_back(draft.id, actor=house.marketer, at=now())
        drafting.submit(draft.id, actor=house.marketer, at=now())
    client = console.client("privacy_officer")
    answer = client.post(f"/journeys/versions/{draft.id}/approve", {"seen": seen.isoformat(), "read": "on"})
    assert answer.status_code == 409
    with acting_for(house.id):
        assert queries.version(draft.id).status is VersionStatus.SUBMITTED


def test_a_copy_and_a_send_back_from_the_pages(console: Console) -> None:
    house = furnish(console.organization)
    version = house.live(short(house.versions, name="Visits"))
    marketer, officer = console.client("marketer"), console.client("privacy_officer")
    assert marketer.post(f"/journeys/versions/{version.id}/copy").status_code == 302
    with acting_for(house.id):
        made = next(each for each in queries.journeys() if each.id != version.journey_id)
    assert made.name.reveal() == "Copy of Visits"
    marketer.post(f"/journeys/versions/{made.draft}/submit")
    assert officer.post(f"/journeys/versions/{made.draft}/send-back", {"note": ""}).status_code == 400
    officer.post(f"/journeys/versions/{made.draft}/send-back", {"note": "Wait longer."})
    assert "Wait longer." in marketer.get(f"/journeys/{made.id}/versions").content.decode()
