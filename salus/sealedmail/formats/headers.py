"""Header Protection for encrypted mail (RFC 9788): what stands outside, what only the reader sees."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

OBSCURED = b"Subject: [...]\r\n"
"""What a stranger reads as the subject (RFC 9788, 3.2.1: hcp_baseline)."""
_REMOVED = (b"comments", b"keywords")


@dataclass(frozen=True, slots=True, repr=False)
class Split:
    """A message cut for protection.

    `payload` is what is signed and encrypted: every header field, what of them stands outside (HP-Outer), and
    the body. `outer` are the fields of the sent message, without those that say what its body is.
    """

    payload: bytes
    outer: bytes


def split(message: bytes) -> Split:
    """Return the two halves of a message with CRLF line ends, as `delivery` writes it.

    The same message gives the same halves.
    """
    head, _, body = message.partition(b"\r\n\r\n")
    inner, outside, told, structure = [], [], [], []
    for name, field in _fields(head):
        if name == b"mime-version" or name.startswith(b"content-"):
            structure.append(_with_hp(field) if name == b"content-type" else field)
            continue
        inner.append(field)
        seen = OBSCURED if name == b"subject" else field
        if name not in _REMOVED:
            outside.append(seen)
            told.append(b"HP-Outer: " + seen)
    payload = b"".join((*inner, *told, *structure, b"\r\n", body))
    return Split(payload, b"".join(outside))


def signed_entity(signed: bytes) -> bytes:
    """Return the MIME entity that holds a SignedData (RFC 8551, 3.5.2)."""
    return _entity(b"signed-data", signed)


def enveloped_message(outer: bytes, enveloped: bytes) -> bytes:
    """Return the message to send: the outer fields and the AuthEnvelopedData (RFC 8551, 3.3)."""
    return outer + b"MIME-Version: 1.0\r\n" + _entity(b"authEnveloped-data", enveloped)


def pgp_message(outer: bytes, armored: bytes, boundary: str) -> bytes:
    """Return the message to send: the outer fields and PGP/MIME (RFC 3156, 4)."""
    edge = f"--=_{boundary}".encode()
    lines = armored.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").rstrip(b"\r\n")
    return b"".join(
        (
            outer,
            b"MIME-Version: 1.0\r\n",
            b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";\r\n',
            f' boundary="=_{boundary}"\r\n\r\n'.encode(),
            edge,
            b"\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n",
            edge,
            b'\r\nContent-Type: application/octet-stream; name="encrypted.asc"\r\n'
            b'Content-Disposition: inline; filename="encrypted.asc"\r\n\r\n',
            lines,
            b"\r\n\r\n",
            edge,
            b"--\r\n",
        )
    )


def _fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each field with its name in lower case; a folded one whole."""
    field = b""
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            field += line + b"\r\n"
            continue
        if field:
            yield field.partition(b":")[0].lower(), field
        field = line + b"\r\n"
    yield field.partition(b":")[0].lower(), field


def _with_hp(field: bytes) -> bytes:
    return field.removesuffix(b"\r\n") + b';\r\n hp="cipher"\r\n'


def _entity(kind: bytes, cms: bytes) -> bytes:
    encoded = base64.encodebytes(cms).replace(b"\n", b"\r\n")
    return b"".join(
        (
            b'Content-Type: application/pkcs7-mime; name="smime.p7m";\r\n smime-type=' + kind + b"\r\n",
            b"Content-Transfer-Encoding: base64\r\n",
            b'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n',
            encoded,
        )
    )
