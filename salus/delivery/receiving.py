"""A small SMTP server for what comes back: bounded in octets, time, connections and recipients; it relays nothing.

It speaks RFC 5321 as far as a host needs that returns a report. It decides nothing: whether a recipient is ours
and what a message means are asked of whoever runs it. Nothing that it hears is logged or kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import ssl
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

M = TypeVar("M")

_PATH = re.compile(
    rb"(MAIL FROM|RCPT TO):\s{0,4}<([^<>\x00-\x20\x7f-\xff]{0,320})>((?: [!-~]{1,100}){0,10})", re.IGNORECASE
)
_SIZE = re.compile(rb" SIZE=(\d{1,20})(?: |$)", re.IGNORECASE)
_LINE = 2048


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a stranger may cost us."""

    octets: int = 1024 * 1024
    connections: int = 40
    per_address: int = 10
    """Connections from one address at once."""
    per_minute: int = 300
    """Messages from one address."""
    messages: int = 100
    """Messages over one connection."""
    mistakes: int = 10
    seconds: float = 60.0
    """For one line of a client."""
    whole_seconds: float = 600.0
    """For one connection."""
    addresses: int = 2000
    """Addresses whose rate is remembered."""


@dataclass(slots=True)
class _Dialogue(Generic[M]):
    """One connection; `meant` are the recipients that were taken."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    secure: bool = False
    greeted: bool = False
    has_sender: bool = False
    meant: list[M] = field(default_factory=list)
    messages: int = 0
    mistakes: int = 0

    def reset(self) -> None:
        self.has_sender = False
        self.meant = []


class Receiver(Generic[M]):
    """The server. `known` returns what a recipient means to us, None when it is not ours; `take` returns a reply.

    Both may raise: the client is then told to come again later (451).
    """

    def __init__(
        self,
        host: str,
        known: Callable[[str], Awaitable[M | None]],
        take: Callable[[M, bytes], Awaitable[str]],
        *,
        tls: ssl.SSLContext,
        bounds: Bounds | None = None,
    ) -> None:
        self._host, self._known, self._take, self._tls = host, known, take, tls
        self._bounds = bounds or Bounds()
        self._live: dict[str, int] = {}
        self._rates: OrderedDict[str, tuple[float, int]] = OrderedDict()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one dialogue; for `asyncio.start_server`, whose `limit` is to be `line_limit`."""
        address = str((writer.get_extra_info("peername") or ("",))[0])
        dialogue: _Dialogue[M] = _Dialogue(reader, writer, address)
        mine = self._live.get(address, 0)
        if sum(self._live.values()) >= self._bounds.connections or mine >= self._bounds.per_address:
            await self._end(dialogue, "421 4.7.0 Too many connections, come again later")
            return
        self._live[address] = mine + 1
        try:
            async with asyncio.timeout(self._bounds.whole_seconds):
                await self._talk(dialogue)
        except (TimeoutError, OSError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        except Exception as fault:  # noqa: BLE001 - a text of it might quote what came
            log.warning("a connection that returns mail was ended: %s", type(fault).__name__)
        finally:
            self._live[address] -= 1
            if not self._live[address]:
                del self._live[address]
            await self._end(dialogue)

    @property
    def line_limit(self) -> int:
        """Return the octets of the longest line that a message may have."""
        return 64 * 1024

    async def _talk(self, dialogue: _Dialogue[M]) -> None:
        await self._say(dialogue, f"220 {self._host} ESMTP")
        while True:
            line = await self._line(dialogue)
            if line is None or len(line) > _LINE:
                await self._say(dialogue, "500 5.5.2 Line too long")
                return
            reply = await self._answer(dialogue, line)
            if reply.startswith(("4", "5")):
                dialogue.mistakes += 1
            if dialogue.mistakes > self._bounds.mistakes:
                await self._say(dialogue, "421 4.7.0 Too many mistakes")
                return
            if reply:
                await self._say(dialogue, reply)
            if reply.startswith(("221", "421")):
                return

    async def _answer(self, dialogue: _Dialogue[M], line: bytes) -> str:
        word = line.split(b" ", 1)[0].upper()
        match word:
            case b"EHLO" | b"HELO":
                dialogue.reset()
                dialogue.greeted = True
                return self._hello(dialogue) if word == b"EHLO" else f"250 {self._host}"
            case b"STARTTLS":
                return await self._starttls(dialogue)
            case b"MAIL":
                return self._mail(dialogue, line)
            case b"RCPT":
                return await self._rcpt(dialogue, line)
            case b"DATA":
                return await self._data(dialogue)
            case b"RSET":
                dialogue.reset()
                return "250 2.0.0 Ok"
            case b"NOOP":
                return "250 2.0.0 Ok"
            case b"VRFY":
                return "252 2.5.2 Nobody is looked up here"
            case b"QUIT":
                return "221 2.0.0 Bye"
            case _:
                return "500 5.5.1 Unknown command"

    def _hello(self, dialogue: _Dialogue[M]) -> str:
        offers = [self._host, f"SIZE {self._bounds.octets}", "8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES"]
        if not dialogue.secure:
            offers.append("STARTTLS")
        return "\r\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"])

    async def _starttls(self, dialogue: _Dialogue[M]) -> str:
        if dialogue.secure:
            return "503 5.5.1 TLS is on"
        await self._say(dialogue, "220 2.0.0 Go ahead")
        loop = asyncio.get_running_loop()
        # A reader of its own: what somebody put in clear behind STARTTLS is never taken for a command.
        reader = asyncio.StreamReader(limit=self.line_limit, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport = await loop.start_tls(
            dialogue.writer.transport, protocol, self._tls, server_side=True, ssl_handshake_timeout=20.0
        )
        if transport is None:
            raise ConnectionResetError
        protocol.connection_made(transport)
        dialogue.reader, dialogue.secure, dialogue.greeted = reader, True, False
        dialogue.writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        dialogue.reset()
        return ""

    def _mail(self, dialogue: _Dialogue[M], line: bytes) -> str:
        found = _PATH.fullmatch(line)
        if not dialogue.greeted or dialogue.has_sender:
            return "503 5.5.1 Not now"
        if not found or found[1].upper() != b"MAIL FROM":
            return "501 5.5.4 Syntax error"
        size = _SIZE.search(found[3])
        if size and int(size[1]) > self._bounds.octets:
            return "552 5.3.4 Too large"
        if dialogue.messages >= self._bounds.messages:
            return "421 4.7.0 Enough over one connection"
        if not self._has_room(dialogue.address):
            return "451 4.7.1 Too many at once, come again later"
        dialogue.has_sender = True
        return "250 2.1.0 Ok"

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

    async def _rcpt(self, dialogue: _Dialogue[M], line: bytes) -> str:
        found = _PATH.fullmatch(line)
        if not dialogue.has_sender:
            return "503 5.5.1 Not now"
        if not found or found[1].upper() != b"RCPT TO":
            return "501 5.5.4 Syntax error"
        if dialogue.meant:
            return "452 4.5.3 One recipient at a time"
        try:
            meant = await self._known(found[2].decode("ascii"))
        except Exception as fault:  # noqa: BLE001 - a text of it might quote what came
            log.warning("a recipient could not be looked up: %s", type(fault).__name__)
            return "451 4.3.0 Come again later"
        if meant is None:
            return "550 5.1.1 No such address here"
        dialogue.meant.append(meant)
        return "250 2.1.5 Ok"

    async def _data(self, dialogue: _Dialogue[M]) -> str:
        if not dialogue.meant:
            return "503 5.5.1 No recipient"
        await self._say(dialogue, "354 Go ahead")
        data, octets = bytearray(), 0
        while (line := await self._line(dialogue)) is not None and line != b".":
            octets += len(line) + 2
            if octets <= self._bounds.octets:
                data += line.removeprefix(b".") + b"\r\n"
            elif octets > 10 * self._bounds.octets:
                return "421 5.3.4 Too large"
        if line is None:
            return "421 5.5.2 Line too long"
        meant = dialogue.meant[0]
        dialogue.reset()
        dialogue.messages += 1
        if octets > self._bounds.octets:
            return "552 5.3.4 Too large"
        try:
            return await self._take(meant, bytes(data))
        except Exception as fault:  # noqa: BLE001 - a text of it might quote what came
            log.warning("what came back could not be recorded: %s", type(fault).__name__)
            return "451 4.3.0 Come again later"

    async def _line(self, dialogue: _Dialogue[M]) -> bytes | None:
        """Return the next line without its end, which is CR LF and nothing else; None when it is too long."""
        try:
            async with asyncio.timeout(self._bounds.seconds):
                return (await dialogue.reader.readuntil(b"\r\n"))[:-2]
        except asyncio.LimitOverrunError:
            return None

    async def _say(self, dialogue: _Dialogue[M], text: str) -> None:
        dialogue.writer.write(f"{text}\r\n".encode("ascii"))
        async with asyncio.timeout(self._bounds.seconds):
            await dialogue.writer.drain()

    async def _end(self, dialogue: _Dialogue[M], text: str = "") -> None:
        with contextlib.suppress(OSError, TimeoutError, ssl.SSLError):
            if text:
                await self._say(dialogue, text)
            dialogue.writer.close()
            async with asyncio.timeout(5.0):
                await dialogue.writer.wait_closed()
