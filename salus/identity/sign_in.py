"""Sign-in in two steps, password and code; every failure looks the same and takes the same time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import guard, rules, second_factor, sessions
from salus.identity.doorway import before_tenant
from salus.identity.models import OrganizationRow, User
from salus.identity.rules import GuardKind
from salus.kernel.acting import Actor, ActorKind
from salus.platform.tenancy import acting_for

_log = logging.getLogger(__name__)

REFUSED = (
    "That did not work. Check your e-mail address, password and code. "
    "After five tries that fail, you have to wait 15 minutes or longer."
)
"""The one message for every failure: it tells nobody which part was wrong, or whether there is an account."""


CODE_WITHIN = rules.SECOND_STEP
"""How long the password step waits for the code."""


@dataclass(frozen=True, slots=True)
class HalfSignedIn:
    """Somebody who knew the password; the code is still missing, or a second factor must be set up first."""

    user_id: UUID
    organization_id: UUID
    must_enroll: bool


def password_step(email: str, password: str, *, ip: str, now: datetime) -> HalfSignedIn | None:
    """Check e-mail and password; None for every failure.

    The password is hashed once on every path (unknown address, paused, inactive), so the time taken
    tells nothing. The try is counted before it is made, and taken back when it succeeds.
    """
    address = normalize(email)
    user = _find(address)
    try:
        guard.reserve(GuardKind.NETWORK, ip, now)
        pauses = guard.reserve(GuardKind.ACCOUNT, address, now)
        reason = ""
    except guard.Paused:
        pauses, reason = False, "paused"
    encoded = user.password if user is not None and user.has_usable_password() else _nobody()
    matches = check_password(password, encoded)
    if user is None:
        _log.info("sign-in refused: unknown account, from %s", ip)
        return None
    if not reason:
        reason = refusal(user, matches)
    if reason:
        record_failure(user, reason, pauses, ip, now)
        return None
    guard.release(GuardKind.ACCOUNT, address)
    guard.release(GuardKind.NETWORK, ip)
    with acting_for(user.organization_id):
        return HalfSignedIn(user.pk, user.organization_id, must_enroll=not second_factor.is_set_up(user))


def code_step(half: HalfSignedIn, code: str, *, ip: str, now: datetime) -> tuple[User, str] | None:
    """Check the code of somebody who knew the password; return them and the factor, None for a failure."""
    with acting_for(half.organization_id):
        user = User.objects.select_for_update().filter(pk=half.user_id, is_active=True).first()
        if user is None:
            return None
        try:
            guard.reserve(GuardKind.NETWORK, ip, now)
            pauses = guard.reserve(GuardKind.ACCOUNT, user.email, now)
        except guard.Paused:
            record_failure(user, "paused", False, ip, now)
            return None
        factor = second_factor.spend(user, "".join(code.split()), now)
        if factor is None:
            record_failure(user, "second_factor", pauses, ip, now)
            return None
        guard.clear(GuardKind.ACCOUNT, user.email)
        guard.release(GuardKind.NETWORK, ip)
        return user, factor


def enroll_step(
    half: HalfSignedIn, secret: str, code: str, *, ip: str, now: datetime
) -> tuple[User, tuple[str, ...]] | None:
    """Set up the second factor once its first code is right; return the person and their recovery codes."""
    with acting_for(half.organization_id):
        user = User.objects.select_for_update().filter(pk=half.user_id, is_active=True).first()
        if user is None or second_factor.is_set_up(user):
            return None
        step = second_factor.matching_step(secret, "".join(code.split()), now, 0)
        if step is None:
            return None
        codes = second_factor.set_up(user, secret)
        user.totp_step = step
        user.save(update_fields=["totp_step"])
        audit.record(
            Action.STAFF_CREDENTIAL,
            actor=actor_of(user, ip=ip),
            object_kind="staff",
            object_id=user.pk,
            fields=("second_factor",),
            at=now,
        )
        return user, codes


def email_of(half: HalfSignedIn) -> str:
    """Return the e-mail address of somebody who knew the password."""
    with acting_for(half.organization_id):
        return User.objects.values_list("email", flat=True).get(pk=half.user_id)


def ways_of(half: HalfSignedIn) -> dict[str, bool]:
    """Return which second factors somebody has who passed the first step: `has_app`, `has_passkey`."""
    with acting_for(half.organization_id):
        user = User.objects.get(pk=half.user_id)
        return {
            "has_app": second_factor.has_app(user),
            "has_passkey": second_factor.has_passkey(user.pk),
        }


def begin(request: HttpRequest, user: User, factor: str, *, ip: str, now: datetime) -> None:
    """Start the session of somebody who passed both steps; it is recorded before it is handed out."""
    sessions.start(request, user, factor, now)
    request.session.save()
    with acting_for(user.organization_id):
        audit.record(
            Action.STAFF_SIGN_IN,
            actor=actor_of(user, ip=ip, session_id=sessions.short_id(request.session)),
            object_kind="staff",
            object_id=user.pk,
            reason=factor,
            at=now,
        )


def record_sign_out(
    organization_id: UUID, user_id: UUID, *, reason: str, ip: str, session_id: str, now: datetime
) -> None:
    """Record that a session ended: "asked", "idle" or "absolute"."""
    with acting_for(organization_id):
        audit.record(
            Action.STAFF_SIGN_OUT,
            actor=Actor(ActorKind.STAFF, organization_id, user_id, session_id=session_id, ip=ip),
            object_kind="staff",
            object_id=user_id,
            reason=reason,
            at=now,
        )


def normalize(email: str) -> str:
    """Return an e-mail address as it is stored and compared: trimmed, small letters."""
    return email.strip().lower()[:254]


def actor_of(user: User, *, ip: str = "", session_id: str = "") -> Actor:
    """Return the staff member as an actor without permissions, for entries about signing in."""
    return Actor(ActorKind.STAFF, user.organization_id, user.pk, session_id=session_id, ip=ip)


def _find(address: str) -> User | None:
    with before_tenant():
        return User.objects.filter(email=address).first()


@lru_cache(maxsize=1)
def _nobody() -> str:
    """Return the hash that an unknown person's password is compared with."""
    return make_password("nobody has this password")


def refusal(user: User, matches: bool) -> str:
    """Return the reason, as a code for the log, why this person may not go on; "" when they may."""
    if not matches:
        return "password"
    if not user.is_active:
        return "inactive"
    with acting_for(user.organization_id):
        demo = OrganizationRow.objects.filter(pk=user.organization_id, demo=True).exists()
    return "demo_off_loopback" if demo and not settings.SALUS_LOOPBACK else ""


def record_failure(user: User, reason: str, pauses: bool, ip: str, now: datetime) -> None:
    """Record a sign-in that was refused, and the pause that begins with it when `pauses`."""
    with acting_for(user.organization_id):
        audit.record(
            Action.STAFF_SIGN_IN,
            actor=actor_of(user, ip=ip),
            object_kind="staff",
            object_id=user.pk,
            outcome="refused",
            reason=reason,
            at=now,
        )
        if pauses:
            audit.record(
                Action.STAFF_LOCK_OUT,
                actor=actor_of(user, ip=ip),
                object_kind="staff",
                object_id=user.pk,
                outcome="refused",
                reason="too_many_failures",
                at=now,
            )
