"""A journey's document: it reads back as it was written, its schema agrees, and every fault has its place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.journeys.contracts import Enter, EnterKind, Graph, StepKind, Wait
from salus.journeys.rules.ports import required_ports
from salus.journeys.rules.reading import read, write
from salus.journeys.rules.schema import schema
from salus.kernel.errors import BadInput

from .graphs import DAY, HOUR, broken, graphs

SCHEMA = schema()
CHECKER = jsonschema.Draft202012Validator(SCHEMA)
ID = str(UUID(int=7))
calm = settings(deadline=None)


def small() -> dict[str, Any]:
    """Return a document with a step of most kinds."""
    return {
        "schema": 1,
        "name": "Visits",
        "enter": [
            {"kind": "by_hand"},
            {"kind": "schedule", "segment_id": ID, "every": "week", "on": 1, "at": "09:00"},
        ],
        "start": "letter",
        "steps": {
            "letter": {
                "kind": "send",
                "title": "Write",
                "channel": "email",
                "versions": {"en": ID},
                "ports": {"next": "pause"},
            },
            "pause": {"kind": "wait", "title": "A week", "span": {"weeks": 1}, "ports": {"next": "change"}},
            "change": {
                "kind": "update",
                "title": "Note it",
                "attributes": {"outcome": None},
                "ports": {"next": "ask"},
            },
            "ask": {
                "kind": "task",
                "title": "Call them",
                "role": "care_coordinator",
                "at_most": {"days": 3},
                "ports": {"done": "end", "not_done": "end"},
            },
            "end": {"kind": "exit", "title": "That was it"},
        },
        "rules": {"again": "after", "again_after": {"days": 30}, "endings": [{"on": "deceased"}]},
        "layout": {"letter": [10, 20.5]},
    }


def accepts(document: Any) -> bool:
    try:
        read(document)
    except BadInput:
        return False
    return True


# There and back


@calm
@given(graphs())
def test_what_is_written_reads_back(drawn: Graph) -> None:
    assert read(json.loads(json.dumps(write(drawn)))) == drawn


@calm
@given(broken())
def test_what_is_not_finished_reads_back_too(drawn: Graph) -> None:
    document = write(drawn)
    assert read(document) == drawn
    CHECKER.validate(document)


def test_an_empty_canvas_can_be_kept() -> None:
    empty = {"schema": 1, "name": "New", "enter": [], "start": "", "steps": {}}
    assert write(read(empty)) == empty


def test_what_is_as_by_default_is_left_out() -> None:
    document = write(read(small()))
    assert document["steps"]["pause"]["span"] == {"days": 7}
    assert document["rules"] == {
        "again": "after",
        "again_after": {"days": 30},
        "endings": [{"on": "deceased"}],
    }
    assert "note" not in document


def test_no_quiet_hours_are_not_the_usual_ones() -> None:
    document = small() | {"rules": {"quiet_from": None, "quiet_until": None}}
    drawn = read(document)
    assert drawn.rules.quiet_from is None
    assert write(drawn)["rules"] == {"quiet_from": None, "quiet_until": None}


def test_a_step_knows_its_key_and_an_expression_is_a_copy() -> None:
    document = small()
    document["steps"]["pause"] = {
        "kind": "wait", "title": "", "attribute": "appointments.date", "offset": {"hours": -3},
        "where": {"status": ["booked"]}, "ports": {"next": "end"},
    }  # fmt: skip
    step = read(document).steps["pause"]
    document["steps"]["pause"]["where"]["status"].append("moved")
    assert step.key == "pause"
    assert step.does == Wait(attribute="appointments.date", offset=-3 * HOUR, where={"status": ["booked"]})


def test_lengths_of_time_are_written_in_the_largest_unit_from_days_down() -> None:
    for span, said in ((14 * DAY, {"days": 14}), (26 * HOUR, {"hours": 26}), (DAY / 96, {"minutes": 15})):
        document = small()
        document["steps"]["pause"]["span"] = said
        drawn = read(document)
        assert isinstance(drawn.steps["pause"].does, Wait)
        assert drawn.steps["pause"].does.span == span
        assert write(drawn)["steps"]["pause"]["span"] == said


# The schema


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    CHECKER.validate(small())


def test_an_editor_is_told_what_each_field_is_for() -> None:
    steps = SCHEMA["properties"]["steps"]["additionalProperties"]["oneOf"]
    assert {one["title"] for one in steps} == {str(kind) for kind in StepKind}
    for one in [*steps, *SCHEMA["properties"]["enter"]["items"]["oneOf"]]:
        assert one["description"]
        for name, field in one["properties"].items():
            assert name in {"kind", "on"} or field["description"], name
    assert SCHEMA["properties"]["rules"]["properties"]["priority"]["default"] == 50


_ODD = [
    None, True, 0, -1, 1.5, 3.0, 10**9, "", "x", "end", "08:00", "25:00", "en", ID, ID.upper(), "visits", "*",
    "a" * 41, "A B", "\0", "\ud800", "ñ", [], ["x"], [1, 2], {}, {"days": 3}, {"days": -3}, {"days": 3, "hours": 1},
    {"days": 3651}, {"months": 1}, {"version": 1, "where": {"all": []}}, {"kind": "exit"}, {"kind": "goal", "title": ""},
    {"on": "deceased"}, {"kind": "by_hand"}, "send", "never",
]  # fmt: skip
_NAMES = [
    "kind",
    "title",
    "ports",
    "span",
    "next",
    "en",
    "x",
    "Enter",
    "enter",
    "segment_id",
    "schema",
    "note",
]


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*place, key))


def _edited(data: st.DataObject, document: Any) -> Any:
    """Return the document with one value exchanged, one taken away, or one put there."""
    place = data.draw(st.sampled_from([one for one in _places(document) if one]))
    holder = document = copy.deepcopy(document)
    for key in place[:-1]:
        holder = holder[key]
    act = data.draw(st.sampled_from(["exchange", "exchange", "take", "put"]))
    if act == "take":
        del holder[place[-1]]
    elif act == "put" and isinstance(holder, dict):
        holder[data.draw(st.sampled_from(_NAMES))] = data.draw(st.sampled_from(_ODD))
    else:
        holder[place[-1]] = data.draw(st.sampled_from(_ODD))
    return document


@calm
@given(st.data(), st.one_of(graphs(5).map(write), st.builds(small)))
def test_the_schema_takes_what_is_read_and_nothing_else(data: st.DataObject, document: Any) -> None:
    for _ in range(data.draw(st.integers(1, 2))):
        document = _edited(data, document)
    assert accepts(document) == CHECKER.is_valid(document), document


# Faults


def _at(*keys: Any, to: Any = ...) -> Callable[[dict[str, Any]], None]:
    def put(document: dict[str, Any]) -> None:
        holder: Any = document
        for key in keys[:-1]:
            holder = holder[key]
        if to is ...:
            del holder[keys[-1]]
        else:
            holder[keys[-1]] = to

    return put


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (_at("schema", to=2), "$.schema"),
        (_at("schema", to=True), "$.schema"),
        (_at("schema"), "$"),
        (_at("name"), "$"),
        (_at("name", to=""), "$.name"),
        (_at("surprise", to=1), "$"),
        (_at("start", to="No Key"), "$.start"),
        (_at("enter", 0, "kind", to="by_magic"), "$.enter[0].kind"),
        (_at("enter", 0, "kind"), "$.enter[0]"),
        (_at("enter", 0, "segment_id", to=ID), "$.enter[0]"),
        (_at("enter", 1, "every"), "$.enter[1]"),
        (_at("enter", 1, "on", to=29), "$.enter[1].on"),
        (_at("enter", 1, "at", to="9:00"), "$.enter[1].at"),
        (_at("steps", "Bad Key", to={"kind": "exit"}), "$.steps"),
        (_at("steps", "enter", to={"kind": "exit"}), "$.steps"),
        (_at("steps", "letter", "kind", to="shout"), "$.steps.letter.kind"),
        (_at("steps", "letter", "span", to={"days": 1}), "$.steps.letter"),
        (_at("steps", "letter", "channel"), "$.steps.letter"),
        (_at("steps", "letter", "versions", "fr", to=ID), "$.steps.letter.versions"),
        (_at("steps", "letter", "versions", "en", to="7"), "$.steps.letter.versions.en"),
        (_at("steps", "letter", "ports", "next", to=3), "$.steps.letter.ports.next"),
        (_at("steps", "pause", "span", to={"weeks": 0.5}), "$.steps.pause.span.weeks"),
        (_at("steps", "pause", "span", to={"days": -1}), "$.steps.pause.span.days"),
        (_at("steps", "pause", "span", to={"fortnights": 1}), "$.steps.pause.span"),
        (_at("steps", "pause", "until_weekday", to=7), "$.steps.pause.until_weekday"),
        (_at("steps", "pause", "where", to=[]), "$.steps.pause.where"),
        (_at("steps", "change", "attributes", "outcome", to={"a": 1}), "$.steps.change.attributes.outcome"),
        (_at("steps", "ask", "role", to="nobody"), "$.steps.ask.role"),
        (_at("steps", "ask", "at_most"), "$.steps.ask"),
        (_at("rules", "again", to="maybe"), "$.rules.again"),
        (_at("rules", "priority", to=101), "$.rules.priority"),
        (_at("rules", "endings", 0, "when", to={}), "$.rules.endings[0]"),
        (_at("layout", "letter", to=[1]), "$.layout.letter"),
        (_at("layout", "letter", to=[1, "x"]), "$.layout.letter[1]"),
    ],
)
def test_a_fault_has_its_place(spoil: Callable[[dict[str, Any]], None], place: str) -> None:
    document = small()
    spoil(document)
    with pytest.raises(BadInput) as fault:
        read(document)
    assert fault.value.place == place
    with pytest.raises(BadInput) as inside:
        read(document, place="$.graph")
    assert inside.value.place == f"$.graph{place[1:]}"


@pytest.mark.parametrize("odd", [None, 1, "text", [], [{}]])
def test_what_is_no_object_is_refused(odd: Any) -> None:
    with pytest.raises(BadInput):
        read(odd)


def test_a_wait_for_something_says_how_long_at_most() -> None:
    document = small()
    document["steps"]["pause"] = {"kind": "wait_for", "title": "", "event": {"did": "visit"}, "ports": {}}
    with pytest.raises(BadInput, match="at_most") as fault:
        read(document)
    assert fault.value.place == "$.steps.pause"


@pytest.mark.parametrize(
    "spoil",
    [
        _at("steps", "pause", "canary-word", to=1),
        _at("steps", "canary-word", to={"kind": "exit"}),
        _at("rules", "again", to="canary-word"),
        _at("steps", "letter", "versions", "en", to="canary-word"),
    ],
)
def test_what_was_typed_is_not_repeated(spoil: Callable[[dict[str, Any]], None]) -> None:
    document = small()
    spoil(document)
    with pytest.raises(BadInput) as fault:
        read(document)
    assert "canary" not in str(fault.value)


def test_a_hint_names_what_was_meant() -> None:
    document = small()
    document["steps"]["pause"]["spam"] = document["steps"]["pause"].pop("span")
    with pytest.raises(BadInput) as fault:
        read(document)
    assert fault.value.next_step == "Perhaps: span."


def test_a_hostile_document_is_refused_soon() -> None:
    deep: Any = {}
    for _ in range(5_000):
        deep = {"not": deep}
    document = small()
    document["steps"]["pause"]["where"] = deep
    with pytest.raises(BadInput, match="nested"):
        read(document)
    many = small() | {"steps": {f"s{n}": {"kind": "exit", "title": ""} for n in range(501)}}
    with pytest.raises(BadInput, match="more than 500"):
        read(many)


def test_what_staff_wrote_does_not_show() -> None:
    document = small() | {"name": "canary-name", "note": "canary-note"}
    document["steps"]["ask"] |= {"title": "canary-title", "instructions": "canary-instructions"}
    drawn = read(document)
    assert "canary" not in repr(drawn)


# Ports


def test_the_ports_of_a_step_follow_from_what_it_does() -> None:
    drawn = read(small())
    assert {key: required_ports(step) for key, step in drawn.steps.items()} == {
        "letter": ("next",),
        "pause": ("next",),
        "change": ("next",),
        "ask": ("done", "not_done"),
        "end": (),
    }
    assert Enter(EnterKind.BY_HAND) in drawn.enter
