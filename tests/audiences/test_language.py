"""What the segment language takes and refuses, says, and reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from salus.audiences import calendar_rules, columns, schema, words
from salus.audiences.lexicon import Lexicon
from salus.audiences.nodes import Kind, Moment, Op, Test
from salus.audiences.parse import parse, referred
from salus.audiences.places import load_places
from salus.audiences.predicate import Person, holds
from salus.audiences.reads import reads
from salus.contacts import api as contacts
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.time import FAR
from salus.kernel.vocabulary import PhiClass, Special
from salus.permissions.contracts import Standing

from .worlds import LEXICON, NOON, NOW, tree, trees

SCHEMA = schema.schema(LEXICON)
CHECKER = jsonschema.Draft202012Validator(SCHEMA)
SOMEBODY = UUID(int=1)


def is_true(
    where: Any, document: Mapping[str, Any], lexicon: Lexicon = LEXICON, moment: Moment = NOW
) -> bool:
    nothing = Standing(SOMEBODY, 0, NOON, FAR)
    return holds(parse(tree(where), lexicon), Person(document, (), nothing, moment, lexicon))


# Missing means not matching, and not is everybody else


@pytest.mark.parametrize(
    "test", [{"above": 60}, {"below": 60}, {"equal": 60}, {"between": {"from": 0, "to": 99}}]
)
def test_what_is_missing_does_not_match_and_not_is_everybody_else(test: dict[str, Any]) -> None:
    rule = {"field": "age", **test}
    assert not is_true(rule, {})
    assert is_true({"not": rule}, {})
    assert not is_true({"all": [rule, {"not": rule}]}, {})
    assert is_true({"any": [rule, {"not": rule}]}, {})


def test_all_of_nothing_is_everybody_and_any_of_nothing_is_nobody() -> None:
    assert is_true({"all": []}, {})
    assert not is_true({"any": []}, {})


def test_somebody_born_on_a_leap_day_has_a_birthday_on_march_1_in_common_years() -> None:
    born = {"birth_date": "2000-02-29"}
    at = {day: Moment(NOON.replace(year=2025, month=month, day=number)) for day, month, number in
          (("feb 28", 2, 28), ("mar 1", 3, 1))}  # fmt: skip
    today = {"field": "birth_date", "anniversary_within": {"days": 0}}
    assert not is_true(today, born, moment=at["feb 28"])
    assert is_true(today, born, moment=at["mar 1"])
    assert is_true({"field": "age", "equal": 24}, born, moment=at["feb 28"])
    assert is_true({"field": "age", "equal": 25}, born, moment=at["mar 1"])


def test_today_is_the_date_where_the_person_lives() -> None:
    late = Moment(NOON.replace(hour=3))  # June 2 in UTC, June 1 in Chicago
    rule = {"field": "due_date", "within_last": {"days": 0}}
    assert is_true(rule, {"due_date": "2025-06-01", "time_zone": "America/Chicago"}, moment=late)
    assert is_true(rule, {"due_date": "2025-06-02"}, moment=late)
    assert not is_true(rule, {"due_date": "2025-06-02", "time_zone": "America/Chicago"}, moment=late)


def test_a_code_covers_what_stands_below_it_and_not_the_other_way_round() -> None:
    having = {"conditions": [{"id": "1", "code": "E11.9", "system": "icd10"}]}
    assert is_true({"record": "conditions", "code": "E11"}, having)
    assert is_true({"record": "conditions", "code": "vs:diabetes"}, having)
    assert not is_true({"record": "conditions", "code": "E11.65"}, having)


def test_stages_are_told_apart_by_visits() -> None:
    def seen(*days: str, **more: Any) -> dict[str, Any]:
        return {"encounters": [{"id": day, "date": day} for day in days], **more}

    booked = {"appointments": [{"id": "1", "date": "2025-07-01", "status": "booked"}]}
    people = {
        "new": seen("2025-05-01"),
        "active": seen("2025-01-01", "2025-05-20"),
        "overdue": seen("2023-01-01"),
    }
    for name, document in people.items():
        stages = [one for one in ("new", "active", "overdue") if is_true({"stage": one}, document)]
        assert stages == [name]
    assert is_true({"stage": "active"}, people["overdue"] | booked)
    assert not is_true({"stage": "overdue"}, people["overdue"] | booked)
    assert not is_true({"stage": ["new", "active", "overdue", "at_risk"]}, {})
    assert is_true({"stage": "at_risk"}, {"risk_factors": ["falls"]})


# Refusals name the place


@pytest.mark.parametrize(
    ("where", "place", "says"),
    [
        ({"field": "gnder", "equal": "female"}, "$.where.field", "gender"),
        ({"all": [{"field": "gender", "above": 3}]}, "$.where.all[0].above", "not an operator"),
        ({"all": [{}, {}]}, "$.where.all[0]", "no rule"),
        ({"all": [], "any": []}, "$.where", "at once"),
        ({"any": [{"not": {"field": "age", "above": "9"}}]}, "$.where.any[0].not.above", "not a number"),
        ({"field": "age", "above": True}, "$.where.above", "not a number"),
        ({"field": "age", "above": float("nan")}, "$.where.above", "usable size"),
        ({"field": "birth_date", "before": "2024-02-30"}, "$.where.before", "not a date"),
        ({"field": "birth_date", "within_last": {"days": -1}}, "$.where.within_last.days", "whole number"),
        ({"field": "birth_date", "anniversary_within": {"days": 367}}, "$.where.anniversary_within", "366"),
        ({"field": "age", "between": {"from": 9, "to": 3}}, "$.where.between", "begins after"),
        ({"field": "city", "in": []}, "$.where.in", "at least one"),
        ({"field": "city", "in": ["x", 3]}, "$.where.in[1]", "not text"),
        ({"field": "city", "equal": "\ud800"}, "$.where.equal", "characters"),
        ({"field": "gender", "equal": "x", "in": ["y"]}, "$.where", "exactly one operator"),
        ({"field": "labs", "equal": "x"}, "$.where.equal", "not an operator"),
        ({"record": "conditions", "code": "vs:nothing"}, "$.where.code", "value set"),
        ({"record": "gender"}, "$.where.record", "not an attribute"),
        ({"record": "labs", "vlaue": {"above": 3}}, "$.where", "not understood"),
        ({"record": "labs", "at_least": 0}, "$.where.at_least", "whole number"),
        ({"latest": "labs", "code": "4548-4"}, "$.where", "must be"),
        ({"did": "sneezed"}, "$.where.did", "known word"),
        ({"did": "visit", "at": {"within_last": {"months": 3}}}, "$.where.at.within_last", "length of time"),
        ({"did": "visit", "at": {"after": "2024-01-01T00:00:00"}}, "$.where.at.after", "neither a date"),
        ({"did": "visit", "where": {"a b": {"equal": "x"}}}, "$.where.where", "letters"),
        ({"stage": "old"}, "$.where.stage", "journey stage"),
        ({"segment": "no"}, "$.where.segment", "id of a segment"),
        ({"segment": str(SOMEBODY)}, "$.where.segment", "no such segment"),
        ({"consent": "opted_in", "topic": "news"}, "$.where", "does not say channel"),
        ({"consent": "authorized", "topic": "news"}, "$.where", "not understood"),
        ({"near": {"postal_code": "99999"}, "miles": 3}, "$.where.near.postal_code", "table of places"),
        ({"near": {"latitude": 91, "longitude": 0}, "miles": 3}, "$.where.near", "on the earth"),
        ({"near": {"postal_code": "60601"}}, "$.where", "miles or kilometers"),
        ({"record": "labs", "system": "icd9"}, "$.where.system", "known word"),
        ([], "$.where", "not an object"),
    ],
)  # fmt: skip
def test_a_bad_tree_is_refused_with_the_path_to_the_fault(where: Any, place: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(tree(where), LEXICON)
    assert caught.value.place == place
    assert says in f"{caught.value.what} {caught.value.next_step}"


@pytest.mark.parametrize("given", [None, [], "x", {}, {"version": 2, "where": {"all": []}}, {"version": True, "where": {}},
                                   {"version": 1}, {"version": 1, "where": {"all": []}, "more": 1}])  # fmt: skip
def test_what_is_no_segment_is_refused(given: Any) -> None:
    with pytest.raises(BadInput):
        parse(given, LEXICON)


def test_refusals_never_repeat_what_was_typed() -> None:
    secret = "Rosa Alvarez has HIV"
    for where in (
        {"field": secret},
        {"stage": secret},
        {"did": secret},
        {"field": "age", "above": secret},
        {secret: 1},
    ):
        with pytest.raises(BadInput) as caught:
            parse(tree(where), LEXICON)
        assert "Rosa" not in str(caught.value)


def test_hostile_depth_and_size_are_refused_before_they_hurt() -> None:
    deep: Any = {"all": []}
    for _ in range(100_000):
        deep = {"not": deep}
    with pytest.raises(BadInput, match="nested more than"):
        parse(tree(deep), LEXICON)
    with pytest.raises(BadInput, match="more than 2000 rules"):
        parse(tree({"any": [{"all": []}] * 2_001}), LEXICON)
    with pytest.raises(BadInput, match="more than 5000 values"):
        parse(tree({"field": "city", "in": ["x"] * 5_001}), LEXICON)
    while "not" in deep:  # taken apart by hand: the interpreter would recurse
        deep = deep["not"]


def test_a_segment_may_not_lead_back_to_itself() -> None:
    a, b = UUID(int=1), UUID(int=2)
    known = {a: tree({"segment": str(b)}), b: tree({"not": {"segment": str(a)}})}
    words_of = replace(LEXICON, segment=known.__getitem__)
    with pytest.raises(BadInput, match="leads back"):
        parse(known[a], words_of)
    with pytest.raises(BadInput, match="leads back"):
        parse(known[b], words_of, inside=a)
    assert referred(known[b]) == {a}


def test_the_limits_hold_through_other_segments() -> None:
    def find(segment_id: UUID) -> Any:
        if segment_id.int > 15:
            raise NotFound
        inner: dict[str, Any] = (
            {"segment": str(UUID(int=segment_id.int + 1))} if segment_id.int < 15 else {"all": []}
        )
        return tree({"all": [inner, inner]})

    with pytest.raises(BadInput, match="more than 2000 rules"):
        parse(tree({"segment": str(UUID(int=1))}), replace(LEXICON, segment=find))


# The schema says the same as the reader


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees(NOON, 5))
def test_every_good_tree_is_good_by_the_published_schema(segment: dict[str, Any]) -> None:
    parse(segment, LEXICON)
    CHECKER.validate(json.loads(json.dumps(segment)))


@pytest.mark.parametrize(
    "where",
    [
        {"field": "gnder", "equal": "female"},
        {"field": "gender", "above": 3},
        {"field": "age", "above": "9"},
        {"all": [], "any": []},
        {"record": "labs", "vlaue": {"above": 3}},
        {"latest": "labs", "code": "4548-4"},
        {"did": "sneezed"},
        {"consent": "opted_in", "topic": "news"},
        {"near": {"postal_code": "60601"}},
        {"field": "birth_date", "anniversary_within": {"days": 367}},
    ],
)
def test_the_published_schema_refuses_what_the_reader_refuses(where: Any) -> None:
    assert not CHECKER.is_valid(tree(where))


def test_the_schema_itself_is_sound() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


# What it reads and how it is said


def test_a_segment_reads_what_it_asks_also_below_a_not() -> None:
    node = parse(
        tree(
            {
                "all": [
                    {"not": {"record": "conditions", "code": "vs:hiv"}},
                    {"field": "age", "above": 30},
                    {"field": "ethnicity", "exists": True},
                    {"did_not": "appointment_missed"},
                    {"stage": "overdue"},
                ]
            }
        ),
        LEXICON,
    )
    found = {(one.field, one.phi_class, one.special, one.code) for one in reads(node, LEXICON)}
    assert ("conditions", PhiClass.DIAGNOSIS, Special.HIV, "vs:hiv") in found
    assert ("birth_date", PhiClass.DEMOGRAPHIC, None, None) in found
    assert ("ethnicity", PhiClass.DEMOGRAPHIC, Special.SENSITIVE_DEMOGRAPHIC, None) in found
    assert ("event:appointment_missed", PhiClass.DATES_OF_CARE, None, None) in found
    assert any(one[0] == "appointments" and one[1] is PhiClass.DATES_OF_CARE for one in found)


def test_asking_whether_there_is_one_tells_no_code_and_asking_for_words_may_tell_any() -> None:
    visits = reads(
        parse(tree({"record": "encounters", "date": {"within_last": {"days": 9}}}), LEXICON), LEXICON
    )
    assert [(one.field, one.special, one.code) for one in visits] == [("encounters", None, "")]
    words_in_it = tree({"record": "encounters", "text": {"contains": "rehab"}})
    found = {one.special for one in reads(parse(words_in_it, LEXICON), LEXICON)}
    assert {
        Special.HIV,
        Special.PART2_SUD,
        Special.REPRODUCTIVE,
        Special.MENTAL_HEALTH,
        Special.GENETIC,
    } <= found
    asked = reads(parse(tree({"record": "conditions", "code": "F"}), LEXICON), LEXICON)
    assert {one.special for one in asked} == {Special.PART2_SUD, Special.MENTAL_HEALTH}


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({}, set()),
        ({"place": {"equal": "North"}}, set()),
        ({"code": {"equal": "4548-4"}}, {("labs", "4548-4")}),
        ({"code": {"in": ["4548-4", "7917-8"]}}, {("labs", "4548-4"), ("labs", "7917-8")}),
        ({"code": {"starts_with": "79"}}, {("labs", None)}),
        ({"text": {"contains": "HIV"}}, {("labs", None)}),
    ],
)
def test_an_event_that_is_asked_for_by_its_code_tells_that_code(where: Any, told: set[Any]) -> None:
    node = parse(tree({"did": "lab_available", "where": where}), LEXICON)
    found = {(one.field, one.phi_class, one.code) for one in reads(node, LEXICON)}
    wanted = {(field, PhiClass.LAB, code) for field, code in told}
    assert found == {("event:lab_available", PhiClass.LAB, None)} | wanted


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ({"field": "age", "at_least": 40}, "Age is at least 40"),
        ({"record": "conditions", "code": "E11", "status": "active"}, "Conditions: E11, active"),
        ({"latest": "labs", "code": "vs:hba1c", "value": {"above": 9}}, "Latest of Lab results: hba1c, value is above 9"),
        ({"did_not": "message_opened", "at": {"within_last": {"days": 30}}}, "It did not happen: message opened, within the last 30 days"),
        ({"stage": ["active", "overdue"]}, "Journey stage is Active or Overdue"),
        ({"consent": "opted_out", "topic": "news", "channel": "email"}, "Opted out of news by email"),
        ({"near": {"postal_code": "60601"}, "miles": 25}, "Lives within 25 miles of ZIP 60601"),
        ({"not": {"any": []}}, "None of these is true"),
    ],
)  # fmt: skip
def test_rules_are_said_in_words(where: Any, sentence: str) -> None:
    assert words.say(parse(tree(where), LEXICON)) == sentence


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees(NOON, 5))
def test_every_rule_can_be_said(segment: dict[str, Any]) -> None:
    from salus.audiences.lines import lines

    for _, node, _, _ in lines(parse(segment, LEXICON)):
        assert words.say(node)


def test_relative_dates_stop_at_the_ends_of_the_calendar() -> None:
    far = parse(tree({"field": "birth_date", "older_than": {"years": 100}}), LEXICON)
    assert calendar_rules.day_ranges(far.test, calendar_rules.FIRST_DAY) == []  # type: ignore[union-attr]
    before = Test(Kind.DATE, Op.BEFORE, calendar_rules.FIRST_DAY)
    assert calendar_rules.day_ranges(before, NOON.date()) == []


def test_the_store_knows_the_code_systems_that_contacts_knows() -> None:
    assert columns.SYSTEMS == contacts.SYSTEMS


def test_an_organization_loads_its_own_table_of_places(tmp_path: Path) -> None:
    census = tmp_path / "gazetteer.txt"
    census.write_text("GEOID\tALAND\tINTPTLAT\tINTPTLONG  \n60601\t1\t41.885\t-87.622\n")
    assert load_places(census) == {"60601": (41.885, -87.622)}
    wrong = tmp_path / "places.csv"
    wrong.write_text("postal_code,latitude,longitude\n60601,41.9,-87.6\n60602,north,-87.6\n")
    with pytest.raises(BadInput) as caught:
        load_places(wrong)
    assert caught.value.place == "places.csv line 3"


def test_without_a_table_of_places_nobody_may_ask_for_distances() -> None:
    with pytest.raises(BadInput, match="no table of places"):
        parse(tree({"near": {"latitude": 41.9, "longitude": -87.6}, "miles": 5}), replace(LEXICON, places={}))


def test_the_example_of_the_documentation_is_a_good_segment() -> None:
    text = (Path(__file__).parents[2] / "docs" / "segments.md").read_text(encoding="utf-8")
    example = json.loads(text.split("```json")[1].split("```")[0])
    parse(example, LEXICON)
    CHECKER.validate(example)
