"""A message as bytes, by hand and deterministic: the same letter gives the same bytes for ever."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from salus.delivery import headers
from salus.delivery.addresses import Mailbox, ascii_domain
from salus.kernel.errors import BadInput

_TOKEN = re.compile(r"[A-Za-z0-9]{8,60}")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,120}@([a-z0-9.-]{1,253})")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_LIST_ID = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,198}[a-z0-9])?")
# Plain http is for this machine alone: a demo has no certificate that a browser knows.
_URL = re.compile(r"(?:https://|http://(?:localhost|127\.0\.0\.1)[:/])[!#-;=?-Z\[\]_a-z~]{3,900}")
_MAILTO = re.compile(r"mailto:[!#-;=?-Z\[\]_a-z~]{3,300}")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ASCII = bytes(range(128))


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Where a mail program unsubscribes: an https address that takes the POST of RFC 8058, and mailto."""

    url: str = field(repr=False)
    mailto: str = field(default="", repr=False)
    one_click: bool = True


@dataclass(frozen=True, slots=True)
class ListId:
    """The list a message belongs to (RFC 2919): a name for people and an identifier below our domain."""

    name: str
    identifier: str


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything the bytes of a message depend on.

    `message_id` stands without brackets; `boundary` is a token of 8 to 60 letters and digits, new
    for each message. `html` may be empty: then the message is plain text alone.
    """

    date: datetime
    message_id: str
    boundary: str
    sender: Mailbox
    to: Mailbox
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(default="", repr=False)
    reply_to: Mailbox | None = None
    language: str = ""
    unsubscribe: Unsubscribe | None = None
    list_id: ListId | None = None
    automatic: bool = False


def build(letter: Letter) -> bytes:
    """Return the message with CRLF line ends, ready to be signed.

    It is pure ASCII unless an address has a local part that is not (then it needs SMTPUTF8).
    Raises `BadInput` naming the part that cannot be written.
    """
    if not _TOKEN.fullmatch(letter.boundary):
        raise BadInput("A boundary is 8 to 60 letters and digits.", place="boundary")
    if not letter.subject:
        raise BadInput("A message needs a subject.", place="subject")
    head = "".join(_head(letter)).encode()
    if not letter.html:
        return head + _part("plain", letter.text, "text")
    # No encoded body can hold "=_": the boundary never occurs in a part (RFC 2045, 6.7).
    edge = f"--=_{letter.boundary}".encode()
    return b"".join(
        (
            head,
            f'Content-Type: multipart/alternative; boundary="=_{letter.boundary}"\r\n\r\n'.encode(),
            edge,
            b"\r\n",
            _part("plain", letter.text, "text"),
            edge,
            b"\r\n",
            _part("html", letter.html, "html"),
            edge,
            b"--\r\n",
        )
    )


def _head(letter: Letter) -> list[str]:
    fields = [
        f"Date: {_date(letter.date)}\r\n",
        headers.mailbox("From", letter.sender, place="sender"),
        headers.mailbox("To", letter.to, place="to"),
        headers.unstructured("Subject", letter.subject, place="subject"),
        f"Message-ID: <{_message_id(letter.message_id)}>\r\n",
    ]
    if letter.reply_to:
        fields.insert(2, headers.mailbox("Reply-To", letter.reply_to, place="reply_to"))
    if letter.list_id:
        fields.append(_list_id(letter.list_id))
    if letter.unsubscribe:
        fields.extend(_unsubscribe(letter.unsubscribe))
    if letter.automatic:
        fields.append("Auto-Submitted: auto-generated\r\n")
    if letter.language:
        if not _LANGUAGE.fullmatch(letter.language):
            raise BadInput("This is not a language tag.", place="language")
        fields.append(f"Content-Language: {letter.language}\r\n")
    fields.append("MIME-Version: 1.0\r\n")
    return fields


def _date(at: datetime) -> str:
    """Return an RFC 5322 date in UTC; the names of days and months are never a locale's."""
    if at.tzinfo is None:
        raise BadInput("The date has no time zone.", place="date")
    utc = at.astimezone(UTC)
    return (
        f"{_DAYS[utc.weekday()]}, {utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04} "
        f"{utc.hour:02}:{utc.minute:02}:{utc.second:02} +0000"
    )


def _message_id(value: str) -> str:
    found = _MESSAGE_ID.fullmatch(value)
    if not found:
        raise BadInput("A Message-ID is one local part and a host name.", place="message_id")
    ascii_domain(found[1], place="message_id")
    return value


def _list_id(list_id: ListId) -> str:
    if not _LIST_ID.fullmatch(list_id.identifier) or "." not in list_id.identifier:
        raise BadInput("A list identifier looks like a host name.", place="list_id")
    if not list_id.name:
        return f"List-Id: <{list_id.identifier}>\r\n"
    return headers.named("List-Id", list_id.name, f"<{list_id.identifier}>", place="list_id")


def _unsubscribe(unsubscribe: Unsubscribe) -> list[str]:
    if not _URL.fullmatch(unsubscribe.url):
        raise BadInput("One-click needs an https address in plain ASCII (RFC 8058).", place="unsubscribe")
    value = f"<{unsubscribe.url}>"
    if unsubscribe.mailto:
        if not _MAILTO.fullmatch(unsubscribe.mailto):
            raise BadInput("This is not a mailto address.", place="unsubscribe")
        value += f",\r\n <{unsubscribe.mailto}>"
    fields = [f"List-Unsubscribe: {value}\r\n"]
    if unsubscribe.one_click:
        fields.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
    return fields


def _part(subtype: str, text: str, place: str) -> bytes:
    """Return headers and body of a text part; the body ends with the line end that closes it."""
    lines = text if "\r" not in text else text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        octets = (lines.replace("\n", "\r\n") + "\r\n").encode()
    except UnicodeEncodeError as fault:
        raise BadInput("The text holds half a character.", place=place) from fault
    if b"\0" in octets:
        raise BadInput("The text holds a NUL.", place=place)
    # Quoted-printable costs 2 more for each octet outside ASCII, base64 a third for all.
    if not octets.isascii() and len(octets.translate(None, _ASCII)) * 6 > len(octets):
        how, body = "base64", base64.encodebytes(octets[:-2]).replace(b"\n", b"\r\n")
    else:
        how, body = "quoted-printable", binascii.b2a_qp(octets, istext=True)
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {how}\r\n\r\n"
    return head.encode() + body
