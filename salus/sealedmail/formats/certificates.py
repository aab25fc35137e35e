"""X.509 certificates of people, partners and the organization: what they say, and who vouches for them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from salus.kernel.errors import BadInput

MOST_OCTETS: Final = 64 * 1024
"""Of an upload: a chain of certificates is far below it."""
MOST_ISSUERS = 8
LEAST_RSA = 2048
LABORATORY_LIFETIME = timedelta(days=365)
E = TypeVar("E", bound=x509.ExtensionType)
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is read from a certificate; `addresses` in lower case, the fingerprint SHA-256 in hexadecimal.

    `issuers` are the certificates that came with it (DER): nobody has verified them.
    """

    der: bytes = field(repr=False)
    fingerprint: str
    subject: str = field(repr=False)
    issuer: str
    addresses: tuple[str, ...] = field(repr=False)
    not_before: datetime
    not_after: datetime
    self_signed: bool
    issuers: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its private key (PKCS #8, DER)."""

    certificate: Certificate
    key: bytes = field(repr=False)


def read(data: bytes) -> Certificate:
    """Return the facts of a certificate in PEM or DER; of several in PEM the first, the others are its issuers.

    Raises `BadInput` for what is no certificate, or one whose key nobody here can write to.
    """
    found = _load(data)
    parsed = found[0]
    _check_key(parsed)
    der = parsed.public_bytes(Encoding.DER)
    try:
        subject, issuer = parsed.subject.rfc4514_string(), parsed.issuer.rfc4514_string()
        addresses = _addresses(parsed)
    except ValueError:
        raise _unreadable() from None
    return Certificate(
        der=der,
        fingerprint=hashlib.sha256(der).hexdigest(),
        subject=subject,
        issuer=issuer,
        addresses=addresses,
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        self_signed=parsed.subject == parsed.issuer,
        issuers=tuple(each.public_bytes(Encoding.DER) for each in found[1 : 1 + MOST_ISSUERS]),
    )


def check_may_be_written_to(certificate: Certificate) -> None:
    """Raise `BadInput` when a certificate's own words forbid to encrypt mail to it (RFC 8550, 4.4)."""
    parsed = x509.load_der_x509_certificate(certificate.der)
    usage = _extension(parsed, x509.KeyUsage)
    is_rsa = isinstance(parsed.public_key(), rsa.RSAPublicKey)
    if usage and not (usage.key_encipherment if is_rsa else usage.key_agreement):
        raise BadInput("This certificate is not for encryption, it says.", place="certificate")
    _check_for_mail(parsed)


def check_may_sign(identity: Identity) -> None:
    """Raise `BadInput` when a certificate's own words forbid to sign mail with it (RFC 8550, 4.4.2)."""
    parsed = x509.load_der_x509_certificate(identity.certificate.der)
    usage = _extension(parsed, x509.KeyUsage)
    if usage and not (usage.digital_signature or usage.content_commitment):
        raise BadInput("This certificate is not for signatures, it says.", place="certificate")
    _check_for_mail(parsed)


def is_vouched_for(certificate: Certificate, anchors: Sequence[bytes], at: datetime) -> bool:
    """Tell whether one of the authorities in `anchors` (DER) issued it, by way of what came with it, at `at`."""
    if not anchors:
        return False
    store = verification.Store([x509.load_der_x509_certificate(each) for each in anchors])
    builder = verification.PolicyBuilder().store(store).time(at)
    builder = builder.extension_policies(ca_policy=_ISSUER, ee_policy=_HOLDER)
    issuers = [x509.load_der_x509_certificate(each) for each in certificate.issuers]
    try:
        builder.build_client_verifier().verify(x509.load_der_x509_certificate(certificate.der), issuers)
    except verification.VerificationError:
        return False
    return True


def read_authority(data: bytes) -> Certificate:
    """Return the facts of an authority's certificate. Raises `BadInput` when it is none."""
    parsed = _load(data)[0]
    basic = _extension(parsed, x509.BasicConstraints)
    if basic is None or not basic.ca:
        raise BadInput("This is no authority's certificate: it issues none.", place="certificate")
    return read(parsed.public_bytes(Encoding.DER))


def read_identity(data: bytes, password: str) -> Identity:
    """Return certificate and key from a PKCS #12 file, or from PEM with both. Raises `BadInput`.

    The password opens what is encrypted; it is not kept.
    """
    if len(data) > MOST_OCTETS:
        raise _unreadable()
    secret = password.encode() or None
    try:
        if b"-----BEGIN" in data:
            key, chain = load_pem_private_key(_pem_key(data), secret), _load(_without_keys(data))
        else:
            key, first, more = pkcs12.load_key_and_certificates(data, secret)  # type: ignore[assignment]
            chain = [each for each in (first, *more) if each]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadInput(
            "This holds no certificate with its key, or the password is another.", place="certificate"
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) or not chain:
        raise BadInput("This holds no certificate with its key.", place="certificate")
    mine = [each for each in chain if each.public_key() == key.public_key()]
    if not mine:
        raise BadInput("The key is not the certificate's.", place="certificate")
    ordered = [mine[0], *(each for each in chain if each != mine[0])]
    certificate = read(b"".join(each.public_bytes(Encoding.PEM) for each in ordered))
    made = Identity(certificate, key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    check_may_sign(made)
    return made


def make_identity(name: str, address: str, at: datetime) -> Identity:
    """Return a certificate that its holder signed alone, for a year: for laboratories, nobody vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + LABORATORY_LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .sign(key, SHA256())
    )
    return Identity(
        read(certificate.public_bytes(Encoding.DER)),
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    )


def _unreadable() -> BadInput:
    return BadInput("This is no certificate that can be read.", place="certificate")


def _load(data: bytes) -> list[x509.Certificate]:
    if not data or len(data) > MOST_OCTETS:
        raise _unreadable()
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except ValueError:
        raise _unreadable() from None


def _pem_key(data: bytes) -> bytes:
    begin, end = data.find(b"PRIVATE KEY-----"), data.rfind(b"PRIVATE KEY-----")
    start = data.rfind(b"-----BEGIN", 0, begin)
    if start < 0 or end <= begin:
        raise ValueError("no key")
    return data[start : end + len(b"PRIVATE KEY-----")]


def _without_keys(data: bytes) -> bytes:
    return data.replace(_pem_key(data), b"")


def _check_key(certificate: x509.Certificate) -> None:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise _unreadable() from None
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < LEAST_RSA:
            raise BadInput(f"An RSA key has at least {LEAST_RSA} bits.", place="certificate")
    elif not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)):
        raise BadInput(
            "Only RSA keys and those of the curves P-256, P-384 and P-521 can be written to.",
            place="certificate",
        )


def _check_for_mail(parsed: x509.Certificate) -> None:
    basic = _extension(parsed, x509.BasicConstraints)
    if basic and basic.ca:
        raise BadInput("This is an authority's certificate.", place="certificate")
    purposes = _extension(parsed, x509.ExtendedKeyUsage)
    wanted = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if purposes is not None and not wanted & set(purposes):
        raise BadInput("This certificate is not for mail, it says.", place="certificate")


def _extension(parsed: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return parsed.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except ValueError:
        raise _unreadable() from None


def _addresses(parsed: x509.Certificate) -> tuple[str, ...]:
    """Return the mail addresses: of the alternative name, and the subject's of old (RFC 8550, 3)."""
    found: list[str] = []
    if alternative := _extension(parsed, x509.SubjectAlternativeName):
        found += alternative.get_values_for_type(x509.RFC822Name)
    found += [str(each.value) for each in parsed.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)]
    return tuple(dict.fromkeys(each.lower() for each in found))


def _is_authority(_: verification.Policy, __: x509.Certificate, basic: x509.BasicConstraints) -> None:
    if not basic.ca:
        raise ValueError("not an authority")


def _signs(_: verification.Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage and not usage.key_cert_sign:
        raise ValueError("does not sign certificates")


# What the browsers' authorities demand of each other beyond RFC 5280 does not bind those of mail.
_ANY = verification.Criticality.AGNOSTIC
_ISSUER = (
    verification.ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, _ANY, _is_authority)
    .may_be_present(x509.KeyUsage, _ANY, _signs)
)
_HOLDER = verification.ExtensionPolicy.permit_all().require_present(x509.SubjectAlternativeName, _ANY, None)


def as_pem(certificates: Iterable[bytes]) -> bytes:
    """Return certificates (DER) one after the other in PEM."""
    return b"".join(x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in certificates)
