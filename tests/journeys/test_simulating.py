"""A simulation asks the real law of the real people, and what it says is what the engine then does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.delivery import api as delivery
from salus.identity.contracts import Organization, Role
from salus.journeys.contracts import (
    ELSE,
    Branch,
    Case,
    Enter,
    EnterKind,
    Exit,
    Goal,
    Graph,
    Repeat,
    Rules,
    Send,
    Split,
    Supposed,
    Task,
    Update,
    Wait,
    WaitFor,
)
from salus.journeys.rules.dates import moments, window
from salus.journeys.simulating import simulate
from salus.kernel.acting import system
from salus.kernel.errors import BadInput
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from tests.audiences.running import RunningEngine, wait_until
from tests.delivery import office
from tests.journeys.graphs import graph, step, tree
from tests.journeys.running import START, put_live

DAY = timedelta(days=1)
SPANISH = tree({"field": "language", "equal": "es"})
NAMES = ("rosa", "abe", "carol", "dan", "eve", "finn")


class Clinic:
    """A clinic with six patients: one speaks Spanish, one has no address, one wants no such letters."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.actor = system(organization.id, "test")
        with acting_for(organization.id):
            self.letter = office.template(organization)
            patches = [
                office.patient(
                    name,
                    None if name == "dan" else f"{name}@lakepost.example.test",
                    START,
                    language="es" if name == "carol" else "en",
                )
                for name in NAMES
            ]
            self.people = dict(zip(NAMES, office.admit(patches, self.actor), strict=True))
            self.numbers = contacts.numbers_of(list(self.people.values()))
            permissions.opt_out(
                self.people["eve"],
                office.TOPIC,
                Channel.EMAIL,
                evidence="by phone",
                actor=self.actor,
                clock=FakeClock(START - DAY),
            )

    def simulate(self, drawn: Graph, supposed: Supposed | None = None, **options: Any) -> Any:
        with acting_for(self.organization.id):
            return simulate(
                drawn,
                supposed=supposed or Supposed(tasks_done=0),
                at=START,
                actor=self.actor,
                **{"journey_id": None, "numbers": sorted(self.numbers.values()), **options},
            )


@pytest.fixture
def engine(database: object, tmp_path: Path) -> Iterator[RunningEngine]:
    running = RunningEngine(tmp_path / "audience")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def clinic(make_clinic: Callable[..., Organization]) -> Clinic:
    return Clinic(make_clinic())


def recall(letter: UUID, **rules: Any) -> Graph:
    """Return a journey with every kind of step that needs nothing from outside."""
    return graph(
        step("letter", Send(Channel.EMAIL, {"en": letter}), next="wait", refused="nurse"),
        step("wait", WaitFor(3 * DAY, event={"did": "appointment_booked"}), happened="goal", timeout="who"),
        step("who", Branch((Case("spanish", SPANISH),)), spanish="nurse", **{ELSE: "arms"}),
        step("arms", Split({"more": 1, "control": 1}, "control"), more="pause", control="end"),
        step("pause", Wait(until_weekday=0, until_time=START.time()), next="note"),
        step("note", Update(attributes={"pregnant": False}), next="round"),
        step("round", Repeat(2, 10 * DAY), again="pause", done="end"),
        step("nurse", Task(Role.CARE_COORDINATOR, 4 * DAY, "Call them"), done="goal", not_done="end"),
        step("goal", Goal()),
        step("end", Exit()),
        **rules,
    )


def test_what_the_simulation_says_is_what_the_engine_then_does(clinic: Clinic) -> None:
    drawn = recall(clinic.letter, quiet_from=None, quiet_until=None, holidays=False)
    running = put_live(clinic.organization.id, drawn)
    running.enter(*clinic.people.values())
    running.run()
    for _ in range(80):
        running.after(DAY / 2)
    told = clinic.simulate(drawn, journey_id=running.journey_id)
    real = running.counts()
    assert (told.counts.entered, told.counts.waiting) == (6, 0)
    for name in ("entered", "waiting", "completed", "exited", "refused"):
        assert getattr(told.counts, name) == getattr(real, name), name
    for key in drawn.steps:
        assert told.counts.steps[key].left == real.steps[key].left, key
        assert told.counts.steps[key].outcomes == real.steps[key].outcomes, key
    for contact_id in clinic.people.values():
        alone = clinic.simulate(drawn, journey_id=running.journey_id, numbers=[clinic.numbers[contact_id]])
        assert [(v.step, v.port, v.outcome, v.reason) for v in alone.diary] == running.way(contact_id)


def test_the_law_is_asked_for_each_and_nothing_is_sent_or_changed(clinic: Clinic) -> None:
    told = clinic.simulate(recall(clinic.letter))
    assert told.counts.steps["letter"].outcomes == {
        ("sent", ""): 4, ("refused", "no_address"): 1, ("refused", "opted_out"): 1,
    }  # fmt: skip
    with acting_for(clinic.organization.id):
        assert not delivery.messages_of_contact(clinic.people["rosa"])
        assert all(
            "pregnant" not in contacts.export_person(id, purpose="test", actor=clinic.actor)
            for id in clinic.people.values()
        )
        entry = audit.entries(Filters(action=Action.JOURNEY_SIMULATE))[0]
    assert entry.details == {"people": 6}


