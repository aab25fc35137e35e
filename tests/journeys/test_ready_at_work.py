"""Every ready journey at work on the demo clinic: checked, approved, run to everybody's end, and accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from salus.audiences import api as audiences
from salus.contacts import api as contacts
from salus.gate import api as gate
from salus.identity.contracts import Role
from salus.journeys import api
from salus.journeys.contracts import Diary, Fate, Supposed, Update, VersionStatus
from salus.journeys.diaries import all_of
from salus.journeys.gallery import reading
from salus.journeys.models import EnrolmentRow
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.timeline.contracts import EventKind as E
from tests.campaigns.conftest import Engines
from tests.journeys.clinic import DAY, Clinic, open_clinic

pytestmark = pytest.mark.slow

PATIENTS = 140
OPEN_DAYS = 32
"""So long people come in, a whole month with its fifth day; then every journey runs to everybody's end."""
ASK_FIRST = {"service_announcement", "recommendation", "milestone"}
"""Journeys whose letters need an authorization or an opt-in."""
every = pytest.mark.parametrize("key", reading.KEYS)


@pytest.fixture(scope="module")
def engines(
    world: Any, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engines]:
    """The audience engine, for the tests of this file."""
    engines = Engines()
    with django_db_blocker.unblock(), engines.running(tmp_path_factory.mktemp("audience")):
        yield engines


@pytest.fixture(scope="module")
def clinic(engines: Engines, fast_passwords: None) -> Iterator[Clinic]:
    """The demo clinic with its people and every ready journey, started and not begun."""
    found = open_clinic(f"clinic-{new_id().hex[-12:]}", PATIENTS)
    engines.serve(found.id)
    for key in ("screening_recall", *reading.KEYS):
        if key not in found.live:
            found.start(key)
    yield found
    engines.organizations.remove(found.id)


@pytest.fixture(scope="module")
def jubilarian(clinic: Clinic) -> UUID:
    """A patient who is 45 in five days, and asked for the clinic's news twice."""
    birthday = (clinic.clock.now() + 5 * DAY).date()
    if (birthday.month, birthday.day) == (2, 29):
        birthday += DAY
    born = birthday.replace(year=birthday.year - 45)
    id = clinic.register(
        "jubilarian", birth_date=born.isoformat(), gender="male", state="NY", care_state="NY"
    )
    with acting_for(clinic.id):
        permissions.opt_in(
            id,
            "clinic news",
            Channel.EMAIL,
            evidence="web form",
            confirmed=True,
            actor=clinic.program,
            clock=clinic.clock,
        )
    return id


@pytest.fixture(scope="module")
def season(clinic: Clinic, jubilarian: UUID) -> Clinic:
    """The clinic after a season in which every ready journey ran, to everybody's end."""
    clinic.work()
    for day in range(1, OPEN_DAYS + 1):
        clinic.let_pass(1)
        _happen(clinic, day)
    clinic.close()
    for turn in range(80):
        if not any(clinic.counts(key).waiting for key in clinic.live):
            return clinic
        clinic.let_pass(1 if turn < 30 else 7)
    raise AssertionError({key: clinic.counts(key).waiting for key in clinic.live})


