"""People put in by their numbers, their diaries, who is behind a figure, export and erasure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.identity.contracts import Organization
from salus.journeys import diaries, enlisting, leaving, numbers
from salus.journeys.contracts import (
    Counts,
    Enter,
    EnterKind,
    Exit,
    Fate,
    Figure,
    Goal,
    Status,
    Wait,
)
from salus.journeys.rules.tallying import tally
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.platform.tenancy import acting_for
from tests.delivery import office
from tests.journeys.drawn import DAY, graph, overdue, short, step
from tests.journeys.house import House, furnish
from tests.journeys.running import Running, put_live


@pytest.fixture
def house(make_clinic: Callable[..., Organization]) -> House:
    return furnish(make_clinic())


def enrol(running: Running, *lines: str, **more: Any) -> Any:
    with acting_for(running.organization_id):
        return enlisting.enrol_numbers(
            running.journey_id, lines, actor=running.actor, at=running.clock.now(), **more
        )


def number(house: House, name: str) -> int:
    with acting_for(house.id):
        return contacts.numbers_of([house.people[name]])[house.people[name]]


def test_every_line_of_a_list_is_accounted_for(house: House) -> None:
    running = put_live(house.id, short(house.versions))
    bert = f"C-{number(house, 'bert'):06d}"
    found = enrol(running, "mrn-ada", bert, "mrn-nobody", " mrn-ada ", "\x00", "C-999999")
    assert found.asked == 6
    assert found.entered == tuple(sorted((number(house, "ada"), number(house, "bert"))))
    assert (found.unknown, found.repeated, found.refused) == ((3, 5, 6), 1, {})
    assert found.asked == len(found.entered) + len(found.refused) + len(found.unknown) + found.repeated


def test_who_may_not_come_in_again_is_told_why(house: House) -> None:
    running = put_live(house.id, short(house.versions))
    enrol(running, "mrn-ada")
    assert set(enrol(running, "mrn-ada").refused.values()) == {"inside_already"}
    running.run()
    running.after(2 * DAY)
    found = enrol(running, "mrn-ada", "mrn-bert")
    assert found.refused == {number(house, "ada"): "came_before"}
    assert found.entered == (number(house, "bert"),)


def test_a_repeat_with_the_same_key_lets_nobody_in_twice_and_answers_the_same(house: House) -> None:
    running = put_live(house.id, short(house.versions))
    first = enrol(running, "mrn-ada", occasion="a key", kind=EnterKind.API)
    again = enrol(running, "mrn-ada", occasion="a key", kind=EnterKind.API)
    assert first == again
    assert running.counts().entered == 1


def test_a_journey_that_takes_nobody_by_hand_says_so(house: House) -> None:
    running = put_live(house.id, graph(step("end", Exit()), enter=(Enter(EnterKind.API),)))
    with pytest.raises(Conflict):
        enrol(running, "mrn-ada")
    assert enrol(running, "mrn-ada", kind=EnterKind.API).entered
    running.stand(Status.PAUSED)
    with pytest.raises(Conflict):
        enrol(running, "mrn-bert", kind=EnterKind.API)
    with acting_for(house.id):
        assert not enlisting.takes_by_hand(running.journey_id)


def test_too_many_lines_are_refused_before_anybody_is_looked_up(house: House) -> None:
    with pytest.raises(BadInput):
        enrol(put_live(house.id, short(house.versions)), *(["mrn-ada"] * (enlisting.MOST + 1)))


def test_a_diary_tells_a_way_and_that_somebody_looked_is_in_the_log(house: House) -> None:
    running = put_live(house.id, graph(step("pause", Wait(span=DAY), next="won"), step("won", Goal())))
    ada = house.people["ada"]
    running.enter(ada)
    running.run()
    with acting_for(house.id):
        [inside] = diaries.diaries_of(ada, actor=house.officer)
    assert (inside.step, inside.fate, inside.visits) == ("pause", Fate.WAITING, ())
    assert inside.due_at == inside.entered_at + DAY
    running.after(DAY)
    with acting_for(house.id):
        found = diaries.diary(inside.enrolment_id, actor=house.officer)
        looks = audit.entries(Filters(action=Action.JOURNEY_PEOPLE_READ, patient_id=ada))
    assert [(each.step, each.port, each.outcome) for each in found.visits] == [
        ("pause", "next", "waited"),
        ("won", "", "goal"),
    ]
    assert (found.fate, found.step, found.due_at) == (Fate.COMPLETED, "", None)
    assert len(looks) == 2


def looked(running: Running, house: House, **figure: Any) -> list[tuple[UUID, int]]:
    with acting_for(house.id):
        found = diaries.people_at(running.journey_id, Figure(**figure), actor=house.officer)
    return [(each.contact_id, each.ordinal) for each in found]


def test_behind_each_figure_are_the_people_it_counts(house: House) -> None:
    running = put_live(house.id, short(house.versions))
    ada, bert, cora = (house.people[name] for name in ("ada", "bert", "cora"))
    running.enter(ada, bert)
    running.run()
    running.after(2 * DAY)
    running.enter(cora)
    running.run()
    counts = running.counts()
    for key, each in counts.steps.items():
        assert len(looked(running, house, step=key, here=True)) == each.here
        assert len(looked(running, house, step=key)) == each.arrived
        for port, people in each.left.items():
            if port:
                assert len(looked(running, house, step=key, port=port)) == people
        for (outcome, reason), people in each.outcomes.items():
            assert len(looked(running, house, step=key, outcome=outcome, reason=reason)) == people
    assert len(looked(running, house, fate=Fate.EXITED)) == counts.exited
    assert len(looked(running, house)) == counts.entered
    assert {id for id, _ in looked(running, house, step="pause", here=True)} == {cora}


def test_a_long_list_goes_on_where_it_stopped(house: House) -> None:
    running = put_live(house.id, short(house.versions))
    running.enter(*house.people.values())
    with acting_for(house.id):
        seen: list[UUID] = []
        after = None
        while found := diaries.people_at(
            running.journey_id, Figure(step="letter"), actor=house.officer, after=after, limit=2
        ):
            seen += [each.contact_id for each in found]
            after = (found[-1].enrolment_id, found[-1].ordinal)
    assert sorted(seen) == sorted(house.people.values())


def test_counts_are_what_the_diaries_tell(house: House) -> None:
    """The engine's counters and a count of every diary agree, while people are inside and when all is over."""
    running = put_live(house.id, overdue(house.versions))
    everybody = list(house.people.values())
    with acting_for(house.id):
        late = office.admit(
            [office.patient("sol", "sol@lakepost.example.test", running.clock.now(), language="es")],
            system(house.id, "test"),
        )
    running.enter(*everybody[:3], *late)
    running.run()
    for _ in range(4):
        agree(running, [*everybody, *late])
        running.after(8 * DAY)
    agree(running, [*everybody, *late])
    assert running.counts().waiting == 0


