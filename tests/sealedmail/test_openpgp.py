"""What we encrypt with Sequoia is opened by GnuPG and by a mail program, and the other way round."""

from __future__ import annotations

import email
import subprocess
import time
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path

import pysequoia
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.kernel.errors import BadInput
from salus.sealedmail.contracts import KeyKind, Recipient, SigningKeys
from salus.sealedmail.formats import openpgp
from salus.sealedmail.protecting import protect
from tests.sealedmail.holders import Gpg
from tests.sealedmail.test_smime import MESSAGE

ANA = "Ana Díaz <ana@lakepost.example.test>"


def now() -> datetime:
    """Return the machine's time, which Sequoia and GnuPG go by."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def ana(gpg: Gpg) -> bytes:
    """The public key of Ana, who has GnuPG."""
    return gpg.public(gpg.make(ANA))


@pytest.fixture(scope="module")
def clinic(gpg: Gpg) -> bytes:
    """The clinic's secret key; Ana has its public one."""
    made = openpgp.make_identity("Cedar Row Clinic <care@mail.cedar-row.example.org>")
    gpg("--import", given=openpgp.public_part(made).encode())
    return made


def sealed(key: bytes, clinic: bytes = b"") -> tuple[bytes, bytes]:
    """Return the message as it is sent to a key, and its payload."""
    recipient = Recipient(None, KeyKind.OPENPGP, openpgp.read(key, now()).data)
    made = protect(MESSAGE, recipient, SigningKeys(b"", b"", (), clinic), boundary="7" * 32)
    return made.data, made.payload


def test_gpg_opens_a_message_and_knows_who_signed_it(gpg: Gpg, ana: bytes, clinic: bytes) -> None:
    data, payload = sealed(ana, clinic)
    message = email.message_from_bytes(data, policy=policy.default)
    assert message["subject"] == "[...]"
    assert b"results" not in data
    assert message.get_content_type() == "multipart/encrypted"
    assert message.get_param("protocol") == "application/pgp-encrypted"
    version, encrypted = message.iter_parts()
    assert version.get_payload() == "Version: 1\n" or version.get_payload() == "Version: 1\r\n"
    opened = gpg("--decrypt", given=encrypted.get_content())
    assert opened == payload
    assert "Good signature from" in gpg.said
    inner = email.message_from_bytes(opened, policy=policy.default)
    assert inner["subject"] == "Your results, Señora Ana"
    assert inner.get_param("hp") == "cipher"


