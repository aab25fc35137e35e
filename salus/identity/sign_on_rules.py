"""Pure decisions of sign-on: is what an identity provider says meant for us, now, once, and what roles does it give."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from salus.identity.contracts import Role
from salus.kernel.errors import BadInput

SKEW = timedelta(seconds=60)
"""How far a provider's clock may be off, each way."""
WAITS = timedelta(minutes=10)
"""How long somebody may take at their provider."""
OLDEST = timedelta(minutes=10)
"""How old what a provider says may be, whatever it says of its own end."""
DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]\Z")
LONGEST_GROUP = 300


class Refusal(StrEnum):
    """Why a sign-on was refused; the log says it, the person is told one sentence for all."""

    NOT_ASKED = "not_asked"
    """Nothing was asked from this browser, or too long ago, or it was answered already."""
    PROVIDER_SAYS_NO = "provider_says_no"
    UNREADABLE = "unreadable"
    SIGNATURE = "signature"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    NONCE = "nonce"
    REQUEST = "request"
    """It answers another request than ours."""
    PLACE = "place"
    """It was meant for another address."""
    EXPIRED = "expired"
    TOO_EARLY = "too_early"
    REPLAY = "replay"
    SUBJECT = "subject"
    ENCRYPTED = "encrypted"
    EMAIL = "email"
    """No e-mail address, or one that the provider does not vouch for."""
    EMAIL_DOMAIN = "email_domain"
    EMAIL_TAKEN = "email_taken"
    UNKNOWN_PERSON = "unknown_person"
    NO_ROLE = "no_role"
    INACTIVE = "inactive"
    UNREACHABLE = "unreachable"
    OUT_OF_SCOPE = "out_of_scope"
    PAUSED = "paused"


class Refused(Exception):
    """A sign-on is refused; `reason` is for the log."""

    def __init__(self, reason: Refusal) -> None:
        self.reason = reason
        super().__init__(reason.value)


@dataclass(frozen=True, slots=True)
class Said:
    """What a provider says of a person, after everything about it was verified."""

    subject: str = field(repr=False)
    email: str = field(repr=False)
    vouched: bool
    """Whether the provider says that the address is theirs."""
    name: str = field(repr=False)
    groups: frozenset[str] = field(repr=False)
    """The values of the claim that gives roles."""
    strength: frozenset[str]
    """How they were authenticated: amr and acr values, or authentication context classes."""


def check_id_token(
    claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: datetime
) -> None:
    """Hold the claims of an ID token against what was asked (OpenID Connect Core 1.0, 3.1.3.7); raises `Refused`."""
    if claims.get("iss") != issuer:
        raise Refused(Refusal.ISSUER)
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences:
        raise Refused(Refusal.AUDIENCE)
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != client_id:
        raise Refused(Refusal.AUDIENCE)
    issued, ends = _moment(claims.get("iat")), _moment(claims.get("exp"))
    begins = _moment(claims["nbf"]) if "nbf" in claims else issued
    if issued is None or ends is None or begins is None:
        raise Refused(Refusal.UNREADABLE)
    check_times(begins=max(begins, issued), ends=min(ends, issued + OLDEST), now=now)
    if not nonce or claims.get("nonce") != nonce:
        raise Refused(Refusal.NONCE)
    if not isinstance(claims.get("sub"), str) or not 0 < len(claims["sub"]) <= 255:
        raise Refused(Refusal.SUBJECT)


LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


def check_logout_token(claims: Mapping[str, Any], *, issuer: str, client_id: str, now: datetime) -> None:
    """Hold a logout token against what it has to be (Back-Channel Logout 1.0, 2.6); raises `Refused`.

    It is for us, of now, of one kind, has an id to be used up, and could never pass for an ID token.
    """
    if claims.get("iss") != issuer:
        raise Refused(Refusal.ISSUER)
    if client_id not in texts(claims.get("aud")):
        raise Refused(Refusal.AUDIENCE)
    issued = _moment(claims.get("iat"))
    if issued is None:
        raise Refused(Refusal.UNREADABLE)
    check_times(
        begins=issued, ends=min(_moment(claims.get("exp")) or issued + OLDEST, issued + OLDEST), now=now
    )
    events = claims.get("events")
    if not isinstance(events, dict) or LOGOUT not in events or "nonce" in claims:
        raise Refused(Refusal.UNREADABLE)
    if not all(isinstance(claims.get(name), str) and claims[name] for name in ("sub", "jti")):
        raise Refused(Refusal.SUBJECT)


def check_times(*, begins: datetime | None, ends: datetime | None, now: datetime) -> None:
    """Raise `Refused` when `now` is not from `begins` until before `ends`, give or take `SKEW`."""
    if ends is None or now >= ends + SKEW:
        raise Refused(Refusal.EXPIRED)
    if begins is not None and now < begins - SKEW:
        raise Refused(Refusal.TOO_EARLY)


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 2**33:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def texts(value: object) -> frozenset[str]:
    """Return the texts of a claim that is one text or a list of them; anything else says nothing."""
    found = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return frozenset(each for each in found if isinstance(each, str) and each)


def roles_of(groups: Iterable[str], mapping: Mapping[str, Role]) -> tuple[Role, ...]:
    """Return the roles that these groups give, in the order of the vocabulary; an unknown group gives none."""
    given = {mapping[group] for group in groups if group in mapping}
    return tuple(role for role in Role if role in given)


def is_strong(strength: Collection[str], accepted: Collection[str]) -> bool:
    """Return whether the provider asserts a second factor in a word that the organization accepts."""
    return not frozenset(strength).isdisjoint(accepted)


def check_mapping(lines: Mapping[Role, Iterable[str]]) -> dict[str, Role]:
    """Return the mapping from group to role; raises `BadInput` for a group that would give two roles."""
    found: dict[str, Role] = {}
    for role, groups in lines.items():
        for group in filter(None, (each.strip() for each in groups)):
            if len(group) > LONGEST_GROUP:
                raise BadInput(f"A group has at most {LONGEST_GROUP} characters.", place=role.value)
            if found.setdefault(group, role) is not role:
                raise BadInput(f"{group[:60]} gives {found[group].words} already.", place=role.value)
    return found


def check_domains(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the e-mail domains that a provider speaks for; raises `BadInput` for none, or what is no domain."""
    found = sorted({each.strip().lower().removeprefix("@") for each in texts} - {""})
    if not found:
        raise BadInput("Name at least one e-mail domain that the provider speaks for.", place="domains")
    for each in found:
        if not DOMAIN.match(each):
            raise BadInput(f"{each[:60]} is not a domain name.", place="domains")
    return tuple(found)


def check_address(text: str, *, laboratory: bool, place: str = "address") -> str:
    """Return the https address of a provider; in a `laboratory` also http on loopback. Raises `BadInput`."""
    kept = text.strip()
    try:
        parts = urlsplit(kept)
        host = parts.hostname or ""
        is_plain = parts.scheme == "http" and laboratory and host in {"localhost", "127.0.0.1", "::1"}
        fits = bool(host) and parts.port != 0 and (parts.scheme == "https" or is_plain)
    except ValueError:
        fits = False
    if not fits or len(kept) > 500 or not re.fullmatch(r"[!-~]+", kept) or parts.username or parts.fragment:
        raise BadInput("Write an address that begins with https://.", place=place)
    return kept
