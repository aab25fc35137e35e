"""Whoever came from another journey brings along why they were there: it counts for what a message discloses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from salus.audiences import api as audiences
from salus.delivery import api as delivery
from salus.delivery.contracts import Origin
from salus.journeys import knowing
from salus.journeys.arriving import trees_before
from salus.journeys.contracts import (
    JOURNEY,
    Branch,
    Case,
    Ending,
    EndsOn,
    Enter,
    EnterKind,
    Exit,
    GoTo,
    Step,
    StepKind,
)
from salus.journeys.models import SendingRow
from salus.journeys.specifying import tells
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from tests.journeys.drawn import graph, step
from tests.journeys.running import HOUR, START, Running, put_live
from tests.journeys.test_sends import Office, one_letter
from tests.journeys.test_taken_back import register, telling

DIABETES = {"version": 1, "where": {"record": "conditions", "code": ["E11"]}}
SPANISH = {"version": 1, "where": {"field": "language", "equal": "es"}}


@pytest.fixture
def clinic(make_clinic: Callable[..., Any]) -> Office:
    return Office(make_clinic())


def leading(clinic: Office, to: Running, tree: dict[str, Any]) -> Running:
    """Return a journey that asks something of people and leads them to another."""
    over = Step("over", StepKind.GO_TO, "Over", GoTo(to.journey_id), {})
    drawn = graph(
        step("which", Branch((Case("yes", tree),)), **{"yes": "over", "else": "end"}),
        over,
        step("end", Exit()),
    )
    return put_live(clinic.id, drawn, clock=clinic.clock)


def fields(clinic: Office, running: Running) -> set[str]:
    """Return what was asked of people before they came into a journey."""
    with acting_for(clinic.id):
        trees = trees_before(running.journey_id)
        return {read.field for tree in trees for read in audiences.check(tree)}


def test_what_was_asked_in_every_journey_on_the_way_counts(clinic: Office) -> None:
    last = put_live(clinic.id, one_letter(clinic.letter(clinic.other)), clock=clinic.clock)
    assert fields(clinic, last) == set()
    middle = leading(clinic, last, SPANISH)
    assert fields(clinic, last) == {"language"}
    leading(clinic, middle, DIABETES)
    assert fields(clinic, last) == {"language", "conditions"}
    assert fields(clinic, middle) == {"conditions"}


def test_a_message_tells_why_people_came_from_elsewhere(clinic: Office) -> None:
    ana, *_ = clinic.people
    running = put_live(clinic.id, one_letter(clinic.letter(clinic.other)), clock=clinic.clock)
    leading(clinic, running, DIABETES)
    running.enter(ana)
    running.run()
    running.after(6 * HOUR)
    with acting_for(clinic.id):
        sending = SendingRow.objects.get()
        spec = delivery.spec_of(Origin(JOURNEY, sending.id))
    assert "conditions" in {read.field for read in spec.facts.reads}


def test_a_vendor_is_told_that_too_and_the_check_knows(clinic: Office) -> None:
    drawn = telling(register(system(clinic.id, "test")))
    running = put_live(clinic.id, drawn, clock=clinic.clock)
    with acting_for(clinic.id):
        assert not knowing.known(drawn, START, journey_id=running.journey_id).never
    leading(clinic, running, DIABETES)
    with acting_for(clinic.id):
        never = knowing.known(drawn, START, journey_id=running.journey_id).never
    assert never["tell"].code == "class_out_of_scope"
    running.enter(clinic.people[0])
    running.run()
    assert running.way(clinic.people[0])[0] == ("tell", "done", "failed", "class_out_of_scope")


def test_a_form_and_a_segment_that_people_must_stay_in_tell_something(clinic: Office) -> None:
    with acting_for(clinic.id):
        segment = audiences.save_segment("Sugar", DIABETES, system(clinic.id, "test"), clock=clinic.clock)
        drawn = one_letter(clinic.letter(clinic.other))
        ends = (Ending(EndsOn.SEGMENT_LEFT, segment_id=segment.id),)
        stays = replace(drawn, rules=replace(drawn.rules, endings=ends))
        asked = replace(drawn, enter=(Enter(EnterKind.FORM, form="sugar"),))
        assert "conditions" in {read.field for read in tells(stays, "letter")}
        assert tells(asked, "letter")
        assert not tells(drawn, "letter")
