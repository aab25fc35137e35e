"""What we sign and encrypt as S/MIME is opened and verified by OpenSSL, and read as mail."""

from __future__ import annotations

import email
import subprocess
from collections.abc import Callable
from email import policy
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from salus.kernel.errors import BadInput
from salus.sealedmail.contracts import KeyKind, Recipient, SigningKeys
from salus.sealedmail.formats import certificates, smime
from salus.sealedmail.protecting import protect
from tests.sealedmail.holders import Holder, MailAuthority, PrivateKey

MESSAGE = (
    b"Date: Tue, 24 Nov 2026 16:00:00 +0000\r\nFrom: Cedar Row Clinic <care@mail.cedar-row.example.org>\r\n"
    b"To: ana@lakepost.example.test\r\nSubject: =?utf-8?q?Your_results=2C_Se=C3=B1ora?=\r\n"
    b" =?utf-8?q?_Ana?=\r\nMessage-ID: <0123456789@mail.cedar-row.example.org>\r\n"
    b"Content-Language: en\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"Your results are here.\r\n"
)
KEYS: dict[str, Callable[[], PrivateKey]] = {
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-3072": lambda: rsa.generate_private_key(65537, 3072),
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p-521": lambda: ec.generate_private_key(ec.SECP521R1()),
}


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    """Run Debian's OpenSSL; return what it prints."""
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def written(folder: Path, holder: Holder) -> tuple[str, str]:
    """Return the files of a certificate and its key."""
    (folder / "c.pem").write_bytes(holder.certificate)
    (folder / "k.pem").write_bytes(holder.key)
    return str(folder / "c.pem"), str(folder / "k.pem")


@pytest.mark.parametrize("kind", KEYS)
def test_openssl_opens_what_we_encrypt(kind: str, authority: MailAuthority, tmp_path: Path) -> None:
    ana = authority.issue("ana@lakepost.example.test", KEYS[kind]())
    certificate, key = written(tmp_path, ana)
    enveloped = smime.encrypt(b"only for Ana" * 1000, ana.der)
    assert b"only for Ana" not in enveloped
    found = openssl(
        "cms", "-decrypt", "-inform", "DER", "-recip", certificate, "-inkey", key, given=enveloped
    )
    assert found == b"only for Ana" * 1000
    shown = openssl("cms", "-cmsout", "-print", "-inform", "DER", given=enveloped)
    assert b"id-smime-ct-authEnvelopedData" in shown
    assert b"aes-256-gcm" in shown


def test_one_flipped_bit_is_noticed(authority: MailAuthority, tmp_path: Path) -> None:
    ana = authority.issue("ana@lakepost.example.test")
    certificate, key = written(tmp_path, ana)
    enveloped = smime.encrypt(b"x" * 500, ana.der)
    changed = enveloped[:-40] + bytes([enveloped[-40] ^ 1]) + enveloped[-39:]
    with pytest.raises(subprocess.CalledProcessError):
        openssl("cms", "-decrypt", "-inform", "DER", "-recip", certificate, "-inkey", key, given=changed)


def test_a_message_is_signed_then_encrypted_and_its_subject_is_for_the_reader_only(
    authority: MailAuthority, tmp_path: Path
) -> None:
    ana, clinic = (
        authority.issue("ana@lakepost.example.test"),
        authority.issue("care@mail.cedar-row.example.org"),
    )
    identity = certificates.read_identity(clinic.p12, "kiosk-lantern")
    signing = SigningKeys(identity.certificate.der, identity.key, identity.certificate.issuers, b"")
    made = protect(MESSAGE, Recipient(None, KeyKind.SMIME, ana.der), signing, boundary="0" * 32)
    assert made.data.isascii()
    assert b"results" not in made.data
    outer = email.message_from_bytes(made.data, policy=policy.default)
    assert outer["subject"] == "[...]"
    assert outer["content-language"] is None
    assert outer["from"] == "Cedar Row Clinic <care@mail.cedar-row.example.org>"
    assert outer.get_content_type() == "application/pkcs7-mime"
    assert outer.get_param("smime-type") == "authEnveloped-data"
    assert max(map(len, made.data.split(b"\r\n"))) <= 78

    certificate, key = written(tmp_path, ana)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    signed = openssl("cms", "-decrypt", "-recip", certificate, "-inkey", key, given=made.data)
    payload = openssl(
        "cms", "-verify", "-CAfile", str(tmp_path / "ca.pem"), "-purpose", "any", "-binary", given=signed
    )
    assert payload == made.payload
    inner = email.message_from_bytes(payload, policy=policy.default)
    assert inner["subject"] == "Your results, Señora Ana"
    assert inner.get_param("hp") == "cipher"
    assert inner.get_content().strip() == "Your results are here."
    assert inner.get_all("hp-outer") == [
        "Date: Tue, 24 Nov 2026 16:00:00 +0000",
        "From: Cedar Row Clinic <care@mail.cedar-row.example.org>",
        "To: ana@lakepost.example.test",
        "Subject: [...]",
        "Message-ID: <0123456789@mail.cedar-row.example.org>",
    ]


def test_without_a_certificate_of_its_own_the_organization_encrypts_and_does_not_sign(
    authority: MailAuthority, tmp_path: Path
) -> None:
    ana = authority.issue("ana@lakepost.example.test")
    made = protect(MESSAGE, Recipient(None, KeyKind.SMIME, ana.der), None, boundary="0" * 32)
    certificate, key = written(tmp_path, ana)
    payload = openssl("cms", "-decrypt", "-recip", certificate, "-inkey", key, given=made.data)
    assert payload == made.payload
    assert made.facts["signed"] == ""


def test_a_receipt_says_how_it_was_encrypted_and_for_which_key(authority: MailAuthority) -> None:
    ana = authority.issue("ana@lakepost.example.test")
    made = protect(MESSAGE, Recipient(None, KeyKind.SMIME, ana.der), None, boundary="0" * 32)
    assert made.facts["kind"] == "smime"
    assert made.facts["algorithm"] == "AES-256-GCM, ECDH-SHA256 (secp256r1)"


@pytest.mark.parametrize("subject", ["A" * 400, "Ünï" * 60])
def test_a_folded_subject_stays_inside_whole(subject: str, authority: MailAuthority, tmp_path: Path) -> None:
    from salus.delivery.headers import unstructured

    field = unstructured("Subject", subject, place="subject").encode()
    message = b"To: ana@lakepost.example.test\r\n" + field + MESSAGE[MESSAGE.index(b"MIME-Version") :]
    ana = authority.issue("ana@lakepost.example.test")
    made = protect(message, Recipient(None, KeyKind.SMIME, ana.der), None, boundary="0" * 32)
    assert email.message_from_bytes(made.payload, policy=policy.default)["subject"] == subject
    assert made.data.count(b"Subject: ") == 1


def test_keys_of_other_kinds_are_refused(authority: MailAuthority) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    other = authority.issue("ana@lakepost.example.test", ed25519.Ed25519PrivateKey.generate())  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        certificates.read(other.certificate)
    with pytest.raises(BadInput):
        smime.encrypt(b"x", other.der)
