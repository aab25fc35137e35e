"""Copies of checkpoints outside the database: whoever rewrites the one cannot rewrite the other.

One file an organization, `<id>.checkpoints`, grows by one signed note at a time; `<id>.vkey` holds the
public keys that signed them, one a line, the first first, for independent tools. The folder is best on another disk, or collected by another machine.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from uuid import UUID

from salus.audit import notes, ports
from salus.kernel.errors import Unavailable

_TAIL = 4_096
"""Enough bytes to hold the last note."""


def append(organization_id: UUID, note: str, verifier_key: str) -> None:
    """Add a signed checkpoint to the organization's file, whole and on the disk when this returns.

    Raises `Unavailable` when the folder cannot be written; the next checkpoint covers this one.
    """
    folder = ports.witness_directory()
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = folder / f"{organization_id}.vkey"
        if not key.exists() or verifier_key not in key.read_text().splitlines():
            _add_key(key, verifier_key)
        _write(folder / f"{organization_id}.checkpoints", note)
    except OSError as fault:
        raise Unavailable(
            f"A checkpoint could not be copied to the witness folder ({fault.strerror}).",
            kept="It is signed and stored in the database.",
            next_step=f"Make the folder {folder.name} writable; the next checkpoint is copied there.",
        ) from fault


def read(organization_id: UUID) -> str:
    """Return all witnessed checkpoints, one after another; empty when there are none."""
    path = _file(organization_id)
    return path.read_text() if path and path.exists() else ""


def last(organization_id: UUID) -> str:
    """Return the last witnessed checkpoint, empty when there is none."""
    path = _file(organization_id)
    if path is None or not path.exists():
        return ""
    with path.open("rb") as file:
        tail = _tail(file.fileno())
    found = [note for note in notes.split(tail) if notes.is_whole(note)]
    return found[-1] if found else ""


def _add_key(path: Path, verifier_key: str) -> None:
    """Put a public key below those that signed before it, whole or not at all."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if verifier_key not in path.read_text().splitlines():
            os.write(handle, f"{verifier_key}\n".encode())
            os.fsync(handle)
    finally:
        os.close(handle)


def _file(organization_id: UUID) -> Path | None:
    folder = ports.witness_directory()
    return folder / f"{organization_id}.checkpoints" if folder else None


def _tail(handle: int) -> str:
    size = os.fstat(handle).st_size
    return os.pread(handle, _TAIL, max(0, size - _TAIL)).decode(errors="replace")


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # freed when the file is closed
        before = _tail(handle)
        if before and not notes.is_whole(before):
            text = notes.GAP + text  # a power cut tore the last note: keep it apart from ours
        left = text.encode()
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    finally:
        os.close(handle)
