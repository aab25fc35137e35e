"""A disk of limited size, in memory, that is filled to the last byte now and then; the machine's own is never touched."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STEPS = (2**26, 2**20, 2**12)


@contextmanager
def limited(folder: Path, megabytes: int) -> Iterator[None]:
    """Mount a tmpfs of so many MB on `folder` while this lasts; only root may mount."""
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(file: Path) -> int:
    """Take what room there is around `file`, to the last page; return how many bytes it took."""
    taken = 0
    with file.open("ab") as ballast:
        for step in _STEPS:
            while True:
                try:
                    os.posix_fallocate(ballast.fileno(), taken, step)
                except OSError as full:
                    if full.errno != errno.ENOSPC:
                        raise
                    break
                taken += step
    return taken
