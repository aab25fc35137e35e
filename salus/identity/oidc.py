"""OpenID Connect: the authorization code flow with PKCE and nonce, discovery, and keys that rotate."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit
from uuid import UUID

from salus.identity import foreign, sign_on_rules
from salus.identity.sign_on_rules import Refusal, Refused, Said
from salus.kernel.errors import BadInput

REMEMBER = timedelta(minutes=10)
"""How long metadata and keys of a provider are remembered: a key that it withdrew works no longer than this."""
ASK_AGAIN = timedelta(seconds=10)
"""A key that we do not know makes us look for new ones, but no more often than this."""

Fetch = Callable[[str, Mapping[str, str], bytes | None], tuple[int, bytes]]
"""Asks this provider: address, headers, a form or None; gives status and body. Raises `Unavailable`, `OutOfScope`."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to a provider, and where it is; without a secret PKCE alone proves that it is us."""

    provider_id: UUID
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str
    role_claim: str
    vouches: bool
    """Whether the organization takes the provider's word for addresses that it does not call verified."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked from one browser: it waits in that browser's session."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider says of itself (OpenID Connect Discovery 1.0)."""

    authorization: str
    token: str
    jwks: str
    userinfo: str
    end_session: str
    token_auth: frozenset[str]
    says_issuer: bool
    """Whether its answers name it (RFC 9207)."""


@dataclass(slots=True)
class _Remembered:
    metadata: Metadata
    at: datetime
    jwks: Mapping[str, Any] = field(default_factory=dict)
    jwks_at: datetime | None = None


_remembered: dict[tuple[UUID, str], _Remembered] = {}


def fresh() -> Asked:
    """Return what to ask a browser's provider with: three secrets that nobody has used."""
    return Asked(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))


def address(
    client: Client, asked: Asked, redirect_uri: str, fetch: Fetch, *, laboratory: bool, now: datetime
) -> str:
    """Return where to send the browser; raises `Refused`, and what `fetch` raises."""
    metadata = _known(client, fetch, laboratory, now).metadata
    challenge = base64.urlsafe_b64encode(hashlib.sha256(asked.verifier.encode()).digest()).rstrip(b"=")
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "scope": client.scopes,
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    return _with(metadata.authorization, query)


def out_address(client: Client, back_to: str, fetch: Fetch, *, laboratory: bool, now: datetime) -> str:
    """Return where a browser ends the provider's own session (RP-Initiated Logout 1.0), "" when nowhere."""
    end_session = _known(client, fetch, laboratory, now).metadata.end_session
    query = {"client_id": client.client_id, "post_logout_redirect_uri": back_to}
    return _with(end_session, query) if end_session else ""


def finish(
    client: Client,
    asked: Asked,
    answer: Mapping[str, str],
    redirect_uri: str,
    fetch: Fetch,
    *,
    laboratory: bool,
    now: datetime,
) -> Said:
    """Return what the provider says, for the answer that a browser brought back; raises `Refused`."""
    known = _known(client, fetch, laboratory, now)
    if answer.get("iss", client.issuer) != client.issuer or (
        known.metadata.says_issuer and "iss" not in answer
    ):
        raise Refused(Refusal.ISSUER)
    if not secrets.compare_digest(answer.get("state", "").encode(), asked.state.encode()):
        raise Refused(Refusal.REQUEST)
    if "error" in answer or not answer.get("code"):
        raise Refused(Refusal.PROVIDER_SAYS_NO)
    tokens = _exchange(client, known.metadata, answer["code"], asked.verifier, redirect_uri, fetch)
    claims = _verified(str(tokens.get("id_token", "")), known, fetch, now)
    sign_on_rules.check_id_token(
        claims, issuer=client.issuer, client_id=client.client_id, nonce=asked.nonce, now=now
    )
    return _said(client, {**_userinfo(known.metadata, tokens, claims, fetch), **claims})


def ended(client: Client, token: str, fetch: Fetch, *, laboratory: bool, now: datetime) -> tuple[str, str]:
    """Return the subject whose session a provider ended, and the id of its word for it; raises `Refused`."""
    claims = _verified(token, _known(client, fetch, laboratory, now), fetch, now)
    sign_on_rules.check_logout_token(claims, issuer=client.issuer, client_id=client.client_id, now=now)
    return claims["sub"], claims["jti"]


def forget(provider_id: UUID) -> None:
    """Forget what a provider said of itself: its settings changed."""
    for key in [key for key in _remembered if key[0] == provider_id]:
        del _remembered[key]


