"""Ways in by segment, date and schedule, on the real audience engine; endings by segment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from salus.audiences import api as audiences
from salus.contacts import api as contacts
from salus.journeys import entering
from salus.journeys.contracts import (
    Again,
    Ending,
    EndsOn,
    Enter,
    EnterKind,
    Exit,
    Fate,
    Graph,
    Status,
    Wait,
)
from salus.journeys.models import EnrolmentRow
from salus.journeys.rules.dates import Window, last_scheduled, window
from salus.kernel.acting import system
from salus.kernel.errors import Unavailable
from salus.keys import api as keys
from salus.platform.tenancy import acting_for
from tests.campaigns.conftest import Engines
from tests.journeys.drawn import graph, step
from tests.journeys.running import DAY, HOUR, START, Running, admit, put_live

MINUTE = timedelta(minutes=1)
OHIO = {"version": 1, "where": {"field": "state", "equal": "OH"}}


@pytest.fixture(scope="module")
def engines(
    world: Any, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engines]:
    """The audience engine, for the tests of this file."""
    engines = Engines()
    with django_db_blocker.unblock(), engines.running(tmp_path_factory.mktemp("audience")):
        yield engines


@pytest.fixture
def clinic(make_clinic: Any, engines: Engines) -> Iterator[UUID]:
    """An organization that the engine serves."""
    organization = make_clinic(time_zone="America/New_York").id
    engines.serve(organization)
    yield organization
    engines.organizations.remove(organization)


def segment(organization: UUID, tree: Any = OHIO) -> UUID:
    """Return a saved segment."""
    with acting_for(organization):
        return audiences.save_segment("Ohio", tree, system(organization, "test")).id


def drawn(*ways: Enter, **rules: Any) -> Graph:
    """Return a journey in which people wait, with these ways in."""
    return graph(step("pause", Wait(span=90 * DAY), next="end"), step("end", Exit()), enter=ways, **rules)


def look(running: Running) -> None:
    """Look who is coming and let them in, as the job does."""
    with acting_for(running.organization_id):
        coming = entering.look(running.journey_id, clock=running.clock)
    while coming:
        with acting_for(running.organization_id):
            coming = entering.bring(running.journey_id, actor=running.actor, clock=running.clock)


def inside(running: Running) -> set[UUID]:
    """Return who is in the journey."""
    with acting_for(running.organization_id):
        rows = EnrolmentRow.objects.filter(journey_id=running.journey_id, fate=Fate.WAITING)
        return set(rows.values_list("contact_id", flat=True))


def set_values(running: Running, contact_id: UUID, **values: Any) -> None:
    """Change what is known of somebody."""
    with acting_for(running.organization_id):
        number = contacts.numbers_of([contact_id])[contact_id]
        contacts.change_attributes([(number, values)], running.actor)


def book(running: Running, contact_id: UUID, *days: str, status: str = "booked") -> None:
    """Give somebody appointments on these days; the first has the id 1."""
    visits = [{"id": str(n), "date": day, "status": status} for n, day in enumerate(days, 1)]
    with acting_for(running.organization_id):
        number = contacts.numbers_of([contact_id])[contact_id]
        contacts.change_records([(number, {"appointments": visits})], running.actor)


def test_who_comes_into_a_segment_comes_in_and_who_was_there_only_if_it_is_said(clinic: UUID) -> None:
    ohio = segment(clinic)
    ana, ben, dead = admit(clinic, {"state": "OH"}, {"state": "TX"}, {"state": "OH", "deceased": True})
    way = Enter(EnterKind.SEGMENT_ENTERED, segment_id=ohio)
    fresh = put_live(clinic, drawn(way))
    all_of_them = put_live(clinic, drawn(replace(way, present=True)), clock=fresh.clock)
    for each in (fresh, all_of_them):
        look(each)
    assert (inside(fresh), inside(all_of_them)) == (set(), {ana})
    set_values(fresh, ben, state="OH")
    fresh.clock.advance(MINUTE)
    for each in (fresh, all_of_them):
        look(each)
        look(each)
    assert (inside(fresh), inside(all_of_them)) == ({ben}, {ana, ben})
    assert dead not in inside(all_of_them)


def test_who_leaves_a_segment_comes_in_or_leaves_as_it_is_drawn(clinic: UUID) -> None:
    ohio = segment(clinic)
    ana, ben = admit(clinic, {"state": "OH"}, {"state": "OH"})
    leaving = put_live(clinic, drawn(Enter(EnterKind.SEGMENT_LEFT, segment_id=ohio)))
    staying = put_live(
        clinic,
        drawn(
            Enter(EnterKind.SEGMENT_ENTERED, segment_id=ohio, present=True),
            endings=(Ending(EndsOn.SEGMENT_LEFT, segment_id=ohio),),
        ),
        clock=leaving.clock,
    )
    for each in (leaving, staying):
        look(each)
        each.run()
    assert (inside(leaving), inside(staying)) == (set(), {ana, ben})
    set_values(leaving, ana, state="TX")
    leaving.clock.advance(MINUTE)
    staying.stand(Status.CLOSED)
    for each in (leaving, staying):
        look(each)
        each.run()
    assert (inside(leaving), inside(staying)) == ({ana}, {ben})
    assert staying.way(ana) == [("pause", "ended", "ended", "segment_left")]


def test_a_segment_is_asked_when_something_changed_and_not_more_than_once_a_minute(clinic: UUID) -> None:
    way = Enter(EnterKind.SEGMENT_ENTERED, segment_id=segment(clinic))
    [ana] = admit(clinic, {"state": "TX"})
    running = put_live(clinic, drawn(way))

    def wants() -> bool:
        with acting_for(clinic):
            return entering.wants_a_look(running.journey_id, clock=running.clock)

    assert wants()
    look(running)
    assert not wants()
    set_values(running, ana, state="OH")
    assert not wants()
    running.clock.advance(MINUTE)
    assert wants()
    look(running)
    running.clock.advance(30 * MINUTE)
    assert not wants()
    running.clock.advance(30 * MINUTE)
    assert wants()


def test_an_engine_that_is_away_loses_nobody(clinic: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    running = put_live(
        clinic, drawn(Enter(EnterKind.SEGMENT_ENTERED, segment_id=segment(clinic), present=True))
    )
    [ana] = admit(clinic, {"state": "OH"})

    def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("The engine does not answer.")

    monkeypatch.setattr(audiences, "members", away)
    look(running)
    assert inside(running) == set()
    monkeypatch.undo()
    look(running)
    assert inside(running) == {ana}


def test_letting_in_goes_on_where_it_was(clinic: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    people = admit(clinic, *({"state": "OH"} for _ in range(7)))
    monkeypatch.setattr(entering, "CHUNK", 3)
    running = put_live(
        clinic, drawn(Enter(EnterKind.SEGMENT_ENTERED, segment_id=segment(clinic), present=True))
    )
    with acting_for(clinic):
        assert entering.look(running.journey_id, clock=running.clock)
    with acting_for(clinic):
        assert entering.bring(running.journey_id, actor=running.actor, clock=running.clock)
    assert len(inside(running)) == 3
    look(running)
    assert inside(running) == set(people)
    counts = running.counts()
    assert (counts.entered, counts.reasons) == (7, {})


def test_a_date_brings_in_once_and_a_moved_one_again(clinic: UUID) -> None:
    way = Enter(
        EnterKind.DATE,
        attribute="appointments.date",
        offset=-3 * DAY,
        at=time(9),
        where={"status": ["booked"]},
    )
    ana, ben, cora = admit(clinic, {}, {}, {})
    running = put_live(clinic, drawn(way, again=Again.ALWAYS))
    book(running, ana, "2026-03-06", "2026-03-30")
    book(running, ben, "2026-03-07")
    book(running, cora, "2026-03-06", status="cancelled")
    look(running)  # Monday 10:00: the ways begin
    running.clock.advance(22 * HOUR)  # Tuesday 8:00
    look(running)
    assert inside(running) == set()
    running.clock.advance(HOUR)
    look(running)
    look(running)
    assert inside(running) == {ana}
    with acting_for(clinic):
        EnrolmentRow.objects.filter(contact_id=ana).update(fate=Fate.EXITED)
    book(running, ana, "2026-03-07", "2026-03-30")  # a day later
    running.clock.advance(DAY)
    look(running)
    assert inside(running) == {ana, ben}


def test_an_occasion_is_known_again_after_the_blind_index_key_was_rotated(clinic: UUID) -> None:
    way = Enter(EnterKind.DATE, attribute="appointments.date", at=time(9))
    ana, ben = admit(clinic, {}, {})
    running = put_live(clinic, drawn(way, again=Again.ALWAYS))
    book(running, ana, "2026-03-03")
    look(running)
    running.clock.advance(DAY)
    look(running)
    assert inside(running) == {ana}
    with acting_for(clinic):
        row = EnrolmentRow.objects.get(contact_id=ana)
        texts = {ana: "an occasion", ben: "another"}
        before = entering._occasions(row.journey_id, texts)
        EnrolmentRow.objects.filter(id=row.id).update(occurrence=before[ana])
        keys.rotate("blind", actor=system(clinic, "test"))
    with acting_for(clinic):
        after = entering._occasions(row.journey_id, texts)
    assert after[ana] == before[ana]
    assert after[ben] != before[ben]  # nobody came in for it: the present key says what it is called


def test_dates_of_a_standstill_are_caught_up_with(clinic: UUID) -> None:
    way = Enter(EnterKind.DATE, attribute="appointments.date", at=time(9))
    ana, ben, cora = admit(clinic, {}, {}, {})
    running = put_live(clinic, drawn(way))
    look(running)
    for each, day in ((ana, "2026-03-02"), (ben, "2026-03-03"), (cora, "2026-03-05")):
        book(running, each, day)
    running.clock.advance(2 * DAY)
    look(running)
    assert inside(running) == {ben}  # Ana's hour was before the journey, Cora's is to come


def test_a_birthday_brings_in_every_year(clinic: UUID) -> None:
    way = Enter(EnterKind.DATE, attribute="birth_date", yearly=True, at=time(9))
    ana, _, leap = admit(
        clinic, {"birth_date": "1961-03-03"}, {"birth_date": "1961-03-04"}, {"birth_date": "1960-02-29"}
    )
    running = put_live(clinic, drawn(way))
    look(running)
    running.clock.advance(DAY)
    look(running)
    assert inside(running) == {ana}
    assert leap not in inside(running)


def test_a_schedule_brings_in_the_segment_on_its_day(clinic: UUID) -> None:
    way = Enter(EnterKind.SCHEDULE, segment_id=segment(clinic), every="week", on=2, at=time(10))
    ana, _ = admit(clinic, {"state": "OH"}, {"state": "TX"})
    running = put_live(clinic, drawn(way))
    look(running)
    running.clock.advance(DAY)
    look(running)
    assert inside(running) == set()
    running.clock.advance(DAY)
    look(running)
    assert inside(running) == {ana}


def utc(year: int, month: int, day: int, hour: int) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


MORNING = Enter(EnterKind.DATE, attribute="birth_date", at=time(9))


@pytest.mark.parametrize(
    ("since", "at", "found"),
    [
        (utc(2026, 3, 2, 10), utc(2026, 3, 2, 15), Window(date(2026, 3, 2), date(2026, 3, 2))),
        (utc(2026, 3, 2, 14), utc(2026, 3, 3, 13), None),  # nine in New York is at 14:00
        (utc(2026, 3, 2, 13), utc(2026, 3, 4, 14), Window(date(2026, 3, 2), date(2026, 3, 4))),
        (utc(2025, 3, 2, 14), utc(2026, 3, 4, 14), Window(date(2026, 2, 26), date(2026, 3, 4))),
    ],
)
def test_the_window_of_dates_since_somebody_looked(
    since: datetime, at: datetime, found: Window | None
) -> None:
    looked = window(MORNING, since, at, "America/New_York")
    assert looked == found


def test_an_offset_moves_the_window() -> None:
    at = datetime(2026, 3, 2, 15, tzinfo=UTC)
    found = window(replace(MORNING, offset=-3 * DAY), at - HOUR * 2, at, "America/New_York")
    assert found == Window(date(2026, 3, 5), date(2026, 3, 5))


def test_someone_born_on_a_leap_day_has_the_first_of_march() -> None:
    yearly = replace(MORNING, yearly=True)
    window = Window(date(2027, 2, 27), date(2027, 3, 2))
    assert list(window.occasions(yearly, date(1960, 2, 29))) == [date(2027, 3, 1)]
    assert list(window.occasions(yearly, date(2027, 3, 1))) == []  # born today


@pytest.mark.parametrize(
    ("every", "on", "at", "found"),
    [
        ("day", 0, utc(2026, 3, 4, 15), utc(2026, 3, 4, 14)),
        ("day", 0, utc(2026, 3, 4, 13), utc(2026, 3, 3, 14)),
        ("week", 0, utc(2026, 3, 4, 15), None),
        ("month", 3, utc(2026, 3, 4, 15), utc(2026, 3, 3, 14)),
    ],
)
def test_when_a_schedule_came_round_last(every: str, on: int, at: datetime, found: datetime | None) -> None:
    way = Enter(EnterKind.SCHEDULE, every=every, on=on, at=time(9))
    assert last_scheduled(way, START, at, "America/New_York") == found
