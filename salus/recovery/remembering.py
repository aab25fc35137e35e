"""The list of the erased, which backups take along and a restore applies: lines that recovery does not read."""

from __future__ import annotations

import os
from pathlib import Path

from salus.recovery.contracts import Site
from salus.recovery.repository import Repository


def listed(path: Path) -> frozenset[str]:
    """Return the whole lines of a list; none when it is not there."""
    if not path.exists():
        return frozenset()
    return frozenset(
        each.rstrip("\n") for each in path.read_text().splitlines(keepends=True) if each.endswith("\n")
    )


def bring(site: Site, repository: Repository, target: Path) -> None:
    """Write to `target` what the backups and the live system know together."""
    lines = sorted(repository.erased() | listed(site.erased))
    draft = target.with_name(f".{target.name}.partial")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{each}\n" for each in lines)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
