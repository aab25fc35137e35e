"""Signatures: an independent program verifies both, and any change of what is signed breaks them."""

from __future__ import annotations

import base64
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.delivery.addresses import Mailbox
from salus.delivery.mime import Letter, ListId, Unsubscribe, build
from salus.delivery.protection.dkim import Signer, relaxed_body
from salus.kernel.errors import BadInput
from salus.keys.contracts import DkimKey

AT = datetime(2026, 3, 1, 9, 30, 5, tzinfo=UTC)
LETTER = Letter(
    date=AT,
    message_id="m@clinic.example",
    boundary="b0undary1234",
    sender=Mailbox("care@clinic.example", "Riverside Clinic"),
    to=Mailbox("ana@example.org", "Ana Díaz"),
    subject="Your visit",
    text="Hello  Ana,\t \n\n  see you.\n\n\n",
    html="<p>Hello   Ana</p>\n",
    unsubscribe=Unsubscribe("https://clinic.example/u/abc"),
    list_id=ListId("Tips", "tips.clinic.example"),
    language="en",
)

if "nacl" not in sys.modules and not hasattr(dkim, "nacl"):
    # dkimpy takes its Ed25519 primitive from PyNaCl. Where that is not installed, this hands it the
    # same primitive; everything else that is verified (tags, canonical forms, hashes) stays dkimpy's.
    class _VerifyKey:
        def __init__(self, key: bytes, encoder: object) -> None:
            self._key = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(key))

        def verify(self, message: bytes, signature: bytes) -> bytes:
            self._key.verify(signature, message)
            return message

    _nacl = types.ModuleType("nacl")
    _nacl.signing = types.SimpleNamespace(VerifyKey=_VerifyKey)  # type: ignore[attr-defined]
    _nacl.encoding = types.SimpleNamespace(Base64Encoder=object())  # type: ignore[attr-defined]
    _nacl.exceptions = types.SimpleNamespace(BadSignatureError=InvalidSignature)  # type: ignore[attr-defined]
    dkim.nacl = _nacl


class Keys:
    """A domain's two keys, and the DNS that publishes them."""

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.edwards = ed25519.Ed25519PrivateKey.generate()
        private = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self.pair = (
            DkimKey("r1", "rsa-sha256", self.rsa.private_bytes(*private), ""),
            DkimKey("e1", "ed25519-sha256", self.edwards.private_bytes(*private), ""),
        )
        public = self.rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        raw = self.edwards.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.records = {
            b"r1._domainkey.clinic.example.": b"v=DKIM1; k=rsa; p=" + base64.b64encode(public),
            b"e1._domainkey.clinic.example.": b"v=DKIM1; k=ed25519; p=" + base64.b64encode(raw),
        }

    def txt(self, name: bytes, timeout: int = 5) -> bytes:
        return self.records[name if isinstance(name, bytes) else str(name).encode()]

    def verify(self, message: bytes) -> list[bool]:
        return [self._holds(dkim.DKIM(message), number) for number in range(2)]

    def _holds(self, verifier: dkim.DKIM, number: int) -> bool:
        try:
            return bool(verifier.verify(number, dnsfunc=self.txt))
        except dkim.ValidationError:
            return False


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


@pytest.fixture(scope="module")
def signer(keys: Keys) -> Signer:
    return Signer("clinic.example", keys.pair)


def test_both_signatures_are_verified_by_an_independent_program(keys: Keys, signer: Signer) -> None:
    assert keys.verify(signer.sign(build(LETTER), AT)) == [True, True]


def test_the_same_message_and_moment_give_the_same_bytes(signer: Signer) -> None:
    assert signer.sign(build(LETTER), AT) == signer.sign(build(LETTER), AT)


@given(
    subject=st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=90),
    text=st.text(st.sampled_from(" \t\nabc.=-é\r"), max_size=120),
)
@settings(max_examples=40, deadline=None)
def test_whatever_is_written_both_signatures_hold(
    keys: Keys, signer: Signer, subject: str, text: str
) -> None:
    message = build(replace(LETTER, subject=subject, text=text, html=text or "x"))
    assert keys.verify(signer.sign(message, AT)) == [True, True]


def test_a_body_of_nothing_but_empty_lines_is_signed_as_empty(keys: Keys, signer: Signer) -> None:
    assert keys.verify(signer.sign(b"From: a@clinic.example\r\n\r\n\r\n\r\n", AT)) == [True, True]
    assert relaxed_body(b"\r\n\r\n") == b""


@pytest.mark.parametrize(
    "tamper",
    [
        lambda m: m.replace(b"see you", b"see me!"),
        lambda m: m.replace(b"Subject: Your visit", b"Subject: Your virus"),
        lambda m: m.replace(b"clinic.example/u/abc", b"clinic.example/u/abd"),
        lambda m: b"Subject: Another\r\n" + m,
        lambda m: b"From: eve@clinic.example\r\n" + m,
        lambda m: b"List-Unsubscribe: <https://evil.example/>\r\n" + m,
        lambda m: b"Reply-To: eve@example.org\r\n" + m,
        lambda m: m + b"one more line\r\n",
    ],
    ids=[
        "body",
        "subject",
        "unsubscribe",
        "2nd subject",
        "2nd from",
        "2nd unsubscribe",
        "new reply-to",
        "longer",
    ],
)
def test_any_change_or_addition_breaks_both(
    keys: Keys, signer: Signer, tamper: Callable[[bytes], bytes]
) -> None:
    assert keys.verify(tamper(signer.sign(build(LETTER), AT))) == [False, False]


def test_the_headers_of_rfc_8058_are_inside_the_signature(signer: Signer) -> None:
    head = signer.sign(build(LETTER), AT).partition(b"\r\nDate:")[0].replace(b"\r\n ", b"")
    for name in (b"list-unsubscribe:list-unsubscribe:", b"list-unsubscribe-post:list-unsubscribe-post:"):
        assert head.count(name) == 2


def test_a_short_rsa_key_or_a_wrong_one_is_refused(keys: Keys) -> None:
    short = rsa.generate_private_key(65537, 1024).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )
    for bad in (
        DkimKey("r1", "rsa-sha256", short, ""),
        DkimKey("r1", "ed25519-sha256", keys.pair[0].private_der, ""),
        DkimKey("r1", "rsa-sha256", b"not a key", ""),
        DkimKey("r 1;", "rsa-sha256", keys.pair[0].private_der, ""),
    ):
        with pytest.raises(BadInput):
            Signer("clinic.example", [bad])


def test_a_message_without_sender_or_header_is_refused(signer: Signer) -> None:
    for message in (b"Subject: x\r\n\r\nbody\r\n", b"no header at all"):
        with pytest.raises(BadInput):
            signer.sign(message, AT)
