"""Passkeys (WebAuthn): the second factor after a password, or, where the device checks who holds it, both at once.

Kept in django-allauth's table as what is public anyway: the credential's public key, its counter, the browser
it was made in. There is nothing here that opens anything, and nothing that staff write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from allauth.mfa.models import Authenticator
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
from salus.identity import guard, second_factor, sign_in
from salus.identity.doorway import before_tenant
from salus.identity.models import Staff, User
from salus.identity.rules import GuardKind
from salus.identity.sign_in import HalfSignedIn
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.platform.tenancy import acting_for

FACTOR = "passkey"
MOST = 10
"""Passkeys of one person."""
FRESH = timedelta(minutes=15)
"""How long after a sign-in somebody may change what they sign in with."""

Options = dict[str, Any]
"""What the browser is asked, as JSON."""
State = dict[str, Any]
"""What the answer is held against: it waits in the session, and is good for one answer."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey of a person; `made_in` is the browser and system, as "Firefox on Windows"."""

    id: int
    made_in: str
    created_at: datetime
    last_used_at: datetime | None


def of(user_id: UUID) -> tuple[Passkey, ...]:
    """Return a person's passkeys, the oldest first."""
    return tuple(
        Passkey(row.pk, row.data["name"], row.created_at, row.last_used_at) for row in _rows(user_id)
    )


def ask_to_register(user_id: UUID) -> tuple[Options, State]:
    """Return what a browser needs to make a passkey that checks its holder (PIN, finger, face), and the state."""
    person = Staff.objects.select_related("user").get(pk=user_id)
    options, state = _server().register_begin(
        PublicKeyCredentialUserEntity(id=user_id.bytes, name=person.user.email, display_name=person.name),
        credentials=_credentials(_rows(user_id)),
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options), dict(state)


def register(user_id: UUID, state: State, answer: object, *, made_in: str, actor: Actor) -> tuple[str, ...]:
    """Keep a new passkey; return recovery codes when it is the person's first second factor, else none.

    Raises `BadInput` when the answer does not belong to what was asked, `Conflict` for too many.
    """
    user = User.objects.select_for_update().get(pk=user_id)
    rows = _rows(user_id)
    if len(rows) >= MOST:
        raise Conflict(f"You have {MOST} passkeys. Remove one that you do not use first.")
    with _understood():
        data = _server().register_complete(state, _document(answer))
    made = data.credential_data
    assert made is not None
    if any(made.credential_id == known.credential_id for known in _credentials(rows)):
        raise BadInput("This passkey is yours already.", place="passkey")
    is_first = not second_factor.is_set_up(user)
    Authenticator.objects.create(
        user_id=user_id,
        type=Authenticator.Type.WEBAUTHN,
        data={"name": made_in, "credential": bytes(made).hex(), "counter": data.counter},
    )
    _record(Action.STAFF_CREDENTIAL, user_id, actor, "added")
    return second_factor.renew_recovery_codes(user) if is_first else ()


def register_first(
    half: HalfSignedIn, state: State, answer: object, *, made_in: str, ip: str
) -> tuple[User, tuple[str, ...]]:
    """Keep the first second factor of somebody who has none; return them and their recovery codes.

    Raises `BadInput`, and `NotFound` when they have one by now or lost their access.
    """
    with acting_for(half.organization_id):
        user = User.objects.filter(pk=half.user_id, is_active=True).first()
        if user is None or second_factor.is_set_up(user):
            raise NotFound
        actor = sign_in.actor_of(user, ip=ip)
        return user, register(user.pk, state, answer, made_in=made_in, actor=actor)


def remove(user_id: UUID, passkey_id: int, *, actor: Actor) -> None:
    """Remove a passkey; raises `NotFound`, and `Conflict` for the last second factor."""
    user = User.objects.select_for_update().get(pk=user_id)
    row = next((row for row in _rows(user_id) if row.pk == passkey_id), None)
    if row is None:
        raise NotFound
    if len(_rows(user_id)) == 1 and not second_factor.has_app(user):
        raise Conflict("This is your only second factor.", next_step="Add another passkey first.")
    row.delete()
    _record(Action.STAFF_CREDENTIAL, user_id, actor, "removed")


def ask(half: HalfSignedIn | None) -> tuple[Options, State]:
    """Return what a browser needs to show a passkey, and the state.

    For somebody who gave their password: one of theirs. For nobody yet: any of this site, and the device
    must check its holder, because no password came before.
    """
    if half is None:
        options, state = _server().authenticate_begin(user_verification=UserVerificationRequirement.REQUIRED)
    else:
        with acting_for(half.organization_id):
            credentials = _credentials(_rows(half.user_id))
        options, state = _server().authenticate_begin(
            credentials, user_verification=UserVerificationRequirement.PREFERRED
        )
    return dict(options), {**state, "user": str(half.user_id) if half else ""}


