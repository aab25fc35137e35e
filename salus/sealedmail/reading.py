"""A key as it comes in: of which kind it is, what it says, and who vouches for it. Nothing is written here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from salus.kernel.errors import BadInput
from salus.sealedmail.contracts import KeyKind, Vouched
from salus.sealedmail.formats import certificates, openpgp, smime

_HEX = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SEPARATORS = re.compile(r"[\s:.-]|^0x", re.IGNORECASE)
_SEQUENCE = 0x30


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that may be written to now, not on file yet; `key` is what is encrypted to."""

    kind: KeyKind
    key: bytes = field(repr=False)
    fingerprint: str = field(repr=False)
    algorithm: str
    holder: str = field(repr=False)
    addresses: tuple[str, ...] = field(repr=False)
    not_before: datetime | None
    not_after: datetime | None
    issuers: tuple[bytes, ...] = ()


def read_key(data: bytes, at: datetime) -> NewKey:
    """Return what a file holds: a certificate (PEM or DER) or an OpenPGP key (armor or binary).

    Raises `BadInput` for what is neither, has ended, is revoked, or is not for mail.
    """
    if b"-----BEGIN CERTIFICATE" in data or (data[:1] and data[0] == _SEQUENCE):
        return _of_certificate(data, at)
    return of_openpgp(openpgp.read(data, at))


def of_openpgp(found: openpgp.Key) -> NewKey:
    """Return an OpenPGP key that was read. Raises `BadInput` when it is revoked."""
    if found.revoked:
        raise BadInput("Its holder revoked this key.", place="key")
    return NewKey(
        kind=KeyKind.OPENPGP,
        key=found.data,
        fingerprint=found.fingerprint,
        algorithm=openpgp.algorithm(found.data),
        holder="; ".join(found.user_ids)[:300],
        addresses=found.addresses,
        not_before=None,
        not_after=found.not_after,
    )


def _of_certificate(data: bytes, at: datetime) -> NewKey:
    found = certificates.read(data)
    certificates.check_may_be_written_to(found)
    if found.not_after <= at:
        raise BadInput("This certificate has ended.", place="certificate")
    return NewKey(
        kind=KeyKind.SMIME,
        key=found.der,
        fingerprint=found.fingerprint,
        algorithm=smime.algorithm(found.der),
        holder=found.subject[:300],
        addresses=found.addresses,
        not_before=found.not_before,
        not_after=found.not_after,
        issuers=found.issuers,
    )


def voucher(new: NewKey, fingerprint: str, anchors: list[bytes], at: datetime) -> Vouched:
    """Return who vouches for a key: the fingerprint that a person heard from its holder, or a trusted authority.

    Raises `BadInput` when the fingerprint is another, or when there is none and nobody else vouches.
    """
    said = _SEPARATORS.sub("", fingerprint).lower()
    if said:
        if not _HEX.fullmatch(said):
            raise BadInput("A fingerprint is 40 or 64 hexadecimal digits.", place="fingerprint")
        if said != new.fingerprint:
            raise BadInput(
                "The key has another fingerprint: it is not the one that its holder spoke of.",
                place="fingerprint",
                next_step="Do not use it, and ask the holder how they sent it.",
            )
        return Vouched.FINGERPRINT
    if new.kind is KeyKind.SMIME and certificates.is_vouched_for(certificates.read(_pem(new)), anchors, at):
        return Vouched.AUTHORITY
    raise BadInput(
        "No authority that you trust vouches for this key.",
        place="fingerprint",
        next_step="Ask its holder for the fingerprint, by telephone or in person, and write it here.",
    )


def _pem(new: NewKey) -> bytes:
    return certificates.as_pem((new.key, *new.issuers))
