"""Mail hosts for tests: they follow a script, in clear or after STARTTLS, and note all they hear."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

from salus.delivery.laboratory import Authority, laboratory_settings
from salus.delivery.protection.policy import Named
from salus.delivery.transports.handover import HandOver
from salus.delivery.transports.settings import Timeouts, WireSettings
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Protection

T = TypeVar("T")
HOST = "mx.example.test"
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
AUTHORITY = Authority(datetime.now(UTC))
NAMED = Named(AUTHORITY.pem)
PATIENT = Timeouts(
    connect=10, greeting=10, hello=10, handshake=10, mail=10, rcpt=10, data=10, block=10, dot=10, quit=0.1
)
QUICK = Timeouts(
    connect=2,
    greeting=0.5,
    hello=0.5,
    handshake=1,
    mail=0.5,
    rcpt=0.5,
    data=0.5,
    block=0.5,
    dot=0.5,
    quit=0.2,
)
"""For peers that stay silent: only then does a test wait for a time-out."""
MESSAGE = b"From: care@clinic.example\r\nSubject: x\r\n\r\nHello.\r\n"


def settings(**changes: object) -> WireSettings:
    base = laboratory_settings()
    values = {"timeouts": PATIENT, "idle": 2.0, **changes}
    return WireSettings(hello=base.hello, laboratory=True, **values)  # type: ignore[arg-type]


def hand_over(
    address: str = "ana@example.test",
    *,
    data: bytes = MESSAGE,
    floor: Protection = Protection.NAMED,
    number: int = 1,
    checked: float = 0.0,
    lease: float = 1000.0,
) -> HandOver:
    """Return a message; `checked` seconds ago its row was compared, in `lease` seconds its lease ends."""
    now = time.monotonic()
    return HandOver(
        UUID(int=number),
        "bounces+1@clinic.example",
        Phi(address),
        Phi(data),
        floor,
        checked_at=now - checked,
        lease_until=now + lease,
    )


def server_context(names: tuple[str, ...] = (HOST,)) -> ssl.SSLContext:
    issued = AUTHORITY.issue(list(names))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "c.pem", Path(folder) / "k.pem"
        certificate.write_bytes(issued.certificate)
        key.write_bytes(issued.key)
        context.load_cert_chain(certificate, key)
    return context


CONTEXT = server_context()


@dataclass
class Wire:
    """One connection as the peer sees it: `clear` is all that came before TLS, `within` what came in it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    clear: bytearray = field(default_factory=bytearray)
    within: bytearray = field(default_factory=bytearray)
    protected: bool = False

    async def say(self, text: bytes) -> None:
        self.writer.write(text)
        await self.writer.drain()

    async def line(self) -> bytes:
        heard = await self.reader.readline()
        (self.within if self.protected else self.clear).extend(heard)
        return heard

    async def until(self, mark: bytes) -> bytes:
        heard = await self.reader.readuntil(mark)
        (self.within if self.protected else self.clear).extend(heard)
        return heard

    async def rest(self) -> None:
        """Read until the client ends."""
        while octets := await self.reader.read(65536):
            (self.within if self.protected else self.clear).extend(octets)

    async def greet(self, offers: bytes = b"PIPELINING\r\n250-SIZE 100000\r\n250 STARTTLS") -> None:
        await self.say(b"220 mx ESMTP\r\n")
        await self.line()
        await self.say(b"250-mx\r\n250-" + offers + b"\r\n")

    async def secure(self, context: ssl.SSLContext = CONTEXT) -> None:
        """Go through STARTTLS."""
        await self.line()
        await self.say(b"220 Go\r\n")
        await self.writer.start_tls(context)
        self.protected = True

    async def ready(self, offers: bytes = b"PIPELINING\r\n250 SIZE 100000") -> None:
        """Greet, secure, and answer the second EHLO with `offers`."""
        await self.greet()
        await self.secure()
        await self.line()
        await self.say(b"250-mx\r\n250-" + offers + b"\r\n")


Script = Callable[[Wire], Awaitable[None]]


@dataclass
class Peer:
    """A mail host that plays `script` on each connection."""

    port: int
    wires: list[Wire] = field(default_factory=list)

    @property
    def clear(self) -> bytes:
        return b"".join(bytes(wire.clear) for wire in self.wires)

    @property
    def within(self) -> bytes:
        return b"".join(bytes(wire.within) for wire in self.wires)


@asynccontextmanager
async def peer(script: Script, *addresses: str) -> AsyncIterator[Peer]:
    """Run a mail host on loopback while the block lasts, at one port of these addresses of it."""
    found = Peer(0)
    tasks: set[asyncio.Task[None]] = set()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(reader, writer)
        found.wires.append(wire)
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await script(wire)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    first, *others = addresses or ("127.0.0.1",)
    server = await asyncio.start_server(play, first, 0)
    found.port = server.sockets[0].getsockname()[1]
    further = [await asyncio.start_server(play, each, found.port) for each in others]
    try:
        yield found
    finally:
        for each in (server, *further):
            each.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.sleep(0)


async def always(item: HandOver) -> bool:
    return True


class Run(Protocol):
    """Runs a coroutine on an event loop of its own."""

    def __call__(self, main: Coroutine[Any, Any, T]) -> T: ...
