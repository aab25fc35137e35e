"""Which act is possible when, what differs between versions, and where people may go on: without a database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from salus.journeys.contracts import Change, Exit, Repeat, Status, StepKind, VersionStatus, Wait
from salus.journeys.rules import comparing, lifecycle, mapping
from salus.kernel.ids import new_id
from tests.journeys.drawn import DAY, graph, overdue, send, short, step


@pytest.mark.parametrize(
    ("act", "status", "target"),
    [
        ("submitted", VersionStatus.DRAFT, VersionStatus.SUBMITTED),
        ("approved", VersionStatus.SUBMITTED, VersionStatus.APPROVED),
        ("started", VersionStatus.APPROVED, VersionStatus.LIVE),
        ("sent back", VersionStatus.APPROVED, VersionStatus.DRAFT),
        ("approved", VersionStatus.DRAFT, None),
        ("started", VersionStatus.SUBMITTED, None),
        ("changed", VersionStatus.SUBMITTED, None),
        ("changed", VersionStatus.LIVE, None),
        ("started", VersionStatus.RETIRED, None),
    ],
)
def test_a_version_goes_one_step_at_a_time_and_never_changes_once_it_was_handed_in(
    act: str, status: VersionStatus, target: VersionStatus | None
) -> None:
    assert lifecycle.version_after(act, status) is target


def test_a_journey_that_was_closed_before_a_pause_is_closed_after_it() -> None:
    assert lifecycle.journey_after("resumed", Status.PAUSED, takes_people=True) is Status.LIVE
    assert lifecycle.journey_after("resumed", Status.PAUSED, takes_people=False) is Status.CLOSED
    assert lifecycle.journey_after("paused", Status.STOPPED, takes_people=False) is None


def test_a_new_version_does_not_resume_a_paused_journey() -> None:
    assert lifecycle.after_start(Status.PAUSED) is Status.PAUSED
    assert lifecycle.after_start(Status.STOPPED) is Status.LIVE


def test_nobody_approves_what_they_drew_in() -> None:
    author, other = new_id(), new_id()
    assert lifecycle.is_somebody_else([author], other)
    assert not lifecycle.is_somebody_else([author], author)
    assert not lifecycle.is_somebody_else([author], None), "a program is nobody"
    assert not lifecycle.is_somebody_else([], other), "what nobody drew, nobody vouches for"


def test_two_versions_differ_by_steps_their_fields_and_where_ports_lead() -> None:
    before = short(name="Visits")
    steps = {
        **before.steps,
        "pause": replace(before.steps["pause"], does=Wait(span=3 * DAY)),
        "letter": replace(before.steps["letter"], ports={"next": "pause", "refused": "stop"}),
        "stop": step("stop", Exit(), "Not allowed"),
    }
    del steps["end"]
    after = replace(before, steps=steps, name="Check-ups")
    found = comparing.compare(before, after)
    assert found.parts == ("name",)
    told = {each.step: each for each in found.steps}
    assert told["pause"].fields == ("span",)
    assert told["pause"].change is Change.CHANGED
    [port] = told["letter"].ports
    assert (port.port, port.before, port.after) == ("refused", "", "stop")
    assert told["letter"].fields == ()
    assert told["stop"].change is Change.ADDED
    assert told["end"].change is Change.REMOVED
    assert not comparing.compare(before, replace(before, layout={"letter": (1.0, 2.0)}))


def test_a_step_of_another_kind_is_said_to_be_one() -> None:
    before = short()
    other = {**before.steps, "pause": step("pause", Exit(), "A day")}
    [change] = comparing.compare(before, replace(before, steps=other)).steps
    assert change.fields == ("kind",)
    assert change.kind is StepKind.EXIT


def test_whoever_waits_may_wait_on_at_a_step_of_the_same_kind() -> None:
    before, after = overdue(), overdue()
    [move] = mapping.moves(before, after, {"wait": 5}, {"wait": "wait_again"})
    assert (move.goes_on, move.people, move.findings) == (True, 5, ())


def test_whoever_is_sent_to_a_step_of_another_kind_arrives_there_anew() -> None:
    [move] = mapping.moves(overdue(), overdue(), {"wait": 5}, {"wait": "which"})
    assert not move.goes_on
    assert not move.findings


def test_nobody_is_left_without_a_step() -> None:
    first, second = mapping.moves(overdue(), short(), {"wait": 5, "call": 1}, {"wait": "elsewhere"})
    assert first.findings[0].code == "not_mapped"
    assert first.step == "call"
    assert second.findings[0].code == "no_such_step"


@pytest.mark.parametrize("to", ["letter", "wait"])
def test_a_move_back_is_refused_where_a_message_would_go_out_twice(to: str) -> None:
    """`wait` leads to `second`, which those at `wait_again` may have had."""
    [move] = mapping.moves(overdue(), overdue(), {"wait_again": 3}, {"wait_again": to})
    assert [each.code for each in move.findings] == ["done_again"]


def test_a_task_that_somebody_has_already_is_not_given_again() -> None:
    [stays] = mapping.moves(overdue(), overdue(), {"call": 3}, {"call": "call"})
    assert stays.goes_on
    assert not stays.findings
    [back] = mapping.moves(overdue(), overdue(), {"call": 3}, {"call": "which"})
    assert back.findings


def test_what_a_repeat_does_again_anyway_may_be_done_again() -> None:
    drawn = graph(
        step("letter", send(), next="pause"),
        step("pause", Wait(span=DAY), next="again"),
        step("again", Repeat(3, 7 * DAY), again="letter", done="end"),
        step("end", Exit()),
    )
    [move] = mapping.moves(drawn, drawn, {"pause": 9}, {"pause": "pause"})
    assert not move.findings
    assert move.goes_on


def test_everybody_is_left_where_they_are_unless_told_otherwise() -> None:
    changed = overdue()
    steps = {key: each for key, each in changed.steps.items() if key != "call"}
    before, after = overdue(), replace(changed, steps=steps)
    standing = {"wait": 4, "call": 2, "letter": 0}
    assert mapping.suggested(before, after, standing) == {"wait": "wait"}
