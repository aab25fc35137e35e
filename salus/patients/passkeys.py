"""Passkeys of patients (WebAuthn): a way in that the mailbox has no part in, made only after staff checked who it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.keys import api as keys
from salus.patients import operations
from salus.patients.contracts import PatientSession, Proof, Strength, Verified
from salus.patients.models import AccessRow, PasskeyRow
from salus.platform.tenancy import current_organization

Options = dict[str, Any]
"""What the browser is asked, as JSON."""
MOST = 5
"""Passkeys of one patient."""
GOOD_FOR = timedelta(minutes=5)
_UNUSABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError)
"""What the library says of an answer that is malformed or wrong."""


def count(contact_id: UUID) -> int:
    """Return how many passkeys a patient has."""
    return PasskeyRow.objects.filter(contact_id=contact_id).count()


def ask(contact_id: UUID, at: datetime) -> Options:
    """Return what a browser needs to show a passkey: any of this site, whose device checks its holder.

    No ids of theirs are told: whoever asks has proved nothing yet.
    """
    options, state = _server().authenticate_begin(user_verification=UserVerificationRequirement.REQUIRED)
    _await(contact_id, state, at)
    return dict(options)


def ask_to_make(session: PatientSession, clinic: str, at: datetime) -> Options:
    """Return what a browser needs to make a passkey; its device shows it under the clinic's name, never a person's."""
    if session.proof.strength < Strength.SECOND_WAY:
        raise NotFound
    options, state = _server().register_begin(
        PublicKeyCredentialUserEntity(id=session.contact_id.bytes, name=clinic, display_name=clinic),
        credentials=[_credential(row) for row in _rows(session.contact_id)],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    _await(session.contact_id, state, at)
    return dict(options)


def keep(session: PatientSession, answer: object, *, ip: str, at: datetime) -> None:
    """Keep a new passkey; raises `BadInput` when it does not belong to what was asked, `Conflict`, `NotFound`."""
    if session.proof.strength < Strength.SECOND_WAY:
        raise NotFound
    state = _asked(session.contact_id, at)
    if count(session.contact_id) >= MOST:
        raise Conflict(f"There are {MOST} passkeys already.")
    if state is None or not isinstance(answer, Mapping):
        raise BadInput("That passkey could not be used.", place="passkey")
    try:
        made = _server().register_complete(state, answer)
    except _UNUSABLE:
        raise BadInput("That passkey could not be used.", place="passkey") from None
    assert made.credential_data is not None
    row = PasskeyRow(contact_id=session.contact_id, made_at=at)
    row.sealed = _seal(row.id, bytes(made.credential_data), made.counter)
    row.save(force_insert=True)
    _record(session, ip, "added")


def forget(session: PatientSession, *, ip: str) -> int:
    """Remove every passkey of a patient; return how many."""
    gone: int = PasskeyRow.objects.filter(contact_id=session.contact_id).delete()[0]
    if gone:
        _record(session, ip, "removed")
    return gone


def sign_in(token: str, answer: object, *, ip: str, at: datetime) -> Verified | None:
    """Sign the reader of a link in with a passkey alone."""
    sent = operations.message_of(token, at)
    if not _shown(sent.contact_id, answer, at):
        operations.record_refusal(sent, ip)
        return None
    return operations.welcome(sent, Proof.PASSKEY, ip, at)


def step_up(session: PatientSession, answer: object, *, ip: str, at: datetime) -> Verified | None:
    """Put a stronger session in the place of one that began with less."""
    if not _shown(session.contact_id, answer, at):
        operations.record_refusal(session, ip)
        return None
    return operations.stronger(session, Proof.PASSKEY, ip, at)


def _shown(contact_id: UUID, answer: object, at: datetime) -> bool:
    """Return whether this is the signature of a passkey of theirs over what was asked, whose counter goes on."""
    state = _asked(contact_id, at)
    if state is None or not isinstance(answer, Mapping):
        return False
    rows = _rows(contact_id)
    try:
        given = AuthenticationResponse.from_dict(answer)
        found = _server().authenticate_complete(state, [_credential(row) for row in rows], given)
        said = given.response.authenticator_data.counter
    except _UNUSABLE:
        return False
    row = next(row for row in rows if _credential(row).credential_id == found.credential_id)
    kept = int(_opened(row)["counter"])
    if not (said > kept or said == kept == 0):  # Web Authentication, 6.1.1: it was copied
        return False
    row.sealed, row.used_at = _seal(row.id, bytes(_credential(row)), said), at
    row.save(update_fields=["sealed", "used_at"])
    return True


def _await(contact_id: UUID, state: Mapping[str, Any], at: datetime) -> None:
    row = operations.locked_row(contact_id)
    row.challenge = keys.sealer().seal(json.dumps(dict(state)).encode(), _challenge_binding(contact_id))
    row.challenge_until = at + GOOD_FOR
    row.save(update_fields=["challenge", "challenge_until"])


def _asked(contact_id: UUID, at: datetime) -> dict[str, Any] | None:
    """Return what was asked, once; None when nothing waits for an answer."""
    row = operations.locked_row(contact_id)
    waiting, until = row.challenge, row.challenge_until
    AccessRow.objects.filter(contact_id=contact_id).update(challenge=None, challenge_until=None)
    if waiting is None or until is None or at >= until:
        return None
    state: dict[str, Any] = json.loads(keys.sealer().open(bytes(waiting), _challenge_binding(contact_id)))
    return state


def _server() -> Fido2Server:
    origin = urlsplit(settings.SALUS_PUBLIC_URL)
    exact = f"{origin.scheme}://{origin.netloc}"
    rp = PublicKeyCredentialRpEntity(id=origin.hostname, name="Message center")
    return Fido2Server(rp, verify_origin=lambda said: said == exact)


def _rows(contact_id: UUID) -> list[PasskeyRow]:
    return list(PasskeyRow.objects.filter(contact_id=contact_id).order_by("made_at", "id"))


def _credential(row: PasskeyRow) -> AttestedCredentialData:
    return AttestedCredentialData(bytes.fromhex(_opened(row)["credential"]))


def _opened(row: PasskeyRow) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(keys.sealer().open(bytes(row.sealed), _binding(row.id)))
    return document


def _seal(id: UUID, credential: bytes, counter: int) -> bytes:
    document = json.dumps({"credential": credential.hex(), "counter": counter})
    return keys.sealer().seal(document.encode(), _binding(id))


def _binding(id: UUID) -> bytes:
    return keys.binding(current_organization(), "patients_passkey", id)


def _challenge_binding(contact_id: UUID) -> bytes:
    return keys.binding(current_organization(), "patients_access", contact_id)


def _record(session: PatientSession, ip: str, outcome: str) -> None:
    actor: Actor = operations.patient(current_organization(), session.contact_id, session.id, ip)
    audit.record(
        Action.PATIENT_PASSKEY,
        actor=actor,
        object_kind="contact",
        object_id=session.contact_id,
        patient_id=session.contact_id,
        outcome=outcome,
    )