def test_suppositions_lead_people_the_other_way(clinic: Clinic) -> None:
    told = clinic.simulate(recall(clinic.letter), Supposed({"appointment_booked": 1.0}))
    assert told.counts.completed == 6  # four booked, for two the nurse did it
    assert told.counts.steps["wait"].left == {"happened": 4}
    assert told.counts.steps["nurse"].left == {"done": 2}


def test_what_a_step_changes_holds_for_the_steps_after_it(clinic: Clinic) -> None:
    drawn = graph(
        step("note", Update({"language": "es"}, opt_out_topics=(office.TOPIC,)), next="who"),
        step("who", Branch((Case("spanish", SPANISH),)), spanish="letter", **{ELSE: "end"}),
        step("letter", Send(Channel.EMAIL, {"en": clinic.letter}), next="end"),
        step("end", Exit()),
    )
    told = clinic.simulate(drawn)
    assert told.counts.steps["who"].left == {"spanish": 6}
    assert told.counts.steps["letter"].outcomes == {("refused", "opted_out"): 6}


def test_a_supposed_reader_is_seen_by_a_branch_on_that_message(clinic: Clinic) -> None:
    clicked = Case("clicked", tree({"did": "message_clicked"}), of_step="letter")
    drawn = graph(
        step("letter", Send(Channel.EMAIL, {"en": clinic.letter}), next="pause", refused="end"),
        step("pause", Wait(span=2 * DAY), next="did"),
        step("did", Branch((clicked,)), clicked="goal", **{ELSE: "end"}),
        step("goal", Goal()),
        step("end", Exit()),
    )
    readers = clinic.simulate(drawn, Supposed({"message_opened": 1.0, "message_clicked": 1.0}))
    assert (readers.counts.completed, readers.counts.exited) == (4, 2 - readers.counts.refused)
    assert clinic.simulate(drawn).counts.completed == 0


def test_from_a_step_on_and_to_a_moment(clinic: Clinic) -> None:
    drawn = recall(clinic.letter)
    told = clinic.simulate(drawn, start="nurse", until=START + DAY)
    assert (told.counts.steps["nurse"].here, told.counts.waiting) == (6, 6)
    with pytest.raises(BadInput, match="no such step"):
        clinic.simulate(drawn, start="gone")


def test_a_letter_that_is_not_classified_is_named_with_its_step(clinic: Clinic) -> None:
    with acting_for(clinic.organization.id):
        from salus.content import api as content

        author = office.staff(clinic.organization, Role.AUTHOR)
        bare = content.save_version(
            content.create_template("Draft", actor=author),
            language="en",
            subject="A visit",
            mjml=office.LETTER,
            actor=author,
        ).id
    with pytest.raises(BadInput) as fault:
        clinic.simulate(recall(bare))
    assert fault.value.place == "$.steps.letter"


def test_who_would_come_in_is_asked_of_everybody(clinic: Clinic, engine: RunningEngine) -> None:
    organization = clinic.organization.id
    engine.organizations.append(organization)
    everybody = tree({"all": []})
    from salus.audiences import api as audiences

    wait_until(organization, lambda: audiences.count(everybody).people == 6)
    with acting_for(organization):
        segment = audiences.save_segment("Spanish", SPANISH, clinic.actor).id
    end = step("end", Exit())
    ways = [
        (Enter(EnterKind.SEGMENT_ENTERED, segment), 1),
        (Enter(EnterKind.BY_HAND), 6),
        (Enter(EnterKind.DATE, attribute="birth_date", yearly=True), 6),
        (Enter(EnterKind.DATE, attribute="birth_date"), 0),
        (Enter(EnterKind.DATE, attribute="encounters.date", offset=90 * DAY), 6),
        (Enter(EnterKind.DATE, attribute="appointments.date"), 0),
    ]
    for way, people in ways:
        drawn = Graph("A journey", (way,), "end", {"end": end}, Rules())
        assert clinic.simulate(drawn, numbers=None).people == people, way
        assert clinic.simulate(drawn, numbers=None, most=2).people == min(people, 2)


def test_a_birthday_on_a_leap_day_comes_as_the_engine_lets_it_come() -> None:
    way = Enter(EnterKind.DATE, attribute="birth_date", yearly=True, offset=-2 * DAY, at=time(8))
    found = moments(way, date(2000, 2, 29), START, START + 800 * DAY, "America/New_York")
    assert [each.isoformat() for each in found] == [
        "2027-02-27T13:00:00+00:00",
        "2028-02-27T13:00:00+00:00",
    ]
    for each in found:  # the engine's own window, around that moment, brings in whoever has that date
        let_in = window(way, each - DAY / 2, each, "America/New_York")
        assert let_in is not None
        assert list(let_in.occasions(way, date(2000, 2, 29)))
    assert moments(way, date(2000, 2, 29), found[0] + DAY, found[1] - DAY, "America/New_York") == []


def test_another_clinic_is_not_simulated(clinic: Clinic, make_clinic: Callable[..., Organization]) -> None:
    other = Clinic(make_clinic("Northfield Clinic"))
    told = other.simulate(recall(other.letter), numbers=sorted(clinic.numbers.values()))
    assert told.people in (0, 6)  # numbers are each clinic's own: nobody of the first is seen
    with acting_for(other.organization.id):
        assert not set(contacts.ids_of(sorted(clinic.numbers.values())).values()) & set(
            clinic.people.values()
        )
