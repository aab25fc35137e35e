"""A clinic with two records of one person, undone after each test."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.duplicates import api
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel
from salus.privacy import api as privacy
from salus.wiring.joined import STEPS
from salus.wiring.person import PACKAGES
from tests.delivery.conftest import Desk
from tests.delivery.conftest import desk as desk
from tests.delivery.conftest import shared_clinic as shared_clinic


@pytest.fixture(autouse=True)
def assembled() -> None:
    """Let every package have its step, as an installation does."""
    api.use_steps(STEPS)
    privacy.use_packages(PACKAGES)


@pytest.fixture
def two(desk: Desk) -> tuple[UUID, UUID]:
    """Return two records of Ada: from the front desk, and from a sign-up with another address."""
    return record(desk, "1001", "ada", "ada@lakepost.example.test"), record(
        desk, "2002", "ada", "ada.l@lakepost.example.test"
    )


def record(
    desk: Desk,
    mrn: str,
    given: str,
    email: str = "",
    phone: str = "",
    born: str = "1980-02-03",
    **values: Any,
) -> UUID:
    """Take in one record; return its id."""
    day = desk.clock.now().date()
    told = ((Channel.EMAIL, email), (Channel.SMS, phone))
    addresses = tuple(
        Address(channel, Phi(value), AddressSource.CLINICAL_ENCOUNTER, "front desk", day)
        for channel, value in told
        if value
    )
    patch = ContactPatch(
        identifiers=(Identifier("mrn", Phi(mrn)),),
        addresses=addresses,
        values={
            "given_name": given, "family_name": "Lindqvist", "birth_date": born, "relation": "patient",
            "state": "WA", **values,
        },
    )  # fmt: skip
    (merged,) = contacts.merge([patch], actor=desk.actor, clock=desk.clock)
    assert merged.contact_id is not None, merged.reason
    return merged.contact_id


def clerk(desk: Desk, *words: Permission) -> Actor:
    """Return somebody who merges."""
    allowed = frozenset(
        word.value for word in words or (Permission.CONTACTS_RECORD_MERGE, Permission.PRIVACY_REQUEST_DO)
    )
    return Actor(ActorKind.STAFF, desk.id, new_id(), permissions=allowed)


def merge(desk: Desk, kept: UUID, gone: UUID, **choices: Any) -> UUID:
    """Merge two records now."""
    desk.clock.advance(timedelta(seconds=1))
    return api.merge(kept, gone, choices, "The front desk met her", actor=clerk(desk), at=desk.clock.now())
