"""The directory that backups are in: a folder for each, sealed, whole when its manifest is there; and holds.

salus-backups                    marks the directory as ours
20261124T080000.000000Z/         one backup
    base.sealed                  the cluster's files (tar), or the dump
    manifest.sealed              written last
    witness.sealed               the checkpoints that were witnessed outside the database, as of the last run
    wal/TIMELINE-FROM-TO-UNTIL.sealed
holds/ID.sealed
erased.sealed                    the list of the erased, of all runs: ids, a line each
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from salus.kernel.errors import BadInput, Conflict
from salus.kernel.ids import new_id
from salus.keys.contracts import Damaged
from salus.recovery import pieces, rules
from salus.recovery.contracts import Backup, Hold, Kind

_MARK = "salus-backups"
_ERASED = "erased"
_PARTIAL = ".partial"
_ID = re.compile(r"\d{8}T\d{6}\.\d{6}Z\Z")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself; sealed, and written when all of its base is there."""

    id: str
    kind: Kind
    system: str
    """The cluster's identifier: write-ahead log of another cluster does not fit."""
    timeline: int
    start: int
    """Where in the write-ahead log the pieces after the base have to begin."""
    stop: int
    """Up to where they have to reach before the base is consistent."""
    made_at: datetime
    whole_at: datetime
    salus: str
    postgres: str

    def encode(self) -> bytes:
        """Return it as JSON."""
        facts = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(facts, default=lambda at: at.isoformat()).encode()

    @classmethod
    def decode(cls, text: bytes) -> Manifest:
        """Return the manifest that `encode` wrote."""
        facts: dict[str, Any] = json.loads(text)
        for name in ("made_at", "whole_at"):
            facts[name] = datetime.fromisoformat(facts[name])
        return cls(**{**facts, "kind": Kind(facts["kind"])})


