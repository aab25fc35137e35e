"""The segment pages: list, editor, live count; with and without JavaScript, for who may and who may not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings

from salus.audiences import api
from salus.audiences.parse import parse
from salus.audiences.web import outline
from salus.audiences.web.rule_form import PREFIX, RuleForm
from salus.audiences.web.rule_shown import JSON, describe
from salus.contacts import api as contacts
from salus.kernel.acting import system
from salus.kernel.phi import Phi
from salus.platform.tenancy import acting_for
from tests.browser import assert_accessible, assert_no_sideways_scroll, keep_picture, sign_in

from .running import RunningEngine, patch, wait_until
from .worlds import LEXICON, NOON, leaves, tree, trees

STORY = tree(
    {
        "all": [
            {"record": "conditions", "code": "vs:diabetes", "status": "active"},
            {"any": [
                {"latest": "labs", "code": "vs:hba1c", "value": {"above": 9}},
                {"not": {"record": "labs", "code": "vs:hba1c"}},
            ]},
            {"not": {"any": [{"record": "appointments", "status": "booked", "date": {"within_next": {"days": 60}}}]}},
        ]
    }
)  # fmt: skip


@pytest.fixture
def clinic(console: Any, engine: RunningEngine) -> Any:
    """The console's organization with three people, counted by a running engine."""
    organization = console.organization.id
    with acting_for(organization):
        contacts.merge(
            [patch("rosa", "E11.9"), patch("abe", "E10.9", "I10", gender="male"), patch("carol", "I10")],
            actor=system(organization, "test"),
        )
    engine.organizations.append(organization)
    wait_until(organization, lambda: api.count(STORY).people == 2)
    return console


def save(organization: UUID, name: str = "Diabetes, A1c overdue") -> UUID:
    with acting_for(organization):
        return api.save_segment(name, STORY, system(organization, "test")).id


# The editor's own forms of a tree


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees(NOON, 6))
def test_the_editors_form_of_a_tree_means_the_same_people(people: Any, segment: dict[str, Any]) -> None:
    where = outline.normal(segment["where"])
    assert outline.normal(where) == where
    again = outline.whole(where)
    from .test_evaluators_agree import true_of
    from .worlds import NOW

    some = [({"birth_date": "1980-02-29", "gender": "female"}, (), _standing()), ({}, (), _standing())]
    assert true_of(parse(segment, LEXICON), some, NOW) == true_of(parse(again, LEXICON), some, NOW)


def _standing() -> Any:
    from salus.kernel.time import FAR
    from salus.permissions.contracts import Standing

    return Standing(UUID(int=1), 0, NOON, FAR)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(leaves(NOON))
def test_a_rule_survives_its_form(rule: dict[str, Any]) -> None:
    subject, initial = describe(rule)
    if subject == JSON:
        return
    form = RuleForm(rule=rule)
    data = {
        f"{PREFIX}-{name}": value
        for name, value in (initial | {"subject": subject}).items()
        if value is not None
    }
    bound = RuleForm(_Posted(data))
    assert bound.fields.keys() == form.fields.keys()
    assert bound.is_valid(), bound.errors
    assert parse(tree(bound.rule()), LEXICON) == parse(tree(_spelled_out(rule)), LEXICON)


class _Posted(dict[str, Any]):
    def getlist(self, name: str) -> list[Any]:
        value = self.get(name, [])
        return value if isinstance(value, list) else [value]


