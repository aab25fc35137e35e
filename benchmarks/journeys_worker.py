"""A worker of the journeys benchmark: moves people on, batch by batch, on the clock that a file tells."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

IDLE = 0.002
"""Seconds between two looks when nobody is due."""


class FileClock:
    """A clock that stands where a file says."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def now(self) -> datetime:
        """Return the moment in the file."""
        return datetime.fromisoformat(self.file.read_text())

    def set(self, at: datetime) -> None:
        """Let it stand at `at`, for everybody at once."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(at.isoformat())
        fresh.replace(self.file)


def main(organization: str, journey: str, file: str) -> None:
    """Say that it is ready, and work until the file is gone."""
    from salus.wiring.cli import setup

    setup()
    from salus.journeys import api
    from salus.platform.memory import settle_memory

    settle_memory()
    api.use_clock(FileClock(Path(file)))
    print("ready", flush=True)
    with suppress(FileNotFoundError):
        while Path(file).exists():
            if not api.move(UUID(organization), UUID(journey)):
                time.sleep(IDLE)


if __name__ == "__main__":
    main(*sys.argv[1:])
