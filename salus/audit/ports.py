"""What wiring gives the log: who signs checkpoints, and the folder outside the database for copies of them."""

from __future__ import annotations

from pathlib import Path

from salus.audit.contracts import Signer
from salus.kernel.errors import Unavailable

_signer: Signer | None = None
_witness_directory: Path | None = None


def use_signer(signer: Signer) -> None:
    """Set who signs checkpoints in this process."""
    global _signer
    _signer = signer


def use_witness_directory(path: Path) -> None:
    """Set the folder where each checkpoint is also written; best on another disk or machine."""
    global _witness_directory
    _witness_directory = path


def signer() -> Signer:
    """Return the signer; raises `Unavailable` when wiring gave none."""
    if _signer is None:
        raise Unavailable(
            "No signer of checkpoints is configured.", next_step="Start Salus by its command line."
        )
    return _signer


def witness_directory() -> Path | None:
    """Return the folder for copies of checkpoints, None when there is none."""
    return _witness_directory
