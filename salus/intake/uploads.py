"""Keeps the bytes of an upload sealed, a mebibyte at a time, until its import has ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from salus.intake.models import Chunk
from salus.kernel.errors import Unavailable
from salus.keys import api as keys
from salus.platform.tenancy import acting_for, current_organization

SIZE = 1024 * 1024
"""Bytes of plaintext in a chunk; the last one of a file is shorter."""
HEAD = 64 * 1024
"""Bytes of a file that are looked at while it comes in."""


def _associated(organization_id: UUID, import_id: UUID, file: int, place: int) -> bytes:
    """Bind a chunk to its place: chunks that were swapped, moved or repeated do not open."""
    return keys.binding(organization_id, "intake_chunk", import_id) + b"%d/%d" % (file, place)


class Writer:
    """Takes the bytes of one file as they come and stores them sealed."""

    def __init__(self, import_id: UUID, file: int) -> None:
        self._import_id, self._file = import_id, file
        self._buffer = bytearray()
        self._place = 0
        self.size = 0
        self.head = b""
        """The first bytes, in which headings or a resource type can be found."""

    def write(self, data: bytes) -> None:
        """Take more bytes."""
        if len(self.head) < HEAD:
            self.head += data[: HEAD - len(self.head)]
        self.size += len(data)
        self._buffer += data
        while len(self._buffer) >= SIZE:
            self._store(bytes(self._buffer[:SIZE]))
            del self._buffer[:SIZE]

    def close(self) -> int:
        """Store what is left; return how many bytes the file had."""
        if self._buffer:
            self._store(bytes(self._buffer))
            self._buffer.clear()
        return self.size

    def _store(self, data: bytes) -> None:
        bound = _associated(current_organization(), self._import_id, self._file, self._place)
        Chunk.objects.create(
            import_id=self._import_id,
            file=self._file,
            place=self._place,
            sealed=keys.sealer().seal(data, bound),
        )
        self._place += 1


def store(import_id: UUID, file: int, pieces: Iterable[bytes]) -> int:
    """Store all `pieces` of a file; return its size."""
    writer = Writer(import_id, file)
    for piece in pieces:
        writer.write(piece)
    return writer.close()


def read(organization_id: UUID, import_id: UUID, file: int, size: int) -> Iterator[bytes]:
    """Yield the chunks of a file in order, each in a short transaction of its own.

    Raises `Unavailable` when one is missing: an import never ends early in silence.
    """
    seen = place = 0
    while seen < size:
        with acting_for(organization_id):
            row = Chunk.objects.filter(import_id=import_id, file=file, place=place).first()
            if row is None:
                raise Unavailable(
                    "A part of the uploaded file is missing.",
                    kept="What was imported stays.",
                    next_step="Upload the file again: nobody is doubled.",
                )
            data = keys.sealer().open(bytes(row.sealed), _associated(organization_id, import_id, file, place))
        yield data
        seen, place = seen + len(data), place + 1


def skip(chunks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Yield `chunks` without their first `count` bytes."""
    for chunk in chunks:
        if count >= len(chunk):
            count -= len(chunk)
            continue
        yield chunk[count:] if count else chunk
        count = 0


def discard(import_id: UUID) -> None:
    """Remove the upload."""
    Chunk.objects.filter(import_id=import_id).delete()
