"""People of a clinic whose keys are tried, and which key a message to them would be encrypted to."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.kernel.acting import Actor
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel
from salus.sealedmail import api

ANA = "ana@lakepost.example.test"
NOW = datetime.now(UTC)


def admit(actor: Actor, *emails: str) -> UUID:
    """Take somebody in with these addresses; return their id."""
    addresses = tuple(
        Address(Channel.EMAIL, Phi(each), AddressSource.CLINICAL_ENCOUNTER, "visit", date(2026, 1, 5))
        for each in emails
    )
    patch = ContactPatch(identifiers=(Identifier("mrn", Phi(new_id().hex[-10:])),), addresses=addresses)
    (merged,) = contacts.merge([patch], actor=actor)
    assert merged.contact_id
    return merged.contact_id


def written_to(contact_id: UUID, address: str = ANA, at: datetime = NOW) -> UUID | None:
    """Return the key that a message to a person would be encrypted to."""
    message = new_id()
    found, _ = api.recipients({message: (contact_id, address)}, at)
    return found[message].id if message in found else None
