"""Plaintext comes out for a purpose, is written in the log, and stands nowhere in the database."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from salus.audit.models import EntryRow
from salus.contacts import api
from salus.contacts.models import Blind, Contact
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock, SystemClock
from salus.kernel.vocabulary import Channel
from salus.keys import api as keys
from salus.platform.tenancy import acting_for

from .people import email, patch, phone


@pytest.fixture
def people(actor: Actor) -> list[UUID]:
    fates = api.merge(
        [
            patch(
                email("a@lakepost.test"),
                phone("415-555-0132"),
                mrn="7",
                given_name="Amalthea",
                city="Olathe",
            ),
            patch(mrn="8", given_name="Zoldina"),
        ],
        actor=actor,
    )
    return [one.contact_id for one in fates if one.contact_id]


def test_only_the_fields_that_were_asked_for_are_opened(people: list[UUID], actor: Actor) -> None:
    first, second = api.open_fields(ids=people, fields=["city"], purpose="treatment", actor=actor)

    assert {key: value.reveal() for key, value in first.values.items()} == {"city": "Olathe"}
    assert first.addresses == ()
    assert (second.number, dict(second.values)) == (2, {})


def test_addresses_come_when_one_of_their_fields_is_asked_for(people: list[UUID], actor: Actor) -> None:
    (opened,) = api.open_fields(numbers=[1], fields=["email"], purpose="message", actor=actor)

    (other,) = api.open_fields(numbers=[1], fields=["phone"], purpose="message", actor=actor)

    assert [one.value.reveal() for one in opened.addresses] == ["a@lakepost.test"]
    assert [one.value.reveal() for one in other.addresses] == ["+14155550132"]
    assert opened.addresses[0].evidence == "front desk"
    assert "lakepost" not in repr(opened)


def test_a_batch_is_one_entry_with_field_names_and_purpose(people: list[UUID], actor: Actor) -> None:
    api.open_fields(ids=people, fields=["city", "email"], purpose="treatment", actor=actor)
    api.open_fields(ids=people[:1], fields=["city"], purpose="patient_request", actor=actor, revealed=True)

    batch = EntryRow.objects.get(action="contacts:record:read")
    alone = EntryRow.objects.get(action="contacts:phi:reveal")
    assert (batch.fields, batch.purpose, batch.details, batch.patient_id) == (
        ["city", "email"],
        "treatment",
        {"contacts": 2},
        None,
    )
    assert (alone.patient_id, alone.purpose) == (people[0], "patient_request")


def test_without_a_purpose_or_with_an_unknown_field_nothing_opens(people: list[UUID], actor: Actor) -> None:
    with pytest.raises(BadInput, match="purpose"):
        api.open_fields(ids=people, fields=["city"], purpose="because I want", actor=actor)
    with pytest.raises(BadInput, match="shoe_size"):
        api.open_fields(ids=people, fields=["shoe_size"], purpose="treatment", actor=actor)


def test_an_erased_person_is_gone_and_the_feed_says_so(people: list[UUID], actor: Actor) -> None:
    api.erase_person(people[0], actor=actor)

    assert [(one.number, one.erased) for one in api.changes(2, 10)] == [(1, True)]
    assert api.open_fields(ids=people, fields=["city"], purpose="treatment", actor=actor)[0].number == 2
    assert api.find_by_address(Channel.EMAIL, "a@lakepost.test") == []
    assert api.find_by_identifier("mrn", "7") is None
    assert api.count() == 1
    assert bytes(Contact.objects.get(id=people[0]).sealed) == b""
    with pytest.raises(NotFound):
        api.erase_person(people[0], actor=actor)


def test_an_erased_person_who_comes_again_is_somebody_new(people: list[UUID], actor: Actor) -> None:
    api.erase_person(people[0], actor=actor)
    (fate,) = api.merge([patch(email("a@lakepost.test"), mrn="7")], actor=actor)

    assert fate.number == 3


def test_an_export_holds_everything_and_is_recorded(people: list[UUID], actor: Actor) -> None:
    found = api.export_person(people[0], purpose="patient_request", actor=actor)

    assert found["given_name"] == "Amalthea"
    assert found["addresses"][0]["value"] == "a@lakepost.test"
    assert EntryRow.objects.get(action="contacts:record:export").patient_id == people[0]


def test_after_a_rotation_people_are_found_before_and_after_they_are_indexed_anew(organization: UUID) -> None:
    actor = system(organization, "test")
    with acting_for(organization):
        api.merge([patch(email("a@lakepost.test"), mrn="7", city="Olathe")], actor=actor)
        keys.rotate("blind", actor=actor)
        keys.rotate("data", actor=actor)
    with acting_for(organization):
        assert len(api.find_by_address(Channel.EMAIL, "a@lakepost.test")) == 1
        assert api.stale_indexes() == 2
        ((number, id),) = api.ids_after(0, limit=10)
        assert (number, api.ids_after(1, limit=10)) == (1, [])
        assert api.index_anew([id]) == 1
        assert api.index_anew([new_id()]) == 0
        assert api.stale_indexes() == 0
    keys.reseal(organization, actor=actor)
    later = FakeClock(SystemClock().now() + timedelta(days=2))
    with acting_for(organization):
        assert keys.destroy_retired("blind", actor=actor, clock=later) == 1
        assert keys.destroy_retired("data", actor=actor, clock=later) == 1
    with acting_for(organization):
        assert len(api.find_by_address(Channel.EMAIL, "a@lakepost.test")) == 1
        (opened,) = api.open_fields(numbers=[1], fields=["city"], purpose="treatment", actor=actor)
        assert opened.values["city"].reveal() == "Olathe"
        assert Blind.objects.count() == 2


def test_a_document_moved_to_another_row_does_not_open(people: list[UUID], actor: Actor) -> None:
    first, second = (Contact.objects.get(id=one) for one in people)
    first.sealed, second.sealed = second.sealed, first.sealed
    first.save()
    second.save()

    with pytest.raises(BadInput, match="does not open"):
        api.open_fields(ids=people, fields=["city"], purpose="treatment", actor=actor)


CANARY = "Quandrethelmine"


def test_nothing_of_a_person_stands_in_clear_in_the_database(organization: UUID, database: object) -> None:
    with acting_for(organization):
        api.merge(
            [patch(email(f"{CANARY}@lakepost.test"), mrn=f"{CANARY}-1", given_name=CANARY, city=CANARY)],
            actor=system(organization, "test"),
        )
    with psycopg.connect(database.superuser_dsn) as connection:  # type: ignore[attr-defined]
        for table in ("contacts_contact", "contacts_blind", "audit_entry"):
            rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()
            assert rows
            text = "\n".join(row[0] for row in rows)
            assert CANARY.lower() not in text.lower()
            assert CANARY.encode().hex() not in text


def test_with_the_managers_bypassed_row_level_security_still_shows_nothing(organization: UUID) -> None:
    from django.db import connection

    with acting_for(organization):
        api.merge([patch(mrn="7")], actor=system(organization, "test"))
    with connection.cursor() as cursor:
        for table in ("contacts_contact", "contacts_blind"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,)
