"""`salus worker`: run background jobs and make the regular rounds."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import threading
from typing import Any
from uuid import UUID

SWEEP_SECONDS = 30.0


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("worker", help="run background jobs")
    command.add_argument("--jobs", type=int, default=2, help="jobs run at once (default 2)")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Work until SIGTERM; jobs that are running end first."""
    from salus.wiring.cli import setup

    setup()
    from procrastinate.contrib.django import app

    from salus.identity import api as identity
    from salus.platform import rounds
    from salus.wiring.rounds import ROUNDS

    def _organizations() -> list[UUID]:
        return [each.id for each in identity.organizations()]

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


async def _work(app: Any, jobs: int) -> None:
    """Run procrastinate's worker beside the sweep of stalled jobs."""
    from salus.platform.jobs import sweep

    async def sweeping() -> None:
        while True:
            await sweep()
            await asyncio.sleep(SWEEP_SECONDS)

    worker_app = app.with_connector(app.connector.get_worker_connector())
    async with worker_app.open_async():
        sweeper = asyncio.create_task(sweeping())
        try:
            await worker_app.run_worker_async(
                concurrency=jobs, fetch_job_polling_interval=0.5, install_signal_handlers=True
            )
        finally:
            sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeper
