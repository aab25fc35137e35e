"""Secrets that this machine needs before the database exists: files of mode 0600 that only we can read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from salus.kernel.errors import SalusError


class LooseSecret(SalusError):
    """A secret's file can be read by others; it is not used."""


def local_secret(directory: Path, name: str) -> str:
    """Return the secret `name` under `directory`, made of 32 random bytes on first use."""
    path = directory / name
    try:
        mode = path.stat().st_mode & 0o777
    except FileNotFoundError:
        return _make(path)
    if mode & 0o077:
        raise LooseSecret(
            f"The secret {path.name} can be read by others (mode {mode:o}).",
            next_step=f"Run: chmod 600 {path.name}, and change what it protects.",
        )
    return path.read_text().strip()


def _make(path: Path) -> str:
    """Write a new secret whole, then link it into place: whoever comes second finds the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    return path.read_text().strip()