def _known(client: Client, fetch: Fetch, laboratory: bool, now: datetime) -> _Remembered:
    key = (client.provider_id, client.issuer)
    known = _remembered.get(key)
    if known is None or not timedelta(0) <= now - known.at < REMEMBER:
        known = _remembered[key] = _Remembered(_discover(client.issuer, fetch, laboratory), now)
    return known


def _discover(issuer: str, fetch: Fetch, laboratory: bool) -> Metadata:
    document = _json(fetch(issuer.rstrip("/") + "/.well-known/openid-configuration", {}, None))
    if document.get("issuer") != issuer:
        raise Refused(Refusal.ISSUER)
    if "S256" not in document.get("code_challenge_methods_supported", ["S256"]):
        raise Refused(Refusal.PROVIDER_SAYS_NO)

    def place(name: str, *, needed: bool = True) -> str:
        said = document.get(name)
        if said is None and not needed:
            return ""
        try:
            return sign_on_rules.check_address(str(said), laboratory=laboratory)
        except BadInput:
            raise Refused(Refusal.UNREADABLE) from None

    return Metadata(
        authorization=place("authorization_endpoint"),
        token=place("token_endpoint"),
        jwks=place("jwks_uri"),
        userinfo=place("userinfo_endpoint", needed=False),
        end_session=place("end_session_endpoint", needed=False),
        token_auth=sign_on_rules.texts(
            document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        ),
        says_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _exchange(
    client: Client, metadata: Metadata, code: str, verifier: str, redirect_uri: str, fetch: Fetch
) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    headers = {}
    if not client.client_secret:
        form["client_id"] = client.client_id
    elif "client_secret_basic" in metadata.token_auth:
        both = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
        headers["Authorization"] = "Basic " + base64.b64encode(both.encode()).decode()
    else:
        form |= {"client_id": client.client_id, "client_secret": client.client_secret}
    return _json(fetch(metadata.token, headers, urlencode(form).encode()))


def _verified(token: str, known: _Remembered, fetch: Fetch, now: datetime) -> dict[str, Any]:
    """Return the claims of a token signed with one of the provider's keys, new ones fetched when none fits."""
    if known.jwks_at is None:
        _fetch_keys(known, fetch, now)
    try:
        return foreign.verified_claims(token, known.jwks)
    except foreign.UnknownKey:
        assert known.jwks_at is not None
        if now - known.jwks_at >= ASK_AGAIN:
            _fetch_keys(known, fetch, now)
    try:
        return foreign.verified_claims(token, known.jwks)
    except foreign.UnknownKey:
        raise Refused(Refusal.SIGNATURE) from None


def _fetch_keys(known: _Remembered, fetch: Fetch, now: datetime) -> None:
    known.jwks, known.jwks_at = _json(fetch(known.metadata.jwks, {}, None)), now


def _userinfo(
    metadata: Metadata, tokens: Mapping[str, Any], claims: Mapping[str, Any], fetch: Fetch
) -> dict[str, Any]:
    """Return what the provider tells with the access token, which some do instead of in the ID token."""
    token = tokens.get("access_token")
    if not metadata.userinfo or not isinstance(token, str):
        return {}
    status, body = fetch(metadata.userinfo, {"Authorization": f"Bearer {token}"}, None)
    if status != 200:
        return {}
    told = _json((status, body))
    if told.get("sub") != claims["sub"]:  # Core 5.3.2: it may be about somebody else
        raise Refused(Refusal.SUBJECT)
    return told


def _said(client: Client, claims: Mapping[str, Any]) -> Said:
    email, name = claims.get("email"), claims.get("name")
    return Said(
        subject=claims["sub"],
        email=email if isinstance(email, str) else "",
        vouched=claims.get("email_verified") is True or client.vouches,
        name=name if isinstance(name, str) else "",
        groups=sign_on_rules.texts(claims.get(client.role_claim)),
        strength=sign_on_rules.texts(claims.get("amr")) | sign_on_rules.texts(claims.get("acr")),
    )


def _json(answer: tuple[int, bytes]) -> dict[str, Any]:
    status, body = answer
    if status != 200:
        raise Refused(Refusal.PROVIDER_SAYS_NO)
    try:
        found = json.loads(body)
    except ValueError:
        raise Refused(Refusal.UNREADABLE) from None
    if not isinstance(found, dict):
        raise Refused(Refusal.UNREADABLE)
    return found


def _with(address: str, query: Mapping[str, str]) -> str:
    return address + ("&" if urlsplit(address).query else "?") + urlencode(query)
