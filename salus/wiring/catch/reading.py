"""Opens a caught mail for the inbox page: headers, text, HTML. Only when somebody looks, so speed is no matter."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass(frozen=True, slots=True)
class Opened:
    """The readable parts of a mail."""

    subject: str = field(repr=False)
    sender: str = field(repr=False)
    to: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)


def headline(data: bytes) -> Mapping[str, str]:
    """Return From, To and Subject of a mail, decoded, without its body being read."""
    head = email.message_from_bytes(data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", policy=email.policy.default)
    return {name: _one_line(str(head.get(name, ""))) for name in ("From", "To", "Subject")}


def read(data: bytes) -> Opened:
    """Return the parts of a mail; what cannot be decoded is shown as it came."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    return Opened(
        subject=_one_line(str(message.get("Subject", ""))),
        sender=_one_line(str(message.get("From", ""))),
        to=_one_line(str(message.get("To", ""))),
        headers=tuple((name, _one_line(str(value))) for name, value in message.items()),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        octets = part.get_payload(decode=True)
        return octets.decode("latin-1") if isinstance(octets, bytes) else ""


def _one_line(value: str) -> str:
    return " ".join(value.split())
