"""Mail addresses as the wire needs them: one local part, one domain in its ASCII (A-label) form."""

from __future__ import annotations

import re
from dataclasses import dataclass

import idna

from salus.kernel.errors import BadInput

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a0-\U0010ffff-]+"
_LOCAL = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_NEVER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

MAX_LOCAL = 64
"""Octets in a local part (RFC 5321, 4.5.3.1.1)."""
MAX_ADDRESS = 254
"""Octets in an address, so that the path with its brackets stays within 256 (RFC 5321, 4.5.3.1.3)."""


@dataclass(frozen=True, slots=True, repr=False)
class Mailbox:
    """An address and the display name that stands before it; neither is ever shown in a `repr`."""

    address: str
    name: str = ""


def ascii_domain(domain: str, *, place: str = "domain") -> str:
    """Return `domain` in lower case, as A-labels, without a trailing dot.

    Raises `BadInput` for what is not a host name: an empty label, a literal, a number in place of a name
    (RFC 3696, 2), an underscore, a label above 63 or a name above 253 octets (RFC 1035 2.3.4, RFC 5891).
    """
    name = domain.removesuffix(".")
    lowered = name.lower()
    if not lowered.isascii() and len(lowered) <= 253 and not _NEVER.search(lowered):
        try:
            lowered = idna.encode(lowered, uts46=True).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError) as fault:
            raise BadInput("The domain of this address cannot exist.", place=place) from fault
    last = lowered.rpartition(".")[2]
    if len(lowered) > 253 or last.isdigit() or not _DOMAIN.fullmatch(lowered):
        raise BadInput("The domain of this address cannot exist.", place=place)
    return lowered


def split(address: str, *, place: str = "address") -> tuple[str, str]:
    """Return the local part and the ASCII domain of `address`.

    Raises `BadInput` for anything that could change the meaning of a command or header line (line
    ends, controls, brackets, spaces, quotes) or is too long. Quoted local parts and address literals
    are refused: no patient has one, and they are where injections hide.
    """
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or _NEVER.search(local):
        raise BadInput("This is not a mail address that can be written to.", place=place)
    ascii_name = ascii_domain(domain, place=place)
    if len(local.encode()) > MAX_LOCAL or len(local.encode()) + 1 + len(ascii_name) > MAX_ADDRESS:
        raise BadInput("This mail address is too long.", place=place)
    return local, ascii_name


def ascii_address(address: str, *, place: str = "address") -> str:
    """Return `address` with its domain in ASCII form; the local part is kept to the letter."""
    local, domain = split(address, place=place)
    return f"{local}@{domain}"
