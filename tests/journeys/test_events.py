"""What happens elsewhere wakes exactly who waits for it; late, early, doubled and disordered events have their outcome."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connections

from salus.contacts import api as contacts
from salus.journeys import advancing, following
from salus.journeys.contracts import (
    Again,
    Branch,
    Case,
    Ending,
    EndsOn,
    Enter,
    EnterKind,
    Exit,
    Fate,
    Goal,
    Graph,
    Send,
    Status,
    Wait,
    WaitFor,
)
from salus.journeys.cursors import Feed, last
from salus.journeys.models import EnrolmentRow
from salus.journeys.rules.position import Memory, pack
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import Channel
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent
from tests.journeys.drawn import graph, step
from tests.journeys.running import DAY, HOUR, START, Running, admit, put_live

BOOKED, CLICKED = EventKind.APPOINTMENT_BOOKED, EventKind.MESSAGE_CLICKED


def waiting(*, since: str = "", of_step: str = "", **event: object) -> Graph:
    """Return a journey that waits a day, and then a week for a booking, or for another event."""
    return graph(
        step("pause", Wait(span=DAY), next="wait"),
        step(
            "wait",
            WaitFor(7 * DAY, event or {"did": "appointment_booked"}, since=since, of_step=of_step),
            happened="done",
            timeout="out",
        ),
        step("done", Goal()),
        step("out", Exit()),
    )


def at_the_wait(organization: UUID, drawn: Graph | None = None) -> tuple[Running, UUID]:
    """Return a running journey with Ana at the wait for a booking since a moment ago."""
    [ana] = admit(organization, {})
    running = put_live(organization, drawn or waiting())
    running.enter(ana)
    running.run()
    running.after(DAY)
    assert running.step(ana) == "wait"
    return running, ana


def outcome(running: Running, contact_id: UUID) -> str:
    """Return by which port somebody left the wait, "" when they are still there."""
    return next((port for step, port, *_ in running.way(contact_id) if step == "wait"), "")


def test_an_event_wakes_whom_it_is_about_and_nobody_else(organization: UUID) -> None:
    ana, ben = admit(organization, {}, {})
    running = put_live(organization, waiting())
    running.enter(ana, ben)
    running.run()
    running.after(DAY)
    running.clock.advance(HOUR)
    running.happens(ana, BOOKED)
    running.follow()
    assert running.enrolment(ben).due_at == START + 8 * DAY
    assert running.run() == 2
    assert (outcome(running, ana), outcome(running, ben)) == ("happened", "")


def test_only_the_kind_and_the_details_that_were_asked_for_count(organization: UUID) -> None:
    drawn = waiting(did="form_completed", where={"form": {"equal": "feedback"}})
    running, ana = at_the_wait(organization, drawn)
    running.clock.advance(HOUR)
    running.happens(ana, BOOKED)
    running.happens(ana, EventKind.FORM_COMPLETED, form="another")
    running.after(HOUR)
    assert outcome(running, ana) == ""
    running.happens(ana, EventKind.FORM_COMPLETED, form="feedback")
    running.after(HOUR)
    assert outcome(running, ana) == "happened"


def test_of_step_takes_only_what_was_done_with_that_message(organization: UUID) -> None:
    running, ana = at_the_wait(organization, waiting(did="message_clicked", of_step="pause"))
    message = new_id()
    with acting_for(organization):
        EnrolmentRow.objects.filter(contact_id=ana).update(memory=pack(Memory({"pause": message})))
    running.clock.advance(HOUR)
    running.happens(ana, CLICKED, message_id=new_id())
    running.after(HOUR)
    assert outcome(running, ana) == ""
    running.happens(ana, CLICKED, message_id=message)
    running.after(HOUR)
    assert outcome(running, ana) == "happened"


def test_early_what_happened_before_the_arrival_does_not_count(organization: UUID) -> None:
    [ana] = admit(organization, {})
    running = put_live(organization, waiting())
    running.enter(ana)
    running.run()
    running.clock.advance(HOUR)
    running.happens(ana, BOOKED)
    running.after(DAY)
    assert (running.step(ana), outcome(running, ana)) == ("wait", "")
    running.happens(ana, BOOKED, ago=2 * HOUR)  # told of now, happened before
    running.after(HOUR)
    assert outcome(running, ana) == ""


def test_since_counts_from_an_earlier_step_or_from_the_entry(organization: UUID) -> None:
    for since in ("pause", "enter"):
        [ana] = admit(organization, {})
        running = put_live(organization, waiting(since=since))
        running.enter(ana)
        running.run()
        running.clock.advance(HOUR)
        running.happens(ana, BOOKED)
        running.follow()
        running.after(DAY)
        assert outcome(running, ana) == "happened"


def test_late_what_is_told_of_after_the_time_was_over_changes_nothing(organization: UUID) -> None:
    running, ana = at_the_wait(organization)
    running.after(7 * DAY)
    assert outcome(running, ana) == "timeout"
    running.happens(ana, BOOKED, ago=2 * DAY)
    running.after(HOUR)
    assert outcome(running, ana) == "timeout"
    assert running.enrolment(ana).fate == Fate.EXITED


def test_what_was_told_of_in_time_counts_although_nobody_followed_it_yet(organization: UUID) -> None:
    running, ana = at_the_wait(organization)
    running.clock.advance(3 * DAY)
    running.happens(ana, BOOKED)
    running.clock.advance(10 * DAY)
    running.run()  # the time is over, and no follower came by
    assert outcome(running, ana) == "happened"


def test_what_happened_after_the_time_was_over_does_not_count_even_if_nobody_moved_them_on(
    organization: UUID,
) -> None:
    running, ana = at_the_wait(organization)
    running.clock.advance(8 * DAY)
    running.happens(ana, BOOKED)
    running.follow()
    running.run()
    assert outcome(running, ana) == "timeout"


def test_doubled_an_event_counts_once(organization: UUID) -> None:
    running, ana = at_the_wait(organization)
    running.clock.advance(HOUR)
    with acting_for(organization):
        event = NewEvent(ana, BOOKED, running.clock.now(), "booking 7")
        assert timeline.append([event], clock=running.clock) == 1
        assert timeline.append([event], clock=running.clock) == 0
    running.after(HOUR)
    assert [each[0] for each in running.way(ana)] == ["pause", "wait", "done"]


def test_disordered_events_count_by_when_they_happened(organization: UUID) -> None:
    running, ana = at_the_wait(organization)
    running.clock.advance(5 * HOUR)
    running.happens(ana, BOOKED, ago=10 * HOUR)  # before the arrival
    running.happens(ana, BOOKED, ago=4 * HOUR)  # after it, told of later than the next one
    running.happens(ana, EventKind.VISIT, ago=HOUR)
    running.after(HOUR)
    assert outcome(running, ana) == "happened"


def test_nothing_counts_later_than_it_was_told_of(organization: UUID) -> None:
    running, ana = at_the_wait(organization)
    running.clock.advance(HOUR)
    running.happens(ana, BOOKED, ago=-90 * DAY)  # a clock that goes wrong, or a date ahead
    running.after(HOUR)
    assert outcome(running, ana) == "happened"


def test_many_waits_of_one_person_are_woken_each_by_its_own(organization: UUID) -> None:
    [ana] = admit(organization, {})
    one = put_live(organization, waiting())
    other = put_live(organization, waiting(did="visit"), clock=one.clock)
    for each in (one, other):
        each.enter(ana)
        each.run()
    one.clock.advance(DAY)
    for each in (one, other):
        each.run()
    one.clock.advance(HOUR)
    one.happens(ana, BOOKED)
    one.follow()
    one.run()
    other.run()
    assert (outcome(one, ana), outcome(other, ana)) == ("happened", "")


def test_an_event_that_ends_the_journey_does_so_wherever_somebody_stands(organization: UUID) -> None:
    rules = replace(waiting().rules, endings=(Ending(EndsOn.EVENT, event={"did": "appointment_cancelled"}),))
    [ana] = admit(organization, {})
    running = put_live(organization, replace(waiting(), rules=rules))
    running.happens(ana, EventKind.APPOINTMENT_CANCELLED)  # before she came in
    running.clock.advance(HOUR)
    running.enter(ana)
    running.run()
    running.after(HOUR)
    assert running.step(ana) == "pause"
    running.happens(ana, EventKind.APPOINTMENT_CANCELLED)
    running.after(HOUR)
    assert running.way(ana) == [("pause", "ended", "ended", "event")]


def test_a_way_out_is_not_forgotten_by_what_happens_later(organization: UUID) -> None:
    drawn = waiting()
    leaves = Ending(EndsOn.EVENT, event={"did": "visit"})
    drawn = replace(drawn, rules=replace(drawn.rules, endings=(leaves,)))
    running, ana = at_the_wait(organization, drawn)
    running.happens(ana, EventKind.VISIT)
    running.follow()
    running.happens(ana, BOOKED)
    running.follow()
    running.run()
    assert outcome(running, ana) == "ended"


def test_what_happens_while_a_journey_is_paused_counts_when_it_goes_on(organization: UUID) -> None:
    running, ana = at_the_wait(organization)
    running.stand(Status.PAUSED)
    running.clock.advance(HOUR)
    running.happens(ana, BOOKED)
    running.after(9 * DAY)
    assert outcome(running, ana) == ""
    running.stand(Status.LIVE)
    running.run()
    assert outcome(running, ana) == "happened"


def test_a_branch_asks_what_happened_so_far(organization: UUID) -> None:
    visited = {"version": 1, "where": {"did": "visit"}}
    drawn = graph(
        step("which", Branch((Case("yes", visited),)), **{"yes": "done", "else": "out"}),
        step("done", Goal()),
        step("out", Exit()),
    )
    ana, ben = admit(organization, {}, {})
    running = put_live(organization, drawn)
    running.happens(ana, EventKind.VISIT, ago=90 * DAY)
    running.enter(ana, ben)
    running.run()
    assert [running.way(each)[0][1] for each in (ana, ben)] == ["yes", "else"]


# Coming in


def test_an_event_brings_people_in_once(organization: UUID) -> None:
    drawn = replace(waiting(), enter=(Enter(EnterKind.EVENT, event={"did": "visit"}),))
    drawn = replace(drawn, rules=replace(drawn.rules, again=Again.ALWAYS))
    ana, ben, cora = admit(organization, {}, {}, {"deceased": True})
    running = put_live(organization, drawn)
    running.clock.advance(HOUR)
    for each in (ana, ana, cora):
        running.happens(each, EventKind.VISIT)
    running.happens(ben, BOOKED)
    running.follow()
    running.follow()
    with acting_for(organization):
        assert [each.contact_id for each in EnrolmentRow.objects.all()] == [ana]
    assert running.counts().reasons == {"deceased": 1}


def test_a_form_brings_in_who_sent_it(organization: UUID) -> None:
    drawn = replace(waiting(), enter=(Enter(EnterKind.FORM, form="welcome"),))
    ana, ben = admit(organization, {}, {})
    running = put_live(organization, drawn)
    running.clock.advance(HOUR)
    running.happens(ana, EventKind.FORM_COMPLETED, form="welcome")
    running.happens(ben, EventKind.FORM_COMPLETED, form="feedback")
    running.follow()
    with acting_for(organization):
        assert [each.contact_id for each in EnrolmentRow.objects.all()] == [ana]


def test_what_happened_before_a_journey_was_live_or_long_ago_brings_nobody_in(organization: UUID) -> None:
    drawn = replace(waiting(), enter=(Enter(EnterKind.EVENT, event={"did": "visit"}),))
    ana, ben = admit(organization, {}, {})
    running = put_live(organization, drawn)
    running.happens(ana, EventKind.VISIT, ago=HOUR)
    running.clock.advance(30 * DAY)
    running.happens(ben, EventKind.VISIT, ago=8 * DAY)
    running.follow()
    with acting_for(organization):
        assert not EnrolmentRow.objects.exists()
    assert running.counts().reasons == {"too_late": 1}


def test_who_is_told_of_late_and_in_time_comes_in_whatever_came_first(organization: UUID) -> None:
    drawn = replace(waiting(), enter=(Enter(EnterKind.EVENT, event={"did": "visit"}),))
    [ana] = admit(organization, {})
    running = put_live(organization, drawn)
    running.clock.advance(30 * DAY)
    running.happens(ana, EventKind.VISIT, ago=8 * DAY)
    running.happens(ana, EventKind.VISIT)
    running.follow()
    assert running.step(ana)
    assert running.counts().reasons == {}


def test_what_happens_while_no_journey_runs_is_passed_over(organization: UUID) -> None:
    [ana] = admit(organization, {})
    running = put_live(organization, waiting())
    running.stand(Status.DRAFT)
    running.happens(ana, BOOKED)
    running.follow()
    with acting_for(organization):
        assert last(Feed.EVENTS) == timeline.head() > 0
        assert last(Feed.CONTACTS) == contacts.head_change() > 0


# Races


@pytest.mark.parametrize("first", ["arrival", "event"])
def test_an_arrival_and_an_event_at_the_same_time_do_not_miss_each_other(
    organization: UUID, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ana arrives at the wait in one transaction while a follower reads her booking in another."""
    [ana] = admit(organization, {})
    running = put_live(organization, waiting(since="enter"))
    running.enter(ana)
    running.run()
    running.clock.advance(DAY)
    running.happens(ana, BOOKED)
    half, go_on = threading.Event(), threading.Event()

    def advance() -> None:
        with acting_for(organization):
            advancing.advance(running.journey_id, actor=running.actor, clock=running.clock)
            if first == "arrival":
                half.set()
                go_on.wait(0.5)
        connections.close_all()

    def follow() -> None:
        with acting_for(organization):
            following.follow_events(actor=running.actor, clock=running.clock)
            if first == "event":
                half.set()
                go_on.wait(0.5)
        connections.close_all()

    begin, then = (advance, follow) if first == "arrival" else (follow, advance)
    threads = [threading.Thread(target=begin), threading.Thread(target=then)]
    threads[0].start()
    assert half.wait(10)
    threads[1].start()
    for each in threads:
        each.join(20)
        assert not each.is_alive()
    running.follow()
    running.run()
    assert outcome(running, ana) == "happened"


