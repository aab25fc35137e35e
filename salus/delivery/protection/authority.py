"""A throw-away certificate authority for laboratories: made in memory, trusted only where it is named."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=30)
_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Issued:
    """A server's certificate and its private key, both as PEM; the key never shows in a `repr`."""

    certificate: bytes
    key: bytes = field(repr=False)
    der: bytes = field(repr=False)


class Authority:
    """An authority whose private key lives as long as this object does."""

    def __init__(self, at: datetime, name: str = "Salus laboratory") -> None:
        self._at, self._name = at, _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self._name, self._name, self._key, at - timedelta(days=1), at + LIFETIME)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        usage = _usage(signs_certificates=True)
        self._certificate = builder.add_extension(usage, critical=True).sign(self._key, SHA256())

    @property
    def pem(self) -> str:
        """Return the authority's certificate: what a laboratory's sender is told to trust."""
        return self._certificate.public_bytes(Encoding.PEM).decode("ascii")

    def issue(self, names: Sequence[str], *, expired: bool = False, rsa_key: bool = False) -> Issued:
        """Return a certificate for `names` from this authority; `expired` means that it ended yesterday.

        `rsa_key` is for peers of old that know nothing of elliptic curves.
        """
        key = _server_key(rsa_key=rsa_key)
        return self._issued(names, key, self._name, self._key, expired=expired)

    def self_signed(self, names: Sequence[str]) -> Issued:
        """Return a certificate for `names` that nobody vouches for."""
        key = _server_key(rsa_key=False)
        return self._issued(names, key, _name(names[0]), key, expired=False)

    def _issued(
        self, names: Sequence[str], key: _Key, issuer: x509.Name, signer: _Key, *, expired: bool
    ) -> Issued:
        start = self._at - timedelta(days=20 if expired else 1)
        end = self._at - timedelta(days=1) if expired else self._at + LIFETIME
        certificate = (
            _builder(_name(names[0]), issuer, key, start, end)
            .add_extension(
                x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(signer, SHA256())
        )
        return Issued(
            certificate=certificate.public_bytes(Encoding.PEM),
            key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            der=certificate.public_bytes(Encoding.DER),
        )


def _alternative(name: str) -> x509.GeneralName:
    """Return a name as a certificate has it: a relay may be reached by its number."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _server_key(*, rsa_key: bool) -> _Key:
    if rsa_key:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: _Key, start: datetime, end: datetime
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


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
