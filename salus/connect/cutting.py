"""Cuts a submitted message into its parts: how many there are is known before any of them is looked into."""

from __future__ import annotations

from collections import deque
from email.message import Message
from email.parser import HeaderParser

from salus.connect.contracts import Fault, Refused

MOST_HEADERS, MOST_HEADER_OCTETS, MOST_PARTS = 200, 32 * 1024, 20
_HEADERS = HeaderParser()


def cut(raw: bytes) -> tuple[Message, list[Message]]:
    """Return the headers of `raw` (CR LF lines) and its parts that are no multiparts, in order, undecoded.

    Raises `Refused` for more headers, or parts within parts, than anybody needs, and for a multipart without its boundary.
    The library's parser is given the headers only: it looks at each line of a body for every boundary that there is.
    """
    top, body = _read(raw)
    leaves: list[Message] = []
    waiting, seen = deque([(top, body)]), 1
    while waiting:
        part, body = waiting.popleft()
        if part.get_content_maintype() != "multipart":
            part.set_payload(body.decode("ascii", "surrogateescape"))
            leaves.append(part)
            continue
        inner = _pieces(body, _boundary(part))
        seen += len(inner)
        if seen > MOST_PARTS:
            raise Refused(Fault.TOO_COMPLEX)
        cut = [_read(piece) for piece in inner]
        if part.get_content_subtype() == "digest":
            for each, _ in cut:
                each.set_default_type("message/rfc822")
        waiting.extendleft(reversed(cut))
    return top, leaves


def _read(raw: bytes) -> tuple[Message, bytes]:
    head, _, body = raw.partition(b"\r\n\r\n") if not raw.startswith(b"\r\n") else (b"", b"", raw[2:])
    if len(head) > MOST_HEADER_OCTETS or head.count(b"\r\n") > MOST_HEADERS:
        raise Refused(Fault.TOO_COMPLEX)
    return _HEADERS.parsestr(head.decode("ascii", "surrogateescape")), body


def _boundary(part: Message) -> bytes:
    try:
        boundary = (part.get_boundary() or "").encode("ascii", "surrogateescape")
    except (LookupError, ValueError):
        boundary = b""
    if not boundary:
        raise Refused(Fault.ATTACHMENT)
    return boundary


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """Return what stands between the lines of a boundary."""
    line = b"\r\n--" + boundary
    body = b"\r\n" + body
    if body.count(line) > MOST_PARTS:
        raise Refused(Fault.TOO_COMPLEX)
    pieces: list[bytes] = []
    for each in body.split(line)[1:]:
        rest, _, inside = each.partition(b"\r\n")
        sign = rest.rstrip(b" \t")
        if sign not in {b"", b"--"}:  # a longer boundary, of a part inside
            if pieces:
                pieces[-1] += line + each
        elif sign:
            break
        else:
            pieces.append(inside)
    if not pieces:
        raise Refused(Fault.ATTACHMENT)
    return pieces
