"""Writes the log as files of C2SP tlog-tiles: checkpoint, tiles and entry bundles."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from salus.audit import checkpoints, rules
from salus.audit.contracts import Checkpoint
from salus.audit.reading import ordered
from salus.audit.tiles import WIDTH, Edge, path, width_at
from salus.kernel.errors import Conflict
from salus.platform.tenancy import current_organization

_LENGTH = 2
"""Bytes of the length before each entry of a bundle."""


def write(directory: Path, at: datetime) -> Checkpoint:
    """Write the current organization's log as it stands, signed now; return its checkpoint.

    Tiles are computed from the entries as they are, so a log that was tampered with exports files that
    do not verify. The checkpoint is written last.
    """
    organization_id = current_organization()
    present = checkpoints.newest(at)
    if present is None:
        raise Conflict("Nothing is signed yet: there is no checkpoint to export.")
    edge, number = Edge(), 0
    waiting: list[bytes] = []
    for batch in ordered(organization_id, present.size):
        for entry in batch:
            if entry.kept is None:
                raise Conflict(f"Entry {entry.entry_id} was deleted.", next_step="Run: salus audit verify.")
            waiting.append(entry.encoded)
            if len(waiting) == WIDTH:
                _bundle(directory, number, waiting)
                waiting, number = [], number + 1
        edge.append(rules.leaf_hash(entry.encoded) for entry in batch)
        for level, tile, hashes in edge.take_full():
            _put(directory / path(level, tile), hashes)
    if waiting:
        _bundle(directory, number, waiting)
    for level in range(8):
        if width := width_at(edge.size, level):
            _put(directory / path(level, edge.size >> (8 * (level + 1)), width), edge.partial(level))
    _put(directory / "checkpoint", present.note.encode())
    return present


def _bundle(directory: Path, number: int, entries: list[bytes]) -> None:
    content = b"".join(len(entry).to_bytes(_LENGTH, "big") + entry for entry in entries)
    _put(directory / path("entries", number, len(entries)), content)


def _put(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
