"""Tells a service something by one signed HTTPS POST (Standard Webhooks 1.0.0); it follows nothing and keeps nothing.

A small client of our own, because a receiver is not trusted: everything it says is bounded in octets and
in time, only the status of its answer is read, and the address that was looked at is the one connected to.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from salus.delivery.protection import tls
from salus.delivery.protection.policy import Named, Shortfall
from salus.delivery.transports.dns import Dns, DnsFailure, Failure
from salus.delivery.transports.routes import is_public
from salus.platform.reach import LOOPBACK

HEAD = 16 * 1024
"""Octets of an answer's status line and headers; beyond them nothing is read."""
INTERIM = 4
"""Answers with a status of 1xx that may come before the one that counts (RFC 9110, 15.2)."""
ADDRESSES = 3
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: [^\r\n]*)?\r\n")
_TARGET = re.compile(r"/[!-~]*")
_PORTS = {"https": 443, "http": 80}


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


class _Ended(Exception):
    """An attempt ended before there was a status; the text is a word for the outcome."""


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
        except _Ended as ended:
            return Answer(None, str(ended))

    async def _post(self, post: Post) -> int:
        parts = urlsplit(post.url)
        host, scheme = parts.hostname or "", parts.scheme
        is_plain = scheme == "http" and self.laboratory and host in LOOPBACK
        if scheme != "https" and not is_plain:
            raise _Ended("not_https")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not _TARGET.fullmatch(target):
            raise _Ended("bad_address")
        reader, writer = await self._connect(host, parts.port or _PORTS[scheme], plain=is_plain, at=post.at)
        try:
            writer.write(_request(parts.netloc, target, post))
            return await _status(reader)
        except (ConnectionError, ssl.SSLError):
            raise _Ended("closed") from None
        finally:
            writer.transport.abort()  # a polite end would wait for the receiver

    async def _connect(
        self, host: str, port: int, *, plain: bool, at: datetime
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return streams to the first address that answers, the peer verified."""
        context = None if plain else tls.client_context(Named(self.authorities).trust)
        server_hostname = None if plain else host
        for address in await self._addresses(host):
            try:
                reader, writer = await asyncio.open_connection(
                    address, port, ssl=context, server_hostname=server_hostname, limit=HEAD
                )
            except ssl.SSLError as fault:
                raise _Ended(str(tls.shortfall_of(fault))) from None
            except ConnectionResetError:  # after the connection was made: a refusal is another error
                raise _Ended(str(Shortfall.HANDSHAKE_FAILED)) from None
            except OSError:
                continue
            if not plain:
                self._examine(writer, host, at)
            return reader, writer
        raise _Ended("unreachable")

    def _examine(self, writer: asyncio.StreamWriter, host: str, at: datetime) -> None:
        found = tls.examine(writer.get_extra_info("ssl_object"), host, Named(self.authorities), at)
        if isinstance(found, Shortfall):
            writer.transport.abort()
            raise _Ended(str(found))

    async def _addresses(self, host: str) -> Sequence[str]:
        """Return the addresses of a host that may be connected to: none of our own network."""
        found = _literal(host)
        if not found and self.laboratory and host in LOOPBACK:
            found = ("127.0.0.1", "::1")
        if not found:
            try:
                found = (await self.dns.addresses(host)).values
            except DnsFailure as fault:
                raise _Ended("dns_trouble" if fault.failure is Failure.TROUBLE else "no_such_host") from None
        public = tuple(each for each in found if self.laboratory or is_public(each))
        if not public:
            raise _Ended("private_address")
        return public[:ADDRESSES]


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
            raise _Ended("answer_too_long") from None
        except asyncio.IncompleteReadError as fault:
            raise _Ended("not_http" if fault.partial else "closed") from None
        found = _STATUS.match(head)
        if not found:
            raise _Ended("not_http")
        status = int(found[1])
        if status >= 200:
            return status
    raise _Ended("not_http")


def _literal(host: str) -> tuple[str, ...]:
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        return ()
