"""The dialogue of an SMTP server, for all who take mail: lines that end in CR LF or not at all, TLS, bounds in everything.

It decides nothing about mail: who may send, whose an address is and what becomes of a message is said by who
derives from `Server`. Nothing that it hears is logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import signal
import ssl
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

_PATH = re.compile(
    rb"(MAIL FROM|RCPT TO):[ ]{0,4}<([^<>\x00-\x20\x7f-\xff]{0,320})>((?: [!-~]{1,100}){0,10})", re.IGNORECASE
)
_SIZE = re.compile(rb" SIZE=(\d{1,20})(?: |$)", re.IGNORECASE)
_COMMAND_LINE = 2048
TEXT_LINE = 16 * 1024
"""Octets of the longest line of a message; RFC 5321 wants 1,000."""
_END = b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What clients may cost us; the memory of all of them is `connections` times twice `octets`."""

    octets: int = 1024 * 1024
    connections: int = 100
    per_address: int = 50
    """Connections from one address at once."""
    mistakes: int = 20
    seconds: float = 120.0
    """For one line of a client."""
    strangers_seconds: float = 60.0
    """For the whole connection of a client that is not known."""


class Over(Exception):
    """The connection ends, after these last words."""


class Lines:
    """What a client says, by whole lines; where another end hides in one, two readers could differ, so we part."""

    def __init__(self, reader: asyncio.StreamReader, seconds: float) -> None:
        self._reader, self._seconds = reader, seconds
        self._held = bytearray()

    async def one(self) -> bytes:
        """Return the next line without its end."""
        end = await self._whole()
        if end > _COMMAND_LINE:
            raise Over("500 5.5.2 Line too long")
        line = bytes(self._held[:end])
        del self._held[: end + 2]
        _check(line)
        return line

    async def text(self, most: int) -> bytes | None:
        """Return all until the line of one dot, other first dots undone; None for what is larger than `most` octets."""
        kept, octets, is_over = bytearray(), 0, False
        while not is_over:
            await self._whole()
            came = bytes(self._held[: self._held.rindex(_END)]).split(
                _END
            )  # not one by one: most of the work is here
            is_over = b"." in came
            lines = came[: came.index(b".")] if is_over else came
            taken = sum(map(len, lines)) + 2 * len(lines)
            del self._held[: taken + (3 if is_over else 0)]
            octets += taken
            if lines and max(map(len, lines)) > TEXT_LINE:
                raise Over("500 5.5.2 Line too long")
            _check(b"".join(lines))
            if octets <= most:
                kept += b"".join([line.removeprefix(b".") + _END for line in lines])
            elif octets > 10 * most:
                raise Over("421 5.3.4 Too large")
        return bytes(kept) if octets <= most else None

    async def _whole(self) -> int:
        """Return where the next line ends, when all of it is there: in the time for one line, however it trickles."""
        until = asyncio.get_running_loop().time() + self._seconds
        seen = 0
        while (end := self._held.find(_END, seen)) < 0:
            if len(self._held) > TEXT_LINE + 1:
                raise Over("500 5.5.2 Line too long")
            seen = max(0, len(self._held) - 1)
            async with asyncio.timeout_at(until):
                came = await self._reader.read(2 * TEXT_LINE)
            if not came:
                raise ConnectionResetError
            self._held += came
        return end


def _check(octets: bytes) -> None:
    if b"\r" in octets or b"\n" in octets or b"\0" in octets:
        raise Over("554 5.6.0 bare_line_end")


@dataclass(slots=True, repr=False)
class Client:
    """One connection: who it is, and how far it has come with its message."""

    lines: Lines
    writer: asyncio.StreamWriter
    address: str
    secure: bool
    greeted: bool = False
    has_sender: bool = False
    has_recipient: bool = False
    mistakes: int = 0
    is_taking: bool = False

    def reset(self) -> None:
        """Forget the message that was begun."""
        self.has_sender = self.has_recipient = False


C = TypeVar("C", bound=Client)


