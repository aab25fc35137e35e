"""A log server for tests: syslog over TLS as RFC 5425 says, on a real socket, with ways to misbehave."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

from tests.delivery_wire.receivers import context_for


class Way(Enum):
    """How a server ends a connection."""

    BOTH_END = "it reads all, and answers our end with its own"
    JUST_CLOSES = "it reads all, and closes without a word (as rsyslog does)"
    CUTS = "it reads a little and resets"
    SILENT = "it reads nothing and says nothing"


@dataclass
class LogServer:
    """Where it listens, how it behaves from now on, and which messages it heard."""

    port: int
    way: Way = Way.BOTH_END
    heard: list[str] = field(default_factory=list)
    connections: int = 0

    @property
    def address(self) -> str:
        """Return its address in the vendor register."""
        return f"syslog+tls://localhost:{self.port}"


def unframed(octets: bytes) -> list[str]:
    """Return the messages of a stream; fails on what RFC 5425 4.3 does not allow."""
    found = []
    while octets:
        length, space, rest = octets.partition(b" ")
        assert space
        assert length.isdigit()
        assert not length.startswith(b"0")
        assert len(rest) >= int(length), "the stream ends in the middle of a message"
        found.append(rest[: int(length)].decode())
        octets = rest[int(length) :]
    return found


def _serve(
    server: LogServer, plain: socket.socket, context: ssl.SSLContext, release: threading.Event
) -> None:
    server.connections += 1
    with plain, context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False) as within:
        if server.way is Way.SILENT:
            release.wait(5)
            return
        if server.way is Way.CUTS:
            within.recv(16)
            plain_end = socket.socket(fileno=within.detach())
            plain_end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            plain_end.close()
            return
        octets = b""
        while piece := within.recv(65536):
            octets += piece
        server.heard += unframed(octets)
        if server.way is Way.BOTH_END:
            within.unwrap()


@contextmanager
def log_server(name: str = "localhost") -> Iterator[LogServer]:
    """Run a log server on a free port of loopback, whose certificate is for `name`."""
    context, release = context_for(name), threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    server = LogServer(listening.getsockname()[1])

    def serve(plain: socket.socket) -> None:
        with suppress(OSError):
            _serve(server, plain, context, release)

    def run() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(plain,), daemon=True).start()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        release.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)
