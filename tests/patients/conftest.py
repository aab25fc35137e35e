"""Rosa, a patient with a birth date, and a message that waits for her."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from salus.contacts import api as contacts
from salus.contacts.contracts import ContactPatch, Identifier
from salus.delivery.contracts import PORTAL_LINK
from salus.kernel.acting import Actor
from salus.kernel.phi import Phi
from salus.kernel.time import FakeClock
from salus.keys import api as keys
from salus.patients import ports

from .post import NOW, FakePost


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands at `NOW`."""
    return FakeClock(NOW)


@pytest.fixture
def post() -> Iterator[FakePost]:
    """A post in place of delivery."""
    before, fake = ports._post, FakePost()
    ports.use_post(fake)
    yield fake
    ports._post = before


def patch_of(number: str, **values: Any) -> ContactPatch:
    """Return what an importer knows of an invented patient; an empty value is left out."""
    known = {"given_name": "Rosa", "family_name": "Example", "birth_date": "1961-04-17"} | values
    return ContactPatch(
        identifiers=(Identifier("mrn", Phi(number)),),
        values={name: value for name, value in known.items() if value},
        place="line 1",
    )


def add_person(actor: Actor, number: str = "7001", **values: Any) -> UUID:
    """Put an invented patient into the organization in context."""
    [merged] = contacts.merge([patch_of(number, **values)], actor=actor)
    assert merged.contact_id is not None
    return merged.contact_id


def link_for(message_id: UUID, clock: FakeClock) -> str:
    """Return the token of a notice's link."""
    return keys.seal_token(PORTAL_LINK, message_id.bytes, lifetime=timedelta(days=30), clock=clock)


@pytest.fixture
def rosa(tenant: UUID, actor: Actor) -> UUID:
    """A patient born on 17 April 1961."""
    return add_person(actor)
