"""OpenPGP by Sequoia: what a key says of itself, and mail that only its holder can open."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import pysequoia
from pysequoia.packet import Packet, PacketPile, SignatureType, Tag

from salus.kernel.errors import BadInput

MOST_OCTETS: Final = 256 * 1024
"""Of an upload: keys with many signatures are large, none of a person is larger."""
_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>\s*$|^([^<>\s]+@[^<>\s]+)$")
_PROBE = b"probe"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Key:
    """What is read from an OpenPGP key; `addresses` in lower case, the fingerprint in hexadecimal.

    `data` holds of its subkeys only those that may be encrypted to now.
    """

    data: bytes = field(repr=False)
    fingerprint: str
    addresses: tuple[str, ...] = field(repr=False)
    user_ids: tuple[str, ...] = field(repr=False)
    not_after: datetime | None
    revoked: bool


def read(data: bytes, at: datetime) -> Key:
    """Return the facts of a key in binary or armor. Raises `BadInput`.

    Refused: what is no key, a secret key, one under which nothing can be encrypted at `at`. One that is revoked
    is read, so that its revocation can be kept.
    """
    certificate = _certificate(data)
    usable, ends = bytes(certificate), certificate.expiration
    if not certificate.is_revoked:
        usable, ends = _usable(certificate, at)
    user_ids = tuple(str(each) for each in certificate.user_ids)
    found = [_ADDRESS.search(each) for each in user_ids]
    return Key(
        data=usable,
        fingerprint=certificate.fingerprint,
        addresses=tuple(dict.fromkeys((each[1] or each[2]).lower() for each in found if each)),
        user_ids=user_ids,
        not_after=ends,
        revoked=certificate.is_revoked,
    )


def read_all(data: bytes, at: datetime) -> Iterator[Key]:
    """Yield the keys of a keyring that can be read (a web key directory may answer with several)."""
    if not data or len(data) > MOST_OCTETS:
        return
    try:
        found = pysequoia.Cert.split_bytes(data)
    except (RuntimeError, ValueError):
        return
    for each in found:
        try:
            yield read(bytes(each), at)
        except BadInput:
            continue


def with_revocation(key: bytes, revocation: bytes) -> bytes:
    """Return the key with its holder's revocation: a revocation certificate, or the key itself, revoked.

    Raises `BadInput` when that is none, or another key's.
    """
    # GnuPG puts a colon before the armor of the revocation that it makes along with each key.
    given = revocation.replace(b"\n:-----BEGIN", b"\n-----BEGIN")
    if given and len(given) <= MOST_OCTETS:
        for merged in (_with_signature, _merged):
            try:
                revoked = merged(key, given)
            except (RuntimeError, ValueError):
                continue
            if revoked.is_revoked:
                return bytes(revoked)
    raise BadInput("This is no revocation of this key.", place="revocation")


def _with_signature(key: bytes, revocation: bytes) -> pysequoia.Cert:
    return pysequoia.Cert.from_bytes(key + bytes(pysequoia.Sig.from_bytes(revocation)))


def _merged(key: bytes, revoked: bytes) -> pysequoia.Cert:
    return pysequoia.Cert.from_bytes(key).merge(pysequoia.Cert.from_bytes(revoked))


def encrypt(content: bytes, key: bytes, signer: bytes | None) -> bytes:
    """Return `content` encrypted to `key` in armor, signed by `signer` (a secret key) if there is one.

    `key` comes from `read`: Sequoia itself does not ask whether a key has ended. Raises `BadInput`.
    """
    try:
        recipient = pysequoia.Cert.from_bytes(key)
        by = pysequoia.Tsk.from_bytes(signer).signer() if signer else None
        return bytes(pysequoia.encrypt(recipients=[recipient], bytes=content, signer=by))
    except RuntimeError:
        raise BadInput("Nothing can be encrypted to this key.", place="key") from None


def make_identity(user_id: str) -> bytes:
    """Return a new secret key that signs for the organization (Curve25519, RFC 4880 so that old programs verify)."""
    return bytes(pysequoia.Tsk.generate(user_id))


def public_part(secret: bytes) -> str:
    """Return the public key of a secret one, in armor."""
    return str(pysequoia.Tsk.from_bytes(secret).extract_certificate())


def algorithm(key: bytes) -> str:
    """Return what a message to this key is encrypted by, in the words of a receipt."""
    groups = [each for each in _groups(key) if each[0].tag == Tag.PublicSubkey and _encrypts(each)]
    names = sorted({str(each[0].key_algorithm).rpartition(".")[2] for each in groups})
    return f"OpenPGP, {'/'.join(names) or 'primary key'}"


def _certificate(data: bytes) -> pysequoia.Cert:
    if not data or len(data) > MOST_OCTETS:
        raise _unreadable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it says that secret keys are read elsewhere
            found = pysequoia.Cert.from_bytes(data)
            is_secret = found.has_secret_keys
    except (RuntimeError, ValueError):
        raise _unreadable() from None
    if is_secret:
        raise BadInput(
            "This holds a secret key, which nobody but its owner may have: nothing was kept of it.",
            place="key",
            next_step="Ask for the public key.",
        )
    return found


def _unreadable() -> BadInput:
    return BadInput("This is no OpenPGP key that can be read.", place="key")


def _usable(certificate: pysequoia.Cert, at: datetime) -> tuple[bytes, datetime | None]:
    """Return the key without those subkeys that have ended or were revoked, and when what is left ends.

    Raises `BadInput` when nothing can be encrypted to what is left. Sequoia verifies the signatures that bind
    what is kept; which of them say that it ended is read here, for Sequoia's encryption does not ask.
    """
    kept: list[Packet] = []
    ends: list[datetime | None] = []
    for group in _groups(bytes(certificate)):
        if group[0].tag == Tag.PublicSubkey:
            end = _end(group)
            if (end and end <= at) or any(
                each.signature_type == SignatureType.SubkeyRevocation for each in group[1:]
            ):
                continue
            if _encrypts(group):
                ends.append(end)
        kept += group
    whole = certificate.expiration
    usable = bytes(pysequoia.Cert.from_packets(kept))
    encrypt(_PROBE, usable, None)
    subkeys = max(filter(None, ends), default=None) if ends and None not in ends else None
    return usable, min(filter(None, (whole, subkeys)), default=None)


def _groups(key: bytes) -> Iterator[list[Packet]]:
    """Yield each key, user id or other part of a key, with the signatures that follow it."""
    group: list[Packet] = []
    for packet in PacketPile.from_bytes(key):
        if packet.tag != Tag.Signature and group:
            yield group
            group = []
        group.append(packet)
    if group:
        yield group


def _newest(group: list[Packet]) -> Packet | None:
    """Return the signature that binds a subkey now."""
    bound = [each for each in group[1:] if each.signature_type == SignatureType.SubkeyBinding]
    return max(bound, key=lambda each: each.signature_created or _LONG_AGO, default=None)


def _end(group: list[Packet]) -> datetime | None:
    """Return when a subkey ends, None: never."""
    newest, made = _newest(group), group[0].key_created
    lasts = newest.key_validity_period if newest else None
    return made + lasts if made and lasts else None


def _encrypts(group: list[Packet]) -> bool:
    newest = _newest(group)
    flags = newest.key_flags if newest else None
    return bool(flags and (flags.transport_encryption or flags.storage_encryption))
