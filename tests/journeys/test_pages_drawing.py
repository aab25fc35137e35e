"""The picture of a journey: every step has its place, every way its width, and numbers do not run into each other."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.journeys.contracts import Counts, Exit, Graph, Repeat, StepCounts, Wait
from salus.journeys.web import drawing
from tests.journeys.drawn import DAY, graph, overdue, send, short, step

NOBODY = Counts(0, 0, 0, 0, 0, {}, {})


def counts(entered: int, **steps: StepCounts) -> Counts:
    return Counts(entered, entered, 0, 0, 0, {}, steps)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph, lawful or not: ways may lead back, nowhere, or to their own step."""
    keys = [f"s{number}" for number in range(draw(st.integers(1, 12)))]
    ports = st.dictionaries(st.sampled_from(["next", "refused", "else"]), st.sampled_from([*keys, "gone"]))
    return graph(*(step(key, Exit(), **draw(ports)) for key in keys))


@given(graphs())
@settings(max_examples=200, deadline=None)
def test_every_step_has_a_place_of_its_own_and_ways_lead_down(drawn: Graph) -> None:
    found = drawing.draw(drawn, NOBODY)
    assert sorted(node.step.key for node in found.nodes) == sorted(drawn.steps)
    rows: dict[int, list[int]] = {}
    for node in found.nodes:
        rows.setdefault(node.y, []).append(node.x)
        assert 0 <= node.x <= found.width - drawing.WIDTH
        assert 0 <= node.y <= found.height - drawing.HEIGHT
    for places in rows.values():
        places.sort()
        assert all(right - left >= drawing.WIDTH for left, right in itertools.pairwise(places))
    top = {node.step.key: node.y for node in found.nodes}
    for ribbon in found.ribbons:
        assert top[drawn.steps[ribbon.step].ports[ribbon.port]] > top[ribbon.step]


@given(graphs())
@settings(max_examples=100, deadline=None)
def test_a_list_names_every_step_once(drawn: Graph) -> None:
    assert sorted(drawing.order(drawn)) == sorted(drawn.steps)


def test_a_step_comes_after_all_that_lead_to_it() -> None:
    order = drawing.order(overdue())
    assert order[0] == "letter"
    assert order.index("wait_again") > max(order.index("second"), order.index("call"))


def test_a_way_is_as_wide_as_the_people_in_it() -> None:
    found = drawing.draw(
        overdue(),
        counts(
            100,
            letter=StepCounts("letter", 100, 0, {"next": 75, "refused": 25}, {("refused", "opted_out"): 25}),
        ),
    )
    widths = {each.port: width(each.path) for each in found.ribbons if each.step == "letter"}
    assert widths["next"] == pytest.approx(drawing.WIDEST * 0.75, abs=0.2)
    assert widths["refused"] == pytest.approx(drawing.WIDEST * 0.25, abs=0.2)
    assert [each.port for each in found.ribbons if each.refused] == ["refused"]


def width(path: str) -> float:
    """Return how wide a ribbon begins: its first point and the last one of its way back."""
    numbers = [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?", path)]
    return abs(numbers[-2] - numbers[0])


def test_whom_the_gate_stopped_is_drawn_apart_also_where_they_go_on_with_the_rest() -> None:
    letter = StepCounts("letter", 10, 0, {"next": 10}, {("sent", ""): 7, ("refused", "no_address"): 3})
    found = drawing.draw(short(), counts(10, letter=letter))
    ribbons = [each for each in found.ribbons if each.step == "letter"]
    assert [(each.people, each.refused) for each in ribbons] == [(7, False), (3, True)]


def test_a_way_back_is_not_drawn_and_does_no_harm() -> None:
    drawn = graph(
        step("letter", send(), next="pause"),
        step("pause", Wait(span=DAY), next="again"),
        step("again", Repeat(3, DAY), again="letter", done="end"),
        step("end", Exit()),
    )
    assert ("again", "again") not in {(each.step, each.port) for each in drawing.draw(drawn, NOBODY).ribbons}


def test_five_hundred_steps_in_a_line_are_drawn_too() -> None:
    steps = [step(f"s{number}", Wait(span=DAY), next=f"s{number + 1}") for number in range(499)]
    drawn = graph(*steps, step("s499", Exit()))
    assert len(drawing.draw(drawn, NOBODY).nodes) == 500


def test_nothing_drawn_yet_is_an_empty_picture() -> None:
    assert drawing.draw(replace(short(), start="", steps={}), NOBODY).nodes == ()


def test_numbers_stand_beside_each_other_or_below() -> None:
    found = drawing.draw(overdue(), counts(9, which=StepCounts("which", 9, 0, {"spanish": 5, "else": 4}, {})))
    labels = drawing.labelled([(each, "it did not happen 1,128") for each in found.ribbons])
    assert len({(label.x, label.y) for label in labels}) == len(labels)
