"""Speaks SMTP submission (RFC 6409): nothing before TLS, nothing before a key, lines that end in CR LF or not at all.

It decides nothing about messages: whether a key is right and what becomes of a message is asked of whoever runs
it. Nothing that it hears is logged.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import logging
import re
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from salus.connect.contracts import Submitted
from salus.kernel.phi import Phi

log = logging.getLogger(__name__)

_PATH = re.compile(
    rb"(MAIL FROM|RCPT TO):[ ]{0,2}<([^<>\x00-\x20\x7f-\xff]{0,320})>((?: [!-~]{1,100}){0,10})", re.IGNORECASE
)
_SIZE = re.compile(rb" SIZE=(\d{1,20})(?: |$)", re.IGNORECASE)
_COMMAND_LINE = 2048
TEXT_LINE = 16 * 1024
"""Octets of the longest line of a message; RFC 5321 wants 1,000."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What clients may cost us; the memory of all of them is `connections` times twice `octets`."""

    octets: int = 1024 * 1024
    connections: int = 100
    per_address: int = 50
    mistakes: int = 20
    wrong_keys: int = 3
    seconds: float = 120.0
    """For one line of a client."""
    strangers_seconds: float = 60.0
    """For a connection without a key."""


@dataclass(slots=True, repr=False)
class _Dialogue:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ip: str
    secure: bool
    greeted: bool = False
    key: str = ""
    has_sender: bool = False
    recipient: str = ""
    mistakes: int = 0
    wrong_keys: int = 0
    is_taking: bool = False

    def reset(self) -> None:
        self.has_sender, self.recipient = False, ""


def _drop_stranger(dialogue: _Dialogue) -> None:
    if not dialogue.key:
        dialogue.writer.transport.abort()


class _Over(Exception):
    """The connection ends, after these last words."""


