"""People inside a version that is changed: they stay, or move by a mapping; nothing is done twice, nobody is dropped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity.contracts import Organization, Role
from salus.inbox import api as inbox
from salus.journeys import resettling
from salus.journeys.contracts import Exit, Fate, Graph, Repeat, Task, Wait, WaitFor
from salus.journeys.models import EnrolmentRow, VisitRow
from salus.kernel.errors import Conflict, NotFound
from salus.platform.tenancy import acting_for
from salus.timeline.contracts import EventKind
from tests.delivery import office
from tests.journeys.drawn import BOOKED, DAY, graph, step
from tests.journeys.running import Running, admit, put_live


@pytest.fixture
def organization(make_clinic: Callable[..., Organization]) -> Organization:
    made: Organization = make_clinic()
    return made


@pytest.fixture
def clinic(organization: Organization) -> UUID:
    return organization.id


def line(wait: timedelta = 3 * DAY, *, more: bool = False, key: str = "pause") -> Graph:
    """Return: a wait, perhaps another, the end."""
    if not more:
        return graph(step(key, Wait(span=wait), next="end"), step("end", Exit()))
    return graph(
        step(key, Wait(span=wait), next="more"),
        step("more", Wait(span=DAY), next="end"),
        step("end", Exit()),
    )


def move(running: Running, to: Running, **mapping: str) -> int:
    with acting_for(running.organization_id):
        return resettling.move_people(
            running.version_id, to.version_id, mapping, actor=running.actor, at=running.clock.now()
        )


def newer(running: Running, drawn: Graph) -> Running:
    """Return a new version of a journey, live."""
    return put_live(running.organization_id, drawn, clock=running.clock, journey_id=running.journey_id)


def adds_up(running: Running) -> None:
    counts = running.counts()
    assert counts.entered == counts.waiting + counts.completed + counts.exited + counts.refused
    for each in counts.steps.values():
        assert each.arrived == each.here + sum(each.left.values())
        assert each.here >= 0


def test_those_inside_stay_in_their_version_and_new_people_come_into_the_new_one(clinic: UUID) -> None:
    ada, bert = admit(clinic, {}, {})
    running = put_live(clinic, line())
    running.enter(ada)
    running.run()
    changed = newer(running, line(10 * DAY))
    running.enter(bert)
    running.after(4 * DAY)
    assert running.step(ada) == ""
    assert running.step(bert) == "pause"
    assert running.enrolment(ada).version_id == running.version_id
    assert running.enrolment(bert).version_id == changed.version_id


def test_whoever_waits_waits_on_from_when_they_arrived(clinic: UUID) -> None:
    (ada,) = admit(clinic, {})
    running = put_live(clinic, line(3 * DAY))
    running.enter(ada)
    running.run()
    running.after(2 * DAY)
    changed = newer(running, line(5 * DAY, more=True))
    assert move(running, changed, pause="pause") == 1
    running.run()
    row = running.enrolment(ada)
    assert row.version_id == changed.version_id
    assert row.due_at == row.entered_at + 5 * DAY
    running.after(3 * DAY)
    assert running.step(ada) == "more"
    adds_up(running)


def test_whoever_is_sent_to_another_kind_of_step_arrives_there_anew(clinic: UUID) -> None:
    (ada,) = admit(clinic, {})
    running = put_live(clinic, line())
    running.enter(ada)
    running.run()
    running.clock.advance(DAY)
    other = graph(
        step("ask", WaitFor(at_most=2 * DAY, event=BOOKED), happened="end", timeout="end"),
        step("end", Exit()),
    )
    changed = newer(running, other)
    move(running, changed, pause="ask")
    running.run()
    row = running.enrolment(ada)
    assert (row.step, row.arrived_at) == ("ask", running.clock.now())
    running.clock.advance(timedelta(hours=1))
    running.happens(ada, EventKind.APPOINTMENT_BOOKED)
    running.follow()
    running.run()
    assert running.way(ada) == [("ask", "happened", "happened", ""), ("end", "", "exit", "")]


def test_nothing_runs_again_and_earlier_visits_keep_their_version(clinic: UUID) -> None:
    (ada,) = admit(clinic, {})
    before = graph(
        step("first", Wait(span=DAY), next="second"),
        step("second", Wait(span=5 * DAY), next="end"),
        step("end", Exit()),
    )
    running = put_live(clinic, before)
    running.enter(ada)
    running.run()
    running.after(2 * DAY)
    changed = newer(running, line(7 * DAY, key="second"))
    move(running, changed, second="second")
    running.after(10 * DAY)
    visits = running.visits(ada)
    assert [(each.step, each.version_id) for each in visits] == [
        ("first", running.version_id),
        ("second", changed.version_id),
        ("end", changed.version_id),
    ]
    assert [each.ordinal for each in visits] == [0, 1, 2]
    adds_up(running)


def test_the_numbers_of_each_version_and_of_both_add_up(clinic: UUID) -> None:
    people = admit(clinic, *({} for _ in range(6)))
    running = put_live(clinic, line())
    running.enter(*people[:4])
    running.run()
    changed = newer(running, line(5 * DAY, key="other"))
    running.enter(*people[4:])
    running.run()
    move(running, changed, pause="other")
    running.after(9 * DAY)
    adds_up(running)
    from salus.journeys import numbers

    with acting_for(clinic):
        old = numbers.counts(running.journey_id, running.version_id, engaged_at=())
        new = numbers.counts(running.journey_id, changed.version_id, engaged_at=())
        assert numbers.inside_by_version(running.journey_id).get(running.version_id, 0) == 0
    assert (old.entered, old.waiting) == (0, 0)
    assert (new.entered, new.exited) == (6, 6)
    assert running.counts().entered == 6


def test_how_often_somebody_went_round_stays_also_under_another_name(clinic: UUID) -> None:
    (ada,) = admit(clinic, {})

    def drawn(loop: str) -> Graph:
        return graph(
            step("pause", Wait(span=DAY), next=loop),
            step(loop, Repeat(2, DAY), again="pause", done="end"),
            step("end", Exit()),
        )

    running = put_live(clinic, drawn("round"))
    running.enter(ada)
    running.run()
    running.after(DAY)
    assert [each[:2] for each in running.way(ada)].count(("round", "again")) == 1
    changed = newer(running, drawn("lap"))
    move(running, changed, pause="pause", round="lap")
    for _ in range(6):
        running.after(DAY)
    assert [each[:2] for each in running.way(ada)].count(("lap", "again")) == 1, "two rounds in all"
    assert running.step(ada) == ""


def test_a_task_goes_with_whoever_waits_for_it_and_is_taken_back_from_whoever_does_not(
    clinic: UUID, organization: Organization
) -> None:
    ada, bert = admit(clinic, {}, {})
    task = Task(Role.CARE_COORDINATOR, 5 * DAY)
    asking = graph(step("call", task, "Call them", done="end", not_done="end"), step("end", Exit()))
    for person, mapping, left in ((ada, {"call": "ring"}, 1), (bert, {"call": "pause"}, 0)):
        running = put_live(clinic, asking)
        running.enter(person)
        running.run()
        other = graph(
            step("pause", Wait(span=DAY), next="ring"),
            step("ring", task, "Ring them", done="end", not_done="end"),
            step("end", Exit()),
        )
        move(running, newer(running, other), **mapping)
        running.run()
        assert running.step(person) == mapping["call"]
        with acting_for(clinic):
            open_ = inbox.tasks(office.staff(organization, Role.CARE_COORDINATOR))
        assert len([each for each in open_ if each.contact_id == person]) == left


def test_a_mapping_that_would_drop_somebody_moves_nobody(clinic: UUID) -> None:
    ada, bert = admit(clinic, {}, {})
    running = put_live(clinic, line(more=True))
    running.enter(ada)
    running.run()
    running.after(3 * DAY)
    running.enter(bert)
    running.run()
    assert (running.step(ada), running.step(bert)) == ("more", "pause")
    changed = newer(running, line())
    with pytest.raises(Conflict):
        move(running, changed, pause="pause")
    with pytest.raises(Conflict):
        move(running, changed, pause="pause", more="gone")
    assert {running.enrolment(each).version_id for each in (ada, bert)} == {running.version_id}
    with acting_for(clinic):
        found = resettling.moves(running.version_id, changed.version_id, {"pause": "pause"})
    assert [(each.step, each.people, [one.code for one in each.findings]) for each in found] == [
        ("more", 1, ["not_mapped"]),
        ("pause", 1, []),
    ]


def test_whoever_is_on_the_way_out_leaves_though_they_are_moved(clinic: UUID) -> None:
    (ada,) = admit(clinic, {})
    running = put_live(clinic, line())
    running.enter(ada)
    running.run()
    with acting_for(clinic):
        EnrolmentRow.objects.filter(contact_id=ada).update(answer="ended:event")
    move(running, newer(running, line(more=True)), pause="more")
    running.run()
    row = running.enrolment(ada)
    assert (row.fate, row.reason) == (Fate.EXITED, "event")


def test_nobody_is_moved_to_a_version_that_was_never_live(clinic: UUID) -> None:
    from salus.journeys import drafting

    (ada,) = admit(clinic, {})
    running = put_live(clinic, line())
    running.enter(ada)
    running.run()
    with acting_for(clinic):
        draft = drafting.new_draft(running.version_id, actor=running.actor, at=running.clock.now())
        with pytest.raises(Conflict, match="never live"):
            resettling.move_people(
                running.version_id,
                draft.id,
                {"pause": "pause"},
                actor=running.actor,
                at=running.clock.now(),
            )


def test_versions_of_two_journeys_do_not_mix_and_an_outsider_finds_neither(
    clinic: UUID, make_clinic: Callable[..., Organization]
) -> None:
    one, two = put_live(clinic, line()), put_live(clinic, line())
    with acting_for(clinic), pytest.raises(NotFound):
        resettling.moves(one.version_id, two.version_id, {})
    changed = newer(one, line())
    with acting_for(make_clinic().id), pytest.raises(NotFound):
        resettling.moves(one.version_id, changed.version_id, {})


def test_who_moved_how_many_is_in_the_log(clinic: UUID) -> None:
    people = admit(clinic, {}, {}, {})
    running = put_live(clinic, line())
    running.enter(*people)
    running.run()
    changed = newer(running, line())
    move(running, changed, pause="pause")
    with acting_for(clinic):
        [entry] = audit.entries(Filters(action=Action.JOURNEY_MAP))
        assert not VisitRow.objects.filter(version_id=changed.version_id).exists()
    assert entry.details == {
        "people": 3,
        "from": str(running.version_id),
        "to": str(changed.version_id),
    }
