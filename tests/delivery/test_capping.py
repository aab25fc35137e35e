"""The frequency cap: nobody is written to more often than agreed, whoever asks, and nothing is lost by it."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.delivery import api, capping, leasing
from salus.delivery.contracts import FREQUENCY_CAP, Cap, MessageSpec, Origin, Priority, State
from salus.delivery.laboratory import read_routes
from salus.delivery.models import WrittenRow
from salus.delivery.rules import HELD_AT_MOST, full_until
from salus.identity.contracts import Role
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for
from salus.wiring.catch.relay import Relay

from . import office
from .conftest import Desk, furnish, open_clinic, sender_role
from .laboratory import hold_everything
from .laboratory import send as run_sender

WEEK = timedelta(days=7)
A_MINUTE = timedelta(minutes=1)


def set_cap(desk: Desk, at_most: int = 1, days: int = 7) -> None:
    admin = office.staff(desk.organization, Role.ADMINISTRATOR)
    api.set_cap(Cap(at_most, days), actor=admin, at=desk.clock.now())


@pytest.fixture
def capped(desk: Desk) -> Desk:
    """A clinic that writes to nobody more than once in seven days, with Ada."""
    set_cap(desk)
    desk.admit("ada")
    return desk


def lesson(desk: Desk, kind: str = "campaign") -> MessageSpec:
    """Return a message that counts: education, which nobody's care waits for."""
    spec = desk.spec(office.template(desk.organization, office.EDUCATION), origin=Origin(kind, new_id()))
    return replace(spec, priority=Priority.JOURNEY) if kind == "journey" else spec


def send(desk: Desk, spec: MessageSpec, after: timedelta = timedelta(0)) -> Origin:
    now = desk.clock.now()
    numbers = office.numbers(desk.people)
    api.send(spec, numbers, not_before=now + after, actor=desk.actor, at=now)
    return spec.origin


def deliver(desk: Desk, state: State = State.ACCEPTED) -> list[Origin]:
    """Let a sender do its work once; return whose messages it handed over."""
    batch = desk.take()
    desk.settle(*(desk.outcome(each, state) for each in batch.prepared), batch=batch)
    return [each.origin for each in batch.prepared]


def test_without_a_cap_everything_goes_and_is_counted_for_the_day_there_is_one(desk: Desk) -> None:
    [ada] = desk.admit("ada")
    for _ in range(3):
        desk.release(lesson(desk))
        deliver(desk)
    assert api.capped([ada], desk.clock.now()) == {}
    set_cap(desk, at_most=3)
    assert api.capped([ada], desk.clock.now()) == {ada: desk.clock.now() + WEEK}


def test_a_message_of_somebody_who_is_full_is_held_back_and_goes_as_soon_as_they_are_not(
    capped: Desk,
) -> None:
    capped.release(lesson(capped))
    deliver(capped)
    capped.clock.advance(timedelta(days=2))
    second = capped.release(lesson(capped))
    assert deliver(capped) == []
    progress = api.progress(second)
    assert progress.states == {State.DEFERRED: 1}
    assert progress.reasons[State.DEFERRED] == {FREQUENCY_CAP: 1}
    assert api.plain_reason(FREQUENCY_CAP) == "The person was written to often enough lately"
    assert api.is_waiting(second)
    [waiting] = capped.queue(second)
    assert waiting.not_before == capped.clock.now() + timedelta(days=5)
    assert (waiting.lease_until, waiting.sender) == (None, None)
    capped.clock.advance(timedelta(days=5))
    assert deliver(capped) == [second]
    assert capped.states(second) == {State.ACCEPTED: 1}


def test_a_message_that_waits_for_a_week_in_vain_is_stopped_with_its_reason(capped: Desk) -> None:
    set_cap(capped, days=90)
    capped.release(lesson(capped))
    deliver(capped)
    second = capped.release(lesson(capped))
    assert deliver(capped) == []
    [waiting] = capped.queue(second)
    assert waiting.not_before == capped.clock.now() + HELD_AT_MOST
    capped.clock.advance(HELD_AT_MOST - A_MINUTE)
    assert deliver(capped) == []
    assert capped.states(second) == {State.DEFERRED: 1}
    capped.clock.advance(A_MINUTE)
    assert deliver(capped) == []
    assert capped.states(second) == {State.CANCELLED: 1}
    assert api.progress(second).reasons[State.CANCELLED] == {FREQUENCY_CAP: 1}
    assert capped.queue(second) == []
    assert WrittenRow.objects.count() == 1, "what was never sent does not count"


def test_transactional_mail_neither_counts_nor_waits_whoever_sends_it(capped: Desk) -> None:
    [ada] = capped.people
    reminders = [capped.release(), send(capped, capped.spec(origin=Origin("journey", new_id())))]
    assert set(deliver(capped)) == {*reminders}
    assert api.capped([ada], capped.clock.now()) == {}
    first = capped.release(lesson(capped))
    assert deliver(capped) == [first]
    again = capped.release()
    assert deliver(capped) == [again], "a reminder goes to who is full"


