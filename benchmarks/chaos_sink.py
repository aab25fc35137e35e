"""A mail host that takes its time, and cuts or stalls connections in every phase; it counts each message that it took."""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from salus.delivery.laboratory import FORMAT, Authority
from salus.wiring.catch.behaviors import BEHAVIORS
from salus.wiring.catch.certificates import issue, server_context

_LIMIT = 2**20
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^@>]+)@", re.IGNORECASE | re.MULTILINE)
_STALL = 15.0
"""Seconds of silence before the cut: longer than a laboratory's sender waits for anything."""


class Phase(StrEnum):
    """Where a connection may fail, in order."""

    CONNECT = "connect"
    GREETING = "half a greeting"
    HELLO = "hello"
    STARTTLS = "starttls"
    HANDSHAKE = "handshake"
    SECURED = "hello after the handshake"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "half a message"
    DOT = "before the message is taken"
    REPLY = "taken, no reply"
    HALF_REPLY = "taken, half a reply"
    QUIT = "quit"


_OF_CONNECTION = {
    Phase.CONNECT, Phase.GREETING, Phase.HELLO, Phase.STARTTLS, Phase.HANDSHAKE, Phase.SECURED, Phase.QUIT
}  # fmt: skip
ONE_OF = {phase: 25 if phase in _OF_CONNECTION else 200 for phase in Phase} | {Phase.QUIT: 10}
"""Of so many times that it comes to a phase, one fails there; fewer connections live to say QUIT than to begin."""
MESSAGES_PER_CONNECTION = 10
"""What the plan of the installation gives this host: of those that carry the usual 100, hardly any lives to say QUIT."""
PLAN = f"[default]\nmessages_per_connection = {MESSAGES_PER_CONNECTION}\n"


class _Cut(Exception):
    """The connection ends here, without a word."""


class Sink:
    """The host of a pinned domain on a free port of loopback, in a thread of its own.

    `taken` counts by message id what came whole, whether a reply was given or not. While `is_wild`,
    connections fail by `ONE_OF`, and `per_second` messages are taken at most; `reached` counts then how often
    it came to each phase, `faults` how often it failed there.
    """

    def __init__(self, per_second: float, seed: int) -> None:
        self.taken: Counter[UUID] = Counter()
        self.reached: Counter[Phase] = Counter()
        self.faults: Counter[str] = Counter()
        self.is_wild = True
        self._per_second, self._next = per_second, 0.0
        self._random = random.Random(seed)
        self._fails_at: dict[Phase, int] = {}
        self._behavior = next(each for each in BEHAVIORS if each.name == "partner")
        self._authority = Authority(datetime.now(UTC))
        self._context = server_context(self._behavior, issue(self._authority, self._behavior))
        self._listens = threading.Event()
        self._port = 0

    @property
    def domain(self) -> str:
        """Return the domain whose mail comes here."""
        return self._behavior.domain

    def start(self, directory: Path) -> Path:
        """Listen, and return the file with the route that a sender reads."""
        threading.Thread(target=lambda: asyncio.run(self._serve()), name="sink", daemon=True).start()
        self._listens.wait(10)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "authority.pem").write_text(self._authority.pem)
        routes = {
            "format": FORMAT,
            "authority": "authority.pem",
            "inbox": "",
            "routes": {
                self.domain: {"name": self._behavior.host, "port": self._port, "address": "127.0.0.1"}
            },
            "partners": {self.domain: {"authority": True, "names": [self._behavior.host]}},
        }
        file = directory / "routes.json"
        file.write_text(json.dumps(routes))
        return file

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, limit=_LIMIT)
        self._port = server.sockets[0].getsockname()[1]
        self._listens.set()
        await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._greet(reader, writer)
            while await self._message(reader, writer):
                pass
        except (_Cut, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
        else:
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._may_fail(Phase.CONNECT)
        await self._may_fail(Phase.GREETING, writer, b"220-sink")
        writer.write(b"220 sink ESMTP\r\n")
        await _command(reader, b"EHLO")
        await self._may_fail(Phase.HELLO)
        writer.write(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 STARTTLS\r\n")
        await _command(reader, b"STARTTLS")
        await self._may_fail(Phase.STARTTLS)
        writer.write(b"220 go\r\n")
        await self._may_fail(Phase.HANDSHAKE)
        await writer.start_tls(self._context)
        await _command(reader, b"EHLO")
        await self._may_fail(Phase.SECURED)
        writer.write(b"250-sink\r\n250-8BITMIME\r\n250 PIPELINING\r\n")

    async def _message(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take a message; return whether another may follow."""
        line = await reader.readuntil(b"\r\n")
        while line.upper().startswith((b"RSET", b"NOOP")):
            writer.write(b"250 ok\r\n")
            line = await reader.readuntil(b"\r\n")
        if line.upper().startswith(b"QUIT"):
            await self._may_fail(Phase.QUIT)
            writer.write(b"221 bye\r\n")
            return False
        _expect(line, b"MAIL FROM:")
        await self._may_fail(Phase.MAIL)
        writer.write(b"250 ok\r\n")
        await _command(reader, b"RCPT TO:")
        await self._may_fail(Phase.RCPT)
        writer.write(b"250 ok\r\n")
        await _command(reader, b"DATA")
        await self._may_fail(Phase.DATA)
        writer.write(b"354 go\r\n")
        if self._draws(Phase.BODY):
            await reader.readexactly(1000)
            await self._fail(Phase.BODY)
        data = await reader.readuntil(b"\r\n.\r\n")
        await self._turn()
        await self._may_fail(Phase.DOT)
        found = _MESSAGE_ID.search(data)
        if not found:
            raise AssertionError("a message without a Message-ID")
        self.taken[UUID(found[1].decode("ascii"))] += 1
        await self._may_fail(Phase.REPLY)
        await self._may_fail(Phase.HALF_REPLY, writer, b"25")
        writer.write(b"250 taken\r\n")
        return True

    async def _turn(self) -> None:
        """Wait, while it is wild, for this message's place in the second."""
        if self.is_wild:
            now = time.monotonic()
            self._next = max(now, self._next) + 1 / self._per_second
            await asyncio.sleep(self._next - now)

    def _draws(self, phase: Phase) -> bool:
        """Tell whether it fails now: once among each `ONE_OF` times, whichever of them."""
        if not self.is_wild:
            return False
        number = self.reached[phase] % ONE_OF[phase]
        if number == 0:
            self._fails_at[phase] = self._random.randrange(ONE_OF[phase])
        self.reached[phase] += 1
        return number == self._fails_at[phase]

    async def _may_fail(
        self, phase: Phase, writer: asyncio.StreamWriter | None = None, half: bytes = b""
    ) -> None:
        if self._draws(phase):
            if writer:
                writer.write(half)
            await self._fail(phase)

    async def _fail(self, phase: Phase) -> None:
        cut, stalled = (self.faults[f"{phase}: {how}"] for how in ("cut", "stalled"))
        stalls = self._random.random() < 0.5 if cut == stalled else cut > stalled
        self.faults[f"{phase}: {'stalled' if stalls else 'cut'}"] += 1
        await asyncio.sleep(_STALL if stalls else 0)
        raise _Cut


async def _command(reader: asyncio.StreamReader, verb: bytes) -> None:
    _expect(await reader.readuntil(b"\r\n"), verb)


def _expect(line: bytes, verb: bytes) -> None:
    if not line.upper().startswith(verb):
        raise _Cut
