"""kill -9 of workers at any moment, while twenty thousand people go through a journey, changes nothing in their diaries."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg import sql

from benchmarks.journeys_worker import FileClock
from salus.contacts import api as contacts
from salus.delivery.models import MessageRow
from salus.identity.contracts import Role
from salus.inbox.models import TaskRow
from salus.journeys import cursors, enrolling
from salus.journeys.contracts import (
    Again,
    Branch,
    Case,
    Exit,
    Goal,
    Graph,
    Repeat,
    Send,
    Split,
    StepKind,
    Task,
    Update,
    Wait,
    WaitFor,
)
from salus.journeys.enrolling import Candidate
from salus.journeys.ports import use_clock
from salus.kernel.acting import system
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.platform import bulk
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent
from tests.delivery import office
from tests.journeys.drawn import graph, step
from tests.journeys.running import DAY, put_live
from tests.journeys.test_engine import other

pytestmark = pytest.mark.slow

PEOPLE, CHUNK = 20_000, 2_000
MONDAY, LATER = datetime(2026, 5, 4, 15, tzinfo=UTC), datetime(2026, 6, 29, 15, tzinfo=UTC)
"""Two Mondays in summer time: what happens after the one happens after the other at the same hours."""
BOOKING = timedelta(days=2, hours=1, minutes=7)
"""When every third person books, after the beginning: nobody is due at that moment."""
PATIENCE = 900.0
OHIO = {"version": 1, "where": {"field": "state", "equal": "OH"}}
NOW = timedelta()

_DUE = sql.SQL(
    "SELECT due_at FROM journeys_enrolment WHERE organization_id = %s AND journey_id = %s AND fate = 'waiting' "
    "ORDER BY due_at LIMIT 1"
)
# The rows are minutes old, and a server that has not counted them yet would look each visit up among all others.
_AT_ONCE = sql.SQL("SET LOCAL enable_nestloop = off")
_DIARIES = sql.SQL(
    "SELECT e.contact_number, e.fate, e.reason, v.ordinal, v.step, v.port, v.outcome, v.reason, "
    "v.arrived_at - e.entered_at, v.left_at - e.entered_at FROM journeys_enrolment e "
    "LEFT JOIN journeys_visit v ON v.organization_id = e.organization_id AND v.enrolment_id = e.id "
    "WHERE e.organization_id = %s AND e.journey_id = %s AND e.entered_at = %s ORDER BY 1, 4"
)


def drawn(letter: UUID) -> Graph:
    """Return a journey with everything in it that could be done twice, or not at all."""
    return graph(
        step("pause", Wait(span=DAY), next="where"),
        step("where", Branch((Case("ohio", OHIO),)), **{"ohio": "change", "else": "chance"}),
        other("change", StepKind.UPDATE, Update(attributes={"city": "Ada"}), next="booking"),
        other("chance", StepKind.SPLIT, Split({"many": 8, "letter": 1, "call": 1}), many="booking", letter="letter", call="call"),
        step("letter", Send(Channel.EMAIL, {"en": letter}), next="booking", refused="refused"),
        step("call", Task(Role.CARE_COORDINATOR, at_most=2 * DAY), done="booking", not_done="booking"),
        step("booking", WaitFor(4 * DAY, {"did": "appointment_booked"}), happened="done", timeout="monday"),
        step("monday", Wait(until_weekday=0), next="again"),
        step("again", Repeat(1, 2 * DAY), again="monday", done="out"),
        step("done", Goal()),
        step("out", Exit()),
        step("refused", Exit()),
        again=Again.ALWAYS,
        holidays=False,
    )  # fmt: skip


class Run:
    """One way of everybody through the journey, from a Monday on."""

    def __init__(self, organization: UUID, journey: UUID, people: list[UUID], monday: datetime) -> None:
        self._organization, self._journey, self._people = organization, journey, people
        self.monday = monday

    def drive(self, clock: FileClock) -> None:
        """Let everybody in, and let the clock jump to whatever comes next, until all are out."""
        self._enter()
        booking, deadline = self.monday + BOOKING, time.monotonic() + PATIENCE
        booked = False
        while (due := self._next()) is not None or not booked:
            assert time.monotonic() < deadline, "they did not come to their end"
            following = min(filter(None, (due, None if booked else booking)))
            if following > clock.now() and self._is_followed():
                clock.set(following)
                if following == booking:
                    booked = True
                    self._book(clock)
            time.sleep(0.01)

    def _enter(self) -> None:
        for start in range(0, len(self._people), CHUNK):
            with acting_for(self._organization):
                numbers = contacts.numbers_of(self._people[start : start + CHUNK])
                occasion = enrolling.occasion(str(self.monday))
                enrolling.let_in(
                    self._journey,
                    [Candidate(id, number, occasion) for id, number in numbers.items()],
                    actor=system(self._organization, "test"),
                    at=self.monday,
                    alive=True,
                )

    def _book(self, clock: FileClock) -> None:
        third = self._people[::3]
        for start in range(0, len(third), CHUNK):
            with acting_for(self._organization):
                timeline.append(
                    [
                        NewEvent(id, EventKind.APPOINTMENT_BOOKED, clock.now(), f"{self.monday}")
                        for id in third[start : start + CHUNK]
                    ],
                    clock=clock,
                )

    def _next(self) -> datetime | None:
        with acting_for(self._organization):
            found = bulk.execute(_DUE, [self._organization, self._journey])
        return found[0][0] if found else None

    def _is_followed(self) -> bool:
        with acting_for(self._organization):
            heads = {
                cursors.Feed.EVENTS: timeline.head(),
                cursors.Feed.CONTACTS: contacts.head_change(),
                cursors.Feed.PERMISSIONS: permissions.head_change(),
            }
            if any(cursors.last(feed) < head for feed, head in heads.items()):
                return False
            due = bulk.execute(_DUE, [self._organization, self._journey])
        return not due or due[0][0] > self._clock_now()

    def _clock_now(self) -> datetime:
        from salus.journeys.ports import clock

        return clock().now()

    def diaries(self) -> dict[int, list[tuple[Any, ...]]]:
        """Return the way of each person by number: fate, and every visit with its times since the entry."""
        with acting_for(self._organization):
            bulk.execute(_AT_ONCE)
            rows = bulk.execute(_DIARIES, [self._organization, self._journey, self.monday])
        found: dict[int, list[tuple[Any, ...]]] = {}
        for number, *visit in rows:
            found.setdefault(number, []).append(tuple(visit))
        return found


@contextmanager
def crew(
    world: Any, organization: UUID, journey: UUID, clock: FileClock, *, killer: bool
) -> Iterator[list[int]]:
    """Have workers at work; how many were killed is in the list afterwards."""
    command = [
        sys.executable, "-m", "tests.journeys.crew", str(organization), str(journey), str(clock.file), "5",
        "yes" if killer else "no",
    ]  # fmt: skip
    process = subprocess.Popen(command, env=world.environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    killed: list[int] = []
    try:
        yield killed
    finally:
        clock.file.unlink()
        killed.append(int(process.stdout.readline() or 0))
        assert process.wait(30) == 0


def test_workers_who_are_killed_at_any_moment_change_nothing(
    world: Any, make_clinic: Callable[..., Any], tmp_path: Path
) -> None:
    clinic = make_clinic(time_zone="America/New_York")
    with acting_for(clinic.id):
        letter = office.template(clinic)
    people: list[UUID] = []
    for start in range(0, PEOPLE, CHUNK):
        patients = [
            office.patient(f"p{n}", f"p{n}@lakepost.example.test", MONDAY, state="OH" if n % 7 == 0 else "TX")
            for n in range(start, start + CHUNK)
        ]
        with acting_for(clinic.id):
            people += office.admit(patients, system(clinic.id, "test"))
    running = put_live(clinic.id, drawn(letter), clock=FakeClock(MONDAY))
    found = []
    for monday, killer in ((MONDAY, False), (LATER, True)):
        clock = FileClock(tmp_path / f"clock-{killer}")
        clock.set(monday)
        before = use_clock(clock)
        try:
            run = Run(clinic.id, running.journey_id, people, monday)
            with crew(world, clinic.id, running.journey_id, clock, killer=killer) as killed:
                run.drive(clock)
        finally:
            use_clock(before)
        found.append(run.diaries())
    undisturbed, disturbed = found
    assert killed[0] > 10
    assert len(disturbed) == PEOPLE
    assert disturbed == undisturbed
    steps = Counter(visit[3] for visits in disturbed.values() for visit in visits)
    assert all(steps[key] for key in ("change", "letter", "call", "booking", "again", "done", "out"))
    with acting_for(clinic.id):
        assert MessageRow.objects.count() == 2 * steps["letter"]
        assert TaskRow.objects.count() == 2 * steps["call"]
    counts = running.counts()
    assert (counts.entered, counts.waiting) == (2 * PEOPLE, 0)
    for each in counts.steps.values():
        assert each.arrived == each.here + sum(each.left.values()) == 2 * steps[each.step]
