"""How the engine and its clients talk: a Unix socket, one JSON object after its length, both ways."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

LARGEST_REQUEST = 8 * 2**20
LARGEST_ANSWER = 256 * 2**20
_LENGTH = struct.Struct(">I")


class Broken(Exception):
    """The other side said something that is no message, or stopped in the middle of one."""


def socket_path(directory: Path, shard: int) -> Path:
    """Return the socket of the engine that serves `shard`."""
    return directory / f"engine-{shard}.sock"


def shard_of(organization_id: UUID, shards: int) -> int:
    """Return which of `shards` engine processes serves an organization (its id's random part decides)."""
    return organization_id.int % shards


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give a name for `path` that fits into a socket address (108 bytes) however deep it lies."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def send(connection: socket.socket, message: Any) -> None:
    """Send one message."""
    body = orjson.dumps(message)
    connection.sendall(_LENGTH.pack(len(body)) + body)


def receive(connection: socket.socket, largest: int) -> Any:
    """Return the next message, None when the other side is done; raises `Broken`."""
    head = _exactly(connection, _LENGTH.size)
    if not head:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > largest:
        raise Broken
    body = _exactly(connection, length)
    if len(body) < length:
        raise Broken
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Broken from None


def _exactly(connection: socket.socket, length: int) -> bytes:
    parts: list[bytes] = []
    missing = length
    while missing:
        part = connection.recv(min(missing, 2**20))
        if not part:
            if parts:
                raise Broken
            return b""
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
