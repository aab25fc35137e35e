"""The engine on a real database: people come in, wait, are moved on once, and their visits are written."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connections

from salus.audiences import api as audiences
from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.identity.contracts import Role
from salus.inbox import api as inbox
from salus.inbox.models import TaskRow
from salus.journeys import advancing, working
from salus.journeys.contracts import (
    Again,
    Branch,
    Case,
    Ending,
    EndsOn,
    Exit,
    Fate,
    Goal,
    GoTo,
    Repeat,
    Split,
    Status,
    Step,
    StepKind,
    Task,
    Update,
    Wait,
    WaitFor,
)
from salus.journeys.models import TallyRow, VisitRow
from salus.journeys.ports import use_clock
from salus.journeys.walking import MOST_HOPS
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.vocabulary import Channel, PhiClass
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from tests.journeys.drawn import graph, step
from tests.journeys.running import DAY, HOUR, START, Running, admit, put_live

OHIO = {"version": 1, "where": {"field": "state", "equal": "OH"}}
NOW = timedelta()

WAIT = graph(
    step("pause", Wait(span=3 * DAY), next="which"),
    step("which", Branch((Case("ohio", OHIO),)), **{"ohio": "done", "else": "out"}),
    step("done", Goal()),
    step("out", Exit()),
)


def other(key: str, kind: StepKind, does: object, **ports: str) -> Step:
    """Return a step of a kind that `drawn` has no word for."""
    return Step(key, kind, key.capitalize(), does, ports)  # type: ignore[arg-type]


def ana_in(organization: UUID, drawn: object, **values: object) -> tuple[Running, UUID]:
    """Return a running journey with Ana in it, at work already."""
    [ana] = admit(organization, values)
    running = put_live(organization, drawn)  # type: ignore[arg-type]
    running.enter(ana)
    running.run()
    return running, ana


def test_people_wait_and_go_the_way_that_is_theirs(organization: UUID) -> None:
    ana, ben = admit(organization, {"state": "OH"}, {"state": "TX"})
    running = put_live(organization, WAIT)
    assert len(running.enter(ana, ben).entered) == 2
    assert running.run() == 0
    assert running.enrolment(ana).due_at == START + 3 * DAY
    assert running.after(2 * DAY) == 0
    assert running.after(DAY) == 6
    assert running.way(ana) == [
        ("pause", "next", "waited", ""),
        ("which", "ohio", "case", ""),
        ("done", "", "goal", ""),
    ]
    assert running.way(ben)[1:] == [("which", "else", "case", ""), ("out", "", "exit", "")]
    assert (running.enrolment(ana).fate, running.enrolment(ben).fate) == (Fate.COMPLETED, Fate.EXITED)


def test_the_numbers_add_up(organization: UUID) -> None:
    people = admit(organization, *({"state": state} for state in ("OH", "OH", "TX")))
    running = put_live(organization, WAIT)
    for each in people:
        running.enter(each)
    running.run()
    before = running.counts()
    assert (before.entered, before.waiting, before.steps["pause"].here) == (3, 3, 3)
    running.after(3 * DAY)
    with acting_for(organization):
        rows = TallyRow.objects.count()
        working.JOINED_FROM, kept = 0, working.JOINED_FROM
        working.join_counts()
        working.JOINED_FROM = kept
        assert TallyRow.objects.count() < rows
    counts = running.counts()
    assert (counts.entered, counts.waiting, counts.completed, counts.exited) == (3, 0, 2, 1)
    assert counts.steps["pause"].hours == pytest.approx(72, rel=0.03)
    assert counts.steps["which"].left == {"ohio": 2, "else": 1}
    for one in counts.steps.values():
        assert one.arrived == one.here + sum(one.left.values())


def test_a_batch_is_recorded_once_with_counts_and_the_fields_that_were_opened(organization: UUID) -> None:
    running, _ = ana_in(organization, WAIT, state="OH")
    running.after(3 * DAY)
    with acting_for(organization):
        moves = audit.entries(Filters(action=Action.JOURNEY_MOVE))
    assert [(each.fields, each.details) for each in moves] == [
        (("state",), {"people": 1, "visits": 3, "ended": 1}),
        ((), {"people": 1, "visits": 0, "ended": 0}),
    ]


def test_a_wait_of_a_span_opens_nobodys_record(organization: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    [ana] = admit(organization, {"state": "OH"})
    drawn = graph(
        step("pause", Wait(span=DAY), next="more"),
        step("more", Wait(span=DAY), next="end"),
        step("end", Exit()),
    )
    running = put_live(organization, drawn)
    running.enter(ana)
    monkeypatch.setattr(contacts, "open_documents", lambda **_: pytest.fail("opened"))
    running.run()
    running.after(DAY)
    assert running.step(ana) == "more"


def test_nobody_is_inside_twice_and_again_is_as_the_rules_say(organization: UUID) -> None:
    [ana] = admit(organization, {})
    for again, after, later in (
        (Again.NEVER, None, "came_before"),
        (Again.AFTER, 30 * DAY, "too_soon"),
        (Again.ALWAYS, None, ""),
    ):
        running = put_live(
            organization, replace(WAIT, rules=replace(WAIT.rules, again=again, again_after=after))
        )
        assert running.enter(ana, occasion="first").entered
        assert set(running.enter(ana).refused.values()) == {"inside_already"}
        running.after(3 * DAY)
        assert set(running.enter(ana, occasion="first").refused.values()) == {"same_occasion"}
        assert set(running.enter(ana).refused.values()) == ({later} if later else set())
        running.clock.advance(30 * DAY)
        assert bool(running.enter(ana).entered) is (again is Again.AFTER)
    counts = running.counts()
    assert counts.reasons["inside_already"] == 2


def test_of_two_that_let_the_same_person_in_at_once_one_does(organization: UUID) -> None:
    [ana] = admit(organization, {})
    running = put_live(organization, WAIT)
    found, gate = [], threading.Barrier(2)

    def enter() -> None:
        gate.wait(10)
        found.append(running.enter(ana))
        connections.close_all()

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert sorted(len(each.entered) for each in found) == [0, 1]
    assert running.counts().entered == 1


def test_workers_share_the_people_who_are_due(organization: UUID) -> None:
    people = admit(organization, *({"state": "OH"} for _ in range(40)))
    running = put_live(organization, WAIT)
    running.enter(*people)
    taken, both = [], threading.Barrier(2)

    def work() -> None:
        with acting_for(organization):
            moved = advancing.advance(running.journey_id, actor=running.actor, clock=running.clock, limit=20)
            both.wait(10)  # neither has committed yet
            taken.append(moved.people)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert taken == [20, 20]
    assert running.run() == 0


def test_a_batch_that_fails_did_nothing(organization: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    running, ana = ana_in(organization, WAIT, state="OH")
    running.clock.advance(3 * DAY)
    monkeypatch.setattr(audit, "record", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        running.run()
    monkeypatch.undo()
    assert running.step(ana) == "pause"
    assert running.visits(ana) == []
    assert running.run() == 3


def test_in_a_paused_journey_nobody_comes_in_or_moves_and_what_is_due_waits(organization: UUID) -> None:
    running, ana = ana_in(organization, WAIT, state="OH")
    [ben] = admit(organization, {})
    running.stand(Status.PAUSED)
    assert running.after(4 * DAY) == 0
    assert set(running.enter(ben).refused.values()) == {"takes_nobody"}
    running.stand(Status.LIVE)
    assert running.run() == 3
    assert running.visits(ana)[0].left_at == START + 4 * DAY


def test_in_a_closed_journey_those_inside_go_on(organization: UUID) -> None:
    running, ana = ana_in(organization, WAIT, state="OH")
    [ben] = admit(organization, {})
    running.stand(Status.CLOSED)
    assert set(running.enter(ben).refused.values()) == {"takes_nobody"}
    running.after(3 * DAY)
    assert running.enrolment(ana).fate == Fate.COMPLETED


def test_out_of_a_stopped_journey_everybody_is_taken(organization: UUID) -> None:
    running, ana = ana_in(organization, WAIT)
    running.stand(Status.STOPPED)
    running.run()
    assert running.way(ana) == [("pause", "ended", "ended", "stopped")]
    row = running.enrolment(ana)
    assert (row.fate, row.reason, row.due_at) == (Fate.EXITED, "stopped", None)
    assert running.counts().reasons == {"stopped": 1}


def test_whoever_is_inside_for_too_long_leaves(organization: UUID) -> None:
    drawn = graph(step("pause", Wait(span=90 * DAY), next="end"), step("end", Exit()), at_most=30 * DAY)
    running, ana = ana_in(organization, drawn)
    running.after(30 * DAY)
    assert running.way(ana) == [("pause", "ended", "ended", "time_over")]


def test_a_long_way_is_walked_in_several_claims(organization: UUID) -> None:
    steps = [step(f"s{n}", Wait(span=NOW), next=f"s{n + 1}") for n in range(MOST_HOPS + 20)]
    running, ana = ana_in(organization, graph(*steps, step(f"s{MOST_HOPS + 20}", Exit())))
    assert running.enrolment(ana).fate == Fate.EXITED
    assert [each.ordinal for each in running.visits(ana)] == list(range(MOST_HOPS + 21))


def test_a_loop_is_walked_as_often_as_it_says(organization: UUID) -> None:
    drawn = graph(
        step("week", Wait(span=DAY), next="again"),
        step("again", Repeat(2, 7 * DAY), again="week", done="end"),
        step("end", Exit()),
    )
    running, ana = ana_in(organization, drawn)
    for _ in range(30):
        running.after(DAY)
    assert [each[:2] for each in running.way(ana)] == [
        *[("week", "next"), ("again", "again")] * 2,
        ("week", "next"),
        ("again", "done"),
        ("end", ""),
    ]


def test_a_split_is_the_same_in_the_next_version(organization: UUID) -> None:
    people = admit(organization, *({} for _ in range(30)))
    drawn = graph(
        other("chance", StepKind.SPLIT, Split({"a": 1, "b": 1}, control="b"), a="end", b="end"),
        step("end", Exit()),
        again=Again.ALWAYS,
    )
    running = put_live(organization, drawn)
    running.enter(*people)
    running.run()
    first = [running.way(each)[0] for each in people]
    assert {each[1:3] for each in first} == {("a", "case"), ("b", "control")}
    later = put_live(organization, drawn, journey_id=running.journey_id, clock=running.clock)
    later.clock.advance(DAY)
    later.enter(*people)
    later.run()
    assert [later.way(each)[0] for each in people] == first


def test_an_update_changes_what_is_known_and_the_next_step_sees_it(organization: UUID) -> None:
    with acting_for(organization):
        sheet = audiences.create_static(
            "Called", system(organization, "test"), tells=[PhiClass.ENGAGEMENT]
        ).id
    change = Update(attributes={"state": "OH"}, opt_out_topics=("news",), add_to=(sheet,))
    listed = {"version": 1, "where": {"all": [OHIO["where"], {"segment": str(sheet)}]}}
    drawn = graph(
        other("change", StepKind.UPDATE, change, next="which"),
        step("which", Branch((Case("ohio", listed),)), **{"ohio": "done", "else": "out"}),
        step("done", Goal()),
        step("out", Exit()),
    )
    running, ana = ana_in(organization, drawn, state="TX")
    assert [each[1:3] for each in running.way(ana)] == [("next", "updated"), ("ohio", "case"), ("", "goal")]
    with acting_for(organization):
        assert permissions.standing(ana, running.clock.now()).opted_out("news", Channel.EMAIL)
        assert list(audiences.static_members(sheet)) == [contacts.numbers_of([ana])[ana]]


def test_an_update_that_cannot_be_made_is_told_and_holds_nobody_up(organization: UUID) -> None:
    drawn = graph(
        other("change", StepKind.UPDATE, Update(attributes={"state": "Nowhere"}), next="more"),
        other("more", StepKind.UPDATE, Update(add_to=(UUID(int=5),)), next="end"),
        step("end", Exit()),
    )
    running, ana = ana_in(organization, drawn)
    assert [each[2:] for each in running.way(ana)] == [
        ("failed", "value_rejected"),
        ("failed", "list_is_gone"),
        ("exit", ""),
    ]


def coordinator(organization: UUID) -> Actor:
    return Actor(ActorKind.STAFF, organization, id=UUID(int=9), roles=(Role.CARE_COORDINATOR.value,))


CALL = graph(
    step("call", Task(Role.CARE_COORDINATOR, at_most=5 * DAY), "Call them", done="end", not_done="out"),
    step("end", Goal()),
    step("out", Exit()),
)


def test_a_task_is_made_once_and_its_end_leads_on(organization: UUID) -> None:
    running, ana = ana_in(organization, CALL)
    running.after(HOUR)
    with acting_for(organization):
        [task] = inbox.tasks(coordinator(organization))
        assert (task.contact_id, task.title.reveal(), task.due_at) == (ana, "Call them", START + 5 * DAY)
        inbox.end(task.id, done=True, note="", actor=coordinator(organization), at=running.clock.now())
    running.after(HOUR)
    assert running.way(ana) == [("call", "done", "done", ""), ("end", "", "goal", "")]


def test_a_task_that_nobody_does_leads_on_in_time(organization: UUID) -> None:
    running, ana = ana_in(organization, CALL)
    running.after(5 * DAY)
    assert running.way(ana)[0] == ("call", "not_done", "not_done", "")


def test_the_task_of_somebody_who_leaves_early_is_taken_back(organization: UUID) -> None:
    running, ana = ana_in(organization, CALL)
    running.stand(Status.STOPPED)
    running.run()
    with acting_for(organization):
        assert [each.status for each in TaskRow.objects.all()] == ["withdrawn"]
    assert running.way(ana) == [("call", "ended", "ended", "stopped")]


def test_one_journey_leads_over_to_another(organization: UUID) -> None:
    second = put_live(organization, WAIT)
    drawn = graph(other("over", StepKind.GO_TO, GoTo(second.journey_id)))
    running, ana = ana_in(organization, drawn)
    assert running.way(ana) == [("over", "", "moved", "moved")]
    second.run()
    assert second.step(ana) == "pause"
    [ben] = admit(organization, {})
    second.stand(Status.CLOSED)
    running.enter(ben)
    running.run()
    assert running.way(ben) == [("over", "", "moved", "takes_nobody")]


def test_whoever_is_erased_leaves_and_whoever_died_leaves_or_never_comes_in(organization: UUID) -> None:
    ana, ben, cora = admit(organization, {}, {}, {"deceased": True})
    running = put_live(organization, WAIT)
    assert set(running.enter(ana, ben, cora).refused.values()) == {"deceased"}
    running.run()
    with acting_for(organization):
        contacts.erase_person(ana, actor=running.actor)
        number = contacts.numbers_of([ben])[ben]
        contacts.change_attributes([(number, {"deceased": True})], running.actor)
    running.after(HOUR)
    assert running.way(ana) == [("pause", "ended", "ended", "erased")]
    assert running.way(ben) == [("pause", "ended", "ended", "deceased")]


def test_who_opts_out_leaves_where_the_rules_say_so(organization: UUID) -> None:
    ana, ben = admit(organization, {}, {})
    rules = replace(WAIT.rules, endings=(Ending(EndsOn.OPTED_OUT, topic="news"),))
    running = put_live(organization, replace(WAIT, rules=rules))
    with acting_for(organization):
        permissions.opt_out(ben, "news", None, evidence="by phone", actor=running.actor, clock=running.clock)
    running.enter(ana, ben)
    running.run()
    assert running.way(ben) == [("pause", "ended", "ended", "opted_out")]
    with acting_for(organization):
        permissions.opt_out(ana, "*", None, evidence="by phone", actor=running.actor, clock=running.clock)
    running.after(HOUR)
    assert running.way(ana) == [("pause", "ended", "ended", "opted_out")]


def test_a_goal_that_is_reached_ends_the_journey_wherever_one_is(organization: UUID) -> None:
    rules = replace(WAIT.rules, endings=(Ending(EndsOn.GOAL, when=OHIO),))
    running, ana = ana_in(organization, replace(WAIT, rules=rules), state="TX")
    with acting_for(organization):
        number = contacts.numbers_of([ana])[ana]
        contacts.change_attributes([(number, {"state": "OH"})], running.actor)
    running.after(HOUR)
    assert running.way(ana) == [("pause", "ended", "goal", "goal")]
    assert running.enrolment(ana).fate == Fate.COMPLETED


def test_a_condition_is_asked_again_when_the_person_changes_and_every_day(organization: UUID) -> None:
    soon = {"version": 1, "where": {"record": "appointments", "date": {"within_next": {"days": 2}}}}
    either = {"version": 1, "where": {"any": [OHIO["where"], soon["where"]]}}
    drawn = graph(
        step("until", WaitFor(at_most=9 * DAY, condition=either), happened="done", timeout="out"),
        step("done", Goal()),
        step("out", Exit()),
    )
    ana, ben, cora = admit(organization, {}, {}, {})
    running = put_live(organization, drawn)
    with acting_for(organization):
        number = contacts.numbers_of([ben])[ben]
        visit = {"id": "1", "date": (START + 6 * DAY).date().isoformat(), "status": "booked"}
        contacts.change_records([(number, {"appointments": [visit]})], running.actor)
    running.enter(ana, ben, cora)
    running.run()
    with acting_for(organization):
        number = contacts.numbers_of([ana])[ana]
        contacts.change_attributes([(number, {"state": "OH"})], running.actor)
    running.after(HOUR)
    assert running.way(ana)[0] == ("until", "happened", "happened", "")
    for _ in range(8):
        running.after(DAY)
    assert running.way(ben)[0] == ("until", "happened", "happened", "")
    assert running.visits(ben)[0].left_at == START + 4 * DAY + HOUR
    running.after(DAY)
    assert running.way(cora)[0] == ("until", "timeout", "timeout", "")


def test_a_wait_for_a_date_moves_with_it(organization: UUID) -> None:
    drawn = graph(
        step(
            "before",
            Wait(attribute="appointments.date", offset=-2 * DAY, where={"status": ["booked"]}),
            next="end",
        ),
        step("end", Exit()),
    )
    [ana, ben] = admit(organization, {"time_zone": "UTC"}, {})

    def book(whom: UUID, day: int, status: str = "booked") -> None:
        with acting_for(organization):
            number = contacts.numbers_of([whom])[whom]
            visit = {"id": "1", "date": f"2026-03-{day:02d}", "status": status}
            contacts.change_records([(number, {"appointments": [visit]})], running.actor)

    running = put_live(organization, drawn)
    book(ana, 10)
    running.enter(ana, ben)
    running.run()
    assert running.way(ben)[0] == ("before", "next", "date_gone", "")
    assert running.enrolment(ana).due_at == START.replace(day=8, hour=0)
    book(ana, 20)
    running.after(HOUR)
    assert running.enrolment(ana).due_at == START.replace(day=18, hour=0)
    book(ana, 20, "cancelled")
    running.after(HOUR)
    assert running.way(ana)[0] == ("before", "next", "date_gone", "")


def test_nothing_in_the_rows_tells_more_than_ids(organization: UUID) -> None:
    running, ana = ana_in(organization, CALL)
    running.after(HOUR)
    row = running.enrolment(ana)
    assert row.memory is None
    with acting_for(organization):
        assert VisitRow.objects.count() == 0
    running.after(5 * DAY)
    assert {each.reason for each in running.visits(ana)} == {""}


def test_rounds_find_the_work_and_ask_for_as_many_jobs_as_it_needs(organization: UUID) -> None:
    people = admit(organization, *({"state": "OH"} for _ in range(3)))
    running = put_live(organization, WAIT)
    with acting_for(organization):
        assert working.find_due() == 0
    running.enter(*people)
    before = use_clock(running.clock)
    try:
        with acting_for(organization):
            assert working.find_due() == 1
        working.move(organization, running.journey_id)
        with acting_for(organization):
            assert working.find_due() == 0
            assert working.find_coming() == 0
    finally:
        use_clock(before)
    assert running.step(people[0]) == "pause"
