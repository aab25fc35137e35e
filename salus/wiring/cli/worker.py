"""`salus worker`: run background jobs and make the regular rounds."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

log = logging.getLogger(__name__)

ROLL_CALL_SECONDS, SWEEP_SECONDS = 1.0, 30.0


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("worker", help="run background jobs")
    command.add_argument("--jobs", type=int, default=2, help="jobs run at once (default 2)")
    command.add_argument(
        "--plans", action="store_true", help="only help to plan campaigns, beside another worker"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Work until SIGTERM; jobs that are running end first."""
    from salus.wiring.cli import setup

    setup()
    from procrastinate.contrib.django import app

    from salus.identity import api as identity
    from salus.platform import rounds
    from salus.platform.memory import settle_memory
    from salus.wiring.rounds import ROUNDS

    def _organizations() -> list[UUID]:
        return [each.id for each in identity.organizations()]

    settle_memory()
    if options.plans:
        asyncio.run(_work(app, 1, ["plans"]))
        return 0
    stop = threading.Event()
    walker = threading.Thread(
        target=rounds.walk, args=(ROUNDS, _organizations, stop), name="rounds", daemon=True
    )
    walker.start()
    try:
        asyncio.run(_work(app, options.jobs))
    finally:
        stop.set()
        walker.join(timeout=30)
    return 0


async def _work(app: Any, jobs: int, queues: Sequence[str] | None = None) -> None:
    """Run procrastinate's worker for `queues` (None: all) beside the sweep of abandoned jobs."""
    from django.conf import settings

    from salus.platform.jobs import with_fresh_connection
    from salus.platform.presence import Roll

    roll = Roll(settings.SALUS_HOME / "workers")
    roll.enter()

    async def noted(call: Any, context: Any, worker: Any) -> Any:
        roll.note(str(worker.worker_id))
        return await call()

    worker_app = app.with_connector(app.connector.get_worker_connector())
    async with worker_app.open_async():
        sweeper = asyncio.create_task(_sweeping(worker_app, roll))
        try:
            await worker_app.run_worker_async(
                concurrency=jobs,
                queues=queues,
                fetch_job_polling_interval=0.5,
                install_signal_handlers=True,
                delete_jobs="successful",  # the audit log remembers what was done
                worker_middleware=[noted],
                task_middleware=[with_fresh_connection],
            )
        finally:
            sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeper


async def _sweeping(worker_app: Any, roll: Any) -> None:
    """Queue the jobs of dead workers again, those that died on this machine within a second."""
    from salus.platform.jobs import sweep

    swept_at = -SWEEP_SECONDS
    while True:
        try:
            with roll.departed() as dead:
                now = time.monotonic()
                if dead or now - swept_at >= SWEEP_SECONDS:
                    count = await sweep(worker_app, [int(each.note) for each in dead if each.note])
                    swept_at = now
                    if count:
                        log.warning("%d jobs of dead workers are run again", count)
        except Exception:
            log.exception("abandoned jobs could not be looked for")  # the database is away: it comes back
        await asyncio.sleep(ROLL_CALL_SECONDS)
