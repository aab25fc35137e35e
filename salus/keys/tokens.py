"""Opaque tokens for links: sealed, bound to a purpose, with an end, naming their organization in clear.

The form, before base64url: 1 byte version, 16 bytes organization, then an AEAD ciphertext of 5 bytes
"valid until" (Unix seconds, big-endian) and the payload. The purpose is in the associated data only.
"""

from __future__ import annotations

import base64
import binascii
import math
from datetime import datetime, timedelta
from uuid import UUID

from salus.kernel.errors import BadInput
from salus.keys.contracts import Sealer, Token

LONGEST_LIFETIME = timedelta(days=400)
"""Token keys live 13 months; no token may outlive its key."""

_VERSION = b"\x01"
_HEAD = 17
_TIME = 5
_LONGEST_TEXT = 4096
_REFUSED = "This link or token is not valid, or no longer."


def seal(
    sealer: Sealer, organization_id: UUID, purpose: str, payload: bytes, *, lifetime: timedelta, now: datetime
) -> str:
    """Return a token of URL-safe characters that opens for `purpose` until `now` + `lifetime`."""
    if not timedelta(0) < lifetime <= LONGEST_LIFETIME:
        raise ValueError("a token lives more than nothing and at most 400 days")
    until = math.ceil((now + lifetime).timestamp()).to_bytes(_TIME, "big")
    head = _VERSION + organization_id.bytes
    return (
        base64.urlsafe_b64encode(head + sealer.seal(until + payload, _context(head, purpose)))
        .decode()
        .rstrip("=")
    )


def organization_of(text: str) -> UUID:
    """Return the organization that a token names, unproven until the token is opened."""
    return UUID(bytes=_decode(text)[1:_HEAD])


def open_(sealer: Sealer, text: str, purpose: str, at: datetime) -> Token:
    """Return what the token carried; raises `BadInput` with one text for every way to be wrong."""
    raw = _decode(text)
    head = raw[:_HEAD]
    try:
        opened = sealer.open(raw[_HEAD:], _context(head, purpose))
    except BadInput:
        raise refused() from None
    if at.timestamp() >= int.from_bytes(opened[:_TIME], "big"):
        raise refused()
    return Token(UUID(bytes=head[1:]), purpose, opened[_TIME:])


def refused() -> BadInput:
    """Return the one error that a bad token gets."""
    return BadInput(_REFUSED)


def _context(head: bytes, purpose: str) -> bytes:
    return b"salus/token/" + head + purpose.encode()


def _decode(text: str) -> bytes:
    if not text.isascii() or len(text) > _LONGEST_TEXT:
        raise refused()
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise refused() from None
    # One token has one spelling: loose trailing bits would make several.
    if raw[:1] != _VERSION or len(raw) <= _HEAD or base64.urlsafe_b64encode(raw).decode().rstrip("=") != text:
        raise refused()
    return raw
