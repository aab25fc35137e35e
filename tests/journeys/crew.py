"""Workers who are killed: processes that follow and move on a clock in a file, and one that kills them at random.

Run as `python -m tests.journeys.crew ORGANIZATION JOURNEY FILE SEED KILLER`; it ends when the file is gone and
prints how many it killed. Children are forked when everything is loaded, so a dead one is replaced at once.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from uuid import UUID

WORKERS = 2
IDLE, LIFE = 0.005, (0.05, 0.9)
"""Seconds between two looks, and from when to when a worker is killed."""


def work(organization: UUID, journey: UUID, file: Path) -> None:
    """Follow, and move people on, for ever."""
    from django.db import connection

    from salus.journeys import api
    from salus.platform.tenancy import acting_for

    while True:
        with acting_for(organization), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [journey.int % 2**31])
            followed = api.follow() if cursor.fetchone()[0] else 0
        if not api.move(organization, journey) and not followed:
            time.sleep(IDLE)


def main(organization: str, journey: str, name: str, seed: str, killer: str) -> None:
    """Keep workers alive, or rather not."""
    from salus.wiring.cli import setup

    setup()
    from benchmarks.journeys_worker import FileClock
    from salus.journeys import api

    file, chance, killed = Path(name), random.Random(int(seed)), 0
    api.use_clock(FileClock(file))
    crew = [_fork(UUID(organization), UUID(journey), file) for _ in range(WORKERS)]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while file.exists():
        time.sleep(chance.uniform(*LIFE))
        if killer == "yes":
            place = chance.randrange(WORKERS)
            os.kill(crew[place], signal.SIGKILL)
            os.waitpid(crew[place], 0)
            crew[place] = _fork(UUID(organization), UUID(journey), file)
            killed += 1
    for pid in crew:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    sys.stdout.write(f"{killed}\n")


def _fork(organization: UUID, journey: UUID, file: Path) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        work(organization, journey, file)
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