class Submission:
    """The server. `may` says whether a key from an address may submit, `take` returns the reply to a message.

    Both may raise: the client is then told to come again later (451).
    """

    def __init__(
        self,
        host: str,
        tls: ssl.SSLContext,
        may: Callable[[str, str], Awaitable[bool]],
        take: Callable[[Submitted], Awaitable[str]],
        bounds: Bounds | None = None,
    ) -> None:
        self._host, self._tls, self._may, self._take = host, tls, may, take
        self._bounds = bounds or Bounds()
        self._live: Counter[str] = Counter()
        self._held: dict[asyncio.Task[None], _Dialogue] = {}
        self._is_closing = False

    async def starttls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold a dialogue that begins in clear; for `asyncio.start_server` with `limit=TEXT_LINE`."""
        await self._serve(reader, writer, secure=False)

    async def implicit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold a dialogue over a connection that is TLS already (RFC 8314)."""
        await self._serve(reader, writer, secure=True)

    async def close(self, seconds: float = 10.0) -> None:
        """End the dialogues: at once, or when the message that they wait for is answered."""
        self._is_closing = True
        for dialogue in self._held.values():
            if not dialogue.is_taking:
                dialogue.writer.transport.abort()
        if self._held:
            await asyncio.wait(list(self._held), timeout=seconds)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, secure: bool
    ) -> None:
        ip = str((writer.get_extra_info("peername") or ("",))[0])
        dialogue = _Dialogue(reader, writer, ip, secure)
        if self._live.total() >= self._bounds.connections or self._live[ip] >= self._bounds.per_address:
            await self._end(dialogue, "421 4.7.0 Too many connections, come again later")
            return
        self._live[ip] += 1
        task = asyncio.current_task()
        assert task is not None
        self._held[task] = dialogue
        hurry = asyncio.get_running_loop().call_later(
            self._bounds.strangers_seconds, _drop_stranger, dialogue
        )
        last = ""
        try:
            await self._talk(dialogue)
        except _Over as over:
            last = str(over)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            pass
        except Exception as fault:  # noqa: BLE001 - a text of it might quote what came
            log.warning("a submission was ended: %s", type(fault).__name__)
        finally:
            hurry.cancel()
            self._live[ip] -= 1
            self._live += Counter()  # forgets who is not here any more
            await self._end(dialogue, last)
            del self._held[task]

    async def _talk(self, dialogue: _Dialogue) -> None:
        await self._say(dialogue, f"220 {self._host} ESMTP")
        while not self._is_closing:
            reply = await self._answer(dialogue, await self._line(dialogue, _COMMAND_LINE))
            if reply[:1] in {"4", "5"}:
                dialogue.mistakes += 1
            if dialogue.mistakes > self._bounds.mistakes:
                raise _Over("421 4.7.0 Too many mistakes")
            if reply:
                await self._say(dialogue, reply)
        raise _Over("421 4.3.2 Going down")

    async def _answer(self, dialogue: _Dialogue, line: bytes) -> str:
        word = line.split(b" ", 1)[0].upper()
        match word:
            case b"EHLO" | b"HELO":
                dialogue.reset()
                dialogue.greeted = True
                return self._hello(dialogue) if word == b"EHLO" else f"250 {self._host}"
            case b"STARTTLS":
                return await self._start_tls(dialogue, line)
            case b"NOOP":
                return "250 2.0.0 Ok"
            case b"RSET":
                dialogue.reset()
                return "250 2.0.0 Ok"
            case b"QUIT":
                raise _Over("221 2.0.0 Bye")
            case b"AUTH":
                return await self._auth(dialogue, line)
            case b"MAIL" | b"RCPT" | b"DATA":
                if not dialogue.secure:
                    return "530 5.7.0 Must issue STARTTLS first"
                if not dialogue.key:
                    return "530 5.7.0 Authentication required"
                return await self._mail(dialogue, word, line)
            case b"VRFY":
                return "252 2.5.2 Nobody is looked up here"
            case _:
                return "500 5.5.1 Unknown command"

    def _hello(self, dialogue: _Dialogue) -> str:
        offers = [self._host, f"SIZE {self._bounds.octets}", "8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES"]
        offers.append("AUTH PLAIN LOGIN" if dialogue.secure else "STARTTLS")
        return "\r\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"])

    async def _start_tls(self, dialogue: _Dialogue, line: bytes) -> str:
        if dialogue.secure or line.upper() != b"STARTTLS":
            return "503 5.5.1 Not now"
        await self._say(dialogue, "220 2.0.0 Go ahead")
        loop = asyncio.get_running_loop()
        # A reader of its own: what somebody put in clear behind STARTTLS is never taken for a command.
        reader = asyncio.StreamReader(limit=TEXT_LINE, loop=loop)
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

    async def _auth(self, dialogue: _Dialogue, line: bytes) -> str:
        if not dialogue.secure:
            return "538 5.7.11 Encryption required"
        if not dialogue.greeted or dialogue.key or dialogue.has_sender:
            return "503 5.5.1 Not now"
        words = line.split(b" ")
        how, first = (words[1].upper() if len(words) > 1 else b""), words[2:3]
        try:
            if how == b"PLAIN" and len(words) <= 3:
                _, _, key = (await self._secret(dialogue, first, "")).split(b"\0")
            elif how == b"LOGIN" and len(words) <= 3:
                await self._secret(dialogue, first, "VXNlcm5hbWU6")
                key = await self._secret(dialogue, [], "UGFzc3dvcmQ6")
            else:
                return "504 5.5.4 PLAIN or LOGIN"
            raw = key.decode("ascii")
        except (binascii.Error, ValueError):
            return "501 5.5.2 Cannot be read"
        try:
            right = await self._may(raw, dialogue.ip)
        except Exception as fault:  # noqa: BLE001 - a text of it might quote what came
            log.warning("a key could not be looked at: %s", type(fault).__name__)
            return "454 4.7.0 Come again later"
        if right:
            dialogue.key = raw
            return "235 2.7.0 Welcome"
        dialogue.wrong_keys += 1
        if dialogue.wrong_keys >= self._bounds.wrong_keys:
            raise _Over("421 4.7.0 Too many wrong keys")
        return "535 5.7.8 This key does not work here"

    async def _secret(self, dialogue: _Dialogue, given: list[bytes], challenge: str) -> bytes:
        """Return what the client says in base64, at once or when it is asked."""
        if not given:
            await self._say(dialogue, f"334 {challenge}")
            given = [await self._line(dialogue, _COMMAND_LINE)]
        return b"" if given[0] == b"=" else base64.b64decode(given[0], validate=True)

    async def _mail(self, dialogue: _Dialogue, word: bytes, line: bytes) -> str:
        if word == b"DATA":
            return await self._data(dialogue) if dialogue.recipient else "503 5.5.1 No recipient"
        found = _PATH.fullmatch(line)
        if found is None or not found[1].upper().startswith(word):
            return "501 5.5.4 Syntax error, or an address that is not ASCII"
        if word == b"MAIL":
            if not dialogue.greeted or dialogue.has_sender:
                return "503 5.5.1 Not now"
            size = _SIZE.search(found[3])
            if size and int(size[1]) > self._bounds.octets:
                return "552 5.3.4 Too large"
            dialogue.has_sender = True
            return "250 2.1.0 Ok"
        if not dialogue.has_sender or not found[2]:
            return "503 5.5.1 Not now"
        if dialogue.recipient:
            return "452 4.5.3 One recipient at a time"
        dialogue.recipient = found[2].decode("ascii")
        return "250 2.1.5 Ok"

    async def _data(self, dialogue: _Dialogue) -> str:
        await self._say(dialogue, "354 Go ahead")
        data, octets = bytearray(), 0
        while (line := await self._line(dialogue, TEXT_LINE)) != b".":
            octets += len(line) + 2
            if octets <= self._bounds.octets:
                data += line.removeprefix(b".") + b"\r\n"
            elif octets > 10 * self._bounds.octets:
                raise _Over("421 5.3.4 Too large")
        submitted = Submitted(dialogue.key, dialogue.ip, Phi(dialogue.recipient), bytes(data))
        dialogue.reset()
        del data
        if octets > self._bounds.octets:
            return "552 5.3.4 Too large"
        dialogue.is_taking = True
        try:
            return await self._take(submitted)
        except Exception as fault:  # noqa: BLE001 - a text of it might quote what came
            log.warning("a submission could not be taken: %s", type(fault).__name__)
            return "451 4.3.0 Come again later"
        finally:
            dialogue.is_taking = False

    async def _line(self, dialogue: _Dialogue, longest: int) -> bytes:
        """Return the next line without its CR LF; where another end hides in it, two readers could differ, so we part."""
        try:
            async with asyncio.timeout(self._bounds.seconds):
                line = (await dialogue.reader.readuntil(b"\r\n"))[:-2]
        except asyncio.LimitOverrunError:
            raise _Over("500 5.5.2 Line too long") from None
        if len(line) > longest:
            raise _Over("500 5.5.2 Line too long")
        if b"\r" in line or b"\n" in line or b"\0" in line:
            raise _Over("554 5.6.0 bare_line_end")
        return line

    async def _say(self, dialogue: _Dialogue, text: str) -> None:
        dialogue.writer.write(f"{text}\r\n".encode("ascii"))
        async with asyncio.timeout(self._bounds.seconds):
            await dialogue.writer.drain()

    async def _end(self, dialogue: _Dialogue, text: str = "") -> None:
        with contextlib.suppress(OSError, TimeoutError):
            if text:
                await self._say(dialogue, text)
            dialogue.writer.close()
            async with asyncio.timeout(5.0):
                await dialogue.writer.wait_closed()
