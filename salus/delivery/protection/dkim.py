"""DKIM as we sign it: RSA-2048 and Ed25519 side by side, relaxed/relaxed, oversigned (RFC 6376, RFC 8463)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key

from salus.delivery.addresses import ascii_domain
from salus.kernel.errors import BadInput
from salus.keys.contracts import DkimKey

OVERSIGNED: Final = (
    "from",
    "to",
    "cc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
)
"""Named once more than they occur, so that none can be added on the way (RFC 6376, 8.15)."""
SIGNED: Final = ("auto-submitted", "content-language", "tls-report-domain", "tls-report-submitter")
"""Signed when they occur."""

_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?")
_LINE = 72
_SPACES = re.compile(b"  +")


class Signer:
    """Signs messages of one domain with each of its keys; thread-safe, a signature releases the GIL."""

    def __init__(self, domain: str, keys: Sequence[DkimKey]) -> None:
        self._domain = ascii_domain(domain)
        self._keys = [(f"v=1; a={key.algorithm}; s={_selector(key)};", _signing(key)) for key in keys]
        if not self._keys:
            raise BadInput("A signer needs a key.", place="dkim")

    def sign(self, message: bytes, at: datetime) -> bytes:
        """Return `message` with one signature header for each key before it.

        The same message, moment and keys give the same bytes: both algorithms are deterministic.
        `message` has CRLF line ends. Raises `BadInput` when it has no header.
        """
        head, separator, body = message.partition(b"\r\n\r\n")
        if not separator:
            raise BadInput("A message has headers, an empty line and a body.", place="message")
        names, signed = _select(head)
        digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode("ascii")
        lines = (
            f"c=relaxed/relaxed; d={self._domain}; t={int(at.timestamp())};",
            *_listed(names),
            f"bh={digest};",
            "b=",
        )
        # The canonical form is known without folding and unfolding: one space where a line ends.
        plain, folded = " ".join(lines), "\r\n ".join(lines)
        signatures = []
        for begin, sign in self._keys:
            own = f"dkim-signature:{begin} {plain}".encode("ascii")
            value = base64.b64encode(sign(signed + own)).decode("ascii")
            chunks = [value[start : start + _LINE] for start in range(0, len(value), _LINE)]
            signed_by = "\r\n  ".join(chunks)
            signatures.append(f"DKIM-Signature: {begin}\r\n {folded}{signed_by}\r\n".encode("ascii"))
        return b"".join((*signatures, message))


def relaxed_body(body: bytes) -> bytes:
    """Return `body` in the relaxed form (RFC 6376, 3.4.4): runs of spaces are one, ends of lines none."""
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    body = _SPACES.sub(b" ", body)
    if b" \r\n" in body:
        body = body.replace(b" \r\n", b"\r\n")
    if body.endswith(b" "):
        body = body[:-1]
    while body.endswith(b"\r\n"):
        body = body[:-2]
    return body + b"\r\n" if body else b""


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """Return a header field in the relaxed form (RFC 6376, 3.4.2), with its line end."""
    return b"%b:%b\r\n" % (name.lower(), b" ".join(value.split()))


def _select(head: bytes) -> tuple[tuple[str, ...], bytes]:
    """Return the names for h= and the canonical fields they select: of equal names the last one first."""
    names: list[bytes] = []
    fields: list[bytes] = []
    for line in head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            name = name.rstrip().lower()
            names.append(name)
            fields.append(relaxed_field(name, value))
    if b"from" not in names:
        raise BadInput("A message without a sender cannot be signed.", place="message")
    named, places = _chosen(tuple(names))
    return named, b"".join([fields[place] for place in places])


@lru_cache(maxsize=256)
def _chosen(names: tuple[bytes, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the names for h= where fields of these names occur, and the places of those that are signed."""
    named: list[str] = []
    places: list[int] = []
    for name in (*OVERSIGNED, *SIGNED):
        mine = [place for place, each in enumerate(names) if each == name.encode("ascii")]
        places += reversed(mine)
        named += [name] * (len(mine) + (name in OVERSIGNED))
    return tuple(named), tuple(places)


def _signing(key: DkimKey) -> Callable[[bytes], bytes]:
    try:
        private = load_der_private_key(key.private_der, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise BadInput("This DKIM key cannot be read.", place=key.selector) from fault
    if key.algorithm == "rsa-sha256" and isinstance(private, RSAPrivateKey) and private.key_size >= 2048:
        padding, algorithm, rsa = PKCS1v15(), SHA256(), private
        return lambda data: rsa.sign(data, padding, algorithm)
    if key.algorithm == "ed25519-sha256" and isinstance(private, Ed25519PrivateKey):
        edwards = private
        return lambda data: edwards.sign(hashlib.sha256(data).digest())
    raise BadInput("A DKIM key is RSA of 2048 bits or more, or Ed25519.", place=key.selector)


def _selector(key: DkimKey) -> str:
    if not _SELECTOR.fullmatch(key.selector):
        raise BadInput("A selector is made of host name labels.", place="selector")
    return key.selector


@lru_cache(maxsize=64)
def _listed(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the h= tag in lines of at most `_LINE` characters, broken after a colon."""
    lines, line = [], "h="
    for place, name in enumerate(names, start=1):
        part = f"{name};" if place == len(names) else f"{name}:"
        if len(line) + len(part) > _LINE:
            lines.append(line)
            line = ""
        line += part
    return (*lines, line)
