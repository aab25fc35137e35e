"""Which processes of this machine live: each holds a lock that the kernel opens when it dies, however it dies."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple
from uuid import UUID

from salus.kernel.ids import new_id


class Departed(NamedTuple):
    """A process that has died: its name on the roll, and what it noted last."""

    name: UUID
    note: str


class Roll:
    """The living processes of one kind below one folder: a locked file each.

    Unlike a heartbeat, a lock cannot be late: a process that is only slow is never taken for dead.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mine: list[IO[bytes]] = []

    def enter(self) -> UUID:
        """Put this process on the roll for as long as it lives; return its name there."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = new_id()
        draft = self.folder / f".{name}"
        file = draft.open("wb")
        fcntl.flock(file, fcntl.LOCK_EX)
        draft.rename(self.folder / str(name))  # seen by others only when it is locked
        self._mine.append(file)
        return name

    def note(self, text: str) -> None:
        """Leave word for whoever finds this process dead; it replaces what was noted before."""
        for file in self._mine:
            file.seek(0)
            file.truncate()
            file.write(text.encode())
            file.flush()

    def leave(self) -> None:
        """Strike this process off; what it held must have been given back."""
        for file in self._mine:
            (self.folder / Path(str(file.name)).name.lstrip(".")).unlink(missing_ok=True)
            file.close()
        self._mine.clear()

    @contextmanager
    def departed(self) -> Iterator[list[Departed]]:
        """Give the dead to a block of code; they are struck off when it ends well.

        Nobody else gets the same ones meanwhile.
        """
        found: list[tuple[Path, IO[bytes]]] = []
        try:
            paths = sorted(self.folder.glob("[!.]*"))
            found += [(path, file) for path in paths if (file := _unlocked(path))]
            yield [Departed(UUID(path.name), file.read().decode(errors="replace")) for path, file in found]
            for path, _ in found:
                path.unlink(missing_ok=True)
        finally:
            for _, file in found:
                file.close()


def living(folder: Path) -> int:
    """Return how many processes on the roll of `folder` live now; nobody is struck off."""
    count = 0
    for path in folder.glob("[!.]*"):
        file = _unlocked(path)
        if file is None:
            count += path.exists()
        else:
            file.close()
    return count


def _unlocked(path: Path) -> IO[bytes] | None:
    """Return the file, locked by us now, when its holder is gone; None while it lives."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
