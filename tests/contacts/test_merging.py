"""Merging patches into sealed contacts, on a real database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
import pytest

from salus.contacts import api
from salus.contacts.contracts import ContactPatch, MergeOutcome
from salus.contacts.models import Blind
from salus.kernel.acting import Actor, system
from salus.kernel.vocabulary import Channel
from salus.platform.tenancy import acting_for

from .people import email, patch, phone

CREATED, UPDATED, UNCHANGED, REJECTED = (
    MergeOutcome.CREATED,
    MergeOutcome.UPDATED,
    MergeOutcome.UNCHANGED,
    MergeOutcome.REJECTED,
)
Merge = Callable[..., list[MergeOutcome]]


@pytest.fixture
def merge(actor: Actor) -> Merge:
    return lambda *patches: [one.outcome for one in api.merge(patches, actor=actor)]


def documents() -> dict[int, dict[str, Any]]:
    return {number: orjson.loads(raw) for number, _, _, raw in api.open_documents_after(0, 100)}


def test_new_people_get_dense_numbers_and_stand_in_the_change_feed(merge: Merge) -> None:
    outcomes = merge(patch(email("a@lakepost.test"), mrn="7"), patch(email("b@lakepost.test"), mrn="8"))

    assert outcomes == [CREATED, CREATED]
    assert [(one.change, one.number, one.erased) for one in api.changes(0, 10)] == [
        (1, 1, False),
        (2, 2, False),
    ]
    assert api.head_change() == 2
    assert api.count() == 2


def test_the_same_patch_twice_changes_nothing(merge: Merge) -> None:
    same = patch(email("a@lakepost.test"), mrn="7", given_name="Amalthea", birth_date="1980-02-29")

    assert merge(same, same) == [CREATED, UNCHANGED]
    assert merge(same) == [UNCHANGED]
    assert api.head_change() == 1


def test_a_changed_value_moves_version_and_change(merge: Merge) -> None:
    merge(patch(mrn="7", city="Emporia"))
    (contact_id,) = (one.contact_id for one in api.changes(0, 10))

    assert merge(patch(mrn="7", city="Olathe")) == [UPDATED]
    assert api.versions([contact_id]) == {contact_id: 2}
    assert [(one.change, one.number) for one in api.changes(1, 10)] == [(2, 1)]
    assert documents()[1]["city"] == "Olathe"


def test_two_rows_of_one_new_person_in_a_batch_make_one_contact(merge: Merge) -> None:
    outcomes = merge(
        patch(email("a@lakepost.test"), mrn="7", city="Emporia"),
        patch(mrn="7", gender="f"),
        patch(email("a@lakepost.test"), city="Olathe"),
    )

    assert outcomes == [CREATED, UPDATED, UPDATED]
    assert api.count() == 1
    assert documents()[1]["city"] == "Olathe"
    assert documents()[1]["gender"] == "female"


def test_the_fate_of_each_patch_comes_in_order_with_a_reason_and_a_field(actor: Actor) -> None:
    fates = api.merge(
        [
            patch(email("nonsense"), mrn="1"),
            patch(mrn="2", birth_date="2999-01-01"),
            patch(given_name="Zoldina"),
            patch(mrn="3", create=False),
            ContactPatch(),
            patch(mrn="4"),
        ],
        actor=actor,
    )

    assert [(one.outcome, one.field, one.reason) for one in fates[:5]] == [
        (REJECTED, "email", "is not an e-mail address"),
        (REJECTED, "birth_date", "is in the future"),
        (REJECTED, "identity", "no record number, e-mail or phone: this person could not be found again"),
        (REJECTED, "identity", "nobody here has this identifier"),
        (REJECTED, "", "says nothing about anyone"),
    ]
    assert fates[5].outcome is CREATED
    assert fates[5].number == 1


def test_a_batch_that_is_all_refused_writes_nothing(merge: Merge) -> None:
    assert merge(patch(given_name="Zoldina")) == [REJECTED]
    assert api.head_change() == 0


def test_people_are_found_by_address_and_identifier_in_any_spelling(merge: Merge) -> None:
    merge(patch(email("Amalthea@Lakepost.test"), phone("415-555-0132"), mrn="C-7"))
    (contact_id,) = (one.contact_id for one in api.changes(0, 10))

    assert api.find_by_address(Channel.EMAIL, "amalthea@LAKEPOST.test") == [contact_id]
    assert api.find_by_address(Channel.SMS, "+1 (415) 555-0132") == [contact_id]
    assert api.find_by_identifier("mrn", " C-7 ") == contact_id
    assert api.find_by_identifier("mrn", "C-8") is None
    assert api.find_by_identifier("fhir", "C-7") is None


def test_a_replaced_address_no_longer_leads_to_the_person(merge: Merge) -> None:
    merge(patch(email("old@lakepost.test"), mrn="7"))
    merge(patch(email("new@lakepost.test"), mrn="7"))

    assert api.find_by_address(Channel.EMAIL, "old@lakepost.test") == []
    assert len(api.find_by_address(Channel.EMAIL, "new@lakepost.test")) == 1
    assert Blind.objects.count() == 2


def test_an_address_replaced_within_the_batch_never_leads_anywhere(merge: Merge) -> None:
    merge(patch(email("old@lakepost.test"), mrn="7"), patch(email("new@lakepost.test"), mrn="7"))

    assert api.find_by_address(Channel.EMAIL, "old@lakepost.test") == []
    assert Blind.objects.count() == 2


def test_foreseeing_writes_nothing(actor: Actor) -> None:
    ready = api.make_patches_ready([patch(mrn="7"), patch(given_name="Zoldina")])

    assert [one.outcome for one in api.foresee(ready, actor=actor)] == [CREATED, REJECTED]
    assert api.count() == 0
    assert api.head_change() == 0


def test_one_batch_makes_one_entry_in_the_log_without_values(merge: Merge, tenant: UUID) -> None:
    from salus.audit.models import EntryRow

    merge(patch(mrn="7"), patch(mrn="8"), patch(given_name="Zoldina"))

    (entry,) = EntryRow.objects.filter(action="contacts:record:merge")
    assert entry.details == {"created": 2, "rejected": 1}


def test_another_organization_finds_and_sees_nobody(organization: UUID, other_organization: UUID) -> None:
    with acting_for(organization):
        api.merge([patch(email("a@lakepost.test"), mrn="7")], actor=system(organization, "test"))
        ids = [one.contact_id for one in api.changes(0, 10)]
    with acting_for(other_organization):
        assert api.find_by_address(Channel.EMAIL, "a@lakepost.test") == []
        assert api.find_by_identifier("mrn", "7") is None
        assert api.count() == 0
        assert api.versions(ids) == {}
        assert (
            api.open_fields(
                ids=ids, fields=["email"], purpose="treatment", actor=system(other_organization, "test")
            )
            == []
        )


def test_the_same_address_has_another_index_in_another_organization(
    organization: UUID, other_organization: UUID
) -> None:
    with acting_for(organization):
        here = api.blind_address(Channel.EMAIL, "a@lakepost.test")
    with acting_for(other_organization):
        assert api.blind_address(Channel.EMAIL, "a@lakepost.test") != here
