"""Changing what is known of people by their numbers, many at once."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connections

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api
from salus.contacts.contracts import MergeOutcome
from salus.contacts.models import Blind
from salus.kernel.acting import Actor, system
from salus.kernel.vocabulary import Channel
from salus.platform.tenancy import acting_for

from .people import email, patch

UPDATED, UNCHANGED, REJECTED = MergeOutcome.UPDATED, MergeOutcome.UNCHANGED, MergeOutcome.REJECTED


def document(number: int) -> dict[str, Any]:
    return next(orjson.loads(raw) for *_, raw in api.open_documents(numbers=[number]))


@pytest.fixture
def two(actor: Actor) -> None:
    """Two people, numbered 1 and 2."""
    api.merge(
        [
            patch(email("a@lakepost.test"), mrn="7", city="Emporia", health_interests=["running"]),
            patch(mrn="8", city="Olathe"),
        ],
        actor=actor,
    )


def test_values_are_set_replaced_and_taken_away_by_number(two: None, actor: Actor) -> None:
    fates = api.change_attributes(
        [
            (1, {"city": None, "relation": "patient", "health_interests": ["sleep", "food"]}),
            (2, {"city": "Olathe"}),
        ],
        actor,
    )

    assert [(one.outcome, one.number) for one in fates] == [(UPDATED, 1), (UNCHANGED, 2)]
    assert "city" not in document(1)
    assert document(1)["health_interests"] == ["sleep", "food"]
    assert document(1)["relation"] == "patient"


def test_a_change_moves_the_version_and_stands_in_the_feed_and_nothing_else_does(
    two: None, actor: Actor
) -> None:
    first, second = api.ids_of([1, 2])[1], api.ids_of([1, 2])[2]
    api.change_attributes([(1, {"city": "Salina"}), (2, {"city": "Olathe"})], actor)

    assert api.versions([first, second]) == {first: 2, second: 1}
    assert [(one.change, one.number) for one in api.changes(2, 10)] == [(3, 1)]


def test_the_same_number_twice_in_a_call_is_changed_in_order(two: None, actor: Actor) -> None:
    fates = api.change_attributes([(1, {"city": "Salina"}), (1, {"city": "Hays", "state": "KS"})], actor)

    assert [one.outcome for one in fates] == [UPDATED, UPDATED]
    assert (document(1)["city"], document(1)["state"]) == ("Hays", "KS")
    assert api.versions([api.ids_of([1])[1]]) == {api.ids_of([1])[1]: 2}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"shoe_size": 44}, "shoe_size"),
        ({"birth_date": "2999-01-01"}, "birth_date"),
        ({"birth_date": "soon"}, "birth_date"),
        ({"income": "much"}, "income"),
        ({"conditions": "E11"}, "conditions"),
        ({}, ""),
    ],
)
def test_a_value_that_will_not_do_leaves_that_person_and_no_other_as_they_were(
    two: None, actor: Actor, values: dict[str, Any], field: str
) -> None:
    bad, good = api.change_attributes(
        [(1, {"city": "Salina", **values} if values else {}), (2, {"city": "Hays"})], actor
    )

    assert (bad.outcome, bad.field, good.outcome) == (REJECTED, field, UPDATED)
    assert bad.reason
    assert document(1)["city"] == "Emporia"
    assert document(2)["city"] == "Hays"


def test_numbers_that_nobody_has_or_had_are_refused(two: None, actor: Actor) -> None:
    api.erase_person(api.ids_of([2])[2], actor=actor)
    fates = api.change_attributes([(2, {"city": "Hays"}), (3, {"city": "Hays"})], actor)

    assert [one.outcome for one in fates] == [REJECTED, REJECTED]
    assert api.ids_of([1, 2, 3]).keys() == {1}
    assert api.last_number() == 2


def test_addresses_and_identifiers_still_lead_to_whom_was_changed(two: None, actor: Actor) -> None:
    before = Blind.objects.count()
    api.change_attributes([(1, {"city": "Salina"})], actor)

    assert api.numbers_of(api.find_by_address(Channel.EMAIL, "a@lakepost.test")) == {api.ids_of([1])[1]: 1}
    assert api.find_by_identifier("mrn", "7") == api.ids_of([1])[1]
    assert Blind.objects.count() == before


def test_records_are_replaced_by_their_ids(two: None, actor: Actor) -> None:
    def booked(day: str, **more: str) -> dict[str, Any]:
        return {"appointments": [{"id": "a1", "date": day, "status": "booked", **more}]}

    assert [one.outcome for one in api.change_records([(1, booked("2027-01-02"))], actor)] == [UPDATED]
    assert [one.outcome for one in api.change_records([(1, booked("2027-01-03", time="14:30"))], actor)] == [
        UPDATED
    ]
    assert document(1)["appointments"] == [
        {"id": "a1", "date": "2027-01-03", "status": "booked", "time": "14:30"}
    ]
    (bad,) = api.change_records([(1, booked("2027-01-03", time="24:30"))], actor)
    assert (bad.outcome, bad.field) == (REJECTED, "appointments.time")


def test_one_call_is_one_entry_with_the_names_of_what_changed(two: None, actor: Actor) -> None:
    api.change_attributes([(1, {"city": "Salina"}), (2, {"state": "KS"})], actor)
    api.change_attributes([(1, {"city": "Salina"}), (2, {"city": "Zoldina"})], actor)
    api.change_attributes([(1, {"city": "Salina"})], actor)

    last, first = audit.entries(Filters(action=Action.CONTACT_CHANGE), after=None, limit=5)
    assert (first.fields, first.details, first.patient_id) == (("city", "state"), {"contacts": 2}, None)
    assert (last.fields, last.details, last.patient_id) == (("city",), {"contacts": 1}, api.ids_of([2])[2])
    assert "Zoldina" not in repr(last)


def test_changes_at_the_same_time_are_all_kept(organization: UUID) -> None:
    actor = system(organization, "test")
    with acting_for(organization):
        api.merge([patch(mrn=str(n)) for n in range(20)], actor=actor)

    def change(key: str, value: str) -> None:
        try:
            for turn in (1, -1, 1):
                with acting_for(organization):
                    # Two calls in one transaction, in an order of its own.
                    for half in (range(1, 11), range(11, 21))[::turn]:
                        api.change_attributes([(n, {key: value}) for n in half], actor)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=change, args=one)
        for one in (("city", "Salina"), ("state", "KS"), ("country", "US"))
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    with acting_for(organization):
        found = [orjson.loads(raw) for *_, raw in api.open_documents_after(0, 100)]
        assert [(one["city"], one["state"], one["country"]) for one in found] == [("Salina", "KS", "US")] * 20


def test_nobody_of_another_organization_is_changed(organization: UUID, other_organization: UUID) -> None:
    with acting_for(organization):
        api.merge([patch(mrn="7", city="Emporia")], actor=system(organization, "test"))
    with acting_for(other_organization):
        fates = api.change_attributes([(1, {"city": "Hays"})], system(other_organization, "test"))
        assert [one.outcome for one in fates] == [REJECTED]
        assert api.ids_of([1]) == {}
    with acting_for(organization):
        assert document(1)["city"] == "Emporia"
