"""Unpacks a base and the write-ahead log after it into a new cluster's folder; the folder is whole or an exception is raised."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from datetime import datetime
from io import RawIOBase
from pathlib import Path
from typing import Any

from salus.kernel.errors import BadInput
from salus.keys.contracts import Damaged
from salus.recovery import pieces, rules
from salus.recovery.contracts import Tell
from salus.recovery.replication import SEGMENT
from salus.recovery.repository import Manifest, Repository
from salus.recovery.taking import wal_name

_COPY = 1 << 20


class _Blocks(RawIOBase):
    """What a piece holds, as a file that is read once."""

    def __init__(self, blocks: Iterator[bytes], tell: Tell, total: int) -> None:
        self._blocks, self._tell, self._total = blocks, tell, total
        self._left = memoryview(b"")
        self._done = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if not self._left:
            self._left = memoryview(next(self._blocks, b""))
            self._done += len(self._left)
            self._tell("Cluster", self._done, max(self._total, self._done))
        size = min(len(target), len(self._left))
        target[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def unpack_cluster(
    repository: Repository, manifest: Manifest, data: Path, until: datetime | None, tell: Tell
) -> None:
    """Fill the folder `data` with the cluster as of the backup, and its write-ahead log up to `until` at least.

    Raises `Damaged` for a piece that was changed, `BadInput` for one that is missing.
    """
    wal = rules.chain(repository.wal(manifest.id), manifest.start, until)
    if (wal[-1].end if wal else manifest.start) < manifest.stop:
        raise BadInput(
            "The backup lacks the write-ahead log that belongs to its base.",
            place=manifest.id,
            next_step="Bring the missing files back, or restore another backup.",
        )
    with pieces.told_plainly(data):
        data.mkdir(parents=True, mode=0o700)
        total = sum(each.end - each.start for each in wal)
        done = 0
        for piece in wal:
            _unpack_wal(repository.directory / manifest.id / "wal", piece, manifest, data / "pg_wal")
            done += piece.end - piece.start
            tell("Write-ahead log", done, total)
        _unpack_base(repository.directory / manifest.id / "base.sealed", f"{manifest.id}/base", data, tell)


def _unpack_base(path: Path, name: str, data: Path, tell: Tell) -> None:
    if not path.exists():
        raise BadInput("The base of this backup is missing.", place=str(path))
    blocks = pieces.reading(path, name)
    stream = _Blocks(blocks, tell, path.stat().st_size)
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_COPY) as tar:
            for member in tar:
                _extract(tar, member, data, name)
    except tarfile.TarError:
        raise Damaged(name) from None
    for _ in blocks:  # the end of the piece proves that all of it was read
        pass


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, data: Path, name: str) -> None:
    target = data / member.name
    if ".." in target.parts or not target.is_relative_to(data):
        raise Damaged(name)
    if member.isdir():
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif member.isreg():
        source = tar.extractfile(member)
        assert source is not None
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            while block := source.read(_COPY):
                file.write(block)
    else:
        raise BadInput(
            "The cluster has table spaces elsewhere; the embedded one never does.", place=member.name
        )


def _unpack_wal(folder: Path, piece: rules.WalPiece, manifest: Manifest, target: Path) -> None:
    """Write a piece into the files of 16 MB that PostgreSQL reads."""
    name = wal_name(manifest.system, piece.timeline, piece.start)
    place = piece.start
    target.mkdir(exist_ok=True, mode=0o700)
    for block in pieces.reading(folder / piece.file, name):
        rest = memoryview(block)
        while rest:
            number, offset = divmod(place, SEGMENT)
            part = rest[: SEGMENT - offset]
            _write(target / _segment(piece.timeline, number), offset, part)
            place += len(part)
            rest = rest[len(part) :]
    if place != piece.end:
        raise Damaged(name)


def _segment(timeline: int, number: int) -> str:
    of_log = (1 << 32) // SEGMENT
    return f"{timeline:08X}{number // of_log:08X}{number % of_log:08X}"


def _write(path: Path, offset: int, data: memoryview) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        if os.fstat(handle).st_size < SEGMENT:
            os.ftruncate(handle, SEGMENT)
        while data:
            written = os.pwrite(handle, data, offset)
            data, offset = data[written:], offset + written
    finally:
        os.close(handle)