def sign_in_step(
    half: HalfSignedIn | None, state: State, answer: object, *, ip: str, now: datetime
) -> User | None:
    """Check a passkey that was shown; None for every failure.

    Somebody without a password of their own comes in through their organization's identity provider: a
    passkey alone would outlive what that provider says of them.
    """
    if not state or state["user"] != (str(half.user_id) if half else ""):
        return None
    try:
        with _understood():
            given = AuthenticationResponse.from_dict(_document(answer))
            handle = given.response.user_handle
            user_id = half.user_id if half else UUID(bytes=bytes(handle or b""))
    except (BadInput, ValueError):
        return None
    organization_id = half.organization_id if half else _organization_of(user_id)
    if organization_id is None:
        return None
    with acting_for(organization_id):
        user = User.objects.select_for_update().filter(pk=user_id).first()
        return user and _checked(user, state, given, alone=half is None, ip=ip, now=now)


def _checked(
    user: User, state: State, given: AuthenticationResponse, *, alone: bool, ip: str, now: datetime
) -> User | None:
    try:
        guard.reserve(GuardKind.NETWORK, ip, now)
        pauses = guard.reserve(GuardKind.ACCOUNT, user.email, now)
    except guard.Paused:
        sign_in.record_failure(user, "paused", False, ip, now)
        return None
    row = _matching(user, state, given)
    reason = sign_in.refusal(user, matches=True) if row is not None else FACTOR
    if not reason and alone and not user.has_usable_password():
        reason = "sign_on_only"
    if row is None or reason:
        sign_in.record_failure(user, reason, pauses, ip, now)
        return None
    row.data["counter"], row.last_used_at = given.response.authenticator_data.counter, now
    row.save(update_fields=["data", "last_used_at"])
    guard.clear(GuardKind.ACCOUNT, user.email)
    guard.release(GuardKind.NETWORK, ip)
    return user


def _matching(user: User, state: State, given: AuthenticationResponse) -> Authenticator | None:
    """Return the passkey whose signature this is, unless its counter went back: then there are two of it."""
    rows = _rows(user.pk)
    try:
        found = _server().authenticate_complete(state, _credentials(rows), given)
    except ValueError:
        return None
    row = next(row for row in rows if _credential(row).credential_id == found.credential_id)
    if not counter_goes_on(row.data["counter"], given.response.authenticator_data.counter):
        return None
    return row


def counter_goes_on(kept: int, said: int) -> bool:
    """Return whether a passkey's counter fits the last one: it grows, or this kind of passkey never counts.

    One that stands still or goes back was copied (Web Authentication, 6.1.1).
    """
    return said > kept or said == kept == 0


def _server() -> Fido2Server:
    origin = urlsplit(settings.SALUS_PUBLIC_URL)
    exact = f"{origin.scheme}://{origin.netloc}"
    rp = PublicKeyCredentialRpEntity(id=origin.hostname, name=second_factor.ISSUER)
    return Fido2Server(rp, verify_origin=lambda said: said == exact)


def _organization_of(user_id: UUID) -> UUID | None:
    with before_tenant():
        return User.objects.filter(pk=user_id).values_list("organization_id", flat=True).first()


def _rows(user_id: UUID) -> Sequence[Authenticator]:
    found = Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.WEBAUTHN)
    return list(found.order_by("pk"))


def _credentials(rows: Sequence[Authenticator]) -> list[AttestedCredentialData]:
    return [_credential(row) for row in rows]


def _credential(row: Authenticator) -> AttestedCredentialData:
    return AttestedCredentialData(bytes.fromhex(row.data["credential"]))


def _document(answer: object) -> Mapping[str, Any]:
    if not isinstance(answer, Mapping):
        raise BadInput("That is not what a passkey answers.", place="passkey")
    return answer


@contextmanager
def _understood() -> Iterator[None]:
    """Make whatever the library says of an answer that is malformed or wrong one refusal."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError) as wrong:
        raise BadInput("That passkey could not be used.", place="passkey") from wrong


def _record(action: Action, user_id: UUID, actor: Actor, outcome: str) -> None:
    audit.record(
        action, actor=actor, object_kind="staff", object_id=user_id, fields=(FACTOR,), outcome=outcome
    )
