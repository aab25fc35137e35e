"""One sealed file of a backup: blocks, each compressed when it pays, and a counted end; whole on the disk or not there."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from salus.kernel.errors import Unavailable
from salus.keys import api as keys
from salus.keys.contracts import Damaged

BLOCK = 1 << 20
_PROBE = 1 << 14
_PAYS = 0.8
"""A block is compressed when its beginning gets this much smaller: what is sealed in columns already does not."""
_HEAD = struct.Struct(">cQ")
_RAW, _DEFLATED, _END = b"r", b"z", b"e"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Draft:
    """A piece that is being written."""

    def __init__(self, stream: keys.SealingStream, path: Path) -> None:
        self._stream = stream
        self._block = bytearray()
        self.path = path
        """Where it goes when it is whole; may be changed until then."""
        self.length = 0
        """Bytes taken so far."""

    def write(self, data: bytes | memoryview) -> None:
        """Take more."""
        self._block += data
        self.length += len(data)
        while len(self._block) >= BLOCK:
            self._put(bytes(self._block[:BLOCK]))
            del self._block[:BLOCK]

    def finish(self) -> None:
        """Seal what is left, and how much it was."""
        if self._block:
            self._put(bytes(self._block))
        self._stream.write(_HEAD.pack(_END, self.length))
        self._stream.finish()

    def _put(self, block: bytes) -> None:
        pays = len(zlib.compress(block[:_PROBE], 1)) < _PAYS * min(_PROBE, len(block))
        kind, data = (_DEFLATED, zlib.compress(block, 1)) if pays else (_RAW, block)
        self._stream.write(_HEAD.pack(kind, len(data)) + data)


@contextmanager
def writing(path: Path, name: str) -> Iterator[Draft]:
    """Write the piece `name`; after a fault, or kill -9, there is no file at `path`.

    Raises `Unavailable` when the disk is full or does not answer.
    """
    partial = path.with_name(f".{path.name}.partial")
    with told_plainly(path):
        try:
            partial.unlink(missing_ok=True)
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "wb") as file:
                draft = Draft(keys.SealingStream(file, name), path)
                yield draft
                draft.finish()
                file.flush()
                os.fsync(file.fileno())
            partial.replace(draft.path)
            flush(path.parent)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)


def reading(path: Path, name: str) -> Iterator[bytes]:
    """Yield what was written as the piece `name`; raises `Damaged` before anything that is not proven is given out.

    The end is proven last: what is made of the blocks is whole only when this ends without a fault.
    """
    with told_plainly(path), path.open("rb") as file:
        stream = keys.OpeningStream(file, name)
        length = 0
        while True:
            kind, size = _head(stream, name)
            if kind == _END:
                if size != length or stream.read(1):
                    raise Damaged(name)
                return
            if size > 2 * BLOCK:
                raise Damaged(name)
            data = stream.read(size)
            try:
                block = zlib.decompress(data) if kind == _DEFLATED else data
            except zlib.error:
                raise Damaged(name) from None
            length += len(block)
            yield block


def _head(stream: keys.OpeningStream, name: str) -> tuple[bytes, int]:
    head = stream.read(_HEAD.size)
    if len(head) != _HEAD.size:
        raise Damaged(name)
    kind, size = _HEAD.unpack(head)
    if kind not in {_RAW, _DEFLATED, _END}:
        raise Damaged(name)
    return kind, size


def flush(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def told_plainly(path: Path) -> Iterator[None]:
    """Turn a fault of the disk into words for whoever runs the backup."""
    try:
        yield
    except OSError as fault:
        if fault.errno in _FULL:
            raise Unavailable(
                f"The disk of {path.parent} is full.",
                kept="What was whole before still is; the piece that did not fit was removed.",
                next_step="Make room, then run it again.",
            ) from fault
        raise Unavailable(
            f"{fault.filename or path}: {fault.strerror or fault}.",
            kept="What was whole before still is.",
            next_step="Check that the folder is there and ours, then run it again.",
        ) from fault
