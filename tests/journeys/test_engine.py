"""The engine on a real database: people come in, wait, are moved on once, and their visits are written."""

from __future__ import annotations

from uuid import UUID

import pytest

from salus.journeys.contracts import (
    Branch,
    Case,
    Exit,
    Fate,
    Goal,
    Wait,
)
from tests.journeys.drawn import graph, step
from tests.journeys.running import DAY, START, admit, put_live

BOOKED = {"did": "appointment_booked"}
OHIO = {"version": 1, "where": {"field": "state", "equal": "OH"}}

WAIT = graph(
    step("pause", Wait(span=3 * DAY), next="which"),
    step("which", Branch((Case("ohio", OHIO),)), **{"ohio": "done", "else": "out"}),
    step("done", Goal()),
    step("out", Exit()),
)


def test_people_wait_and_go_the_way_that_is_theirs(organization: UUID) -> None:
    ana, ben = admit(organization, {"state": "OH"}, {"state": "TX"})
    running = put_live(organization, WAIT)
    assert running.enter(ana, ben).entered
    assert running.run() == 0
    assert running.enrolment(ana).due_at == START + 3 * DAY
    assert running.after(2 * DAY) == 0
    assert running.after(DAY) == 6
    assert running.way(ana) == [
        ("pause", "next", "waited", ""),
        ("which", "ohio", "case", ""),
        ("done", "", "goal", ""),
    ]
    assert running.way(ben) == [
        ("pause", "next", "waited", ""),
        ("which", "else", "case", ""),
        ("out", "", "exit", ""),
    ]
    assert (running.enrolment(ana).fate, running.enrolment(ben).fate) == (Fate.COMPLETED, Fate.EXITED)
    counts = running.counts()
    assert (counts.entered, counts.waiting, counts.completed, counts.exited) == (2, 0, 1, 1)
    assert counts.steps["pause"].hours == pytest.approx(72, rel=0.03)
    assert counts.steps["which"].left == {"ohio": 1, "else": 1}