def _spelled_out(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule as its form spells it: one value of text as a list of one, no words that say nothing."""
    found = {
        word: value for word, value in rule.items() if value != {} and (word, value) != ("confirmed", False)
    }
    if "field" in found and "equal" in found and isinstance(found["equal"], str):
        attribute = contacts.dictionary().get(found["field"])
        if attribute is not None and attribute.type.value in ("text", "code"):
            found["in"] = [found.pop("equal")]
    for word in ("in", "has"):
        if isinstance(found.get(word), list):
            found[word] = list(dict.fromkeys(found[word]))
    for word in ("code", "status"):
        if isinstance(found.get(word), list):
            found[word] = list(dict.fromkeys(found[word]))
    return found


def test_moving_adding_and_removing_keep_the_rest() -> None:
    root = outline.normal(STORY["where"])
    assert outline.json_path(root, "1.1.0") == "$.where.all[1].any[1].not.any[0]"
    up, path = outline.moved(root, "2", -1)
    assert path == "1"
    assert outline.at(up, "1") == outline.at(root, "2")
    added, place = outline.added(root, "1", {"field": "age", "above": 3})
    assert place == "1.2"
    assert outline.removed(added, place) == root
    assert outline.join_of(outline.at(outline.joined(root, "1", "none"), "1")) == "none"


# Pages without a browser


def test_an_outsider_finds_no_segment(console: Any, make_clinic: Callable[[], Any]) -> None:
    other = save(make_clinic().id)
    client = console.client("marketer")
    assert client.get(f"/segments/{other}").status_code == 404
    assert client.post(f"/segments/{other}", {"act": "save"}).status_code == 404
    listed = client.get("/segments/")
    assert listed.status_code == 200
    assert b"Diabetes, A1c overdue" not in listed.content


def test_who_may_only_read_changes_nothing(console: Any) -> None:
    segment_id = save(console.organization.id)
    readers = [role for role in ("analyst", "auditor", "author", "care_coordinator")
               if console.client(role).get(f"/segments/{segment_id}").status_code == 200
               and console.client(role).get("/segments/new").status_code == 404]  # fmt: skip
    assert readers, "some role reads segments without editing them"
    for role in readers:
        client = console.client(role)
        page = client.get(f"/segments/{segment_id}")
        assert b"Save segment" not in page.content
        sent = {"act": "save", "name": "Mine", "tree": json.dumps(STORY)}
        assert client.post(f"/segments/{segment_id}", sent).status_code == 404
    with acting_for(console.organization.id):
        assert api.segment(segment_id).version == 1


def test_without_an_engine_the_editor_still_works(console: Any) -> None:
    client = console.client("marketer")
    sent = {"act": "count", "name": "Mine", "tree": json.dumps(STORY)}
    page = client.post("/segments/new", sent)
    assert page.status_code == 200
    assert b"not running" in page.content
    assert b"Conditions: Diabetes, active" in page.content
    saved = client.post("/segments/new", sent | {"act": "save"})
    assert saved.status_code == 302
    with acting_for(console.organization.id):
        assert [one.name for one in api.segments()] == [Phi("Mine")]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"tree": "{"}, "no segment in JSON"),
        ({"tree": json.dumps(tree({"field": "gnder", "equal": "x"})), "act": "count"}, "is not an attribute"),
        ({"tree": json.dumps(STORY), "act": "remove:7.7"}, "no such rule"),
        ({"tree": json.dumps(STORY), "act": "save", "name": ""}, "1 to 120 characters"),
        ({"tree": json.dumps(STORY), "act": "count", "view": "json", "json": '{"version": 1, "where": {"x": 1}}'}, "is no rule"),
    ],
)  # fmt: skip
def test_bad_input_is_answered_in_words_and_nothing_typed_is_lost(
    console: Any, sent: dict[str, str], says: str
) -> None:
    page = console.client("marketer").post("/segments/new", {"name": "Kept", **sent})
    assert says in page.content.decode().lower() or says in page.content.decode()
    assert page.status_code in (200, 400)
    if page.status_code == 200 and sent.get("name") != "":
        assert "Kept" in page.content.decode()


def test_a_conflict_keeps_what_was_typed(console: Any) -> None:
    segment_id = save(console.organization.id)
    client = console.client("marketer")
    sent = {"act": "save", "name": "First", "tree": json.dumps(STORY), "version": "1"}
    assert client.post(f"/segments/{segment_id}", sent).status_code == 302
    late = client.post(f"/segments/{segment_id}", sent | {"name": "Second"})
    assert "Somebody else changed this segment meanwhile" in late.content.decode()
    assert "Second" in late.content.decode()


# In a browser


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_editor_counts_while_rules_change(clinic: Any, page_at: Any, width: int) -> None:
    page = page_at(width)
    sign_in(page, "marketer")
    page.goto(clinic.url + "/segments/")
    keep_picture(page, "segments-empty")
    page.get_by_role("link", name="New segment").click()
    page.get_by_label("Name", exact=True).fill("Men")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("About").select_option("field:gender")
    page.get_by_text("Male", exact=True).wait_for()
    page.get_by_label("Male", exact=True).check()
    page.locator("#result .figure", has_text="1").wait_for()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "segment-open-rule")
    page.get_by_role("button", name="Done").click()
    page.get_by_text("Gender is male").wait_for()
    page.get_by_role("button", name="Save segment").click()
    page.get_by_text("The segment is saved").wait_for()
    page.goto(clinic.url + "/segments/")
    assert page.get_by_role("row", name="Men").get_by_text("1", exact=True).is_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_nested_segment_shows_people_left_and_what_it_tells(clinic: Any, page_at: Any, width: int) -> None:
    segment_id = save(clinic.organization.id)
    page = page_at(width)
    sign_in(page, "marketer")
    page.goto(f"{clinic.url}/segments/{segment_id}?by=age")
    assert page.locator("#result .figure").inner_text() == "2"
    assert page.get_by_text("whether they have Diabetes").is_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "segment")
    page.get_by_role("button", name="JSON").click()
    assert "vs:diabetes" in page.get_by_label("The segment as JSON").input_value()
    assert_accessible(page)
    keep_picture(page, "segment-json")
    page.get_by_role("button", name="In words").click()
    page.get_by_text("Conditions: Diabetes, active").wait_for()
    assert_no_sideways_scroll(page)
    keep_picture(page, "segment-words")


@pytest.mark.browser
def test_the_editor_works_without_javascript(clinic: Any, page_at: Any) -> None:
    page = page_at(1280, javascript=False)
    sign_in(page, "marketer")
    page.goto(clinic.url + "/segments/new")
    page.get_by_label("Name", exact=True).fill("Men")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("About").select_option("field:gender")
    page.get_by_role("button", name="Show the fields for this choice").click()
    page.get_by_label("Male", exact=True).check()
    page.get_by_role("button", name="Count", exact=True).click()
    assert page.locator("#result .figure").inner_text() == "1"
    page.get_by_role("button", name="Save segment").click()
    assert page.get_by_text("The segment is saved").is_visible()
