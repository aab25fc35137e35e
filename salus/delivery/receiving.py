"""The server for what comes back: strangers may say little, for a short time, to addresses of ours; it relays nothing.

It decides nothing: whether a recipient is ours and what a message means are asked of whoever runs it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from salus.platform import smtp
from salus.platform.smtp import Lines, Over

M = TypeVar("M")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds(smtp.Bounds):
    """What a stranger may cost us: nobody is known here."""

    connections: int = 40
    per_address: int = 10
    mistakes: int = 10
    seconds: float = 60.0
    strangers_seconds: float = 600.0
    per_minute: int = 300
    """Messages from one address."""
    messages: int = 100
    """Messages over one connection."""
    addresses: int = 2000
    """Addresses whose rate is remembered."""


@dataclass(slots=True, repr=False)
class _Client(smtp.Client, Generic[M]):
    """One connection; `meant` is what its recipient means."""

    meant: M | None = None
    messages: int = 0


class Receiver(smtp.Server[_Client[M]]):
    """The server. `known` returns what a recipient means to us, None when it is not ours; `take` returns a reply."""

    def __init__(
        self,
        host: str,
        known: Callable[[str], Awaitable[M | None]],
        take: Callable[[M, bytes], Awaitable[str]],
        *,
        tls: ssl.SSLContext,
        bounds: Bounds | None = None,
    ) -> None:
        self._bounds = bounds or Bounds()
        super().__init__(host, tls, self._bounds)
        self._known, self._take = known, take
        self._rates: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def client(self, lines: Lines, writer: asyncio.StreamWriter, address: str, *, secure: bool) -> _Client[M]:
        """Return what is remembered of a connection."""
        return _Client(lines, writer, address, secure)

    def begin(self, client: _Client[M]) -> str:
        """Return why the next message may not come, "" when it may."""
        if client.messages >= self._bounds.messages:
            raise Over("421 4.7.0 Enough over one connection")
        return "" if self._has_room(client.address) else "451 4.7.1 Too many at once, come again later"

    async def recipient(self, client: _Client[M], address: str) -> str:
        """Return the reply to a recipient: only what means something here is taken."""
        client.meant = await self._known(address)
        return "550 5.1.1 No such address here" if client.meant is None else "250 2.1.5 Ok"

    async def message(self, client: _Client[M], raw: bytes) -> str:
        """Return the reply to a whole message."""
        assert client.meant is not None
        client.messages += 1
        return await self._take(client.meant, raw)

    def _has_room(self, address: str) -> bool:
        """Count a message of this address; return whether it has more room in this minute."""
        now = time.monotonic()
        begun, count = self._rates.pop(address, (now, 0))
        if now - begun >= 60.0:
            begun, count = now, 0
        self._rates[address] = begun, count + 1
        while len(self._rates) > self._bounds.addresses:
            self._rates.popitem(last=False)
        return count < self._bounds.per_minute
