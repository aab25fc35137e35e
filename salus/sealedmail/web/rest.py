"""For programs: keys that mail to a person, or to a partner's domain, is encrypted to."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from salus.identity.api import api_key_auth
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.time import SystemClock
from salus.sealedmail import api
from salus.sealedmail.contracts import (
    Found,
    KeyKind,
    OnFile,
    Revocation,
    Source,
    Standing,
    Vouched,
)

router = Router(tags=["mail keys"])
CLOCK = SystemClock()
READ, EDIT = Permission.SEALEDMAIL_KEY_READ, Permission.SEALEDMAIL_KEY_EDIT


class NewKey(Schema):
    """A certificate in PEM, or an OpenPGP public key in armor.

    `fingerprint` is what its holder said (SHA-256 of a certificate, the fingerprint of an OpenPGP key); needed
    where no authority vouches that the organization trusts.
    """

    key: str = Field(min_length=1, max_length=300_000)
    fingerprint: str = Field("", max_length=200)


class NewDomainKey(NewKey):
    """The same for everybody at a partner's domain."""

    domain: str = Field(min_length=1, max_length=253)


class Kept(Schema):
    """The id of a key on file."""

    id: UUID


class Key(Schema):
    """A key on file; `standing` says whether it is written to now. `address` is empty for a domain's."""

    id: UUID
    kind: KeyKind
    contact_id: UUID | None
    domain: str
    address: str
    fingerprint: str
    algorithm: str
    source: Source
    vouched: Vouched
    standing: Standing
    not_after: datetime | None
    added_at: datetime
    revoked_at: datetime | None
    why: Revocation | None


class Keys(Schema):
    """Keys on file, also those that have ended."""

    keys: list[Key]


class Revoking(Schema):
    """Why a key is used no more; with `revocation`, by a signed one of its holder (OpenPGP, armor)."""

    why: Revocation = Revocation.COMPROMISED
    revocation: str = Field("", max_length=100_000)


class RevocationList(Schema):
    """A revocation list of an authority, in PEM."""

    list: str = Field(min_length=1, max_length=4_200_000)


class Ended(Schema):
    """How many certificates on file are used no more."""

    ended: int


class LookedUp(Schema):
    """When the directory of a person's domain was asked last, and what it brought."""

    at: datetime | None
    found: Found | None


@router.get("/contacts/{contact_id}/mail-keys", response=Keys, auth=api_key_auth(READ))
def of_contact(request: HttpRequest, contact_id: UUID) -> Keys:
    """List the keys of a person, the newest first."""
    return _shown(api.keys_of(contact_id, CLOCK.now()))


@router.post("/contacts/{contact_id}/mail-keys", response={201: Kept}, auth=api_key_auth(EDIT))
def add(request: HttpRequest, contact_id: UUID, given: NewKey) -> Status[Kept]:
    """Put a person's key on file; it takes the place of the one of its kind for the same address."""
    made = api.add_key(
        contact_id,
        given.key.encode(),
        fingerprint=given.fingerprint,
        source=Source.PROGRAM,
        actor=_actor(request),
        at=CLOCK.now(),
    )
    return Status(201, Kept(id=made))


@router.post("/contacts/{contact_id}/mail-keys/look-up", response={202: None}, auth=api_key_auth(EDIT))
def look_up(request: HttpRequest, contact_id: UUID) -> Status[None]:
    """Ask the web key directory of the person's domain, soon. 409 when the organization does not ask directories."""
    api.ask_directory(contact_id)
    return Status(202, None)


@router.get("/contacts/{contact_id}/mail-keys/look-up", response=LookedUp, auth=api_key_auth(READ))
def looked_up(request: HttpRequest, contact_id: UUID) -> LookedUp:
    """Say what the last look-up brought."""
    found = api.looked_up(contact_id)
    return LookedUp(at=found.at if found else None, found=found.found if found else None)


@router.get("/mail-keys/domains", response=Keys, auth=api_key_auth(READ))
def of_domains(request: HttpRequest) -> Keys:
    """List the keys of partners' domains."""
    return _shown(api.keys_of_domains(CLOCK.now()))


@router.post("/mail-keys/domains", response={201: Kept}, auth=api_key_auth(EDIT))
def add_domain(request: HttpRequest, given: NewDomainKey) -> Status[Kept]:
    """Put the key of a partner's whole domain on file."""
    made = api.add_domain_key(
        given.domain,
        given.key.encode(),
        fingerprint=given.fingerprint,
        source=Source.PROGRAM,
        actor=_actor(request),
        at=CLOCK.now(),
    )
    return Status(201, Kept(id=made))


@router.post("/mail-keys/{key_id}/revoke", response={204: None}, auth=api_key_auth(EDIT))
def revoke(request: HttpRequest, key_id: UUID, given: Revoking) -> Status[None]:
    """Use a key no more, from now on. 409 when it is not in use any more."""
    if given.revocation:
        api.revoke_by_holder(key_id, given.revocation.encode(), actor=_actor(request), at=CLOCK.now())
    else:
        api.revoke(key_id, given.why, actor=_actor(request), at=CLOCK.now())
    return Status(204, None)


@router.post("/mail-keys/revocation-lists", response=Ended, auth=api_key_auth(EDIT))
def read_list(request: HttpRequest, given: RevocationList) -> Ended:
    """Hold an authority's revocation list (CRL) against the certificates on file; those on it are used no more."""
    return Ended(ended=api.revoke_by_list(given.list.encode(), actor=_actor(request), at=CLOCK.now()))


def _shown(found: list[OnFile]) -> Keys:
    return Keys(
        keys=[
            Key(
                id=each.id,
                kind=each.kind,
                contact_id=each.contact_id,
                domain=each.domain.reveal(),
                address=each.address.reveal(),
                fingerprint=each.fingerprint.reveal(),
                algorithm=each.algorithm,
                source=each.source,
                vouched=each.vouched,
                standing=each.standing,
                not_after=each.not_after,
                added_at=each.added_at,
                revoked_at=each.revoked_at,
                why=each.why,
            )
            for each in found
        ]
    )


def _actor(request: HttpRequest) -> Actor:
    return cast("Actor", request.actor)  # type: ignore[attr-defined]
