"""The protocol below the SMTP client: writes octets, waits for bounded replies, knows when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from salus.delivery.transports.replies import Heard, NotSmtp, ReplyReader
from salus.delivery.transports.settings import Limits


class Closed(Exception):
    """The connection ended before the reply came; the text is a word for the outcome."""


class Lines(asyncio.Protocol):
    """One connection as a stream of replies. Any fault ends it: it is never used again.

    `refused` is told of every refusal as it came, and must not keep its words.
    """

    def __init__(self, limits: Limits, refused: Callable[[Heard], None] = lambda _: None) -> None:
        self._limits, self._refused = limits, refused
        self._reader = ReplyReader(limits)
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._draining: asyncio.Future[None] | None = None
        self._blocked = False
        self.over = ""

    @property
    def transport(self) -> asyncio.Transport:
        """Return the transport; there is one from the moment the connection was made."""
        assert self._transport is not None
        return self._transport

    @property
    def quiet(self) -> bool:
        """Tell whether the connection is alive and the peer has said nothing that was not read."""
        return not self.over and self._reader.empty

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def adopt(self, transport: asyncio.Transport) -> None:
        """Go on over `transport` (the same connection, now within TLS), all earlier words forgotten."""
        self._transport = transport
        self._reader = ReplyReader(self._limits)

    def data_received(self, data: bytes) -> None:
        """Cut what came into replies; the first octet that fits none ends the connection."""
        if self.over:
            return
        try:
            self._reader.feed(data)
        except NotSmtp as fault:
            self.end(str(fault))
            return
        if self._reader.ready and self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    def eof_received(self) -> bool:
        """End: an SMTP server that half-closes has nothing more to say."""
        self.end("closed")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.end("closed" if exc is None else "reset")

    def pause_writing(self) -> None:
        """Remember that the peer reads too slowly."""
        self._blocked = True

    def resume_writing(self) -> None:
        """Wake the writer."""
        self._blocked = False
        if self._draining and not self._draining.done():
            self._draining.set_result(None)

    def end(self, why: str) -> None:
        """End the connection for good and wake whoever waits."""
        if not self.over:
            self.over = why
            if self._transport:
                self._transport.abort()
        for waiter in (self._waiting, self._draining):
            if waiter and not waiter.done():
                waiter.set_result(None)

    def write(self, data: bytes) -> None:
        """Hand octets to the connection; raises `Closed` when it is over."""
        if self.over:
            raise Closed(self.over)
        self.transport.write(data)

    async def drain(self, seconds: float) -> None:
        """Wait until the peer takes more octets. Raises `Closed`, also when it does not in time."""
        if self._blocked and not self.over:
            self._draining = asyncio.get_running_loop().create_future()
            await self._within(self._draining, seconds)
        if self.over:
            raise Closed(self.over)

    async def reply(self, seconds: float) -> Heard:
        """Return the next reply. Raises `Closed` when the peer ends, breaks the rules or stays silent."""
        while not self._reader.ready:
            if self.over:
                raise Closed(self.over)
            self._waiting = asyncio.get_running_loop().create_future()
            await self._within(self._waiting, seconds)
        heard = self._reader.ready.popleft()
        if heard.kind in (4, 5):
            self._refused(heard)
        return heard

    async def _within(self, waiter: asyncio.Future[None], seconds: float) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, self.end, "timeout")
        try:
            await waiter
        except asyncio.CancelledError:
            self.end("cancelled")
            raise
        finally:
            timer.cancel()