class Repository:
    """A directory with backups; `locked` while one is written, read or removed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()

    @contextmanager
    def locked(self, *, make: bool = False) -> Iterator[Repository]:
        """Keep every other backup, restore and removal out of this directory.

        Raises `BadInput` for a directory that is not ours (`make`: unless it is empty or not there), and
        `Conflict` while another one is at it.
        """
        with pieces.told_plainly(self.directory / _MARK):
            if make and not self._is_ours():
                self._found()
            if not self._is_ours():
                raise BadInput(
                    "There are no backups of Salus here.",
                    place=str(self.directory),
                    next_step="Name the folder that `salus backup` wrote.",
                )
            lock = (self.directory / "lock").open("a")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(
                    "A backup, restore or drill is at work in this folder.",
                    next_step="Wait for its end, then run it again.",
                ) from None
            yield self

    def _is_ours(self) -> bool:
        return (self.directory / _MARK).is_file()

    def _found(self) -> None:
        if self.directory.exists() and (not self.directory.is_dir() or any(self.directory.iterdir())):
            raise BadInput(
                "Backups go into a folder of their own: this holds other things.", place=str(self.directory)
            )
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.directory / _MARK).write_text(
            f"{new_id().hex}\nSealed backups of Salus: salus restore --help\n"
        )

    @property
    def slot(self) -> str:
        """Return what PostgreSQL calls the place up to which this directory has its write-ahead log."""
        found = (self.directory / _MARK).read_text().splitlines()[:1]
        if not found or not re.fullmatch(r"[0-9a-f]{32}", found[0]):
            raise BadInput("The mark of this folder was changed.", place=str(self.directory / _MARK))
        return f"salus_backup_{found[0]}"

    def begin(self, backup: str) -> Path:
        """Return the folder in which a new backup is made, empty; until `complete` it counts for nothing."""
        for left in self.directory.glob(f"*{_PARTIAL}"):
            shutil.rmtree(left)
        folder = self.directory / (backup + _PARTIAL)
        (folder / "wal").mkdir(parents=True, mode=0o700)
        return folder

    def complete(self, manifest: Manifest, folder: Path) -> Path:
        """Write the manifest, and give the folder its name: from here on the backup is whole."""
        self._put(folder / "manifest.sealed", f"{manifest.id}/manifest", manifest.encode())
        final = folder.rename(self.directory / manifest.id)
        pieces.flush(self.directory)
        return final

    def newest(self) -> Manifest | None:
        """Return the manifest of the newest backup; None when there is none, or it does not open any more."""
        folders = sorted(self._folders())
        try:
            return self.manifest(folders[-1]) if folders else None
        except Damaged:
            return None

    def _folders(self) -> list[str]:
        return [
            each.name
            for each in self.directory.iterdir()
            if _ID.match(each.name) and (each / "manifest.sealed").exists()
        ]

    def manifest(self, backup: str) -> Manifest:
        """Return the manifest of one backup."""
        name = f"{backup}/manifest"
        return Manifest.decode(b"".join(pieces.reading(self.directory / f"{name}.sealed", name)))

    def wal(self, backup: str) -> tuple[rules.WalPiece, ...]:
        """Return the pieces of write-ahead log that follow a base, in their order."""
        found = (rules.parse_wal_file(each.name) for each in (self.directory / backup / "wal").iterdir())
        return tuple(sorted((each for each in found if each), key=lambda each: (each.start, each.end)))

    def backups(self) -> tuple[Backup, ...]:
        """Return all whole backups, oldest first; raises `Damaged` for one that does not open."""
        return tuple(self.backup(self.manifest(each)) for each in sorted(self._folders()))

    def usable(self) -> tuple[Backup, ...]:
        """Return the whole backups that open, oldest first; raises `Damaged` when there are others only."""
        found, fault = [], None
        for each in sorted(self._folders()):
            try:
                found.append(self.backup(self.manifest(each)))
            except Damaged as damaged:
                fault = damaged
        if fault and not found:
            raise fault
        return tuple(found)

    def backup(self, manifest: Manifest) -> Backup:
        """Return what a backup can bring back."""
        folder = self.directory / manifest.id
        wal = self.wal(manifest.id)
        sizes = [each.stat().st_size for each in (folder / "wal").iterdir()]
        return Backup(
            id=manifest.id,
            kind=manifest.kind,
            made_at=manifest.made_at,
            whole_at=manifest.whole_at,
            until=max([manifest.whole_at, *(each.closed_at for each in wal)]),
            bytes=sum(each.stat().st_size for each in folder.glob("*.sealed")) + sum(sizes),
            pieces=len(wal),
            salus=manifest.salus,
            postgres=manifest.postgres,
            wal_bytes=sum(sizes),
        )

    def remove(self, backup: str) -> None:
        """Remove a backup; what a kill -9 leaves of it counts for nothing."""
        folder = (self.directory / backup).rename(self.directory / (backup + _PARTIAL))
        pieces.flush(self.directory)
        shutil.rmtree(folder)

    def keep_witness(self, folder: Path, notes: dict[UUID, str]) -> None:
        """Keep the witnessed checkpoints of all organizations beside a backup, in the place of older ones."""
        text = json.dumps({str(key): value for key, value in notes.items()}).encode()
        self._put(folder / "witness.sealed", f"{folder.name.removesuffix(_PARTIAL)}/witness", text)

    def witness(self, backup: str) -> dict[UUID, str]:
        """Return the witnessed checkpoints of all organizations as of the last run."""
        name = f"{backup}/witness"
        text = b"".join(pieces.reading(self.directory / f"{name}.sealed", name))
        return {UUID(key): value for key, value in json.loads(text).items()}

    def keep_erased(self, lines: Iterable[str]) -> None:
        """Keep the list of the erased; what an older run had stays on it."""
        known = self.erased()
        if not known.issuperset(lines := frozenset(lines)):
            text = "".join(f"{each}\n" for each in sorted(known | lines))
            self._put(self.directory / f"{_ERASED}.sealed", _ERASED, text.encode())

    def erased(self) -> frozenset[str]:
        """Return the list of the erased as of the last run; raises `Damaged`: a restore might bring them back."""
        path = self.directory / f"{_ERASED}.sealed"
        if not path.exists():
            return frozenset()
        return frozenset(b"".join(pieces.reading(path, _ERASED)).decode().splitlines())

    def hold(self, reason: str, at: datetime) -> Hold:
        """Place a legal hold."""
        hold = Hold(new_id().hex, at, reason)
        folder = self.directory / "holds"
        folder.mkdir(exist_ok=True, mode=0o700)
        text = json.dumps({"at": at.isoformat(), "reason": reason}).encode()
        self._put(folder / f"{hold.id}.sealed", f"holds/{hold.id}", text)
        return hold

    def is_held(self) -> bool:
        """Return whether there is a hold; one that does not open holds too."""
        return any((self.directory / "holds").glob("*.sealed"))

    def holds(self) -> tuple[Hold, ...]:
        """Return the holds, oldest first."""
        found = []
        for path in (self.directory / "holds").glob("*.sealed"):
            facts = json.loads(b"".join(pieces.reading(path, f"holds/{path.stem}")))
            found.append(Hold(path.stem, datetime.fromisoformat(facts["at"]), facts["reason"]))
        return tuple(sorted(found, key=lambda each: each.placed_at))

    def release(self, hold: str) -> None:
        """End a hold; raises `BadInput` for one that is not there."""
        path = self.directory / "holds" / f"{hold}.sealed"
        if not re.fullmatch(r"[0-9a-f]{32}", hold) or not path.exists():
            raise BadInput("There is no such hold.", place=hold, next_step="See: salus backup list.")
        path.unlink()
        pieces.flush(path.parent)

    def _put(self, path: Path, name: str, text: bytes) -> None:
        with pieces.writing(path, name) as draft:
            draft.write(text)
