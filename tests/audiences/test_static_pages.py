"""The pages of static segments: made with what they tell, changed by record number, seen by who may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from salus.audiences import api
from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.kernel.acting import system
from salus.kernel.vocabulary import PhiClass, Special
from salus.platform.tenancy import acting_for
from tests.browser import assert_accessible, assert_no_sideways_scroll, keep_picture, sign_in

from .running import RunningEngine, patch, wait_until
from .worlds import tree

NAME = "Friends of Quillfeather Lane"


def fill(organization: UUID, name: str = NAME) -> UUID:
    """Make three people, rosa, abe and carol, and an empty list."""
    actor = system(organization, "test")
    with acting_for(organization):
        contacts.merge([patch("rosa"), patch("abe"), patch("carol")], actor=actor)
        return api.create_static(name, actor, tells=[PhiClass.DIAGNOSIS]).id


@pytest.fixture
def friends(console: Any) -> UUID:
    return fill(console.organization.id)


def on(console: Any, segment_id: UUID) -> list[int]:
    with acting_for(console.organization.id):
        return list(api.static_members(segment_id))


def test_a_list_is_made_with_what_it_tells(console: Any) -> None:
    client = console.client("marketer")
    assert b"Engagement" in client.get("/segments/new-list").content
    nothing = client.post("/segments/new-list", {"name": NAME})
    assert "Choose at least one" in nothing.content.decode()
    assert NAME in nothing.content.decode()
    nameless = client.post("/segments/new-list", {"name": "a\x07b", "tells": ["engagement"]})
    assert nameless.status_code == 200
    made = client.post("/segments/new-list", {"name": NAME, "tells": ["diagnosis"], "specials": ["hiv"]})
    assert made.status_code == 302
    with acting_for(console.organization.id):
        (segment,) = api.segments()
    assert (segment.name.reveal(), segment.static) == (NAME, True)
    assert {one.special for one in segment.reads} == {None, Special.HIV}
    listed = client.get("/segments/").content.decode()
    assert "By hand and by journeys" in listed
    assert "HIV" in client.get(made.headers["location"]).content.decode()


def test_people_are_put_in_and_taken_out_by_record_number(console: Any, friends: UUID) -> None:
    client = console.client("care_coordinator")
    people = f"/segments/{friends}/people"
    assert client.post(people, {"act": "add", "numbers": "rosa\r\n\r\ncarol\r\n"}).status_code == 302
    assert on(console, friends) == [1, 3]
    assert "2 people were put in" in client.get(f"/segments/{friends}").content.decode()
    assert client.post(people, {"act": "remove", "numbers": "rosa"}).status_code == 302
    assert client.post(people, {"number": "3"}).status_code == 302
    assert on(console, friends) == []


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"numbers": "rosa\nnobody\nabe\nnot me"}, "Lines 2, 4 lead to nobody here"),
        ({"numbers": ""}, "This field is required"),
        ({"numbers": "x\n" * 1_001}, "more than 1,000 lines"),
    ],
)
def test_a_line_that_leads_to_nobody_changes_nothing_and_is_named(
    console: Any, friends: UUID, sent: dict[str, str], says: str
) -> None:
    page = console.client("marketer").post(f"/segments/{friends}/people", {"act": "add", **sent})
    assert page.status_code == 200
    assert says in page.content.decode()
    assert on(console, friends) == []


def test_a_list_is_renamed_unless_somebody_was_quicker(console: Any, friends: UUID) -> None:
    client = console.client("marketer")
    rename = f"/segments/{friends}/rename"
    assert client.post(rename, {"name": "Neighbors", "version": "1"}).status_code == 302
    late = client.post(rename, {"name": "Late", "version": "1"})
    assert "Somebody else changed" in late.content.decode()
    assert client.post(rename, {"name": "", "version": "2"}).status_code == 200
    with acting_for(console.organization.id):
        assert api.segment(friends).name.reveal() == "Neighbors"


def test_who_is_on_it_is_shown_to_who_may_and_the_look_is_recorded(console: Any, friends: UUID) -> None:
    with acting_for(console.organization.id):
        api.add_members(friends, [1, 3], system(console.organization.id, "test"))
        rosa = contacts.ids_of([1])[1]
    seen = console.client("privacy_officer").get(f"/segments/{friends}").content.decode()
    assert f"/contacts/{rosa}" in seen
    assert "C-000 003" in seen
    assert "Take out" not in seen
    with acting_for(console.organization.id):
        (entry,) = audit.entries(Filters(action=Action.SEGMENT_SAMPLE), after=None, limit=5)
    assert (entry.object_id, entry.details) == (friends, {"people": 2})
    hidden = console.client("analyst").get(f"/segments/{friends}").content.decode()
    assert "C-000 003" not in hidden
    assert "2 people" in hidden


def test_somebody_who_was_erased_is_not_shown(console: Any, friends: UUID) -> None:
    actor = system(console.organization.id, "test")
    with acting_for(console.organization.id):
        api.add_members(friends, [1, 2, 3], actor)
        contacts.erase_person(contacts.ids_of([1])[1], actor=actor)
        assert [number for number, _ in api.look_at_members(friends, actor=actor, limit=1)] == [2]
        assert [number for number, _ in api.look_at_members(friends, actor=actor, after=2)] == [3]


def test_who_may_only_read_changes_nothing(console: Any, friends: UUID) -> None:
    for role in ("privacy_officer", "auditor", "author", "developer"):
        client = console.client(role)
        assert client.get(f"/segments/{friends}").status_code == 200
        assert client.get("/segments/new-list").status_code == 404
        for path, sent in (
            ("people", {"act": "add", "numbers": "rosa"}),
            ("rename", {"name": "X", "version": "1"}),
        ):
            assert client.post(f"/segments/{friends}/{path}", sent).status_code == 404
    assert on(console, friends) == []


def test_an_outsider_finds_no_list(console: Any, make_clinic: Callable[[], Any]) -> None:
    other = fill(make_clinic().id)
    client = console.client("care_coordinator")
    assert client.get(f"/segments/{other}").status_code == 404
    assert client.post(f"/segments/{other}/people", {"act": "add", "numbers": "rosa"}).status_code == 404
    assert client.post(f"/segments/{other}/rename", {"name": "Mine", "version": "1"}).status_code == 404
    assert NAME not in client.get("/segments/").content.decode()


def test_a_segment_with_rules_has_no_list_pages(console: Any) -> None:
    with acting_for(console.organization.id):
        rules = api.save_segment("All", tree({"all": []}), system(console.organization.id, "test")).id
    client = console.client("marketer")
    assert client.post(f"/segments/{rules}/people", {"act": "add", "numbers": ""}).status_code == 404
    assert client.post(f"/segments/{rules}/rename", {"name": "X", "version": "1"}).status_code == 404


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_list_is_kept_in_a_browser(console: Any, engine: RunningEngine, page_at: Any, width: int) -> None:
    organization = console.organization.id
    fill(organization, "Another list")
    engine.organizations.append(organization)
    wait_until(organization, lambda: api.count(tree({"all": []})).people == 3)
    page = page_at(width)
    sign_in(page, "care_coordinator")
    page.goto(console.url + "/segments/")
    page.get_by_role("link", name="New list").click()
    page.get_by_label("Name", exact=True).fill("Walking group")
    page.get_by_label("Engagement").check()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "list-new")
    page.get_by_role("button", name="Make the list").click()
    page.get_by_label("Record numbers").fill("rosa\ncarol")
    page.get_by_role("button", name="Put in").click()
    page.get_by_text("2 people were put in").wait_for()
    with acting_for(organization):
        walking = next(one for one in api.segments() if one.name.reveal() == "Walking group")
    wait_until(organization, lambda: api.count(walking.tree).people == 2)
    page.reload()
    assert page.locator("#result .figure").inner_text() == "2"
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "list")
    page.get_by_role("button", name="Take out C-000 003").click()
    page.get_by_text("1 person was taken out").wait_for()
    page.goto(console.url + "/segments/")
    assert page.get_by_role("row", name="Walking group").get_by_text("By hand and by journeys").is_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "list-among-segments")
