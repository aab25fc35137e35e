"""Opens one protected connection to a web address outside; what comes back on it is the caller's to distrust.

The address that was looked at is the one connected to, so that a name cannot lead into our own network after it
was found to be public.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from salus.delivery.protection import tls
from salus.delivery.protection.policy import Named, Shortfall
from salus.delivery.transports.dns import Dns, DnsFailure
from salus.delivery.transports.routes import is_public
from salus.platform.reach import LOOPBACK

ADDRESSES = 3
_TARGET = re.compile(r"/[!-~]*")
_PORTS = {"https": 443, "http": 80}


class Ended(Exception):
    """An attempt ended before there was an answer; the text is a word for the outcome."""


@dataclass(frozen=True, slots=True)
class Way:
    """An open connection, and what a request has to name."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    netloc: str
    target: str


@dataclass(frozen=True, slots=True)
class Outside:
    """Opens connections. `authorities` (PEM) replaces the machine's trust store, for a test.

    In a `laboratory` private addresses are fine, and http on loopback; elsewhere neither.
    """

    dns: Dns
    laboratory: bool = False
    authorities: str = ""

    @asynccontextmanager
    async def opened(self, url: str, at: datetime, *, limit: int) -> AsyncIterator[Way]:
        """Yield a connection to the first address of `url` that answers, the peer verified. Raises `Ended`.

        `limit` is how many octets may wait unread. The connection is cut at the end: a polite end would wait
        for the receiver.
        """
        parts = urlsplit(url)
        host, scheme = parts.hostname or "", parts.scheme
        plain = scheme == "http" and self.laboratory and host in LOOPBACK
        if scheme != "https" and not plain:
            raise Ended("not_https")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not _TARGET.fullmatch(target):
            raise Ended("bad_address")
        reader, writer = await self._connect(host, parts.port or _PORTS[scheme], plain, at, limit)
        try:
            yield Way(reader, writer, parts.netloc, target)
        except (ConnectionError, ssl.SSLError):
            raise Ended("closed") from None
        finally:
            writer.transport.abort()

    async def _connect(
        self, host: str, port: int, plain: bool, at: datetime, limit: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = None if plain else tls.client_context(Named(self.authorities).trust)
        server_hostname = None if plain else host
        for address in await self._addresses(host):
            try:
                reader, writer = await asyncio.open_connection(
                    address, port, ssl=context, server_hostname=server_hostname, limit=limit
                )
            except ssl.SSLError as fault:
                raise Ended(str(tls.shortfall_of(fault))) from None
            except ConnectionResetError:  # after the connection was made: a refusal is another error
                raise Ended(str(Shortfall.HANDSHAKE_FAILED)) from None
            except OSError:
                continue
            if not plain:
                self._examine(writer, host, at)
            return reader, writer
        raise Ended("unreachable")

    def _examine(self, writer: asyncio.StreamWriter, host: str, at: datetime) -> None:
        found = tls.examine(writer.get_extra_info("ssl_object"), host, Named(self.authorities), at)
        if isinstance(found, Shortfall):
            writer.transport.abort()
            raise Ended(str(found))

    async def _addresses(self, host: str) -> Sequence[str]:
        """Return the addresses of a host that may be connected to: none of our own network."""
        found = _literal(host)
        if not found and self.laboratory and host in LOOPBACK:
            found = ("127.0.0.1", "::1")
        if not found:
            try:
                found = (await self.dns.addresses(host)).values
            except DnsFailure as fault:
                raise Ended("dns_trouble" if fault.failure.passes else "no_such_host") from None
        public = tuple(each for each in found if self.laboratory or is_public(each))
        if not public:
            raise Ended("private_address")
        return public[:ADDRESSES]


def _literal(host: str) -> tuple[str, ...]:
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        return ()
