"""What people see and change of their own account: sessions, recovery codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import second_factor
from salus.identity.models import Session, User
from salus.identity.ports import now
from salus.identity.sessions import stored_key
from salus.identity.staff import end_sessions
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One place where a person is signed in."""

    mark: str
    """Its name in the audit log; it opens nothing."""
    browser: str
    ip: str
    started_at: datetime
    seen_at: datetime
    own: bool
    """Whether it is the one that asks."""


def sessions_of(staff_id: UUID, session_key: str) -> tuple[OwnSession, ...]:
    """Return where a person is signed in, the last used first; `session_key` is the one that asks."""
    rows = Session.objects.filter(user_id=staff_id, expire_date__gt=now()).order_by("-seen_at")
    return tuple(
        OwnSession(
            row.session_key[:16],
            row.browser,
            row.ip or "",
            row.started_at or now(),
            row.seen_at or now(),
            row.session_key == stored_key(session_key),
        )
        for row in rows
    )


def end_other_sessions(staff_id: UUID, session_key: str, *, actor: Actor) -> int:
    """End all of a person's sessions but the one that asks; return how many."""
    ended = end_sessions(staff_id, except_key=stored_key(session_key))
    audit.record(
        Action.STAFF_CREDENTIAL,
        actor=actor,
        object_kind="staff",
        object_id=staff_id,
        fields=("sessions",),
        details={"ended": ended},
    )
    return ended


def recovery_codes_left(staff_id: UUID) -> int:
    """Return how many recovery codes a person has not used yet."""
    return second_factor.recovery_codes_left(User.objects.get(pk=staff_id))


def has_password(staff_id: UUID) -> bool:
    """Return whether a person has a password of their own; who signs on by a provider has none."""
    return User.objects.get(pk=staff_id).has_usable_password()


def has_app(staff_id: UUID) -> bool:
    """Return whether a person has an authenticator app."""
    return second_factor.has_app(User.objects.get(pk=staff_id))


def renew_recovery_codes(staff_id: UUID, code: str, *, actor: Actor) -> tuple[str, ...]:
    """Return new recovery codes for who shows a code of their app now; raises `BadInput` for a wrong one.

    Who has passkeys and no app shows none: whoever calls asks for a sign-in of just now instead. `Conflict`
    for somebody without any second factor.
    """
    user = User.objects.select_for_update().get(pk=staff_id)
    if not second_factor.is_set_up(user):
        raise Conflict("Recovery codes stand in for a second factor, and you have none here.")
    if second_factor.has_app(user) and second_factor.spend(user, "".join(code.split()), now()) != "totp":
        raise BadInput(
            "That is not the code of this moment. Wait for a new code and try again.", place="code"
        )
    codes = second_factor.renew_recovery_codes(user)
    audit.record(
        Action.STAFF_CREDENTIAL,
        actor=actor,
        object_kind="staff",
        object_id=staff_id,
        fields=("recovery_codes",),
    )
    return codes