def test_a_notice_of_a_portal_message_goes_to_who_is_full_and_the_message_counts_once(capped: Desk) -> None:
    [ada] = capped.people
    capped.release(lesson(capped))
    deliver(capped, State.PORTAL)
    assert WrittenRow.objects.count() == 1
    [notice] = capped.take().prepared
    capped.settle(capped.outcome(notice))
    assert (notice.origin.kind, WrittenRow.objects.count()) == ("notice", 1)
    assert set(api.capped([ada], capped.clock.now())) == {ada}


def test_what_waits_in_the_queue_for_somebody_counts_for_journeys(capped: Desk) -> None:
    [ada] = capped.people
    origin = send(capped, lesson(capped, "journey"), after=timedelta(hours=10))
    due = capped.clock.now() + timedelta(hours=10)
    assert api.capped([ada, new_id()], capped.clock.now()) == {ada: due + WEEK}
    capped.clock.advance(timedelta(hours=11))
    assert deliver(capped) == [origin], "it does not wait for itself"
    assert api.capped([ada], capped.clock.now()) == {ada: capped.clock.now() + WEEK}
    send(capped, lesson(capped, "journey"))
    capped.clock.advance(WEEK)
    assert len(deliver(capped)) == 1


def test_of_two_that_wait_for_the_same_person_one_goes_and_it_is_the_more_urgent(capped: Desk) -> None:
    campaign = capped.release(lesson(capped))
    journey = send(capped, lesson(capped, "journey"))
    assert deliver(capped) == [journey]
    assert capped.states(campaign) == {State.DEFERRED: 1}


def test_what_had_its_turn_is_not_asked_about_again_however_often_it_is_tried(capped: Desk) -> None:
    first = capped.release(lesson(capped))
    [prepared] = capped.take().prepared
    again_at = capped.clock.now() + timedelta(hours=1)
    capped.settle(capped.outcome(prepared, State.DEFERRED, again_at=again_at))
    second = capped.release(lesson(capped))
    assert deliver(capped) == [], "the first has its turn, though it is not there yet"
    capped.clock.advance(timedelta(hours=1))
    assert deliver(capped) == [first]
    assert capped.states(second) == {State.DEFERRED: 1}


@pytest.mark.parametrize("how", [State.BOUNCED, State.GAVE_UP, "stopped", "cancelled"])
def test_what_nobody_got_does_not_count(capped: Desk, how: str) -> None:
    [ada] = capped.people
    origin = send(capped, lesson(capped, "journey"))
    if how == "stopped":
        contacts.erase_person(ada, actor=capped.actor)
        deliver(capped)
    elif how == "cancelled":
        assert api.cancel(origin, actor=capped.actor, at=capped.clock.now()) == 1
    else:
        deliver(capped, State(how))
    assert capped.queue(origin) == []
    assert api.capped([ada], capped.clock.now()) == {}
    assert not WrittenRow.objects.exists()


def test_a_larger_cap_and_none_let_what_was_held_back_ask_again_at_once(capped: Desk) -> None:
    capped.release(lesson(capped))
    deliver(capped)
    others = [capped.release(lesson(capped)) for _ in range(2)]
    assert deliver(capped) == []
    set_cap(capped, at_most=2)
    assert len(deliver(capped)) == 1
    api.set_cap(None, actor=office.staff(capped.organization, Role.ADMINISTRATOR), at=capped.clock.now())
    assert len(deliver(capped)) == 1
    assert [capped.states(each) for each in others] == [{State.ACCEPTED: 1}] * 2
    assert api.cap() is None


def test_a_lease_that_was_lost_holds_nothing_back(capped: Desk) -> None:
    capped.release(lesson(capped))
    deliver(capped)
    second = capped.release(lesson(capped))
    [lost] = leasing.lease(10, capped.clock.now())
    capped.clock.advance(leasing.LEASE + A_MINUTE)
    [ours] = leasing.lease(10, capped.clock.now())
    assert capping.take_turns([lost], capped.clock.now()) == ([], [])
    [row] = capped.queue(second)
    assert row.lease_until is not None, "another sender has it now"
    assert capping.take_turns([ours], capped.clock.now()) == ([], [])
    assert capped.states(second) == {State.DEFERRED: 1}


def test_what_a_dead_sender_had_begun_is_tried_again_and_not_held_back(capped: Desk) -> None:
    origin = capped.release(lesson(capped))
    leasing.mark_begun(leasing.lease(10, capped.clock.now()))
    capped.release(lesson(capped))
    deliver(capped)
    capped.clock.advance(leasing.LEASE + A_MINUTE)
    [prepared] = capped.take().prepared
    assert (prepared.origin, prepared.uncertain) == (origin, True)


