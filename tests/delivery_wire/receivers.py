"""Receivers of webhooks for tests: a real TLS server that answers by a script, and notes what it heard."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .peers import AUTHORITY

HOST = "hooks.harbor.example"
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
MakeScript = Callable[["Receiver"], Script]
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(slots=True)
class Heard:
    """One request as it came."""

    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """Where it listens, and what it heard."""

    port: int
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0

    @property
    def origin(self) -> str:
        """Return the first part of its address."""
        return f"https://{HOST}:{self.port}"


async def hear(reader: asyncio.StreamReader) -> Heard:
    """Read one request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    first, *lines = head.strip().split("\r\n")
    found = re.fullmatch(r"POST (\S+) HTTP/1\.1", first)
    assert found
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Heard(found[1], headers, await reader.readexactly(int(headers["content-length"])))


def answers(*replies: bytes) -> MakeScript:
    """Return a script that hears a request and answers with the next reply, the last one for ever."""

    def script(receiver: Receiver) -> Script:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            receiver.heard.append(await hear(reader))
            writer.write(replies[min(len(receiver.heard), len(replies)) - 1])
            await writer.drain()

        return run

    return script


def context_for(name: str, *, expired: bool = False) -> ssl.SSLContext:
    """Return the TLS context of a receiver whose certificate is for `name`."""
    issued = AUTHORITY.issue([name], expired=expired)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "c.pem", Path(folder) / "k.pem"
        certificate.write_bytes(issued.certificate)
        key.write_bytes(issued.key)
        context.load_cert_chain(certificate, key)
    return context


@asynccontextmanager
async def receiving(
    script: MakeScript,
    *,
    context: ssl.SSLContext | None = None,
    plain: bool = False,
) -> AsyncIterator[Receiver]:
    """Run a receiver on a free port of loopback."""
    receiver = Receiver(0)
    run = script(receiver)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await run(reader, writer)
        writer.transport.abort() if writer.transport.is_closing() else writer.close()

    tls = None if plain else (context or context_for(HOST))
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
