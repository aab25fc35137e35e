"""Where services are: which addresses a kind of service may have, and one way to write each."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from salus.kernel.errors import BadInput
from salus.vendors.contracts import Kind

LONGEST = 500
"""The longest address, in characters."""
SCHEMES: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.WEBHOOK: ("https",),
        Kind.SMTP_ROUTE: ("smtp", "smtps"),
        Kind.SMS: ("https",),
        Kind.KMS: ("https",),
        Kind.BACKUP: ("https", "s3", "sftp"),
        Kind.IDENTITY_PROVIDER: ("https",),
        Kind.SYSLOG: ("syslog+tls",),
        Kind.WITNESS: ("mailto", "https"),
        Kind.TLS_REPORTS: ("tls-reports",),
    }
)
"""Every scheme means a protected connection: smtp is STARTTLS that is demanded (RFC 3207), smtps is TLS from the start."""
PORTS: Mapping[str, int] = MappingProxyType(
    {"https": 443, "http": 80, "smtp": 587, "smtps": 465, "sftp": 22, "syslog+tls": 6514}
)
"""What a scheme means without a port (RFC 6409, RFC 8314, RFC 5425)."""
_PRINTABLE = re.compile(r"[!-~]+")
"""ASCII without a space: nothing that could add a line to a request."""
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=^_`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_address(kind: Kind, text: str, *, laboratory: bool) -> str:
    """Return the address of a service, without spaces around it. Raises `BadInput`.

    Its scheme is one of the kind's; in a `laboratory` http to loopback is fine too. A webhook's host is
    on the public internet. User names, passwords and fragments are refused: they would be kept, and shown,
    beside the address.
    """
    kept = text.strip()
    if not kept:
        raise BadInput("Write where it is.", place="address")
    if len(kept) > LONGEST or not _PRINTABLE.fullmatch(kept):
        raise BadInput("That is not an address.", place="address")
    parts, port = _parts(kept)
    if parts.scheme not in SCHEMES[kind] and not _is_laboratory(kind, parts, laboratory):
        wanted = " or ".join(f"{scheme}:" + ("" if scheme == "mailto" else "//") for scheme in SCHEMES[kind])
        raise BadInput(f"The address must begin with {wanted}.", place="address")
    if parts.scheme == "mailto":
        if not _MAILBOX.fullmatch(parts.path) or parts.query or parts.fragment:
            raise BadInput("That is not an address.", place="address")
        return kept
    if not parts.hostname or port == 0:
        raise BadInput("That is not an address.", place="address")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadInput("Leave user name, password and what follows # out.", place="address")
    if kind is Kind.SMTP_ROUTE and (parts.path.strip("/") or parts.query):
        raise BadInput("Write the host, and a port if it needs one.", place="address")
    if kind is Kind.WEBHOOK and not laboratory and not _could_be_public(parts.hostname):
        raise BadInput("The address must be one of the public internet.", place="address")
    return kept


def canonical(address: str) -> str:
    """Return an address in the one way that all ways to write it have in common; raises `BadInput`."""
    parts, port = _parts(address.strip())
    if parts.scheme == "mailto":
        mailbox, _, domain = parts.path.rpartition("@")
        return f"mailto:{mailbox}@{domain.lower()}"
    port = port or PORTS.get(parts.scheme)
    where = f"{(parts.hostname or '').rstrip('.')}:{port or ''}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{where}{parts.path.rstrip('/')}{query}"


def place(organization_id: UUID, kind: Kind, address: str) -> str:
    """Return 64 hexadecimal digits by which a service is found again without opening what is sealed.

    The organization is part of it: equal places tell nothing beyond it. Raises `BadInput`.
    """
    told = f"{organization_id}\n{kind}\n{canonical(address)}"
    return hashlib.sha256(told.encode()).hexdigest()


def _parts(address: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise BadInput("That is not an address.", place="address") from None
    return parts, port


def _is_laboratory(kind: Kind, parts: SplitResult, laboratory: bool) -> bool:
    on_loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
    return laboratory and on_loopback and "https" in SCHEMES[kind]


def _could_be_public(host: str) -> bool:
    """Tell whether a host may be outside, by its name; what it leads to is looked at when a call goes out."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.endswith((".localhost", ".local", ".internal"))