def agree(running: Running, people: list[UUID]) -> None:
    with acting_for(running.organization_id):
        ways = [way for id in people for way in diaries.all_of(id)]
    told, counted = tally(overdue(), ways), running.counts()
    assert sums(told) == sums(counted)
    for key, each in told.steps.items():
        mine = counted.steps[key]
        assert (each.arrived, each.here, each.left, each.outcomes) == (
            mine.arrived,
            mine.here,
            mine.left,
            mine.outcomes,
        )


def sums(counts: Counts) -> tuple[int, ...]:
    return counts.entered, counts.waiting, counts.completed, counts.exited, counts.refused


def test_totals_of_many_journeys_come_by_one_question(house: House) -> None:
    one, two = put_live(house.id, short(house.versions)), put_live(house.id, short(house.versions))
    one.enter(house.people["ada"])
    with acting_for(house.id):
        found = numbers.totals([one.journey_id, two.journey_id])
    assert [found[each.journey_id].entered for each in (one, two)] == [1, 0]
    assert found[two.journey_id].steps == {}


def test_an_access_request_gets_every_diary(house: House) -> None:
    running = put_live(house.id, short(house.versions, name="Visits"))
    ada = house.people["ada"]
    running.enter(ada)
    running.run()
    with acting_for(house.id):
        found = leaving.export_person(ada, purpose="access_request", actor=house.officer)
    assert [each["name"] for each in found["journeys"]] == ["Visits"]
    assert orjson.dumps(found), "plain values, ready to be written"


def test_an_erasure_ends_every_way_also_in_a_paused_journey_and_keeps_the_counts(house: House) -> None:
    running = put_live(house.id, short(house.versions))
    ada = house.people["ada"]
    running.enter(ada, house.people["bert"])
    running.run()
    running.stand(Status.PAUSED)
    with acting_for(house.id):
        leaving.erase_person(ada, actor=house.officer, clock=running.clock)
        [found] = diaries.all_of(ada)
    counts = running.counts()
    assert (found.fate, found.reason, found.step) == (Fate.EXITED, "erased", "")
    assert (found.visits[-1].port, found.visits[-1].outcome) == ("ended", "ended")
    assert (counts.entered, counts.waiting, counts.exited) == (2, 1, 1)
    assert counts.steps["pause"].left == {"ended": 1}
    with acting_for(house.id):
        leaving.erase_person(ada, actor=house.officer, clock=running.clock)
    assert running.counts() == counts


def test_an_outsider_sees_nobody(house: House, make_clinic: Callable[..., Organization]) -> None:
    running = put_live(house.id, short(house.versions))
    running.enter(house.people["ada"])
    enrolment = running.enrolment(house.people["ada"])
    other = furnish(make_clinic())
    with acting_for(other.id):
        for look in (
            lambda: diaries.diary(enrolment.id, actor=other.officer),
            lambda: diaries.people_at(running.journey_id, Figure(), actor=other.officer),
            lambda: numbers.counts(running.journey_id),
            lambda: enlisting.enrol_numbers(
                running.journey_id, ["mrn-ada"], actor=other.marketer, at=running.clock.now()
            ),
        ):
            with pytest.raises(NotFound):
                look()
        assert diaries.diaries_of(house.people["ada"], actor=other.officer) == []
