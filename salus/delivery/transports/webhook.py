"""Tells a service something by one signed HTTPS POST (Standard Webhooks 1.0.0); it follows nothing and keeps nothing.

A small client of our own, because a receiver is not trusted: everything it says is bounded in octets and
in time, only the status of its answer is read, and the address that was looked at is the one connected to.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from salus.delivery.transports.dns import Dns
from salus.delivery.transports.outside import Ended, Outside

HEAD = 16 * 1024
"""Octets of an answer's status line and headers; beyond them nothing is read."""
INTERIM = 4
"""Answers with a status of 1xx that may come before the one that counts (RFC 9110, 15.2)."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: [^\r\n]*)?\r\n")


@dataclass(frozen=True, slots=True)
class Post:
    """One call: where to, which id, what, and the secrets that sign it, newest first."""

    url: str = field(repr=False)
    id: str
    body: bytes = field(repr=False)
    secrets: tuple[bytes, ...] = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one attempt: the status, or a word why there is none ("timeout", "unreachable"...)."""

    status: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts calls. `authorities` (PEM) replaces the machine's trust store, for a test.

    In a `laboratory` private addresses are fine, and http on loopback; elsewhere neither.
    `seconds` is all that one attempt may take.
    """

    dns: Dns
    laboratory: bool = False
    authorities: str = ""
    seconds: float = 20.0

    async def post(self, post: Post) -> Answer:
        """Return what became of `post`; it never raises for what the network or the receiver does."""
        try:
            async with asyncio.timeout(self.seconds):
                return Answer(await self._post(post))
        except TimeoutError:
            return Answer(None, "timeout")
        except Ended as ended:
            return Answer(None, str(ended))

    async def _post(self, post: Post) -> int:
        outside = Outside(self.dns, self.laboratory, self.authorities)
        async with outside.opened(post.url, post.at, limit=HEAD) as way:
            way.writer.write(_request(way.netloc, way.target, post))
            return await _status(way.reader)


def signature(id: str, timestamp: int, body: bytes, secrets: Sequence[bytes]) -> str:
    """Return the header `webhook-signature`: one "v1,<base64>" for each secret, with a space between."""
    signed = b"%s.%d.%s" % (id.encode(), timestamp, body)
    digests = (hmac.new(secret, signed, hashlib.sha256).digest() for secret in secrets)
    return " ".join("v1," + base64.b64encode(digest).decode("ascii") for digest in digests)


def _request(netloc: str, target: str, post: Post) -> bytes:
    timestamp = int(post.at.timestamp())
    lines = (
        f"POST {target} HTTP/1.1",
        f"Host: {netloc}",
        "User-Agent: Salus",
        "Content-Type: application/json",
        f"Content-Length: {len(post.body)}",
        "Connection: close",
        f"webhook-id: {post.id}",
        f"webhook-timestamp: {timestamp}",
        f"webhook-signature: {signature(post.id, timestamp, post.body, post.secrets)}",
    )
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + post.body


async def _status(reader: asyncio.StreamReader) -> int:
    """Return the status of the answer that counts; headers are read over, a body is not read."""
    for _ in range(INTERIM):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise Ended("answer_too_long") from None
        except asyncio.IncompleteReadError as fault:
            raise Ended("not_http" if fault.partial else "closed") from None
        found = _STATUS.match(head)
        if not found:
            raise Ended("not_http")
        status = int(found[1])
        if status >= 200:
            return status
    raise Ended("not_http")
