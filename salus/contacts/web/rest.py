"""For programs: tell what is known of people, find them, and open fields for a purpose."""

from __future__ import annotations

from datetime import date
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from salus.contacts import api
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.identity.api import api_key_auth
from salus.identity.contracts import Idempotency, Permission
from salus.kernel.acting import Actor
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel

router = Router(tags=["contacts"])
P = Permission


class Declared(Schema):
    """Where the addresses of a call come from; needed for every one of them."""

    source: AddressSource
    evidence: str = Field(min_length=1, max_length=200)
    obtained: date


class Told(Schema):
    """What a program knows of one person: values and records by attribute key of the dictionary."""

    identifiers: dict[str, str] = {}
    emails: list[str] = []
    phones: list[str] = []
    values: dict[str, Any] = {}
    records: dict[str, list[dict[str, Any]]] = {}
    create: bool = True


class Tell(Schema):
    """Up to 1,000 people."""

    declared: Declared
    contacts: list[Told] = Field(min_length=1, max_length=api.BATCH)


class Fate(Schema):
    """What became of one of them, in the order of the call."""

    outcome: str
    id: UUID | None
    reason: str
    field: str


class Find(Schema):
    """One thing that only this person has."""

    email: str = ""
    phone: str = ""
    system: str = "mrn"
    identifier: str = ""


class Found(Schema):
    """Whose it is."""

    ids: list[UUID]


class Look(Schema):
    """Which fields to open, and what for: "treatment", "payment", "operations" or "patient_request"."""

    fields: list[str] = Field(min_length=1, max_length=60)
    purpose: str


class Seen(Schema):
    """What is known: attribute values by key, and addresses by channel. It is PHI."""

    id: UUID
    version: int
    values: dict[str, Any]
    addresses: dict[str, list[str]]


@router.post("/contacts/merge", response=list[Fate], auth=api_key_auth(P.CONTACTS_IMPORT_RUN))
def merge(request: HttpRequest, body: Tell) -> list[Fate]:
    """Merge what is told into the contacts; the same call again changes nothing."""
    merged = api.merge([_patch(one, body.declared) for one in body.contacts], actor=_actor(request))
    return [
        Fate(outcome=one.outcome.value, id=one.contact_id, reason=one.reason, field=one.field)
        for one in merged
    ]


def _patch(told: Told, declared: Declared) -> ContactPatch:
    def address(channel: Channel, value: str) -> Address:
        return Address(channel, Phi(value), declared.source, declared.evidence, declared.obtained)

    return ContactPatch(
        identifiers=tuple(Identifier(system, Phi(value)) for system, value in told.identifiers.items()),
        addresses=(
            *(address(Channel.EMAIL, value) for value in told.emails),
            *(address(Channel.SMS, value) for value in told.phones),
        ),
        values=told.values,
        records={key: tuple(found) for key, found in told.records.items()},
        create=told.create,
    )


@router.post(
    "/contacts/find",
    response=Found,
    auth=api_key_auth(P.CONTACTS_RECORD_READ, idempotency=Idempotency.READS),
)
def find(request: HttpRequest, body: Find) -> Found:
    """Return whose an address or an identifier is; sent as a body, so that it stands in no address."""
    ids: dict[UUID, None] = {}
    if body.identifier:
        found = api.find_by_identifier(body.system, body.identifier)
        ids.update({found: None} if found else {})
    for channel, value in ((Channel.EMAIL, body.email), (Channel.SMS, body.phone)):
        if value:
            ids.update(dict.fromkeys(api.find_by_address(channel, value)))
    return Found(ids=list(ids))


class Moved(Schema):
    """The contact was merged into another: `Location` asks the same of that one. A split takes this back."""

    merged_into: UUID


@router.post(
    "/contacts/{contact_id}/open",
    response={200: Seen, 307: Moved},
    auth=api_key_auth(P.CONTACTS_PHI_REVEAL, idempotency=Idempotency.READS),
)
def look(request: HttpRequest, response: HttpResponse, contact_id: UUID, body: Look) -> Seen | Status[Moved]:
    """Open fields of one contact for a purpose; it is recorded under the key."""
    on = api.survivors([contact_id])
    if on and api.versions([on[contact_id]]):
        response["Location"] = request.path.replace(str(contact_id), str(on[contact_id]))
        return Status(307, Moved(merged_into=on[contact_id]))
    opened = api.open_one(
        contact_id, fields=body.fields, purpose=body.purpose, actor=_actor(request), revealed=True
    )
    addresses: dict[str, list[str]] = {}
    for one in opened.addresses:
        addresses.setdefault(one.channel.value, []).append(one.value.reveal())
    values = {name: phi.reveal() for name, phi in opened.values.items()}
    return Seen(id=opened.id, version=opened.version, values=values, addresses=addresses)


def _actor(request: HttpRequest) -> Actor:
    return cast("Actor", request.actor)  # type: ignore[attr-defined]