class Server(ABC, Generic[C]):
    """A server for one kind of clients. What it asks of who derives from it may raise: the client is to come again (451)."""

    def __init__(self, host: str, tls: ssl.SSLContext, bounds: Bounds) -> None:
        self._host, self._tls, self.bounds = host, tls, bounds
        self._live: Counter[str] = Counter()
        self._held: dict[asyncio.Task[None], C] = {}
        self._is_closing = False

    @abstractmethod
    def client(self, lines: Lines, writer: asyncio.StreamWriter, address: str, *, secure: bool) -> C:
        """Return what is remembered of a connection."""

    @abstractmethod
    async def recipient(self, client: C, address: str) -> str:
        """Return the reply to a recipient (ASCII, may be empty); with one that begins with 2 it is the message's."""

    @abstractmethod
    async def message(self, client: C, raw: bytes) -> str:
        """Return the reply to a whole message."""

    def is_known(self, client: C) -> bool:
        """Return whether a client has more time than strangers."""
        return False

    def offers(self, client: C) -> list[str]:
        """Return what EHLO says besides what every server does."""
        return []

    def bar(self, client: C) -> str:
        """Return why a client may say nothing of mail yet, "" when it may."""
        return ""

    def begin(self, client: C) -> str:
        """Return why the next message may not come, "" when it may."""
        return ""

    async def command(self, client: C, word: bytes, line: bytes) -> str:
        """Return the reply to a command that not every server has."""
        return "500 5.5.1 Unknown command"

    async def listen(self, where: str, *, implicit: bool = False) -> asyncio.Server:
        """Take connections at "ADDRESS:PORT"; with `implicit` TLS comes first (RFC 8314)."""
        host, _, port = where.rpartition(":")
        serve, tls = (self.implicit, self._tls) if implicit else (self.starttls, None)
        return await asyncio.start_server(serve, host.strip("[]"), int(port), limit=TEXT_LINE, ssl=tls)

    async def starttls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold a dialogue that begins in clear."""
        await self._serve(reader, writer, secure=False)

    async def implicit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold a dialogue over a connection that is TLS already."""
        await self._serve(reader, writer, secure=True)

    async def close(self, seconds: float = 10.0) -> None:
        """End the dialogues: at once, or when the message that they wait for is answered."""
        self._is_closing = True
        for client in self._held.values():
            if not client.is_taking:
                client.writer.transport.abort()
        if self._held:
            await asyncio.wait(list(self._held), timeout=seconds)

    async def say(self, client: C, text: str) -> None:
        """Say a line, or several."""
        client.writer.write(f"{text}\r\n".encode("ascii"))
        async with asyncio.timeout(self.bounds.seconds):
            await client.writer.drain()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, secure: bool
    ) -> None:
        address = str((writer.get_extra_info("peername") or ("",))[0])
        client = self.client(Lines(reader, self.bounds.seconds), writer, address, secure=secure)
        if self._live.total() >= self.bounds.connections or self._live[address] >= self.bounds.per_address:
            await self._end(client, "421 4.7.0 Too many connections, come again later")
            return
        self._live[address] += 1
        task = asyncio.current_task()
        assert task is not None
        self._held[task] = client
        hurry = asyncio.get_running_loop().call_later(
            self.bounds.strangers_seconds, self._drop_stranger, client
        )
        last = ""
        try:
            await self._talk(client)
        except Over as over:
            last = str(over)
        except (TimeoutError, OSError):
            pass
        except Exception as fault:  # noqa: BLE001 - a text of it might quote what came
            log.warning("a connection was ended: %s", type(fault).__name__)
        finally:
            hurry.cancel()
            self._live[address] -= 1
            self._live += Counter()  # forgets who is not here any more
            await self._end(client, last)
            del self._held[task]

    def _drop_stranger(self, client: C) -> None:
        if not self.is_known(client):
            client.writer.transport.abort()

    async def _talk(self, client: C) -> None:
        await self.say(client, f"220 {self._host} ESMTP")
        while not self._is_closing:
            reply = await self._reply(client, await client.lines.one())
            if reply[:1] in {"4", "5"}:
                client.mistakes += 1
            if client.mistakes > self.bounds.mistakes:
                raise Over("421 4.7.0 Too many mistakes")
            if reply:
                await self.say(client, reply)
        raise Over("421 4.3.2 Going down")

    async def _reply(self, client: C, line: bytes) -> str:
        word = line.split(b" ", 1)[0].upper()
        match word:
            case b"EHLO" | b"HELO":
                client.reset()
                client.greeted = True
                return self._hello(client) if word == b"EHLO" else f"250 {self._host}"
            case b"STARTTLS":
                return await self._start_tls(client, line)
            case b"MAIL" | b"RCPT" | b"DATA":
                return self.bar(client) or await self._mail(client, word, line)
            case b"NOOP":
                return "250 2.0.0 Ok"
            case b"RSET":
                client.reset()
                return "250 2.0.0 Ok"
            case b"VRFY":
                return "252 2.5.2 Nobody is looked up here"
            case b"QUIT":
                raise Over("221 2.0.0 Bye")
            case _:
                return await self.command(client, word, line)

    def _hello(self, client: C) -> str:
        offers = [self._host, f"SIZE {self.bounds.octets}", "8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES"]
        offers += [*([] if client.secure else ["STARTTLS"]), *self.offers(client)]
        return "\r\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"])

    async def _start_tls(self, client: C, line: bytes) -> str:
        if client.secure or line.upper() != b"STARTTLS":
            return "503 5.5.1 Not now"
        await self.say(client, "220 2.0.0 Go ahead")
        loop = asyncio.get_running_loop()
        # A reader of its own: what somebody put in clear behind STARTTLS is never taken for a command.
        reader = asyncio.StreamReader(limit=TEXT_LINE, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport = await loop.start_tls(
            client.writer.transport, protocol, self._tls, server_side=True, ssl_handshake_timeout=20.0
        )
        if transport is None:
            raise ConnectionResetError
        protocol.connection_made(transport)
        client.lines = Lines(reader, self.bounds.seconds)
        client.writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        client.secure, client.greeted = True, False
        client.reset()
        return ""

    async def _mail(self, client: C, word: bytes, line: bytes) -> str:
        if word == b"DATA":
            return await self._data(client) if client.has_recipient else "503 5.5.1 No recipient"
        found = _PATH.fullmatch(line)
        if found is None or not found[1].upper().startswith(word):
            return "501 5.5.4 Syntax error, or an address that is not ASCII"
        if word == b"MAIL":
            return self._sender(client, found[3])
        if not client.has_sender:
            return "503 5.5.1 Not now"
        if client.has_recipient:
            return "452 4.5.3 One recipient at a time"
        try:
            reply = await self.recipient(client, found[2].decode("ascii"))
        except Exception as fault:  # noqa: BLE001 - a text of it might quote what came
            log.warning("a recipient could not be looked up: %s", type(fault).__name__)
            return "451 4.3.0 Come again later"
        client.has_recipient = reply.startswith("2")
        return reply

    def _sender(self, client: C, parameters: bytes) -> str:
        if not client.greeted or client.has_sender:
            return "503 5.5.1 Not now"
        size = _SIZE.search(parameters)
        if size and int(size[1]) > self.bounds.octets:
            return "552 5.3.4 Too large"
        refusal = self.begin(client)
        client.has_sender = not refusal
        return refusal or "250 2.1.0 Ok"

    async def _data(self, client: C) -> str:
        await self.say(client, "354 Go ahead")
        raw = await client.lines.text(self.bounds.octets)
        client.is_taking = True
        try:
            return "552 5.3.4 Too large" if raw is None else await self.message(client, raw)
        except Exception as fault:  # noqa: BLE001 - a text of it might quote what came
            log.warning("a message could not be taken: %s", type(fault).__name__)
            return "451 4.3.0 Come again later"
        finally:
            client.is_taking = False
            client.reset()

    async def _end(self, client: C, text: str = "") -> None:
        with contextlib.suppress(OSError, TimeoutError):
            if text:
                await self.say(client, text)
            client.writer.close()
            async with asyncio.timeout(5.0):
                await client.writer.wait_closed()


def context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """Return TLS 1.2 or newer with this certificate; `key` is None when one file has both. Raises `OSError`."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(certificate, key)
    return made


def told_to_end() -> asyncio.Event:
    """Return what SIGTERM and SIGINT set from now on."""
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    return over
