"""What is read from a peer's certificate: its names, dates and fingerprints."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True, slots=True)
class Certificate:
    """The facts of a certificate that a policy judges; fingerprints are SHA-256 in hexadecimal.

    `issuers` are the certificates that the host showed after its own, in DER: nobody has verified them.
    """

    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    fingerprint: str
    key_fingerprint: str
    der: bytes = field(default=b"", repr=False)
    issuers: tuple[bytes, ...] = field(default=(), repr=False)


def read(der: bytes, issuers: tuple[bytes, ...] = ()) -> Certificate:
    """Return the facts of a DER certificate. Raises `ValueError` when it cannot be read.

    Only DNS names of the subject alternative name count; a common name never does (RFC 9525).
    """
    parsed = x509.load_der_x509_certificate(der)
    try:
        alternative = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(name.lower() for name in alternative.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        names = ()
    public = public_key_of(parsed)
    return Certificate(
        names=names,
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        fingerprint=hashlib.sha256(der).hexdigest(),
        key_fingerprint=hashlib.sha256(public).hexdigest(),
        der=der,
        issuers=issuers,
    )


def public_key_of(certificate: x509.Certificate) -> bytes:
    """Return the public key in DER. Raises `ValueError` for one of a kind that nobody here knows."""
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm as fault:
        raise ValueError("a key of an unknown kind") from fault
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def matches(pattern: str, host: str) -> bool:
    """Tell whether `pattern` covers `host`: equal, or "*." for exactly one label (RFC 9525, 6.3)."""
    pattern, host = pattern.lower().removesuffix("."), host.lower().removesuffix(".")
    if pattern.startswith("*."):
        first, _, rest = host.partition(".")
        return bool(first) and first != "*" and rest == pattern[2:] and "." in rest
    return bool(host) and pattern == host
