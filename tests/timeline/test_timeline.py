"""The stream of events: stored once, in an order that a reader can trust, sealed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, connections, transaction

from salus.contacts.contracts import ContactPatch, Identifier
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.time import FakeClock
from salus.keys import api as keys
from salus.platform.tenancy import acting_for
from salus.timeline import api
from salus.timeline.contracts import EventKind, NewEvent

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
People = Callable[[int], list[UUID]]


def make_people(count: int, actor: Actor) -> list[UUID]:
    from salus.contacts import api as contacts

    patches = [
        ContactPatch(
            identifiers=(Identifier("mrn", Phi(new_id().hex)),),
            values={"given_name": "Rosa", "family_name": "Example", "birth_date": "1961-04-17"},
            place=f"line {number}",
        )
        for number in range(count)
    ]
    return [one.contact_id for one in contacts.merge(patches, actor=actor) if one.contact_id]


@pytest.fixture
def people(tenant: UUID, actor: Actor) -> People:
    """Return a maker of patients of the organization in context."""
    return lambda count: make_people(count, actor)


@pytest.fixture
def rosa(people: People) -> UUID:
    """One patient."""
    return people(1)[0]


def visit(contact_id: UUID, key: str = "visit-1", **details: Any) -> NewEvent:
    return NewEvent(contact_id, EventKind.VISIT, NOW - timedelta(days=1), key, details=details)


def test_an_event_comes_back_as_it_was_given(rosa: UUID) -> None:
    message_id = new_id()
    given = NewEvent(rosa, EventKind.MESSAGE_CLICKED, NOW, "click-1", message_id, {"link": "choose a time"})
    assert api.append([given], clock=FakeClock(NOW + timedelta(hours=1))) == 1
    [event] = api.events_since(0, 10)
    assert (event.contact_id, event.kind, event.at) == (rosa, EventKind.MESSAGE_CLICKED, NOW)
    assert (event.message_id, event.details) == (message_id, {"link": "choose a time"})
    assert event.recorded_at == NOW + timedelta(hours=1)
    assert event.number == api.head()


def test_nothing_happened_yet(rosa: UUID) -> None:
    assert (api.append([]), api.head(), api.events_since(0, 10), api.of_contact(rosa)) == (0, 0, [], [])


def test_the_same_key_of_the_same_person_is_stored_once(people: People) -> None:
    rosa, bob = people(2)
    assert api.append([visit(rosa), visit(rosa), visit(bob)]) == 2
    assert api.append([visit(rosa), visit(rosa, "visit-2")]) == 1
    assert [event.contact_id for event in api.events_since(0, 10)] == [rosa, bob, rosa]


def test_the_same_key_is_known_also_after_the_blind_key_was_rotated(rosa: UUID, actor: Actor) -> None:
    api.append([visit(rosa)])
    keys.rotate("blind", actor=actor)
    assert api.append([visit(rosa), visit(rosa, "visit-2")]) == 1


def test_a_reader_goes_on_where_it_stopped(rosa: UUID) -> None:
    api.append([visit(rosa, f"visit-{number}", n=number) for number in range(25)])
    seen: list[int] = []
    cursor = 0
    while batch := api.events_since(cursor, 10):
        seen += [event.details["n"] for event in batch]
        cursor = batch[-1].number
    assert seen == list(range(25))
    assert cursor == api.head()


def test_the_newest_of_one_person_come_first(people: People) -> None:
    rosa, bob = people(2)
    api.append([visit(rosa, "a", n=1), visit(bob, "a", n=2), visit(rosa, "b", n=3)])
    assert [event.details["n"] for event in api.of_contact(rosa)] == [3, 1]
    assert [event.details["n"] for event in api.of_contact(rosa, 1)] == [3]


def test_what_is_new_of_many_is_read_at_once(people: People) -> None:
    rosa, bob, ann = people(3)
    early, late = FakeClock(NOW), FakeClock(NOW + timedelta(hours=1))
    api.append([visit(rosa, "a", n=1), visit(bob, "a", n=2)], clock=early)
    api.append(
        [
            visit(rosa, "b", n=3),
            NewEvent(rosa, EventKind.LAB_AVAILABLE, NOW, "c", details={"n": 4}),
            visit(bob, "b", n=5),
        ],
        clock=late,
    )
    told = api.of_contacts([rosa, bob, ann, rosa], since=late.now())
    assert {one: [event.details["n"] for event in events] for one, events in told.items()} == {
        rosa: [3, 4], bob: [5], ann: [],
    }  # fmt: skip
    labs = api.of_contacts([rosa, bob], since=early.now(), kinds=(EventKind.LAB_AVAILABLE,))
    assert {one: [event.details["n"] for event in events] for one, events in labs.items()} == {
        rosa: [4], bob: [],
    }  # fmt: skip
    assert [event.details["n"] for event in api.of_contacts([rosa], since=early.now())[rosa]] == [1, 3, 4]
    assert api.of_contacts([], since=early.now()) == {}


def test_events_of_people_who_are_not_here_are_left_out(rosa: UUID) -> None:
    assert api.append([visit(new_id()), visit(rosa)]) == 1


@dataclass
class NotJson:
    value: int = 1


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        ({"at": datetime(2026, 1, 1)}, "at"),  # noqa: DTZ001
        ({"key": ""}, "key"),
        ({"key": "x" * 281}, "key"),
        ({"kind": "abducted"}, "kind"),
        ({"details": {"object": NotJson()}}, "details"),
        ({"details": {"long": "x" * 20_000}}, "details"),
    ],
)
def test_one_bad_event_stores_nothing_and_is_named(rosa: UUID, bad: dict[str, Any], place: str) -> None:
    with pytest.raises(BadInput) as caught:
        api.append([visit(rosa), replace(visit(rosa, "visit-2"), **bad)])
    assert caught.value.place == f"event 2: {place}"
    assert api.events_since(0, 10) == []


def test_an_append_and_a_look_by_a_person_are_in_the_audit_log(rosa: UUID, actor: Actor) -> None:
    api.append([visit(rosa), visit(rosa, "visit-2")], actor=actor)
    api.append([visit(rosa)], actor=actor)
    api.of_contact(rosa, actor=actor, purpose="support")
    api.of_contact(rosa)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT action, details ->> 'events', patient_id FROM audit_entry "
            "WHERE organization_id = %s AND action LIKE 'timeline:%%' ORDER BY id",
            [actor.organization_id],
        )
        assert cursor.fetchall() == [
            ("timeline:event:append", "2", None),
            ("timeline:event:read", None, rosa),
        ]


def test_nothing_of_an_event_is_stored_in_clear(rosa: UUID) -> None:
    api.append([visit(rosa, "canary-key", place="canary place")])
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text || encode(sealed, 'escape'), '') FROM timeline_event AS t")
        dump = cursor.fetchone()[0]
    assert not any(word in dump for word in ("canary", "visit", "2026-02-28"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE timeline_event SET message_id = contact_id",
        "UPDATE timeline_event SET recorded_at = now()",
        r"UPDATE timeline_event SET sealed = '\x00'",
        "DELETE FROM timeline_event",
    ],
)
def test_the_database_refuses_to_change_or_delete_an_event(rosa: UUID, statement: str) -> None:
    api.append([visit(rosa)])
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_another_organization_sees_nothing(organization: UUID, other_organization: UUID) -> None:
    with acting_for(organization):
        [rosa] = make_people(1, system(organization, "test"))
        api.append([visit(rosa)])
    with acting_for(other_organization):
        assert (api.events_since(0, 10), api.of_contact(rosa), api.head()) == ([], [], 0)
        assert api.append([visit(rosa)]) == 0
        assert api.of_contacts([rosa], since=NOW - timedelta(days=9)) == {rosa: []}
        with connection.cursor() as cursor:  # past the manager: row-level security alone
            cursor.execute("SELECT count(*) FROM timeline_event WHERE contact_id = %s", [rosa])
            assert cursor.fetchone() == (0,)


def test_a_reader_beside_many_writers_misses_nothing(organization: UUID) -> None:
    """Writers commit in any order; a reader who never goes back still sees every event once."""
    with acting_for(organization):
        [rosa] = make_people(1, system(organization, "test"))
    done = threading.Event()
    seen: list[str] = []

    def write(writer: int) -> None:
        try:
            for batch in range(8):
                with acting_for(organization):
                    api.append(
                        [visit(rosa, f"{writer}-{batch}-{n}", n=f"{writer}-{batch}-{n}") for n in range(5)]
                    )
        finally:
            connections.close_all()

    def read() -> None:
        try:
            cursor, last_round = 0, False
            while True:
                last_round = done.is_set()
                with acting_for(organization):
                    events = api.events_since(cursor, 7)
                if events:
                    cursor = events[-1].number
                    seen.extend(event.details["n"] for event in events)
                elif last_round:
                    return
        finally:
            connections.close_all()

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join(60)
    done.set()
    reader.join(60)
    assert len(seen) == len(set(seen)) == 4 * 8 * 5


def test_what_happened_with_one_message_is_found_alone(people: People) -> None:
    rosa, bob = people(2)
    mine, other = new_id(), new_id()
    at = NOW - timedelta(hours=1)
    api.append(
        [
            NewEvent(rosa, EventKind.MESSAGE_ACCEPTED, at, "a", mine),
            NewEvent(rosa, EventKind.MESSAGE_ACCEPTED, at, "b", other),
            NewEvent(bob, EventKind.MESSAGE_ACCEPTED, at, "c", mine),
            NewEvent(rosa, EventKind.MESSAGE_OPENED, at, "d", mine, {"by": "person"}),
        ]
    )
    assert [event.kind for event in api.of_message(rosa, mine)] == [
        EventKind.MESSAGE_ACCEPTED,
        EventKind.MESSAGE_OPENED,
    ]
    assert api.of_message(rosa, new_id()) == []
