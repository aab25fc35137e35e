"""Reads a submitted message: its words, what it says of itself, and nothing that it should not hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from salus.connect import cutting, markup
from salus.connect.contracts import Fault, Refused

LONGEST = 400
"""Characters of a subject."""
SIGNS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_PREFIX = "x-salus-"


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """What a message says: its words, the address in From, its id, the `X-Salus-` headers by short name."""

    subject: str
    text: str
    html: str
    sender: str
    id: str
    said: dict[str, str] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset()
    """Where its links lead to."""


def read(raw: bytes) -> Letter:
    """Return the letter in `raw` (CR LF lines). Raises `Refused`."""
    message, leaves = cutting.cut(raw)
    plain, page = _bodies(leaves)
    html, text, hosts = markup.written(page) if page.strip() else ("", "", frozenset())
    text = plain if plain.strip() else text
    if not text.strip() or SIGNS.search(text) or SIGNS.search(html):
        raise Refused(Fault.NO_TEXT)
    return Letter(
        _subject(message), text, html, _sender(message), _one(message, "Message-ID"), _said(message), hosts
    )


def _one(message: Message, name: str) -> str:
    """Return a header that may be there once, unfolded; "" when it is not there."""
    found = message.get_all(name, [])
    if len(found) > 1:
        raise Refused(Fault.BAD_HEADER)
    value = re.sub(r"\r\n(?=[ \t])", "", str(found[0])).strip() if found else ""
    if SIGNS.search(value.replace("\t", " ")) or len(value) > 2000:
        raise Refused(Fault.BAD_HEADER)
    return value


def _subject(message: Message) -> str:
    try:
        subject = str(make_header(decode_header(_one(message, "Subject")))).strip()
    except (HeaderParseError, LookupError, ValueError):
        raise Refused(Fault.NO_SUBJECT) from None
    if not subject or len(subject) > LONGEST or "\n" in subject or SIGNS.search(subject):
        raise Refused(Fault.NO_SUBJECT)
    return subject


def _sender(message: Message) -> str:
    found = getaddresses([_one(message, "From")])
    if len(found) != 1 or found[0][1].count("@") != 1:
        raise Refused(Fault.SENDER)
    return found[0][1].lower()


def _said(message: Message) -> dict[str, str]:
    names = [name.lower() for name in message if name.lower().startswith(_PREFIX)]
    return {name.removeprefix(_PREFIX): _one(message, name) for name in names}


def _bodies(leaves: Sequence[Message]) -> tuple[str, str]:
    """Return plain text and HTML, "" for the one that is not there."""
    found: dict[str, str] = {}
    try:
        for part in leaves:
            kind = part.get_content_type()
            disposed = (part.get_content_disposition() or "inline") != "inline" or part.get_filename()
            if kind not in {"text/plain", "text/html"} or disposed or kind in found:
                raise Refused(Fault.ATTACHMENT)
            octets = part.get_payload(decode=True)
            if not isinstance(octets, bytes) or part.defects:
                raise Refused(Fault.NO_TEXT)
            found[kind] = octets.decode(part.get_content_charset("utf-8")).replace("\r\n", "\n")
    except (LookupError, ValueError):
        raise Refused(Fault.NO_TEXT) from None
    return found.get("text/plain", ""), found.get("text/html", "")
