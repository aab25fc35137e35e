"""The canvas in a real browser: a journey is drawn from nothing, checked, mended, saved and handed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from salus.audiences import api as audiences
from salus.inbox import api as inbox
from salus.journeys import drafting, entering, queries
from salus.journeys.contracts import Branch, EnterKind, Send, StepKind, Version, VersionStatus
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
from tests.campaigns.conftest import Engines, engines
from tests.journeys.drawn import overdue
from tests.journeys.house import House, furnish, now
from tests.journeys.running import DAY, Running

__all__ = ["engines"]

NAME = "Bring overdue patients back"
SEGMENT = "Nobody saw them for a year"


@pytest.fixture
def house(engines: Engines, console: Console) -> Iterator[House]:
    """A clinic with a segment of everybody, which the engine counts."""
    found = furnish(console.organization)
    with acting_for(found.id):
        audiences.save_segment(SEGMENT, {"version": 1, "where": {"all": []}}, found.marketer)
    engines.serve(found.id)
    yield found
    engines.organizations.remove(found.id)


class Canvas:
    """The canvas as a person uses it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.locator(".je-panel")
        self.checks = page.get_by_role("region", name="go live")

    def step(self, title: str) -> Locator:
        return self.page.locator(".node", has_text=title)

    def add(self, what: str, after: str, port: str = "") -> None:
        """Add a step at an open port, by its plus."""
        words = f"after “{after}”" + (f", {port}" if port else "") if after else "after the way in"
        self.page.get_by_role("button", name=f"Add a step {words}").click()
        self.page.get_by_role("dialog").get_by_role("button", name=re.compile(f"^{what}")).first.click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def choose(self, title: str) -> None:
        """Choose a step, wherever it is."""
        self.page.get_by_role("button", name="Show all of it").click()
        self.step(title).click()

    def title(self, words: str) -> None:
        self.panel.get_by_label("Title").fill(words)

    def checked(self) -> None:
        expect(self.page.locator(".je-checks[aria-busy=false]")).to_be_visible()


def new_journey(page: Page, console: Console) -> Canvas:
    page.goto(f"{console.url}/journeys/new")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Name").press("Enter")
    expect(page.locator("[data-step=enter]")).to_be_visible()
    return Canvas(page)


def draw_the_recall(canvas: Canvas) -> None:
    """Draw: whoever comes in is written to, waits for a booking, is called if they looked, or left in peace."""
    page, panel = canvas.page, canvas.panel
    panel.get_by_role("button", name="Add a way in").click()
    panel.get_by_label("Segment").select_option(label=SEGMENT)
    panel.get_by_label("Also who is in it at the start").check()
    canvas.add("E-mail", "")
    canvas.title("Time for a check-up")
    canvas.add("Wait for something", "Time for a check-up")
    canvas.title("Do they book?")
    panel.get_by_label("Event").select_option(label="Appointment booked")
    canvas.add("Goal", "Do they book?", "it happened")
    canvas.title("Visit booked")
    canvas.add("Branch", "Do they book?", "it did not happen")
    canvas.title("Did they read it?")
    canvas.add("Task", "Did they read it?", "opened")
    panel.get_by_label("What is to be done").fill("Call them and offer a time")
    panel.get_by_label("Who sees it too").select_option(label="Privacy officer")
    panel.get_by_label("done", exact=True).select_option(label="Visit booked")
    canvas.add("End", "Call them and offer a time", "not done")
    canvas.title("No answer")
    canvas.step("Did they read it?").click()
    panel.get_by_label("otherwise").select_option(label="No answer")
    expect(page.locator(".je-plus:not(.is-small)")).to_have_count(0)


def saved(house: House) -> Version:
    with acting_for(house.id):
        (journey,) = queries.journeys()
        return queries.versions(journey.id)[0]


def look(page: Page, name: str) -> None:
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, name)


