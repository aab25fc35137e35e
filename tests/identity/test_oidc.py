"""What a forged, foreign, old or odd answer of an OpenID Connect provider comes to: nobody in."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from salus.identity import oidc, sign_on_rules
from salus.identity.contracts import Role
from salus.identity.oidc import Asked, Client
from salus.identity.sign_on_rules import Refusal, Refused, Said
from salus.kernel.errors import BadInput

NOW = datetime(2026, 11, 24, 16, tzinfo=UTC)
ISSUER, BACK = "https://id.harbor.example", "https://salus.cedar-row.example/sign-on/oidc"
CLIENT = Client(UUID(int=7), ISSUER, "salus", "secret", "openid email", "groups", False)
ASKED = Asked("the-state", "the-nonce", "the-verifier")
KEY = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


def public(key: Any, kid: str, algorithm: Any) -> dict[str, Any]:
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


RSA, EC = jwt.algorithms.RSAAlgorithm, jwt.algorithms.ECAlgorithm


@dataclass
class Provider:
    """A provider that answers as a test says, and notes what it was asked."""

    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(
        default_factory=lambda: [public(KEY, "a", RSA), public(CURVE, "c", EC)]
    )
    sign: tuple[Any, str, dict[str, Any]] = (KEY, "RS256", {"kid": "a"})
    userinfo: dict[str, Any] | None = None
    token: str = ""
    status: int = 200
    asked: list[tuple[str, Mapping[str, str], bytes | None]] = field(default_factory=list)

    def fetch(self, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        self.asked.append((url, headers, body))
        return self.status, json.dumps(self._answer(urlsplit(url).path)).encode()

    def _answer(self, path: str) -> Any:
        if path.endswith("openid-configuration"):
            return {
                "issuer": ISSUER,
                "authorization_endpoint": ISSUER + "/authorize?tenant=1",
                "token_endpoint": ISSUER + "/token",
                "jwks_uri": ISSUER + "/jwks",
                "userinfo_endpoint": ISSUER + "/me",
                "code_challenge_methods_supported": ["S256"],
                **self.metadata,
            }
        if path == "/jwks":
            return {"keys": self.keys}
        if path == "/me":
            return self.userinfo or {"sub": "u-1"}
        at = int(NOW.timestamp())
        claims = {
            "iss": ISSUER, "aud": "salus", "sub": "u-1", "nonce": "the-nonce", "iat": at, "exp": at + 300,
            "email": "nadia@cedar-row.example", "email_verified": True, "groups": ["nurses"], "amr": ["mfa"],
            **self.claims,
        }  # fmt: skip
        key, algorithm, header = self.sign
        kept = {name: value for name, value in claims.items() if value is not None}
        return {"access_token": "x", "id_token": self.token or jwt.encode(kept, key, algorithm, header)}


def finish(provider: Provider, client: Client = CLIENT, **answer: str) -> Said:
    oidc.forget(client.provider_id)
    given = {"state": "the-state", "code": "c0de", **answer}
    return oidc.finish(client, ASKED, given, BACK, provider.fetch, laboratory=False, now=NOW)


def refusal(provider: Provider, **answer: str) -> Refusal:
    with pytest.raises(Refused) as refused:
        finish(provider, CLIENT, **answer)
    return refused.value.reason


def test_what_a_provider_says_is_read_and_our_code_is_proved_by_pkce() -> None:
    provider = Provider()
    said = finish(provider)
    assert said.email == "nadia@cedar-row.example"
    assert (set(said.groups), set(said.strength), said.vouched) == ({"nurses"}, {"mfa"}, True)
    _, headers, body = next(each for each in provider.asked if each[2])
    form = {name: value[0] for name, value in parse_qs((body or b"").decode()).items()}
    assert form["code_verifier"] == "the-verifier"
    assert base64.b64decode(headers["Authorization"].split()[1]) == b"salus:secret"
    address = oidc.address(CLIENT, ASKED, BACK, provider.fetch, laboratory=False, now=NOW)
    query = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"the-verifier").digest()).rstrip(b"=").decode()
    assert (query["code_challenge"], query["code_challenge_method"]) == (challenge, "S256")
    assert (query["nonce"], query["state"], query["tenant"]) == ("the-nonce", "the-state", "1")


def test_what_is_asked_is_never_the_same() -> None:
    made = [oidc.fresh() for _ in range(50)]
    assert len({each.state for each in made} | {each.nonce for each in made}) == 100
    assert all(len(each.verifier) >= 43 for each in made)


def test_who_has_no_secret_proves_themselves_by_pkce_alone() -> None:
    provider = Provider()
    finish(provider, replace(CLIENT, client_secret=""))
    _, headers, body = next(each for each in provider.asked if each[2])
    assert "Authorization" not in headers
    assert b"client_id=salus" in (body or b"")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://id.evil.example"}, Refusal.ISSUER),
        ({"aud": "another"}, Refusal.AUDIENCE),
        ({"aud": None}, Refusal.AUDIENCE),
        ({"aud": ["salus", "another"]}, Refusal.AUDIENCE),
        ({"azp": "another"}, Refusal.AUDIENCE),
        ({"nonce": "another"}, Refusal.NONCE),
        ({"nonce": None}, Refusal.NONCE),
        ({"exp": int(NOW.timestamp()) - 61}, Refusal.EXPIRED),
        ({"exp": None}, Refusal.UNREADABLE),
        ({"exp": "tomorrow"}, Refusal.UNREADABLE),
        ({"exp": 1e300}, Refusal.UNREADABLE),
        ({"iat": int(NOW.timestamp()) - 700}, Refusal.EXPIRED),
        ({"iat": int(NOW.timestamp()) + 120}, Refusal.TOO_EARLY),
        ({"nbf": int(NOW.timestamp()) + 120}, Refusal.TOO_EARLY),
        ({"sub": None}, Refusal.SUBJECT),
        ({"sub": "x" * 256}, Refusal.SUBJECT),
    ],
)
def test_a_token_that_is_not_for_us_or_not_of_now_is_refused(claims: dict[str, Any], reason: Refusal) -> None:
    if claims.get("sub", "") is None:
        assert refusal(Provider(claims=claims, metadata={"userinfo_endpoint": None})) is reason
    else:
        assert refusal(Provider(claims=claims)) is reason


PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "provider",
    [
        Provider(sign=(OTHER, "RS256", {"kid": "a"})),
        Provider(sign=(OTHER, "RS256", {"kid": "of somebody else"})),
        Provider(sign=(None, "none", {"kid": "a"})),
        Provider(sign=(hashlib.sha256(PEM).digest(), "HS256", {"kid": "a"})),
        Provider(sign=(CURVE, "ES256", {"kid": "a"})),
        Provider(keys=[]),
        Provider(keys=[{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}, {"kty": "new"}]),
        Provider(keys=[{**public(KEY, "a", RSA), "use": "enc"}]),
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_refused(provider: Provider) -> None:
    assert refusal(provider) is Refusal.SIGNATURE


def test_an_elliptic_key_is_as_good() -> None:
    assert finish(Provider(sign=(CURVE, "ES256", {"kid": "c"}))).subject == "u-1"


@pytest.mark.parametrize("token", ["no token", "a.b.c", "", "." * 3, "x" * 600_000])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert refusal(Provider(token=token or "none")) in {Refusal.UNREADABLE, Refusal.SIGNATURE}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"state": "another"}, Refusal.REQUEST),
        ({"state": "\u00e9"}, Refusal.REQUEST),
        ({"code": ""}, Refusal.PROVIDER_SAYS_NO),
        ({"error": "access_denied"}, Refusal.PROVIDER_SAYS_NO),
        ({"iss": "https://id.evil.example"}, Refusal.ISSUER),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_before_anything_is_exchanged(
    answer: dict[str, str], reason: Refusal
) -> None:
    provider = Provider()
    assert refusal(provider, **answer) is reason
    assert not [each for each in provider.asked if each[2]]


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"issuer": "https://id.evil.example"}, Refusal.ISSUER),
        ({"token_endpoint": "http://id.harbor.example/token"}, Refusal.UNREADABLE),
        ({"jwks_uri": None}, Refusal.UNREADABLE),
        ({"code_challenge_methods_supported": ["plain"]}, Refusal.PROVIDER_SAYS_NO),
        ({"authorization_response_iss_parameter_supported": True}, Refusal.ISSUER),
    ],
)
def test_metadata_that_will_not_do_are_refused(metadata: dict[str, Any], reason: Refusal) -> None:
    assert refusal(Provider(metadata=metadata)) is reason


def test_what_is_told_of_somebody_else_is_refused() -> None:
    assert refusal(Provider(userinfo={"sub": "u-2", "groups": ["chiefs"]})) is Refusal.SUBJECT


def test_what_was_signed_counts_before_what_was_fetched() -> None:
    assert finish(Provider(userinfo={"sub": "u-1", "groups": ["chiefs"]})).groups == {"nurses"}


def test_a_provider_that_answers_with_an_error_is_refused() -> None:
    assert refusal(Provider(status=500)) is Refusal.PROVIDER_SAYS_NO


def test_keys_are_fetched_again_for_an_unknown_one_but_not_at_every_turn() -> None:
    provider, times = Provider(), [NOW, NOW + timedelta(seconds=9), NOW + oidc.ASK_AGAIN]
    oidc.forget(CLIENT.provider_id)
    answer = {"state": "the-state", "code": "c0de"}
    oidc.finish(CLIENT, ASKED, answer, BACK, provider.fetch, laboratory=False, now=times[0])
    provider.keys, provider.sign = [public(OTHER, "b", RSA)], (OTHER, "RS256", {"kid": "b"})
    with pytest.raises(Refused):
        oidc.finish(CLIENT, ASKED, answer, BACK, provider.fetch, laboratory=False, now=times[1])
    oidc.finish(CLIENT, ASKED, answer, BACK, provider.fetch, laboratory=False, now=times[2])
    assert sum(url.endswith("/jwks") for url, _, _ in provider.asked) == 2


def test_a_key_that_was_withdrawn_works_ten_minutes_at_most() -> None:
    provider = Provider(claims={"iat": int(NOW.timestamp()) + 600, "exp": int(NOW.timestamp()) + 900})
    finish(Provider())
    provider.keys = []
    with pytest.raises(Refused) as refused:
        oidc.finish(
            CLIENT, ASKED, {"state": "the-state", "code": "c"}, BACK, provider.fetch,
            laboratory=False, now=NOW + oidc.REMEMBER,
        )  # fmt: skip
    assert refused.value.reason is Refusal.SIGNATURE


def logout(**changes: Any) -> tuple[str, str]:
    """Let the provider say that it ended somebody's session."""
    at, provider = int(NOW.timestamp()), Provider()
    claims = {
        "iss": ISSUER, "aud": "salus", "iat": at, "exp": at + 120, "jti": "j-1", "sub": "u-1",
        "events": {sign_on_rules.LOGOUT: {}}, **changes,
    }  # fmt: skip
    kept = {name: value for name, value in claims.items() if value is not None}
    token = "no token" if "key" in changes else jwt.encode(kept, KEY, "RS256", {"kid": "a"})
    oidc.forget(CLIENT.provider_id)
    return oidc.ended(CLIENT, token, provider.fetch, laboratory=False, now=NOW)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://id.evil.example"}, Refusal.ISSUER),
        ({"aud": "another"}, Refusal.AUDIENCE),
        ({"iat": None}, Refusal.UNREADABLE),
        ({"iat": int(NOW.timestamp()) - 700}, Refusal.EXPIRED),
        ({"exp": int(NOW.timestamp()) - 61}, Refusal.EXPIRED),
        ({"iat": int(NOW.timestamp()) + 120}, Refusal.TOO_EARLY),
        ({"events": None}, Refusal.UNREADABLE),
        ({"events": {"another": {}}}, Refusal.UNREADABLE),
        ({"events": [sign_on_rules.LOGOUT]}, Refusal.UNREADABLE),
        ({"nonce": "the-nonce"}, Refusal.UNREADABLE),
        ({"sub": None}, Refusal.SUBJECT),
        ({"jti": None}, Refusal.SUBJECT),
        ({"key": None}, Refusal.UNREADABLE),
    ],
)
def test_a_word_that_somebody_left_is_held_against_its_rules(
    changes: dict[str, Any], reason: Refusal
) -> None:
    assert logout() == ("u-1", "j-1")
    with pytest.raises(Refused) as refused:
        logout(**changes)
    assert refused.value.reason is reason