def test_a_mail_program_opens_it(gpg: Gpg, ana: bytes, clinic: bytes, tmp_path: Path) -> None:
    """Notmuch stands on GMime, as Evolution's and Astroid's kin do."""
    data, _ = sealed(ana, clinic)
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "mail" / folder).mkdir(parents=True)
    (tmp_path / "mail" / "new" / "1").write_bytes(data)
    (tmp_path / "config").write_text(
        f"[database]\npath={tmp_path}/mail\n[user]\nname=Ana\nprimary_email=ana@lakepost.example.test\n"
    )
    environment = {"GNUPGHOME": str(gpg.home), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

    def notmuch(*arguments: str) -> str:
        command = ["notmuch", f"--config={tmp_path}/config", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout

    notmuch("new")
    shown = notmuch("show", "--decrypt=true", "--format=json", "--body=true", "*")
    assert '"encstatus": [{"status": "good"}]' in shown
    assert '"sigstatus": [{"status": "good"' in shown
    assert "Your results are here." in shown


def test_what_gpg_encrypts_and_signs_sequoia_opens(gpg: Gpg, clinic: bytes) -> None:
    fingerprint = gpg.make("Bo <bo@lakepost.example.test>", main="rsa2048", sub="rsa2048")
    written = gpg(
        "--armor", "--compress-algo", "none", "--encrypt", "--sign", "--trust-model", "always", "-u", fingerprint,
        "-r", "care@mail.cedar-row.example.org", given=b"an answer",
    )  # fmt: skip
    public = pysequoia.Cert.from_bytes(gpg.public(fingerprint))
    found = pysequoia.decrypt(
        decryptor=pysequoia.Tsk.from_bytes(clinic).decryptor(), bytes=written, store=lambda _: [public]
    )
    assert found.bytes == b"an answer"
    assert found.valid_sigs[0].certificate == fingerprint.lower()


@pytest.mark.parametrize(
    ("main", "sub"), [("rsa3072", "rsa3072"), ("nistp256", "nistp256"), ("ed25519", "cv25519")]
)
def test_keys_of_every_usual_kind_are_written_to(main: str, sub: str, gpg: Gpg) -> None:
    key = gpg.public(gpg.make(f"{main} <{main}@lakepost.example.test>", main=main, sub=sub))
    read = openpgp.read(key, now())
    assert read.addresses == (f"{main}@lakepost.example.test",)
    assert read.not_after
    assert (read.not_after - now()).days in (364, 365), "its subkey ends before it does"
    assert gpg("--decrypt", given=openpgp.encrypt(b"hello", read.data, None)) == b"hello"


def test_a_key_that_has_ended_is_refused_though_sequoia_would_take_it(gpg: Gpg) -> None:
    key = gpg.public(gpg.make("Eva <eva@lakepost.example.test>", lasts="1d"))
    openpgp.read(key, now())
    with pytest.raises(BadInput):
        openpgp.read(key, now() + timedelta(days=2))
    gone = pysequoia.Tsk.generate("Ida <ida@lakepost.example.test>", validity_seconds=1).extract_certificate()
    assert openpgp.encrypt(b"x", bytes(gone), None), "so whoever encrypts has to have asked"
    with pytest.raises(BadInput):
        openpgp.read(bytes(gone), now() + timedelta(seconds=2))


def test_a_revoked_subkey_is_not_written_to(gpg: Gpg) -> None:
    fingerprint = gpg.make("Uma <uma@lakepost.example.test>")
    gpg("--command-fd", "0", "--edit-key", fingerprint, given=b"key 1\nrevkey\ny\n0\n\ny\nsave\n")
    with pytest.raises(BadInput):
        openpgp.read(gpg.public(fingerprint), now())
    gpg("--quick-add-key", fingerprint, "cv25519", "encr", "1y")
    assert openpgp.read(gpg.public(fingerprint), now()).data, "there is another"


def test_a_revocation_certificate_of_gpg_ends_a_key_and_no_others(gpg: Gpg, ana: bytes) -> None:
    fingerprint = gpg.make("Leo <leo@lakepost.example.test>")
    key, revocation = gpg.public(fingerprint), gpg.revocation(fingerprint)
    kept = openpgp.read(key, now()).data
    assert openpgp.read(openpgp.with_revocation(kept, revocation), now()).revoked
    for wrong in (b"", b"nothing", key, ana):
        with pytest.raises(BadInput):
            openpgp.with_revocation(kept, wrong)
    with pytest.raises(BadInput):
        openpgp.with_revocation(openpgp.read(ana, now()).data, revocation)


def test_a_secret_key_is_refused_and_says_why(clinic: bytes) -> None:
    with pytest.raises(BadInput, match="secret key"):
        openpgp.read(clinic, now())


@given(st.binary(max_size=300))
def test_what_is_no_key_is_bad_input_and_nothing_else(noise: bytes) -> None:
    for data in (noise, b"\xc6" + noise, b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + noise):
        with pytest.raises(BadInput):
            openpgp.read(data, now())


def test_a_torn_key_is_bad_input_at_every_length(ana: bytes) -> None:
    whole = bytes(pysequoia.Cert.from_bytes(ana))
    started = time.monotonic()
    for length in range(0, len(whole), 3):
        try:
            openpgp.read(whole[:length], now())
        except BadInput:
            continue
    assert time.monotonic() - started < 10
