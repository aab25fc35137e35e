"""A merge seen by the audience engine, by journeys, by an erasure, and by programs; on committed data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from salus.audiences import api as audiences
from salus.contacts import api as contacts
from salus.contacts.models import Contact, JoinRow
from salus.delivery.models import MessageRow
from salus.duplicates import api
from salus.duplicates.models import MergeRow
from salus.identity.contracts import Permission
from salus.journeys import joining
from salus.journeys.contracts import Exit, Fate, Graph, Wait
from salus.journeys.diaries import all_of
from salus.journeys.models import EnrolmentRow, WrittenRow
from salus.kernel.errors import Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.joining import GivenBy, Pair
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.privacy import api as privacy
from salus.privacy.contracts import Kind
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent
from tests.audiences.running import EVERYBODY, RunningEngine, wait_until
from tests.audiences.worlds import tree
from tests.contacts.test_programs import Program
from tests.delivery.conftest import Desk
from tests.delivery.conftest import committed as committed
from tests.journeys.drawn import graph, step
from tests.journeys.running import DAY, Running, put_live

from .conftest import clerk, merge, record

VISITED = tree({"did": "visit", "at": {"within_last": {"days": 30}}})


@pytest.fixture
def two(committed: Desk) -> tuple[UUID, UUID]:
    with acting_for(committed.id):
        return (
            record(committed, "1001", "ada", "ada@lakepost.example.test"),
            record(committed, "2002", "ada", "ada.l@lakepost.example.test"),
        )


@pytest.fixture
def engine(database: object, tmp_path: Path) -> Iterator[RunningEngine]:
    running = RunningEngine(tmp_path / "audience")
    running.start()
    yield running
    running.stop()


def test_the_engine_counts_one_person_and_two_again(
    committed: Desk, two: tuple[UUID, UUID], engine: RunningEngine
) -> None:
    kept, gone = two
    with acting_for(committed.id):
        now = datetime.now(UTC)
        timeline.append([NewEvent(gone, EventKind.VISIT, now, key="v1")], clock=committed.clock)
        permissions.opt_out(gone, "news", Channel.EMAIL, evidence="call", actor=committed.actor)
    out = tree({"consent": "opted_out", "topic": "news", "channel": "email"})
    engine.organizations.append(committed.id)

    def is_so(everybody: int, visited: list[UUID], opted_out: list[UUID]) -> bool:
        def who(asked: object) -> list[UUID]:
            return sorted(id for _, id in audiences.sample(asked, 10, actor=committed.actor))  # type: ignore[arg-type]

        return (audiences.count(EVERYBODY).people, who(VISITED), who(out)) == (everybody, visited, opted_out)

    wait_until(committed.id, lambda: is_so(2, [gone], [gone]))
    with acting_for(committed.id):
        id = merge(committed, kept, gone)
    wait_until(committed.id, lambda: is_so(1, [kept], [kept]))
    with acting_for(committed.id):
        timeline.append([NewEvent(gone, EventKind.VISIT, now, key="v2")], clock=committed.clock)
        api.split(
            id, GivenBy.KEPT, "Two", actor=clerk(committed), at=committed.clock.now() + timedelta(seconds=1)
        )
    wait_until(committed.id, lambda: is_so(2, [gone], [gone]))


def test_an_erasure_of_the_person_takes_the_merged_record_too(
    committed: Desk, two: tuple[UUID, UUID]
) -> None:
    kept, gone = two
    desk = committed
    with acting_for(desk.id):
        desk.people[:] = [gone]
        desk.release()
        (sent,) = desk.take().prepared
        desk.settle(desk.outcome(sent))
        timeline.append([NewEvent(gone, EventKind.VISIT, desk.clock.now(), key="v1")], clock=desk.clock)
        permissions.opt_in(gone, "news", Channel.EMAIL, evidence="form", actor=desk.actor, clock=desk.clock)
        merged = merge(desk, kept, gone)
        now = desk.clock.now()
        request = privacy.receive(kept, Kind.ERASURE, note="", received_at=now, actor=desk.actor, at=now)
        with pytest.raises(Conflict, match="erasure"):
            api.split(merged, GivenBy.KEPT, "No", actor=clerk(desk), at=now)
        privacy.approve(request, actor=clerk(desk), at=now)
    privacy.erase(desk.id, request, actor=desk.actor, clock=desk.clock)
    with acting_for(desk.id):
        rows = Contact.objects.filter(id__in=two)
        assert all(row.erased_at and not bytes(row.sealed) for row in rows)
        assert not any(bytes(row.sealed) for row in JoinRow.objects.all())
        assert timeline.of_contact(kept) == []
        assert not MergeRow.objects.exists()
        assert MessageRow.objects.get(id=sent.lease.message_id).contact_id == gone
        assert contacts.find_by_address(Channel.EMAIL, "ada.l@lakepost.example.test") == []
        barred = permissions.barred()
        for address in ("ada@lakepost.example.test", "ada.l@lakepost.example.test"):
            assert contacts.blind_address(Channel.EMAIL, address) in barred
        with pytest.raises(NotFound):
            api.split(merged, GivenBy.KEPT, "No", actor=clerk(desk), at=now)


def waiting() -> Graph:
    """Return a journey in which people wait."""
    return graph(step("pause", Wait(span=90 * DAY), next="end"), step("end", Exit()))


@pytest.fixture
def journey(committed: Desk) -> Running:
    return put_live(committed.id, waiting(), clock=committed.clock)


def rows(journey: Running, *ids: UUID) -> list[tuple[UUID, int, str, str]]:
    with acting_for(journey.organization_id):
        found = EnrolmentRow.objects.filter(contact_id__in=ids).order_by("contact_id", "entry")
        return [(row.contact_id, row.entry, row.fate, row.reason) for row in found]


def test_a_way_goes_on_as_the_persons_and_goes_back(
    committed: Desk, two: tuple[UUID, UUID], journey: Running
) -> None:
    kept, gone = two
    journey.enter(gone)
    with acting_for(committed.id):
        day = committed.clock.now().date()
        WrittenRow(contact_id=kept, day=day - DAY, priority=2).save(force_insert=True)
        WrittenRow(contact_id=gone, day=day, priority=5).save(force_insert=True)
        id = merge(committed, kept, gone)
        last = WrittenRow.objects.get(contact_id=kept)
        assert (last.day, last.priority) == (day, 5), "both count for how often journeys write"
    assert rows(journey, *two) == [(kept, 0, Fate.WAITING, "")]
    journey.follow()
    journey.run()
    assert rows(journey, *two) == [(kept, 0, Fate.WAITING, "")], (
        "the feed's word that one is gone ends nothing"
    )
    with acting_for(committed.id):
        assert len(all_of(kept)) == 1
        api.split(id, GivenBy.KEPT, "Two", actor=clerk(committed), at=committed.clock.now())
    assert rows(journey, *two) == [(gone, 0, Fate.WAITING, "")]


def test_of_two_in_one_journey_the_kept_records_way_goes_on(
    committed: Desk, two: tuple[UUID, UUID], journey: Running
) -> None:
    kept, gone = two
    journey.enter(kept)
    journey.enter(gone)
    with acting_for(committed.id):
        id = merge(committed, kept, gone)
    assert rows(journey, *two) == [(kept, 0, Fate.WAITING, ""), (kept, 1, Fate.EXITED, joining.MERGED)]
    with acting_for(committed.id):
        api.split(id, GivenBy.KEPT, "Two", actor=clerk(committed), at=committed.clock.now())
    assert rows(journey, *two) == sorted(
        [(kept, 0, Fate.WAITING, ""), (gone, 0, Fate.EXITED, joining.MERGED)]
    )


def test_what_both_did_by_one_occasion_is_not_done_again(
    committed: Desk, two: tuple[UUID, UUID], journey: Running
) -> None:
    kept, gone = two
    journey.enter(kept, occasion="monday")
    journey.enter(gone, occasion="monday")
    with acting_for(committed.id):
        numbers = contacts.numbers_of(two)
        pair = Pair(new_id(), kept, numbers[kept], gone, numbers[gone], committed.clock.now())
        moved = joining.join_person(pair, actor=committed.actor, at=committed.clock.now())
        assert moved["ways"] == []
    assert (gone, 0, Fate.EXITED, joining.MERGED) in rows(journey, *two)


def test_proposals_are_found_by_index_and_who_was_told_apart_is_not_proposed_again(committed: Desk) -> None:
    with acting_for(committed.id):
        ada, again = (
            record(committed, "1", "Ada", "a@lakepost.example.test"),
            record(committed, "2", "ADA", "b@lakepost.example.test"),
        )
        child = record(committed, "3", "Björn", "a@lakepost.example.test", born="2015-01-01")
        twin = record(committed, "4", "Ida", "c@lakepost.example.test", phone="+12065550142")
        phone = record(committed, "5", "Ida", "", phone="+12065550142", born="1979-01-01")
        who = clerk(committed)
        found = {each.ids: each for each in api.propose("", actor=who).pairs}
        pair, other = (tuple(sorted(each)) for each in ((ada, again), (twin, phone)))
        assert set(found) == {pair, other}, "a child who shares an address is not proposed"
        assert found[pair].reasons == ("same name and birth date",)  # type: ignore[index]
        assert found[pair].against == ("other record number",)  # type: ignore[index]
        assert found[other].reasons == ("same phone number",)  # type: ignore[index]
        assert "other birth date" in found[other].against  # type: ignore[index]
        assert contacts.versions([child])
        now = committed.clock.now()
        for _ in range(2):
            api.tell_apart(again, ada, actor=who, at=now)
        assert [each.ids for each in api.propose("", actor=who).pairs] == [other]
        number = contacts.numbers_of([again])[again]
        contacts.change_attributes([(number, {"given_name": "Eda"})], committed.actor, clock=committed.clock)
        assert all(again not in each.ids for each in contacts.alike(b"", 50)), "an old name leads to nobody"


def test_a_program_that_knows_the_old_id_is_told_where_the_person_is(
    committed: Desk, two: tuple[UUID, UUID]
) -> None:
    kept, gone = two
    with acting_for(committed.id):
        merge(committed, kept, gone)
    scopes = (Permission.CONTACTS_RECORD_READ, Permission.CONTACTS_PHI_REVEAL)
    program, body = Program(committed.organization, *scopes), {"fields": ["state"], "purpose": "treatment"}
    found = program.post(f"/contacts/{gone}/open", body)
    assert found.status_code == 307
    assert found.headers["Location"] == f"/api/v1/contacts/{kept}/open"
    assert found.json() == {"merged_into": str(kept)}
    there = program.post(f"/contacts/{kept}/open", body)
    assert there.json()["values"] == {"state": "WA"}
    assert program.post(f"/contacts/{new_id()}/open", body).status_code == 404
    assert program.post("/contacts/find", {"identifier": "2002"}).json() == {"ids": [str(kept)]}