@pytest.mark.browser
def test_a_journey_is_drawn_from_nothing_checked_mended_and_saved(
    console: Console, house: House, page_at: Callable[..., Page]
) -> None:
    page = page_at(WIDE)
    sign_in(page, "marketer")
    canvas = new_journey(page, console)
    expect(canvas.checks).to_contain_text("Nobody comes in")
    expect(page.get_by_role("button", name="Hand in for approval")).to_be_disabled()
    look(page, "canvas empty")
    draw_the_recall(canvas)
    canvas.checked()
    expect(canvas.checks).to_contain_text("There is no message.")
    expect(canvas.step("Time for a check-up")).to_have_accessible_name(
        "E-mail, Time for a check-up, e-mail, no template yet, has something to mend"
    )
    look(page, "canvas with a finding")
    canvas.checks.get_by_role("button", name="Time for a check-up").first.click()
    expect(canvas.panel).to_contain_text("There is no message.")
    canvas.panel.get_by_label("Template in English").select_option(index=1)
    canvas.checked()
    expect(canvas.checks).to_contain_text("Everyone finishes.")
    expect(page.get_by_role("button", name="Hand in for approval")).to_be_enabled()
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    look(page, "canvas proven")
    graph = saved(house).graph
    assert graph.name == NAME
    assert [way.kind for way in graph.enter] == [EnterKind.SEGMENT_ENTERED]
    assert [step.kind for step in graph.steps.values()] == [
        StepKind.SEND, StepKind.WAIT_FOR, StepKind.GOAL, StepKind.BRANCH, StepKind.TASK, StepKind.EXIT,
    ]  # fmt: skip
    sends, branch = graph.steps["send"].does, graph.steps["branch"].does
    assert isinstance(sends, Send)
    assert sends.versions == house.versions
    assert isinstance(branch, Branch)
    assert branch.cases[0].of_step == "send"
    page.reload()
    expect(canvas.step("Did they read it?")).to_be_visible()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()