def _happen(clinic: Clinic, day: int) -> None:
    """Let happen what a clinic sees; it is followed a day later."""
    clinic.book(clinic.people(0.02, f"books {day}"), days=3 + day % 17)
    match day:
        case 1:
            clinic.book(clinic.people(0.2, "early"), days=12)
            clinic.tell(E.PROCEDURE_DONE, clinic.people(0.2, "operation"), text="Knee replacement")
            clinic.tell(E.PAGE_VISITED, clinic.people(0.5, "page"), path="/evenings/sleep")
            clinic.tell(E.DOWNLOADED, clinic.people(0.5, "leaflet"), resource="nutrition.pdf")
            clinic.tell(E.LAB_AVAILABLE, clinic.people(0.3, "lab"), code="4548-4", system="loinc")
            clinic.enrol("payment", clinic.people(0.2, "bill"))
            for number in range(6):
                clinic.register(f"newcomer{number}", with_mail=number > 0)
        case 6:
            clinic.move_appointments(clinic.people(0.1, "early"), by=5 * DAY)
            clinic.cancel_appointments(clinic.people(0.03, "early"))
            clinic.tell(E.VISIT, clinic.people(0.3, "visit"), text="Office visit")
            clinic.tell(E.FORM_COMPLETED, clinic.people(0.12, "operation"), form="recovery_check")
            clinic.tell(E.FORM_COMPLETED, clinic.people(0.08, "operation"), ago=SOON, form="recovery_trouble")
        case 10:
            clinic.book_from("re_engagement", 2)
        case 12:
            clinic.tell(E.FORM_COMPLETED, clinic.people(0.14, "visit"), form="visit_feedback")
            clinic.tell(E.FORM_COMPLETED, clinic.people(0.07, "visit"), ago=SOON, form="visit_concern")
            clinic.tell(E.PURCHASE, clinic.people(0.06, "bill"), product="statement", amount=40)
        case 20:
            clinic.book_from("onboarding", 2)
        case 25:
            clinic.tell(E.PRESCRIPTION_READY, clinic.people(0.6, "pharmacy"), text="Lisinopril")


SOON = timedelta(minutes=5)


@pytest.mark.usefixtures("database")
@every
def test_it_is_approved_without_a_finding(clinic: Clinic, key: str) -> None:
    version = clinic.live[key]
    with acting_for(clinic.id):
        proof = api.proof(version.id)
    assert version.status is VersionStatus.LIVE
    assert not proof.findings
    assert "Every send can be lawful" in proof.promises[-1]


@pytest.mark.usefixtures("database")
@every
def test_the_simulation_accounts_for_everybody(clinic: Clinic, jubilarian: UUID, key: str) -> None:
    officer = clinic.staff(Role.PRIVACY_OFFICER)
    happens = {kind.value: 0.5 for kind in E}
    with acting_for(clinic.id):
        numbers = sorted(contacts.numbers_of(clinic.people(0.5, "simulated")).values())
        by_ways = key == "milestone"  # it asks whose day it is
        found = api.simulate(
            clinic.live[key].graph,
            journey_id=None,
            supposed=Supposed(happens=happens, tasks_done=0.5),
            at=clinic.clock.now(),
            actor=officer,
            numbers=None if by_ways else numbers,
        )
    counts = found.counts
    assert counts.entered == counts.completed + counts.exited + counts.refused > 0
    assert counts.waiting == 0
    assert any(
        count
        for step in counts.steps.values()
        for (outcome, _), count in step.outcomes.items()
        if outcome == "sent"
    )


@pytest.mark.usefixtures("database")
@every
def test_everybody_comes_to_an_end_and_the_numbers_add_up(season: Clinic, key: str) -> None:
    counts = season.counts(key)
    assert counts.entered == counts.completed + counts.exited + counts.refused > 0
    assert counts.waiting == 0
    assert counts.completed > 0
    for step in counts.steps.values():
        assert step.here == 0
        assert step.arrived == sum(step.left.values()) == sum(step.outcomes.values())


@pytest.mark.usefixtures("database")
@every
def test_every_diary_follows_the_drawing_from_the_first_step_to_the_end(season: Clinic, key: str) -> None:
    version, counts = season.live[key], season.counts(key)
    diaries = _diaries(season, key)
    assert len(diaries) == counts.entered
    fates = Counter(each.fate for each in diaries)
    assert (fates[Fate.COMPLETED], fates[Fate.EXITED]) == (counts.completed, counts.exited)
    assert fates[Fate.REFUSED] == counts.refused
    for diary in diaries:
        visits = diary.visits
        assert [visit.ordinal for visit in visits] == list(range(len(visits)))
        assert visits[0].step == version.graph.start
        assert visits[-1].left_at == diary.ended_at
        for earlier, later in pairwise(visits):
            assert later.step == version.graph.steps[earlier.step].ports[earlier.port]
            assert later.arrived_at == earlier.left_at
        messages = [visit.message_id for visit in visits if visit.outcome == "sent"]
        assert len(messages) == len(set(messages))