def test_an_event_between_entry_and_first_step_is_not_missed(organization: UUID) -> None:
    drawn = graph(
        step("wait", WaitFor(7 * DAY, {"did": "appointment_booked"}), happened="done", timeout="out"),
        step("done", Goal()),
        step("out", Exit()),
    )
    [ana] = admit(organization, {})
    running = put_live(organization, drawn)
    running.enter(ana)
    running.clock.advance(timedelta(seconds=1))
    running.happens(ana, BOOKED)
    running.run()
    assert outcome(running, ana) == "happened"


def test_a_send_step_of_no_message_ties_to_nothing(organization: UUID) -> None:
    drawn = waiting(did="message_clicked", of_step="letter")
    letter = step("letter", Send(Channel.EMAIL, {}), next="wait")
    running, ana = at_the_wait(organization, replace(drawn, steps={**drawn.steps, "letter": letter}))
    running.clock.advance(HOUR)
    running.happens(ana, CLICKED, message_id=new_id())
    running.after(HOUR)
    assert outcome(running, ana) == ""


def test_an_ending_counts_although_the_clock_of_whoever_told_of_it_is_ahead(organization: UUID) -> None:
    rules = replace(waiting().rules, endings=(Ending(EndsOn.EVENT, event={"did": "appointment_cancelled"}),))
    [ana] = admit(organization, {})
    running = put_live(organization, replace(waiting(), rules=rules))
    running.enter(ana)
    running.run()
    ahead = FakeClock(running.clock.now() + timedelta(seconds=2))
    with acting_for(organization):
        event = NewEvent(ana, EventKind.APPOINTMENT_CANCELLED, ahead.now(), "cancelled")
        timeline.append([event], clock=ahead)
    running.follow()
    running.run()
    assert running.way(ana) == [("pause", "ended", "ended", "event")]
