"""Invented people with keys of their own: certificates from an authority in memory, OpenPGP keys of GnuPG."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
MAIL = (ExtendedKeyUsageOID.EMAIL_PROTECTION,)


@dataclass(frozen=True)
class Holder:
    """Somebody with a certificate and its key, in PEM."""

    certificate: bytes
    key: bytes = field(repr=False)
    p12: bytes = field(repr=False)

    @property
    def parsed(self) -> x509.Certificate:
        """Return the certificate."""
        return x509.load_pem_x509_certificate(self.certificate)

    @property
    def der(self) -> bytes:
        """Return the certificate in DER."""
        return self.parsed.public_bytes(Encoding.DER)


class MailAuthority:
    """An authority that issues certificates for mail."""

    def __init__(self, name: str = "Ellery Mail CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        now = datetime.now(UTC)
        self.certificate = (
            _builder(self._name, self._name, self._key, now - timedelta(days=2), now + timedelta(days=900))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(self._key, SHA256())
        )

    @property
    def pem(self) -> bytes:
        """Return its certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    def revoking(
        self,
        *taken_back: Holder,
        at: datetime | None = None,
        reason: x509.ReasonFlags | None = None,
        extension: x509.ExtensionType | None = None,
    ) -> bytes:
        """Return a list, in PEM, that takes these back."""
        at = at or datetime.now(UTC) - timedelta(hours=1)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self._name)
        builder = builder.last_update(at).next_update(at + timedelta(days=7))
        if extension:
            builder = builder.add_extension(extension, critical=True)
        for each in taken_back:
            entry = (
                x509.RevokedCertificateBuilder().serial_number(each.parsed.serial_number).revocation_date(at)
            )
            if reason:
                entry = entry.add_extension(x509.CRLReason(reason), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM)

    def issue(
        self,
        address: str,
        key: PrivateKey | None = None,
        *,
        starts: timedelta = -timedelta(days=1),
        lasts: timedelta = timedelta(days=365),
        purposes: tuple[x509.ObjectIdentifier, ...] = MAIL,
        **usage: bool,
    ) -> Holder:
        """Return a holder with this mail address."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        start = datetime.now(UTC) + starts
        builder = _builder(_name(address), self._name, key, start, start + lasts)
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False
        )
        if purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        if usage:
            builder = builder.add_extension(_usage(**usage), critical=True)
        certificate = builder.sign(self._key, SHA256())
        return Holder(
            certificate.public_bytes(Encoding.PEM),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            pkcs12.serialize_key_and_certificates(
                b"mail", key, certificate, [self.certificate], _locked(b"kiosk-lantern")
            ),
        )


def _locked(password: bytes):  # type: ignore[no-untyped-def]
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

    return BestAvailableEncryption(password)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _usage(**said: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: said.get(name, False) for name in names})


class Gpg:
    """GnuPG in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._environment = {**os.environ, "GNUPGHOME": str(home)}

    def __call__(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run it; return what it prints."""
        done = subprocess.run(
            ["gpg", "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", "", *arguments],
            input=given,
            capture_output=True,
            env=self._environment,
            check=True,
        )
        self.said = done.stderr.decode()
        return done.stdout

    def make(self, user_id: str, *, main: str = "ed25519", sub: str = "cv25519", lasts: str = "1y") -> str:
        """Make a key; return its fingerprint."""
        self("--quick-gen-key", user_id, main, "sign,cert", "2y")
        mine = self("--with-colons", "--list-keys", user_id).decode().splitlines()
        fingerprint = next(line.split(":")[9] for line in mine if line.startswith("fpr"))
        self("--quick-add-key", fingerprint, sub, "encr", lasts)
        return fingerprint

    def public(self, fingerprint: str) -> bytes:
        """Return a public key in armor."""
        return self("--armor", "--export", fingerprint)

    def revocation(self, fingerprint: str) -> bytes:
        """Return the revocation certificate that GnuPG made along with the key."""
        return (self.home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_bytes()

    def end(self) -> None:
        """Let its agent end."""
        subprocess.run(["gpgconf", "--kill", "all"], env=self._environment, check=False, capture_output=True)