def test_two_senders_at_once_do_not_both_write_to_one_person(committed: Desk) -> None:
    with acting_for(committed.id):
        set_cap(committed)
        committed.admit("ada")
        for _ in range(2):
            committed.release(lesson(committed))
        leases = [leasing.lease(1, committed.clock.now()) for _ in range(2)]
    start = threading.Barrier(2, timeout=30)
    going: list[int] = []

    def work(mine: list[Any]) -> None:
        start.wait()
        with acting_for(committed.id):
            found, _ = capping.take_turns(mine, committed.clock.now())
        going.append(len(found))
        connections.close_all()

    workers = [threading.Thread(target=work, args=[mine]) for mine in leases]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert sorted(going) == [0, 1]


def test_a_real_sender_holds_back_who_is_full_and_comes_to_its_end(
    database: Any, fast_passwords: None, relay: Relay
) -> None:
    hold_everything(database)
    desk = furnish(open_clinic())
    desk.clock = FakeClock(datetime.now(UTC) + timedelta(seconds=5))
    with acting_for(desk.id):
        set_cap(desk)
        desk.admit("ada", "bert", domain="partner.example.test")
        origins = [desk.release(lesson(desk)) for _ in range(2)]
    with sender_role(database):
        run_sender(desk, read_routes(relay.routes_file))
        with acting_for(desk.id):
            states = [desk.states(each) for each in origins]
            assert states == [{State.ACCEPTED: 2}, {State.DEFERRED: 2}]
        desk.clock.advance(WEEK)
        run_sender(desk, read_routes(relay.routes_file))
        with acting_for(desk.id):
            assert [desk.states(each) for each in origins] == [{State.ACCEPTED: 2}] * 2
    hold_everything(database)


def test_setting_it_needs_the_permission_and_is_recorded_and_odd_numbers_are_refused(desk: Desk) -> None:
    marketer = office.staff(desk.organization, Role.MARKETER)
    with pytest.raises(NotFound):
        api.set_cap(Cap(3, 7), actor=marketer, at=desk.clock.now())
    for odd, place in ((Cap(0, 7), "at_most"), (Cap(3, 0), "days"), (Cap(3, 91), "days")):
        with pytest.raises(BadInput) as refused:
            api.set_cap(odd, actor=office.staff(desk.organization, Role.ADMINISTRATOR), at=desk.clock.now())
        assert refused.value.place == place
    assert api.cap() is None
    set_cap(desk, 3)
    set_cap(desk, 3)
    assert api.cap() == Cap(3, 7)
    entries = audit.entries(Filters(action=Action.ORGANIZATION_CHANGE, object_id=desk.id))
    [entry] = [each for each in entries if "frequency_cap" in each.fields]
    assert dict(entry.details) == {"messages": 3, "days": 7}


def test_another_organization_has_a_cap_and_counts_of_its_own(
    committed: Desk, other_organization: UUID
) -> None:
    with acting_for(committed.id):
        set_cap(committed)
        [ada] = committed.admit("ada")
        committed.release(lesson(committed))
        deliver(committed)
        assert api.capped([ada], committed.clock.now())
    with acting_for(other_organization):
        assert api.cap() is None
        assert not WrittenRow.objects.exists()


def test_the_query_says_of_everybody_what_the_rule_says(desk: Desk) -> None:
    people = [new_id() for _ in range(40)]
    chance = random.Random(7)
    at, window = desk.clock.now(), timedelta(days=9)
    written = {
        id: [at - window * chance.uniform(-0.3, 2) for _ in range(chance.randrange(8))] for id in people
    }
    capping.note([(id, new_id(), each) for id, times in written.items() for each in times])
    set_cap(desk, 3, 9)
    expected = {id: full_until(times, Cap(3, 9), at) for id, times in written.items()}
    assert api.capped(people, at) == {id: until for id, until in expected.items() if until}


MOMENT = datetime(2026, 11, 24, 12, tzinfo=UTC)
MOMENTS = st.lists(
    st.integers(-40 * 24 * 60, 3 * 24 * 60).map(lambda minutes: MOMENT + timedelta(minutes=minutes)),
    max_size=30,
)


@given(MOMENTS, st.integers(1, 5), st.integers(1, 30))
def test_who_is_full_is_so_until_exactly_when_one_more_would_be_allowed(
    written: list[datetime], at_most: int, days: int
) -> None:
    cap, window = Cap(at_most, days), timedelta(days=days)
    until = full_until(written, cap, MOMENT)
    recent = [each for each in written if each > MOMENT - window]
    assert (until is None) == (len(recent) < at_most)
    if until is not None:
        assert until > MOMENT
        assert full_until(written, cap, until) is None
        assert full_until(written, cap, until - A_MINUTE / 60) is not None
