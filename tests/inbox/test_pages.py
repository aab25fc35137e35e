"""The pages of the inbox and its addresses for programs: what each role sees and does, and what an outsider does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.contacts.contracts import ContactPatch, Identifier
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission, Role
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask, Status
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.platform.tenancy import acting_for
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)

TITLE = "Call about the missed visit"


def task_of(organization: Organization, **changes: Any) -> UUID:
    """Return a fresh task about a fresh patient, for the care coordinators."""
    actor = system(organization.id, "test")
    with acting_for(organization.id):
        patch = ContactPatch(
            (Identifier("mrn", Phi(new_id().hex)),), values={"given_name": "Ana", "family_name": "Example"}
        )
        (merged,) = contacts.merge([patch], actor=actor)
        assert merged.contact_id is not None
        given: dict[str, Any] = {
            "key": new_id().hex,
            "contact_id": merged.contact_id,
            "role": Role.CARE_COORDINATOR,
            "title": TITLE,
            "instructions": "Ask whether she needs a lift.\n\nHer daughter answers.",
            "due_at": timezone.now() + timedelta(days=1),
            **changes,
        }
        made = inbox.create_tasks([NewTask(**given)], actor=actor, at=timezone.now())
    return made[given["key"]]


def status_of(organization: Organization, task_id: UUID) -> Status:
    with acting_for(organization.id):
        return inbox.task(task_id, actor=system(organization.id, "test")).status


def page_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_coordinator_takes_a_task_and_says_how_it_went(console: Console) -> None:
    task_id = task_of(console.organization)
    client = console.client("care_coordinator")
    listed = page_of(client, "/tasks/")
    assert TITLE in listed
    assert "Ana" not in listed
    shown = page_of(client, f"/tasks/{task_id}")
    assert "Her daughter answers." in shown
    assert "Ana" not in shown
    assert client.post(f"/tasks/{task_id}/take").status_code == 303
    assert "by you" in page_of(client, "/tasks/")
    answer = client.post(f"/tasks/{task_id}/end", {"outcome": "done", "note": "She comes on Friday."})
    assert (answer.status_code, answer["Location"]) == (302, "/tasks/")
    assert status_of(console.organization, task_id) is Status.DONE
    assert TITLE not in page_of(client, "/tasks/").partition("<main")[2]
    assert TITLE in page_of(client, "/tasks/?ended=1")
    assert "She comes on Friday." in page_of(client, f"/tasks/{task_id}")


def test_opening_a_task_is_recorded_with_the_person_it_is_about(console: Console) -> None:
    task_id = task_of(console.organization)
    console.client("care_coordinator").get(f"/tasks/{task_id}")
    with acting_for(console.organization.id):
        (entry,) = audit.entries(Filters(action=Action.TASK_READ))
        contact_id = inbox.task(task_id, actor=system(console.organization.id, "test")).contact_id
    assert (entry.object_id, entry.patient_id, entry.role) == (task_id, contact_id, "care_coordinator")


def test_what_is_not_done_needs_its_reason_and_keeps_what_was_typed(console: Console) -> None:
    task_id = task_of(console.organization)
    client = console.client("care_coordinator")
    answer = client.post(f"/tasks/{task_id}/end", {"outcome": "not_done", "note": " "})
    assert answer.status_code == 400
    assert "Say why it is not done" in answer.content.decode()
    assert status_of(console.organization, task_id) is Status.OPEN
    too_long = client.post(f"/tasks/{task_id}/end", {"outcome": "done", "note": "x" * 2001})
    assert too_long.status_code == 400
    assert client.post(f"/tasks/{task_id}/end", {"outcome": "perhaps"}).status_code == 400
    client.post(f"/tasks/{task_id}/end", {"outcome": "not_done", "note": "She moved."})
    assert status_of(console.organization, task_id) is Status.NOT_DONE


def test_a_task_that_ended_meanwhile_says_so_and_nothing_changes(console: Console) -> None:
    task_id = task_of(console.organization)
    client = console.client("care_coordinator")
    client.post(f"/tasks/{task_id}/end", {"outcome": "done"})
    for act in ("take", "give-back"):
        answer = client.post(f"/tasks/{task_id}/{act}")
        assert answer.status_code == 409
        assert "This task was done already." in answer.content.decode()
    assert client.post(f"/tasks/{task_id}/end", {"outcome": "done"}).status_code == 409


@pytest.mark.parametrize("role", ["marketer", "privacy_officer"])
def test_people_of_another_role_find_nothing(console: Console, role: str) -> None:
    task_id = task_of(console.organization)
    client = console.client(role)
    assert "Nothing waits for you" in page_of(client, "/tasks/")
    assert client.get(f"/tasks/{task_id}").status_code == 404
    for act in ("take", "give-back", "end"):
        assert client.post(f"/tasks/{task_id}/{act}", {"outcome": "done"}).status_code == 404
    assert status_of(console.organization, task_id) is Status.OPEN


@pytest.mark.parametrize("role", ["analyst", "author", "auditor", "administrator", "developer"])
def test_who_has_no_tasks_has_no_room_for_them(console: Console, role: str) -> None:
    client = console.client(role)
    assert client.get("/tasks/").status_code == 404
    assert "/tasks/" not in client.get("/account/").content.decode()


def test_an_outsider_finds_no_task(console: Console, make_clinic: Callable[..., Organization]) -> None:
    theirs = task_of(make_clinic("Somebody Else"))
    client = console.client("care_coordinator")
    assert client.get(f"/tasks/{theirs}").status_code == 404
    assert client.post(f"/tasks/{theirs}/end", {"outcome": "done"}).status_code == 404
    assert TITLE not in page_of(client, "/tasks/")
    assert page_of(client, f"/tasks/?after={theirs}")
    assert page_of(client, "/tasks/?after=nonsense")


def test_a_task_about_somebody_who_was_erased_says_so(console: Console) -> None:
    task_id = task_of(console.organization, contact_id=new_id())
    assert "a person who was erased" in page_of(console.client("care_coordinator"), f"/tasks/{task_id}")


def test_the_navigation_counts_what_waits(console: Console) -> None:
    client = console.client("care_coordinator")
    assert 'class="count"' not in page_of(client, "/tasks/")
    for _ in range(3):
        task_of(console.organization)
    assert '<span class="count">3<span class="only-read"> wait</span></span>' in page_of(client, "/tasks/")
    assert 'class="count"' not in page_of(console.client("marketer"), "/tasks/")


def test_many_tasks_come_in_pages(console: Console) -> None:
    actor = system(console.organization.id, "test")
    with acting_for(console.organization.id):
        due = timezone.now() + timedelta(days=1)
        tasks = [NewTask(f"k{n}", new_id(), Role.CARE_COORDINATOR, f"Task {n:03d}", due) for n in range(120)]
        inbox.create_tasks(tasks, actor=actor, at=timezone.now())
    client = console.client("care_coordinator")
    seen, address = set(), "/tasks/"
    for _ in range(3):
        shown = page_of(client, address)
        assert "99+" in shown
        seen |= {f"Task {n:03d}" for n in range(120) if f"Task {n:03d}" in shown}
        address = "/tasks/" + (
            shown.partition('href="?after=')[1] and "?after=" + shown.split('href="?after=')[1].split('"')[0]
        )
    assert len(seen) == 120


def test_programs_list_tasks_and_end_them(console: Console) -> None:
    task_id = task_of(console.organization)
    with acting_for(console.organization.id):
        key = identity.create_api_key(
            "Call center",
            [Permission.INBOX_TASK_READ, Permission.INBOX_TASK_DO],
            actor=system(console.organization.id, "test"),
            allowed=Permission,
        )
        weak = identity.create_api_key(
            "Other",
            [Permission.CAMPAIGNS_REPORT_READ],
            actor=system(console.organization.id, "test"),
            allowed=Permission,
        )
    client = Client(headers={"host": "localhost", "authorization": f"Bearer {key}"})
    listed = client.get("/api/v1/tasks").json()
    assert [each["id"] for each in listed["tasks"]] == [str(task_id)]
    assert listed["after"] is None
    shown = client.get(f"/api/v1/tasks/{task_id}").json()
    assert (shown["title"], shown["role"], shown["status"]) == (TITLE, "care_coordinator", "open")

    def end(**body: Any) -> Any:
        return client.post(f"/api/v1/tasks/{task_id}/end", json.dumps(body), content_type="application/json")

    refused = end(done=False)
    assert (refused.status_code, refused.json()["place"]) == (400, "note")
    assert end(note="no outcome").status_code == 400
    assert end(done=True, note="Reached her.").json()["status"] == "done"
    assert end(done=True).status_code == 409
    assert client.get("/api/v1/tasks?ended=true").json()["tasks"][0]["note"] == "Reached her."
    assert client.get(f"/api/v1/tasks/{new_id()}").status_code == 404
    other = Client(headers={"host": "localhost", "authorization": f"Bearer {weak}"})
    assert other.get("/api/v1/tasks").status_code == 404
    assert Client(headers={"host": "localhost"}).get("/api/v1/tasks").status_code == 401


@pytest.mark.browser
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_pages_fit_and_are_accessible(console: Console, page_at: Callable[..., Page], width: int) -> None:
    task_id = task_of(console.organization, deputy=Role.MARKETER)
    task_of(console.organization, title="Ring the pharmacy about a refill that nobody picked up " * 3)
    page = page_at(width, dark=width == NARROW)
    sign_in(page, "care_coordinator")
    for name, address in (
        ("tasks", "/tasks/"),
        ("tasks-ended", "/tasks/?ended=1"),
        ("task", f"/tasks/{task_id}"),
    ):
        page.goto(console.url + address)
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        keep_picture(page, name)


@pytest.mark.browser
def test_a_task_is_taken_and_ended_with_the_keyboard_alone(
    console: Console, page_at: Callable[..., Page]
) -> None:
    task_id = task_of(console.organization)
    page = page_at(WIDE)
    sign_in(page, "care_coordinator")
    page.goto(console.url + "/tasks/")

    def go_to(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            said = page.evaluate("document.activeElement.innerText || document.activeElement.value || ''")
            if name in said:
                return
        raise AssertionError(f"{name} cannot be reached by Tab")

    go_to(TITLE)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/tasks/{task_id}")
    go_to("I take it")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=It is yours now.")
    page.focus("[name=outcome]:checked")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("Nobody answers.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Noted that it is not done.")
    assert status_of(console.organization, task_id) is Status.NOT_DONE
    keep_picture(page, "tasks-after")
