"""Lists by which an authority takes certificates back (CRL, RFC 5280 5): read, verified, held against certificates on file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from salus.kernel.errors import BadInput

MOST_OCTETS: Final = 4 * 1024 * 1024
"""Of a list: some 100,000 certificates."""
_KNOWN = (
    x509.AuthorityKeyIdentifier,
    x509.CRLNumber,
    x509.DeltaCRLIndicator,
    x509.IssuingDistributionPoint,
    x509.FreshestCRL,
    x509.AuthorityInformationAccess,
    x509.IssuerAlternativeName,
)
_HASHES = (SHA256, SHA384, SHA512)
E = TypeVar("E", bound=x509.ExtensionType)


def read(data: bytes, at: datetime) -> x509.CertificateRevocationList:
    """Return a list in PEM or DER; nobody has verified it.

    Raises `BadInput` for what is none, is of the future or signed by what is too weak, and for one that speaks of
    several authorities' certificates. One that is not the newest still counts: what was taken back stays so.
    """
    if len(data) > MOST_OCTETS:
        raise BadInput("That is larger than any list that is read here.", place="list")
    is_text = b"-----BEGIN" in data[:1000]
    load = x509.load_pem_x509_crl if is_text else x509.load_der_x509_crl
    try:
        found = load(data)
        issued, extensions = found.last_update_utc, list(found.extensions)
        weak = not isinstance(found.signature_hash_algorithm, _HASHES)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        raise BadInput("This is no revocation list.", place="list") from None
    if issued > at:
        raise BadInput("This list is from the future: is a clock wrong?", place="list")
    if weak:
        raise BadInput("This list is signed by a method that is too weak.", place="list")
    points = [each.value for each in extensions if isinstance(each.value, x509.IssuingDistributionPoint)]
    unknown = any(each.critical and not isinstance(each.value, _KNOWN) for each in extensions)
    if unknown or any(each.indirect_crl or each.only_contains_attribute_certs for each in points):
        raise BadInput("Lists of this kind are not read here.", place="list")
    return found


def signer(found: x509.CertificateRevocationList, authorities: Iterable[bytes]) -> x509.Certificate | None:
    """Return the authority among these (DER) that signed a list and may; None: none of them."""
    for der in authorities:
        one = x509.load_der_x509_certificate(der)
        usage, basic = _extension(one, x509.KeyUsage), _extension(one, x509.BasicConstraints)
        may = basic is not None and basic.ca and (usage is None or usage.crl_sign)
        try:
            if may and one.subject == found.issuer and found.is_signature_valid(one.public_key()):  # type: ignore[arg-type]
                return one
        except (TypeError, ValueError, UnsupportedAlgorithm):
            continue
    return None


def takes_back(
    found: x509.CertificateRevocationList, authority: x509.Certificate, chain: Sequence[bytes]
) -> bool:
    """Tell whether the list of `authority` takes back a certificate, or one that stands between it and its authority.

    `chain` (DER) begins with the certificate. Those that the authority did not issue are none of its affair.
    """
    for der in chain:
        one = x509.load_der_x509_certificate(der)
        if one.issuer != authority.subject:
            continue
        entry = found.get_revoked_certificate_by_serial_number(one.serial_number)
        if entry is None or _is_back_in_force(entry):
            continue
        try:
            one.verify_directly_issued_by(authority)
        except (InvalidSignature, TypeError, ValueError, UnsupportedAlgorithm):
            continue  # issued by somebody else of that name
        return True
    return False


def _is_back_in_force(entry: x509.RevokedCertificate) -> bool:
    """Tell whether a list of changes says that a certificate that was on hold is good again (RFC 5280, 5.3.1)."""
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (x509.ExtensionNotFound, ValueError):
        return False
    return reason is x509.ReasonFlags.remove_from_crl


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None
