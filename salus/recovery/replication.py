"""Reads the write-ahead log from PostgreSQL by its streaming protocol, so that it is sealed before it touches a disk."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from types import TracebackType

import psycopg
from psycopg import pq

from salus.kernel.errors import Unavailable

SEGMENT = 16 << 20
"""Bytes of a file of write-ahead log, as initdb makes them."""
_KEEPALIVE, _DATA = ord("k"), ord("w")
_DATA_HEAD = struct.Struct(">cqqq")
_STATUS = struct.Struct(">cqqqqc")


def lsn(text: str) -> int:
    """Return a place in the log, as PostgreSQL writes it ("16/B374D848"), as a number of bytes."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def lsn_text(place: int) -> str:
    """Return a place in the log as PostgreSQL writes it."""
    return f"{place >> 32:X}/{place & 0xFFFFFFFF:X}"


class Replication:
    """A replication connection; use it with `with`."""

    def __init__(self, dsn: str) -> None:
        self._connection = pq.PGconn.connect(psycopg.conninfo.make_conninfo(dsn, replication="true").encode())
        if self._connection.status != pq.ConnStatus.OK:
            raise self._refused()

    def __enter__(self) -> Replication:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.finish()

    def identify(self) -> tuple[str, int]:
        """Return the cluster's system identifier and its timeline."""
        found = self._connection.exec_(b"IDENTIFY_SYSTEM")
        if found.status != pq.ExecStatus.TUPLES_OK:
            raise self._refused()
        return (found.get_value(0, 0) or b"").decode(), int(found.get_value(0, 1) or b"0")

    def stream(self, start: int, timeline: int) -> Iterator[tuple[int, memoryview]]:
        """Yield (place, bytes) from `start` on, without a gap, for as long as the caller wants more.

        Raises `Unavailable` when the server has removed what is asked for, or goes away.
        """
        begun = self._connection.exec_(
            f"START_REPLICATION PHYSICAL {lsn_text(start)} TIMELINE {timeline}".encode()
        )
        if begun.status != pq.ExecStatus.COPY_BOTH:
            raise self._refused()
        place = start
        while True:
            size, message = self._connection.get_copy_data(0)
            if size <= 0:
                raise self._refused()
            if message[0] == _KEEPALIVE and message[17]:
                self._connection.put_copy_data(_STATUS.pack(b"r", place, place, 0, 0, b"\0"))
                self._connection.flush()
            if message[0] == _DATA:
                _, at, _, _ = _DATA_HEAD.unpack(message[: _DATA_HEAD.size])
                data = message[_DATA_HEAD.size :]
                if at != place:
                    raise Unavailable("The write-ahead log came with a gap.", next_step="Run it again.")
                place += len(data)
                yield at, data

    def _refused(self) -> Unavailable:
        said = self._connection.error_message.decode(errors="replace").strip().splitlines()
        return Unavailable(
            f"PostgreSQL gives no write-ahead log: {said[-1] if said else 'the connection ended'}.",
            kept="What was whole before still is.",
        )
