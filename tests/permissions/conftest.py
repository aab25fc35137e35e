"""People for the tests of permissions that need a database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.kernel.acting import Actor
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel


def patch(number: int) -> ContactPatch:
    """Return an invented patient with an e-mail address."""
    mark = f"{number}-{new_id().hex[-8:]}"
    address = Address(
        Channel.EMAIL,
        Phi(f"person.{mark}@lakepost.example.org"),
        AddressSource.CLINICAL_ENCOUNTER,
        "registration",
        date(2025, 1, 2),
    )
    return ContactPatch(
        identifiers=(Identifier("mrn", Phi(mark)),),
        addresses=(address,),
        values={"given_name": "Rosa", "family_name": f"Example {mark}", "birth_date": "1961-04-17"},
        place=f"line {number}",
    )


def make_people(count: int, actor: Actor) -> list[UUID]:
    """Create `count` patients in the organization in context."""
    from salus.contacts import api as contacts

    merged = contacts.merge([patch(number) for number in range(count)], actor=actor)
    return [one.contact_id for one in merged if one.contact_id]


@pytest.fixture
def people(tenant: UUID, actor: Actor) -> Callable[[int], list[UUID]]:
    """Return a maker of patients of the organization in context."""
    return lambda count: make_people(count, actor)


@pytest.fixture
def rosa(people: Callable[[int], list[UUID]]) -> UUID:
    """One patient."""
    return people(1)[0]
