"""The copies of checkpoints that are kept outside the database, as far as a restored log reaches."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from salus.audit import api as audit

_SUFFIX = ".checkpoints"
_TAIL = 8_192
"""Bytes that hold the last note."""


def last_notes(directory: Path) -> dict[UUID, str]:
    """Return the last witnessed checkpoint of each organization."""
    found = {}
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            found[UUID(path.stem)] = audit.last_note(file.read().decode(errors="replace"))
    return found


def bring(
    directory: Path, kept: Mapping[UUID, str], sizes: Mapping[UUID, int], target: Path
) -> dict[UUID, int]:
    """Write into `target` the checkpoints that a restored log has to agree with, and say what it gives up.

    `directory` has the live ones; where it has none, `kept` (from the backup) counts. `sizes` is how many
    entries each restored log has. Returns how many more were signed, of each organization that had more.
    """
    target.mkdir(mode=0o700)
    given_up = {}
    for organization_id, size in sizes.items():
        live = directory / f"{organization_id}{_SUFFIX}"
        text = live.read_text() if live.exists() else kept.get(organization_id, "")
        known, signed = audit.notes_until(text, size)
        if signed > size:
            given_up[organization_id] = signed - size
        _private(target / live.name, known)
        key = directory / f"{organization_id}.vkey"
        if key.exists():
            _private(target / key.name, key.read_text())
    return given_up


def _private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