@pytest.mark.browser
def test_it_is_simulated_handed_in_approved_by_another_started_and_its_funnel_read(
    console: Console, house: House, page_at: Callable[..., Page]
) -> None:
    page = page_at(WIDE)
    sign_in(page, "marketer")
    canvas = new_journey(page, console)
    draw_the_recall(canvas)
    canvas.choose("Time for a check-up")
    canvas.panel.get_by_label("Template in English").select_option(index=1)
    canvas.checked()
    page.get_by_role("button", name="Simulate", exact=True).click()
    canvas.panel.get_by_label("Appointment booked, of a hundred").fill("0")
    canvas.panel.get_by_label("Message opened, of a hundred").fill("0")
    canvas.panel.get_by_role("button", name="Simulate now").click()
    expect(page.locator(".je-main")).to_contain_text(
        "5 would come in = 0 inside + 0 at the goal + 5 ended + 0 not allowed"
    )
    expect(page.locator(".je-words", has_text="it did not happen 5")).to_be_visible()
    look(page, "canvas simulated")
    page.get_by_role("button", name="Hand in for approval").click()
    expect(page.get_by_role("status").filter(has_text="Handed in.")).to_be_visible()
    version = saved(house)
    assert version.status is VersionStatus.SUBMITTED

    sign_in(page, "privacy_officer")
    page.goto(f"{console.url}/journeys/{version.journey_id}/versions")
    page.get_by_label("I have read its steps").check()
    page.get_by_role("button", name="Approve version 1").click()
    sign_in(page, "marketer")
    page.goto(f"{console.url}/journeys/{version.journey_id}/versions")
    page.get_by_role("button", name="Start version 1").click()
    expect(page.get_by_role("button", name="Start version 1")).to_have_count(0)
    assert saved(house).status is VersionStatus.LIVE

    run_for_two_weeks(house, saved(house))
    page.goto(f"{console.url}/journeys/{version.journey_id}")
    expect(page.locator(".head")).to_contain_text("5 = 0 inside + 2 at the goal + 3 ended")
    keep_picture(page, "canvas funnel afterwards")
    page.goto(f"{console.url}/journeys/{version.journey_id}/canvas")
    expect(page.get_by_text("came in = 0 inside + 2 at the goal + 3 ended")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    expect(page.locator(".je-words", has_text="opened 1")).to_be_visible()
    look(page, "canvas of a live version")


def run_for_two_weeks(house: House, version: Version) -> None:
    """Let everybody in; ada books, bert looks at the letter and is called, the others do nothing."""
    running = Running(house.id, version.journey_id, version.id, FakeClock(now()))
    with acting_for(house.id):
        coming = entering.look(version.journey_id, clock=running.clock)
    while coming:
        with acting_for(house.id):
            coming = entering.bring(version.journey_id, actor=running.actor, clock=running.clock)
    running.run()
    for _ in range(3):
        running.after(timedelta(hours=20))  # over night, and over a public holiday
    ada, bert = house.people["ada"], house.people["bert"]
    running.happens(ada, EventKind.APPOINTMENT_BOOKED)
    (sent,) = [each.message_id for each in running.visits(bert) if each.outcome == "sent"]
    running.happens(bert, EventKind.MESSAGE_OPENED, message_id=sent)
    running.after(timedelta(hours=1))
    running.after(8 * DAY)
    with acting_for(house.id):
        (task,) = inbox.tasks(house.coordinator)
        inbox.end(task.id, done=True, actor=house.coordinator, at=running.clock.now())
    running.after(timedelta(hours=1))
    running.after(4 * DAY)


def open_canvas(page: Page, console: Console, house: House) -> Canvas:
    """Open the canvas of a journey that somebody drew."""
    version = house.drafted(overdue(house.versions, name=NAME))
    page.goto(f"{console.url}/journeys/{version.journey_id}/canvas")
    expect(page.locator(".je-checks[aria-busy=true]")).to_have_count(0)
    expect(page.locator("h1")).to_have_text(NAME)
    return Canvas(page)


@pytest.mark.browser
def test_everything_is_done_by_keys_and_taken_back(
    console: Console, house: House, page_at: Callable[..., Page]
) -> None:
    page = page_at(WIDE)
    sign_in(page, "marketer")
    canvas = open_canvas(page, console, house)
    chosen = page.locator(".node[aria-pressed=true]")
    canvas.page.locator("[data-step=enter]").focus()
    page.keyboard.press("ArrowDown")
    expect(chosen).to_be_focused()
    expect(chosen).to_contain_text("Time for a check-up")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(chosen).to_contain_text("Time for a check-up")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("After “Time for a check-up”")
    expect(dialog.get_by_role("button", name="Goal")).to_have_count(0)
    expect(dialog.get_by_role("button", name="Text")).to_have_count(0)
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(chosen).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(chosen).to_be_focused()
    expect(chosen).to_have_attribute("data-step", "wait_2")
    page.keyboard.press("e")
    expect(canvas.panel.get_by_label("Title")).to_be_focused()
    page.keyboard.type("A pause")
    expect(canvas.step("A pause")).to_have_count(1)
    canvas.step("A pause").focus()
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    expect(canvas.step("A pause")).to_have_count(2)
    page.keyboard.press("Delete")
    expect(canvas.step("A pause")).to_have_count(1)
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(canvas.step("A pause")).to_have_count(2)
    for _ in range(2):
        page.get_by_role("button", name="Undo").click()
    expect(canvas.step("A pause")).to_have_count(0)
    page.get_by_role("button", name="Redo").click()
    expect(canvas.step("A pause")).to_have_count(1)


@pytest.mark.browser
def test_steps_are_dragged_connected_and_laid_out_again(
    console: Console, house: House, page_at: Callable[..., Page]
) -> None:
    page = page_at(WIDE)
    sign_in(page, "marketer")
    canvas = open_canvas(page, console, house)
    page.get_by_role("button", name="Show all of it").click()
    tidy = page.get_by_role("button", name="Lay out by itself")
    expect(tidy).to_be_disabled()
    node = canvas.step("Visit booked")
    before = node.bounding_box()
    node.hover()
    page.mouse.down()
    page.mouse.move(before["x"] + 90, before["y"] + 60, steps=5)  # type: ignore[index]
    page.mouse.up()
    expect(tidy).to_be_enabled()
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert saved(house).graph.layout["booked"]
    tidy.click()
    page.get_by_role("button", name="Show all of it").click()
    canvas.step("A nurse calls").hover()
    page.locator("[data-id=call] .react-flow__handle.source[data-handleid=done]").hover()
    page.mouse.down()
    goal = node.bounding_box()
    page.mouse.move(goal["x"] + 30, goal["y"] + 20, steps=12)  # type: ignore[index]
    page.mouse.up()
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    graph = saved(house).graph
    assert graph.steps["call"].ports["done"] == "booked"
    assert not graph.layout


@pytest.mark.browser
def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unasked(
    console: Console, house: House, page_at: Callable[..., Page]
) -> None:
    page = page_at(WIDE)
    sign_in(page, "marketer")
    canvas = open_canvas(page, console, house)
    page.get_by_role("button", name="Rules").click()
    canvas.panel.get_by_label("Name").fill("Mine")
    version = saved(house)
    with acting_for(house.id):
        theirs = replace(version.graph, name="Theirs")
        drafting.save_draft(version.id, theirs, seen=version.changed_at, actor=house.marketer, at=now())
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Somebody else saved this draft meanwhile.")).to_be_visible()
    canvas.checked()
    assert_accessible(page)
    assert saved(house).graph.name == "Theirs"
    page.get_by_role("button", name="Keep mine instead").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert saved(house).graph.name == "Mine"


@pytest.mark.browser
def test_on_a_phone_the_list_has_the_same_acts(
    console: Console, house: House, page_at: Callable[..., Page]
) -> None:
    page = page_at(NARROW, dark=True)
    sign_in(page, "marketer")
    canvas = open_canvas(page, console, house)
    rows = page.locator(".je-list > li")
    expect(rows).to_have_count(10)
    canvas.checked()
    look(page, "canvas as a list")
    row = rows.filter(has_text="A nurse calls").get_by_role("button", name="A nurse calls Task")
    row.click()
    expect(row).to_have_attribute("aria-expanded", "true")
    row.click()
    expect(page.locator(".je-panel")).to_have_count(0)
    rows.filter(has_text="A nurse calls").get_by_role("button", name="calls”, done").click()
    look(page, "canvas list choosing")
    page.get_by_role("dialog").get_by_role("button", name="Wait so long").click()
    expect(rows).to_have_count(11)
    panel = page.locator(".je-list .je-panel")
    panel.get_by_label("How many").fill("3")
    expect(rows.filter(has_text="Wait: 3 days")).to_have_count(1)
    canvas.checked()
    look(page, "canvas list editing")
    panel.get_by_role("button", name="Delete", exact=True).click()
    expect(rows).to_have_count(10)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()


@pytest.mark.browser
def test_who_may_only_look_sees_the_canvas_and_changes_nothing(
    console: Console, house: House, page_at: Callable[..., Page]
) -> None:
    page = page_at(WIDE)
    sign_in(page, "analyst")
    canvas = open_canvas(page, console, house)
    canvas.step("A nurse calls").focus()
    for key in ("Enter", "Delete", "Control+x"):
        page.keyboard.press(key)
    expect(canvas.step("A nurse calls")).to_be_visible()
    for act in ("Save", "Undo", "Add a step after the way in"):
        expect(page.get_by_role("button", name=act)).to_have_count(0)
    expect(canvas.panel.get_by_label("Whose inbox")).to_be_disabled()
    assert_accessible(page)


@pytest.mark.browser
def test_it_saves_itself_after_a_while_and_keeps_what_was_drawn_when_it_cannot(
    console: Console, house: House, page_at: Callable[..., Page]
) -> None:
    page = page_at(WIDE)
    page.clock.install()
    sign_in(page, "marketer")
    canvas = open_canvas(page, console, house)
    page.get_by_role("button", name="Rules").click()
    canvas.panel.get_by_label("Name").fill("Overdue")
    page.clock.run_for(21_000)
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert saved(house).graph.name == "Overdue"
    page.context.clear_cookies()
    canvas.panel.get_by_label("Name").fill("Overdue for long")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("You are signed out")).to_be_visible()
    sign_in(page, "marketer")
    page.context.new_page().goto(f"{console.url}/journeys/")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert saved(house).graph.name == "Overdue for long"
