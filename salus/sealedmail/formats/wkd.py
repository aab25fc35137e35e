"""Where a domain keeps the OpenPGP keys of its people: the web key directory (draft-koch-openpgp-webkey-service)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

_ALPHABET: Final = "ybndrfg8ejkmcpqxot1uwisza345h769"


@dataclass(frozen=True, slots=True)
class Places:
    """The address of one person's key by the advanced method, and by the direct one.

    The second is asked only where the first's host does not exist (3.1).
    """

    advanced: str = field(repr=False)
    direct: str = field(repr=False)


def places(address: str) -> Places:
    """Return where to look for the key of a mail address whose domain is in ASCII."""
    local, _, domain = address.rpartition("@")
    domain = domain.lower()
    name = f"{_zbase32(hashlib.sha1(_lower(local).encode()).digest())}?l={quote(local, safe='')}"  # noqa: S324 - a name, not a proof
    known = ".well-known/openpgpkey"
    return Places(
        f"https://openpgpkey.{domain}/{known}/{domain}/hu/{name}", f"https://{domain}/{known}/hu/{name}"
    )


def _lower(local: str) -> str:
    """Return the local part with its ASCII letters in lower case, no others (3.1)."""
    return "".join(each.lower() if each.isascii() else each for each in local)


def _zbase32(digest: bytes) -> str:
    """Return 20 octets as 32 letters (RFC 6189, 5.1.6)."""
    number = int.from_bytes(digest, "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(155, -1, -5))