def _diaries(clinic: Clinic, key: str) -> list[Diary]:
    journey_id = clinic.live[key].journey_id
    with acting_for(clinic.id):
        people = EnrolmentRow.objects.filter(journey_id=journey_id).values_list("contact_id", flat=True)
        return [each for id in set(people) for each in all_of(id) if each.journey_id == journey_id]


@pytest.mark.usefixtures("database")
@every
def test_who_may_not_be_written_to_has_a_reason_and_care_needs_no_authorization(
    season: Clinic, key: str
) -> None:
    refused = {
        reason
        for step in season.counts(key).steps.values()
        for outcome, reason in step.outcomes
        if outcome == "refused"
    }
    assert refused
    assert all(gate.explain(reason).sentence for reason in refused)
    assert bool(refused & {"no_authorization", "no_opt_in"}) is (key in ASK_FIRST)


@pytest.mark.usefixtures("database")
def test_a_reminder_moves_with_its_appointment(season: Clinic) -> None:
    moved = set(season.people(0.1, "early"))
    stayed = set(season.people(0.2, "early")) - moved
    assert max(_waited(season, moved)) >= 12 * DAY
    assert max(_waited(season, stayed)) < 10 * DAY


def _waited(clinic: Clinic, people: set[UUID]) -> list[timedelta]:
    """Return how long people waited for the third day before the appointment that they booked on the first day."""
    return [
        visit.left_at - visit.arrived_at
        for diary in _diaries(clinic, "appointments")
        if diary.contact_id in people and diary.entered_at - clinic.began < 3 * DAY
        for visit in diary.visits
        if visit.step == "three_days" and visit.outcome == "waited"
    ]


@pytest.mark.usefixtures("database")
def test_a_cancelled_appointment_ends_the_journey(season: Clinic) -> None:
    cancelled = set(season.people(0.03, "early"))
    ends = {each.reason for each in _diaries(season, "appointments") if each.contact_id in cancelled}
    assert "event" in ends


@pytest.mark.usefixtures("database")
def test_who_missed_an_appointment_is_called(season: Clinic) -> None:
    steps = season.counts("appointments").steps
    assert steps["missed"].arrived > 0
    assert {"done", "not_done"} == set(steps["call"].left)


@pytest.mark.usefixtures("database")
def test_the_control_group_hears_nothing(season: Clinic) -> None:
    diaries = _diaries(season, "service_announcement")
    assert diaries
    for each in diaries:  # who is in which arm is chance: of few people, perhaps nobody is in the control
        asked = any(visit.outcome in {"sent", "refused"} for visit in each.visits)
        assert asked == (each.visits[0].port == "told")


@pytest.mark.usefixtures("database")
def test_who_showed_interest_is_in_the_list(season: Clinic) -> None:
    remember = season.live["recommendation"].graph.steps["remember"].does
    assert isinstance(remember, Update)
    remembered = {
        each.contact_id
        for each in _diaries(season, "recommendation")
        if any(visit.outcome == "updated" for visit in each.visits)
    }
    with acting_for(season.id):
        listed = contacts.ids_of(list(audiences.static_members(remember.add_to[0])))
    assert remembered
    assert set(listed.values()) == remembered


@pytest.mark.usefixtures("database")
def test_who_has_a_birthday_goes_on_to_the_screening_recall(season: Clinic, jubilarian: UUID) -> None:
    [diary] = [each for each in _diaries(season, "milestone") if each.contact_id == jubilarian]
    assert [visit.step for visit in diary.visits] == ["which", "birthday", "two_weeks", "age", "screening"]
    assert diary.visits[1].outcome == "sent"
    assert any(each.contact_id == jubilarian for each in _diaries(season, "screening_recall"))


@pytest.mark.usefixtures("database")
def test_a_refill_is_asked_for_six_times_at_most_and_not_sooner_than_in_four_weeks(season: Clinic) -> None:
    most = 0
    for diary in _diaries(season, "refill"):
        asked = [visit.left_at for visit in diary.visits if visit.step == "due" and visit.outcome == "sent"]
        assert all(later - earlier >= 28 * DAY for earlier, later in pairwise(asked))
        most = max(most, len(asked))
    assert most == 6
