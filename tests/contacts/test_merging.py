"""Merging patches into sealed contacts, on a real database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from salus.contacts import api
from salus.contacts.contracts import Address, ContactPatch, Identifier, MergeOutcome
from salus.kernel.acting import Actor
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel

CREATED, UPDATED, UNCHANGED, REJECTED = (
    MergeOutcome.CREATED,
    MergeOutcome.UPDATED,
    MergeOutcome.UNCHANGED,
    MergeOutcome.REJECTED,
)


def email(value: str, source: AddressSource = AddressSource.CLINICAL_ENCOUNTER) -> Address:
    return Address(Channel.EMAIL, Phi(value), source, "front desk", date(2025, 1, 2))


def phone(value: str) -> Address:
    return Address(Channel.SMS, Phi(value), AddressSource.CLINICAL_ENCOUNTER, "front desk", None)


def patch(*addresses: Address, mrn: str = "", create: bool = True, records: Any = None, **values: Any) -> ContactPatch:
    identifiers = (Identifier("mrn", Phi(mrn)),) if mrn else ()
    return ContactPatch(
        identifiers=identifiers, addresses=addresses, values=values, records=records or {}, create=create
    )


Merge = Callable[..., list[MergeOutcome]]


@pytest.fixture
def merge(actor: Actor) -> Merge:
    return lambda *patches: [one.outcome for one in api.merge(patches, actor=actor)]


@pytest.fixture
def document(actor: Actor) -> Callable[[int], dict[str, Any]]:
    import orjson

    def read(number: int) -> dict[str, Any]:
        ((_, _, _, raw),) = api.open_documents(numbers=[number])
        found: dict[str, Any] = orjson.loads(raw)
        return found

    return read


def test_a_new_person_gets_the_next_number_and_stands_in_the_change_feed(merge: Merge, tenant: UUID) -> None:
    outcomes = merge(patch(email("amalthea@lakepost.test"), mrn="7"), patch(email("b@lakepost.test"), mrn="8"))

    assert outcomes == [CREATED, CREATED]
    assert [(one.number, one.erased) for one in api.changes(0, 10)] == [(1, False), (2, False)]
    assert api.head_change() == 2
    assert api.count() == 2


def test_the_same_patch_twice_changes_nothing(merge: Merge) -> None:
    same = patch(email("amalthea@lakepost.test"), mrn="7", given_name="Amalthea", birth_date="1980-02-29")

    assert merge(same, same) == [CREATED, UNCHANGED]
    assert merge(same) == [UNCHANGED]
    assert api.head_change() == 1


def test_a_changed_value_moves_version_and_change(merge: Merge) -> None:
    merge(patch(mrn="7", city="Emporia"))
    (contact_id,) = (one.contact_id for one in api.changes(0, 10))

    assert merge(patch(mrn="7", city="Olathe")) == [UPDATED]
    assert api.versions([contact_id]) == {contact_id: 2}
    assert [(one.change, one.number) for one in api.changes(1, 10)] == [(2, 1)]
