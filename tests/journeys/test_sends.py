"""Messages of a journey: once, by the gate's leave, outside quiet hours and holidays, and not with others on one day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from salus.contacts import api as contacts
from salus.content import api as content
from salus.content.contracts import Problem
from salus.delivery import api as delivery
from salus.delivery.contracts import Cap
from salus.delivery.models import MessageRow
from salus.identity.contracts import Role
from salus.journeys.contracts import Branch, Case, Exit, Fate, Graph, Repeat, Send, Wait
from salus.journeys.models import SendingRow
from salus.journeys.sending import HELD_AT_MOST
from salus.kernel.acting import system
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.timeline.contracts import EventKind
from tests.delivery import office
from tests.journeys.drawn import graph, step
from tests.journeys.running import DAY, HOUR, START, Running, put_live

NOW = timedelta()


class Office:
    """A clinic with a template for reminders, one for education, and people who may get both."""

    def __init__(self, organization: Any) -> None:
        self.organization, self.id = organization, organization.id
        self.clock = FakeClock(START)
        with acting_for(self.id):
            self.urgent = office.template(organization)
            self.other = office.template(organization, office.EDUCATION)
            names = ("ana", "ben", "cora")
            patients = [office.patient(name, f"{name}@lakepost.example.test", START) for name in names]
            self.people = office.admit(patients, system(self.id, "test"))

    def letter(self, version: UUID) -> Send:
        """Return what a step does that sends a template version."""
        return Send(Channel.EMAIL, {"en": version})

    def run(self, drawn: Graph, *people: UUID) -> Running:
        """Put a journey live and let people in."""
        running = put_live(self.id, drawn, clock=self.clock)
        running.enter(*people)
        running.run()
        return running

    def messages(self, contact_id: UUID) -> list[tuple[str, str]]:
        """Return the state and reason of every message to somebody."""
        with acting_for(self.id):
            rows = MessageRow.objects.filter(contact_id=contact_id).order_by("id")
            return list(rows.values_list("state", "reason"))


@pytest.fixture
def clinic(make_clinic: Callable[..., Any]) -> Office:
    """The clinic."""
    return Office(make_clinic())


def one_letter(does: Send, **rules: Any) -> Graph:
    """Return: a letter, a day, the end; and an exit for whom the gate refuses."""
    return graph(
        step("letter", does, next="pause", refused="not_allowed"),
        step("pause", Wait(span=DAY), next="end"),
        step("end", Exit()),
        step("not_allowed", Exit()),
        **rules,
    )


def test_a_message_is_handed_over_once_and_the_visit_names_it(clinic: Office) -> None:
    ana, ben, _ = clinic.people
    running = clinic.run(one_letter(clinic.letter(clinic.urgent)), ana, ben)
    running.run()
    [visit] = running.visits(ana)
    assert (visit.port, visit.outcome) == ("next", "sent")
    with acting_for(clinic.id):
        row = MessageRow.objects.get(contact_id=ana)
        assert (row.id, row.state) == (visit.message_id, "cleared")
        [sending] = SendingRow.objects.all()
        assert (sending.id, sending.step, sending.journey_id) == (row.origin_id, "letter", running.journey_id)
        assert delivery.waiting_by_state() == {"due": 2}
    assert running.step(ana) == "pause"


def test_whom_the_gate_refuses_goes_on_as_it_is_drawn_and_the_visit_says_why(clinic: Office) -> None:
    ana, ben, _ = clinic.people
    clinic.clock.advance(2 * HOUR)  # nine in the morning, where they live
    with acting_for(clinic.id):
        permissions.opt_out(
            ana, office.EDUCATION.topic, Channel.EMAIL, evidence="by phone", actor=system(clinic.id, "test"),
            clock=clinic.clock,
        )  # fmt: skip
    running = clinic.run(one_letter(clinic.letter(clinic.other)), ana, ben)
    assert [each[:3] for each in running.way(ana)] == [
        ("letter", "refused", "refused"),
        ("not_allowed", "", "exit"),
    ]
    assert running.visits(ana)[0].reason
    assert running.enrolment(ana).fate == Fate.REFUSED
    assert running.counts().refused == 1
    plain = graph(step("letter", clinic.letter(clinic.other), next="end"), step("end", Exit()))
    passed = clinic.run(plain, ana)
    assert passed.way(ana)[0][1:3] == ("next", "refused")
    assert passed.enrolment(ana).fate == Fate.EXITED


def test_each_round_of_a_loop_and_each_new_entry_writes_anew(clinic: Office) -> None:
    ana, *_ = clinic.people
    drawn = graph(
        step("letter", clinic.letter(clinic.urgent), next="more"),
        step("more", Repeat(2, NOW), again="letter", done="end"),
        step("end", Exit()),
        again="always",
    )
    running = clinic.run(drawn, ana)
    running.run()
    assert [state for state, _ in clinic.messages(ana)] == ["cleared"] * 3
    running.clock.advance(DAY)
    running.enter(ana)
    running.run()
    assert len(clinic.messages(ana)) == 6
    with acting_for(clinic.id):
        assert {(each.entry, each.times) for each in SendingRow.objects.all()} == {
            (entry, times) for entry in (0, 1) for times in (0, 1, 2)
        }


def test_quiet_hours_hold_back_what_is_not_urgent(clinic: Office) -> None:
    ana, ben, _ = clinic.people
    clinic.clock.advance(14 * HOUR)  # 21:00 in Washington, where they live
    held = clinic.run(one_letter(clinic.letter(clinic.other)), ana)
    urgent = clinic.run(one_letter(clinic.letter(clinic.urgent)), ben)
    assert (held.step(ana), urgent.step(ben)) == ("letter", "pause")
    row = held.enrolment(ana)
    assert (row.waits, row.due_at) == ("quiet", datetime(2026, 3, 3, 16, tzinfo=START.tzinfo))
    held.after(11 * HOUR)
    assert held.step(ana) == "pause"


def test_a_holiday_of_their_state_holds_back_what_is_not_urgent(clinic: Office) -> None:
    ana, ben, _ = clinic.people
    clinic.clock.advance(datetime(2026, 5, 25, 18, tzinfo=START.tzinfo) - START)  # Memorial Day
    held = clinic.run(one_letter(clinic.letter(clinic.other)), ana)
    works = clinic.run(one_letter(clinic.letter(clinic.other), holidays=False), ben)
    assert (held.step(ana), works.step(ben)) == ("letter", "pause")
    assert held.enrolment(ana).due_at == datetime(2026, 5, 26, 15, tzinfo=START.tzinfo)


def test_who_is_written_to_often_enough_is_held_and_passed_over_after_a_week(clinic: Office) -> None:
    ana, ben, _ = clinic.people
    actor = office_administrator(clinic)
    with acting_for(clinic.id):
        delivery.set_cap(Cap(at_most=1, days=3), actor=actor, at=START)
    clinic.clock.advance(2 * HOUR)
    first = clinic.run(one_letter(clinic.letter(clinic.other)), ana)
    second = clinic.run(one_letter(clinic.letter(clinic.other)), ana, ben)
    assert (first.step(ana), second.step(ana), second.step(ben)) == ("pause", "letter", "pause")
    assert second.enrolment(ana).waits == "held"
    assert second.enrolment(ana).due_at == clinic.clock.now() + 3 * DAY
    urgent = clinic.run(one_letter(clinic.letter(clinic.urgent)), ana)
    assert urgent.step(ana) == "pause"
    second.after(3 * DAY)
    assert second.step(ana) == "pause"
    with acting_for(clinic.id):
        delivery.set_cap(Cap(at_most=1, days=30), actor=actor, at=clinic.clock.now())
    third = clinic.run(one_letter(clinic.letter(clinic.other)), ana)
    third.after(HELD_AT_MOST)
    assert third.way(ana)[0] == ("letter", "refused", "refused", "frequency_cap")


def office_administrator(clinic: Office) -> Any:
    with acting_for(clinic.id):
        return office.staff(clinic.organization, Role.ADMINISTRATOR)


def test_of_two_journeys_on_one_day_the_higher_one_writes_and_the_other_waits_a_day(clinic: Office) -> None:
    ana, ben, _ = clinic.people
    clinic.clock.advance(2 * HOUR)
    high = clinic.run(one_letter(clinic.letter(clinic.other), priority=80), ana)
    low = clinic.run(one_letter(clinic.letter(clinic.other), priority=20), ana, ben)
    assert (high.step(ana), low.step(ana), low.step(ben)) == ("pause", "letter", "pause")
    assert low.enrolment(ana).due_at == clinic.clock.now() + DAY
    again = clinic.run(one_letter(clinic.letter(clinic.other), priority=80), ben)
    assert again.step(ben) == "pause"  # the lower one wrote first: the higher one is not held
    low.after(DAY)
    assert low.step(ana) == "pause"


def test_a_journey_lets_a_higher_one_go_first_that_is_going_to_write_today(clinic: Office) -> None:
    ana, *_ = clinic.people
    clinic.clock.advance(2 * HOUR)  # nine in the morning
    soon = graph(
        step("pause", Wait(until_time=time(15)), next="letter"),
        step("letter", clinic.letter(clinic.other), next="end"),
        step("end", Exit()),
        priority=80,
    )
    high = clinic.run(soon, ana)
    low = clinic.run(one_letter(clinic.letter(clinic.other), priority=20), ana)
    assert low.enrolment(ana).waits == "held"
    high.after(6 * HOUR)
    assert high.way(ana)[1][:2] == ("letter", "next")
    low.after(18 * HOUR)
    assert low.step(ana) == "pause"


def test_a_step_goes_on_after_what_it_discloses_changed(
    clinic: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, ben, _ = clinic.people
    running = clinic.run(one_letter(clinic.letter(clinic.urgent)), ana)
    monkeypatch.setattr("salus.journeys.specifying.tells", lambda *_: office.ASKS_FOR_DIABETES)
    running.enter(ben)
    running.run()
    assert running.way(ben)[0][:3] == ("letter", "next", "sent")
    with acting_for(clinic.id):
        assert SendingRow.objects.count() == 2


def test_a_message_opened_leads_the_way(clinic: Office) -> None:
    ana, ben, _ = clinic.people
    opened = {"version": 1, "where": {"did": "message_opened"}}
    drawn = graph(
        step("first", clinic.letter(clinic.urgent), next="second"),
        step("second", clinic.letter(clinic.urgent), next="pause"),
        step("pause", Wait(span=DAY), next="which"),
        step("which", Branch((Case("read", opened, of_step="first"),)), **{"read": "end", "else": "out"}),
        step("end", Exit()),
        step("out", Exit()),
    )
    running = clinic.run(drawn, ana, ben)
    running.run()
    messages = {each: [visit.message_id for visit in running.visits(each)] for each in (ana, ben)}
    running.happens(ana, EventKind.MESSAGE_OPENED, message_id=messages[ana][0])
    running.happens(ben, EventKind.MESSAGE_OPENED, message_id=messages[ben][1])
    running.after(DAY)
    assert [running.way(each)[3][1] for each in (ana, ben)] == ["read", "else"]


def test_whoever_is_gone_is_refused_and_told_so(clinic: Office) -> None:
    ana, *_ = clinic.people
    drawn = graph(
        step("pause", Wait(span=DAY), next="letter"),
        step("letter", clinic.letter(clinic.urgent), next="end"),
        step("end", Exit()),
    )
    running = clinic.run(drawn, ana)
    with acting_for(clinic.id):
        contacts.erase_person(ana, actor=running.actor)
    running.clock.advance(DAY)
    running.run()  # before the follower heard of it
    assert running.way(ana)[1] == ("letter", "next", "refused", "person_is_gone")


def test_a_message_that_cannot_be_made_holds_its_people_and_nobody_else(
    clinic: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, ben, cora = clinic.people
    running = clinic.run(one_letter(clinic.letter(clinic.urgent)), ana)
    problem = Problem("sender name", "It tells of a condition.")
    monkeypatch.setattr(content, "check_sender_name", lambda name: (problem,))
    running.enter(ben, cora)
    running.run()
    assert (running.step(ben), running.enrolment(ben).waits) == ("letter", "held")
    running.after(DAY)
    assert running.enrolment(ana).fate == Fate.EXITED
    running.after(HELD_AT_MOST)
    assert running.way(ben)[0] == ("letter", "refused", "refused", "message_unusable")
