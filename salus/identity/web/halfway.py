"""Who is half signed in: what the session keeps between the first step and the second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.http import HttpRequest

from salus.identity import second_factor
from salus.identity.ports import now
from salus.identity.sign_in import CODE_WITHIN, HalfSignedIn
from salus.keys import api as keys
from salus.platform.tenancy import acting_for

_HALF = "half_signed_in"


@dataclass(frozen=True, slots=True)
class Half:
    """A half sign-in as the session keeps it."""

    step: HalfSignedIn
    at: datetime
    next: str
    sealed_secret: str


def keep(request: HttpRequest, half: HalfSignedIn, wanted: str) -> None:
    """Remember that the first step was passed, under a fresh session key."""
    request.session.flush()
    request.session[_HALF] = {
        "user": str(half.user_id),
        "organization": str(half.organization_id),
        "enroll": half.must_enroll,
        "at": int(now().timestamp()),
        "next": wanted,
        "secret": "",
    }


def kept(request: HttpRequest) -> Half | None:
    """Return who passed the first step in this session, None for nobody or too long ago."""
    kept = request.session.get(_HALF)
    if not kept:
        return None
    at = datetime.fromtimestamp(kept["at"], UTC)
    if now() - at > CODE_WITHIN:
        request.session.flush()
        return None
    step = HalfSignedIn(UUID(kept["user"]), UUID(kept["organization"]), kept["enroll"])
    return Half(step, at, kept["next"], kept["secret"])


def secret(request: HttpRequest, half: Half) -> str:
    """Return the secret that is being set up; it waits sealed in the session until its first code is right."""
    bound = keys.binding(half.step.organization_id, "identity_enrollment", half.step.user_id)
    with acting_for(half.step.organization_id):
        if half.sealed_secret:
            return keys.sealer().open(bytes.fromhex(half.sealed_secret), bound).decode()
        secret = second_factor.new_secret()
        sealed = keys.sealer().seal(secret.encode(), bound).hex()
    request.session[_HALF] = {**request.session[_HALF], "secret": sealed}
    return secret