def test_an_id_token_ends_no_session_and_a_logout_token_begins_none() -> None:
    at = int(NOW.timestamp())
    events: dict[str, Any] = {"events": {sign_on_rules.LOGOUT: {}}, "jti": "j-1", "nonce": None, "iat": at}
    assert refusal(Provider(claims=events)) is Refusal.NONCE


GROUPS = st.dictionaries(st.text(min_size=1, max_size=5), st.sampled_from(list(Role)))


@given(st.lists(st.text(max_size=5)), GROUPS)
def test_only_the_mapping_gives_roles(groups: list[str], mapping: dict[str, Role]) -> None:
    given_roles = sign_on_rules.roles_of(groups, mapping)
    assert set(given_roles) == {mapping[each] for each in groups if each in mapping}
    assert not sign_on_rules.roles_of([role.value for role in Role], {})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_a_claim_is_texts_or_nothing(value: Any) -> None:
    assert all(isinstance(each, str) and each for each in sign_on_rules.texts(value))


def test_a_group_gives_one_role() -> None:
    with pytest.raises(BadInput, match="gives Analyst already") as refused:
        sign_on_rules.check_mapping({Role.ANALYST: ["staff"], Role.MARKETER: [" staff "]})
    assert refused.value.place == "marketer"


@pytest.mark.parametrize("domains", [[], [""], ["no domain"], ["x"], ["a..b"], ["*.example.org"]])
def test_what_is_no_domain_is_refused(domains: list[str]) -> None:
    with pytest.raises(BadInput):
        sign_on_rules.check_domains(domains)


@pytest.mark.parametrize(
    "address",
    ["", "id.example", "http://id.example", "https://", "https://a@b.example", "https://a.example/#x",
     "https://a.example:99999/", "javascript:alert(1)", "https://a.example/ b", "http://localhost/x"],
)  # fmt: skip
def test_an_address_is_https_or_refused(address: str) -> None:
    with pytest.raises(BadInput):
        sign_on_rules.check_address(address, laboratory=False)
