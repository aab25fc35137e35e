"""A version from its first line to its retirement: who may do what, when, and what is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.delivery.models import QueueRow
from salus.identity.contracts import Organization
from salus.journeys import advancing, drafting, enlisting, launching, numbers, proving, queries
from salus.journeys.contracts import Graph, Status, VersionStatus
from salus.journeys.models import JourneyRow, VersionRow
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for
from tests.delivery import office
from tests.journeys.drawn import DAY, short
from tests.journeys.house import House, furnish, now


@pytest.fixture
def house(make_clinic: Callable[..., Organization]) -> House:
    return furnish(make_clinic())


def at_noon() -> datetime:
    """Return noon on the coast of the coming Monday, when no quiet hours hold a message back."""
    today = now()
    monday = today + timedelta(days=7 - today.weekday())
    return monday.replace(hour=20, minute=0)


def actions(house: House) -> list[str]:
    with acting_for(house.id):
        entries = audit.entries(Filters(object_kind="journey"))
    return [each.action for each in reversed(entries)]


def test_a_journey_goes_from_draft_to_live_and_each_act_is_in_the_log(house: House) -> None:
    version = house.live(short(house.versions))
    assert version.status is VersionStatus.LIVE
    assert version.live_at
    with acting_for(house.id):
        journey = queries.journey(version.journey_id)
    assert (journey.status, journey.live, journey.draft) == (Status.LIVE, version.id, None)
    assert actions(house) == [
        Action.JOURNEY_CREATE,
        Action.JOURNEY_SUBMIT,
        Action.JOURNEY_APPROVE,
        Action.JOURNEY_LAUNCH,
    ]


def test_what_staff_write_is_sealed(house: House, world: Any) -> None:
    version = house.drafted(short(house.versions, name="Canary of the name"))
    with acting_for(house.id):
        drafting.submit(version.id, actor=house.marketer, at=now())
        drafting.send_back(version.id, "Canary of the note", actor=house.officer, at=now())
        rows = [
            bytes(VersionRow.objects.get(id=version.id).sealed),
            bytes(JourneyRow.objects.get(id=version.journey_id).sealed),
        ]
        assert queries.version(version.id).note.reveal() == "Canary of the note"
    assert not any(b"Canary" in row or b"check-up" in row for row in rows)


def test_somebody_elses_work_is_not_written_over(house: House) -> None:
    draft = house.drafted(short(house.versions))
    with acting_for(house.id):
        drafting.save_draft(
            draft.id, short(name="Hers"), seen=draft.changed_at, actor=house.coordinator, at=now()
        )
        with pytest.raises(Conflict, match="meanwhile"):
            drafting.save_draft(
                draft.id, short(name="His"), seen=draft.changed_at, actor=house.marketer, at=now()
            )
        found = queries.version(draft.id)
        assert found.graph.name == "Hers"
        assert found.writers == {house.marketer.id, house.coordinator.id}
        assert queries.journey(draft.journey_id).name.reveal() == "Hers"


def test_who_drew_in_it_does_not_approve_it(house: House) -> None:
    draft = house.drafted(short(house.versions))
    with acting_for(house.id):
        handed_in = drafting.submit(draft.id, actor=house.marketer, at=now())
        with pytest.raises(Conflict, match="somebody else"):
            drafting.approve(draft.id, seen=handed_in.changed_at, actor=house.marketer, at=now())
        approved = drafting.approve(draft.id, seen=handed_in.changed_at, actor=house.officer, at=now())
    assert approved.approved_by == house.officer.id


def test_what_was_not_seen_is_not_approved(house: House) -> None:
    draft = house.drafted(short(house.versions))
    with acting_for(house.id):
        seen = drafting.submit(draft.id, actor=house.marketer, at=now()).changed_at
        drafting.take_back(draft.id, actor=house.marketer, at=now())
        drafting.submit(draft.id, actor=house.marketer, at=now())
        with pytest.raises(Conflict):
            drafting.approve(draft.id, seen=seen, actor=house.officer, at=now())


def test_it_is_sent_back_with_a_note_which_is_gone_when_it_is_handed_in_again(house: House) -> None:
    draft = house.drafted(short(house.versions))
    with acting_for(house.id):
        drafting.submit(draft.id, actor=house.marketer, at=now())
        with pytest.raises(BadInput):
            drafting.send_back(draft.id, "  ", actor=house.officer, at=now())
        sent_back = drafting.send_back(draft.id, "Wait longer.", actor=house.officer, at=now())
        assert (sent_back.status, sent_back.note.reveal()) == (VersionStatus.DRAFT, "Wait longer.")
        again = drafting.submit(draft.id, actor=house.marketer, at=now())
        assert again.note.reveal() == ""


@pytest.mark.parametrize("act", [launching.go_live, drafting.take_back])
def test_a_draft_is_neither_started_nor_taken_back(house: House, act: Callable[..., object]) -> None:
    draft = house.drafted(short(house.versions))
    with acting_for(house.id), pytest.raises(Conflict):
        act(draft.id, actor=house.marketer, at=now())


def test_a_live_version_never_changes(house: House) -> None:
    version = house.live(short(house.versions))
    with acting_for(house.id), pytest.raises(Conflict):
        drafting.save_draft(version.id, short(), seen=version.changed_at, actor=house.marketer, at=now())


def test_what_the_check_finds_keeps_it_from_being_approved(house: House) -> None:
    with acting_for(house.id):
        unconfirmed = office.template(house.organization, confirmed=False)
    draft = house.drafted(short({"en": unconfirmed}))
    with acting_for(house.id):
        assert not proving.proof(draft.id).holds
        handed_in = drafting.submit(draft.id, actor=house.marketer, at=now())
        with pytest.raises(Conflict, match="keep"):
            drafting.approve(draft.id, seen=handed_in.changed_at, actor=house.officer, at=now())
        assert queries.version(draft.id).status is VersionStatus.SUBMITTED


def test_what_was_proven_stays_with_the_version(house: House) -> None:
    version = house.live(short(house.versions))
    with acting_for(house.id):
        found = proving.proof(version.id)
        assert found == queries.proof_of(VersionRow.objects.get(id=version.id))
    assert found.holds
    assert found.longest == timedelta(days=1)


def test_a_new_version_takes_new_people_and_the_old_one_stays_on_record(house: House) -> None:
    first = house.live(short(house.versions))
    second = house.next_version(first, short(house.versions, wait=3 * DAY, name="Visits, slower"))
    assert (second.number, second.status) == (2, VersionStatus.DRAFT)
    with acting_for(house.id), pytest.raises(Conflict, match="already"):
        drafting.new_draft(first.id, actor=house.marketer, at=now())
    house.start(house.approve(second))
    with acting_for(house.id):
        journey, versions = queries.journey(first.journey_id), queries.versions(first.journey_id)
    assert journey.live == second.id
    assert journey.name.reveal() == "Visits, slower"
    assert [(each.number, each.status) for each in versions] == [
        (2, VersionStatus.LIVE),
        (1, VersionStatus.RETIRED),
    ]
    assert versions[1].retired_at
    assert versions[1].graph == first.graph


def test_a_copy_is_a_journey_of_its_own(house: House) -> None:
    version = house.live(short(house.versions, name="Visits"))
    with acting_for(house.id):
        made = drafting.copy(version.id, actor=house.coordinator, at=now())
        assert made.journey_id != version.journey_id
        assert made.graph == replace(version.graph, name="Copy of Visits")
        assert queries.journey(made.journey_id).status is Status.DRAFT


def test_the_same_key_makes_one_journey(house: House) -> None:
    with acting_for(house.id):
        made = [drafting.create(short(), actor=house.marketer, at=now(), once="a key").id for _ in range(2)]
    assert len(set(made)) == 1


def test_pause_resume_close_and_a_pause_after_that(house: House) -> None:
    id = house.live(short(house.versions)).journey_id
    with acting_for(house.id):
        assert launching.pause(id, actor=house.marketer, at=now()).status is Status.PAUSED
        with pytest.raises(Conflict):
            launching.pause(id, actor=house.marketer, at=now())
        assert launching.resume(id, actor=house.marketer, at=now()).status is Status.LIVE
        closed = launching.close(id, actor=house.marketer, at=now())
        assert (closed.status, closed.live) == (Status.CLOSED, None)
        launching.pause(id, actor=house.marketer, at=now())
        assert launching.resume(id, actor=house.marketer, at=now()).status is Status.CLOSED
        assert launching.stop(id, actor=house.marketer, at=now()).status is Status.STOPPED
        with pytest.raises(Conflict):
            launching.stop(id, actor=house.marketer, at=now())


def queue(house: House) -> list[bool]:
    """Return for each message that waits for a sender whether it is held."""
    with acting_for(house.id):
        return list(QueueRow.objects.values_list("held", flat=True))


def test_messages_that_no_sender_took_wait_with_the_journey_and_are_stopped_with_it(house: House) -> None:
    version = house.live(short(house.versions))
    with acting_for(house.id):
        enlisting.enrol_numbers(version.journey_id, ["mrn-ada", "mrn-bert"], actor=house.marketer, at=now())
        working = system(house.id, "worker")
        advancing.advance(version.journey_id, actor=working, clock=FakeClock(at_noon()))
    assert queue(house) == [False, False]
    for act, held in ((launching.pause, True), (launching.resume, False), (launching.pause, True)):
        with acting_for(house.id):
            act(version.journey_id, actor=house.marketer, at=now())
        assert queue(house) == [held, held]
    with acting_for(house.id):
        launching.close(version.journey_id, actor=house.marketer, at=now())
    assert queue(house) == [False, False]
    with acting_for(house.id):
        launching.stop(version.journey_id, actor=house.marketer, at=now())
    assert queue(house) == []


def test_a_journey_that_was_stopped_can_be_started_anew_and_paused(house: House) -> None:
    first = house.live(short(house.versions))
    with acting_for(house.id):
        enlisting.enrol_numbers(first.journey_id, ["mrn-ada"], actor=house.marketer, at=now())
        advancing.advance(first.journey_id, actor=system(house.id, "worker"), clock=FakeClock(at_noon()))
        launching.stop(first.journey_id, actor=house.marketer, at=now())
        advancing.advance(first.journey_id, actor=system(house.id, "worker"), clock=FakeClock(at_noon()))
        counts = numbers.counts(first.journey_id)
        assert (counts.waiting, counts.reasons) == (0, {"stopped": 1})
    house.start(house.approve(house.next_version(first, short(house.versions))))
    with acting_for(house.id):
        assert queries.journey(first.journey_id).status is Status.LIVE
        assert launching.pause(first.journey_id, actor=house.marketer, at=now()).status is Status.PAUSED


def test_a_journey_is_not_started_anew_while_people_are_still_taken_out(house: House) -> None:
    first = house.live(short(house.versions))
    with acting_for(house.id):
        enlisting.enrol_numbers(first.journey_id, ["mrn-ada"], actor=house.marketer, at=now())
        launching.stop(first.journey_id, actor=house.marketer, at=now())
    again = house.approve(house.next_version(first, short(house.versions)))
    with pytest.raises(Conflict, match="still being taken out"):
        house.start(again)
    with acting_for(house.id):
        advancing.advance(first.journey_id, actor=system(house.id, "worker"), clock=FakeClock(at_noon()))
    assert house.start(again).live_at


def test_a_new_version_does_not_resume_what_is_paused(house: House) -> None:
    first = house.live(short(house.versions))
    second = house.approve(house.next_version(first, short(house.versions, wait=3 * DAY)))
    with acting_for(house.id):
        launching.pause(first.journey_id, actor=house.marketer, at=now())
    house.start(second)
    with acting_for(house.id):
        journey = queries.journey(first.journey_id)
    assert (journey.status, journey.live) == (Status.PAUSED, second.id)


def test_somebody_of_another_clinic_finds_nothing(
    house: House, make_clinic: Callable[..., Organization]
) -> None:
    version = house.live(short(house.versions))
    other = furnish(make_clinic())
    with acting_for(other.id):
        assert queries.journeys() == []
        for look in (queries.journey, queries.versions):
            with pytest.raises(NotFound):
                look(version.journey_id)
        for act in (drafting.new_draft, drafting.submit, launching.go_live, drafting.copy):
            with pytest.raises(NotFound):
                act(version.id, actor=other.marketer, at=now())
        with pytest.raises(NotFound):
            launching.pause(version.journey_id, actor=other.marketer, at=now())


def test_a_drawing_that_is_not_finished_is_kept_too(house: House) -> None:
    draft = house.drafted(Graph("Just begun", (), "", {}))
    with acting_for(house.id):
        found = proving.proof(draft.id)
    assert not found.holds
