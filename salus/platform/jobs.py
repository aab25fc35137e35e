"""Background jobs on procrastinate, deferred in Django's transaction: state and job commit together."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from django.db import close_old_connections, transaction
from procrastinate import App, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.tasks import Task

from salus.kernel.errors import SalusError
from salus.platform.tenancy import current_organization

log = logging.getLogger(__name__)

STALLED_AFTER = 30.0
"""Seconds without a heartbeat of its worker after which a job is taken to be abandoned.

That is for a worker whose machine is gone; one that died on this machine is noticed at once.
"""

Plain = str | int | None


class UnsafeArgument(SalusError):
    """A job argument that is not an id or a number; arguments are stored in clear."""


def job(*, queue: str = "default", attempts: int = 8) -> Callable[[Callable[..., Any]], Task[..., Any, Any]]:
    """Make a function a job. It must be idempotent, and take `organization_id` plus ids as keywords.

    It is tried `attempts` times, with a growing wait between (4, 8, 16... seconds).
    """
    retry = RetryStrategy(max_attempts=attempts, exponential_wait=2)

    def register(function: Callable[..., Any]) -> Task[..., Any, Any]:
        return app.task(queue=queue, retry=retry, name=f"{function.__module__}.{function.__name__}")(function)

    return register


def defer(task: Task[..., Any, Any] | str, *, once: str | None = None, **arguments: Plain) -> None:
    """Queue `task` for the current organization, in the current transaction.

    A package's `api` names its task ("salus.intake.tasks.run_import"), because tasks stand above it.
    `once` is a queueing lock: while such a job waits, another is not added.
    """
    for argument, value in arguments.items():
        if not _is_plain(value):
            raise UnsafeArgument("Job arguments are ids and numbers only.", place=argument)
    organization_id = str(current_organization())
    name = task if isinstance(task, str) else task.name
    if once is None:
        app.configure_task(name).defer(organization_id=organization_id, **arguments)
        return
    # The savepoint keeps the transaction usable when the lock's unique index says no.
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(name, queueing_lock=f"{organization_id}:{name}:{once}").defer(
            organization_id=organization_id, **arguments
        )


def _is_plain(value: object) -> bool:
    """Return whether `value` is an int, None, or an id: a word could be somebody's name."""
    if not isinstance(value, str):
        return value is None or isinstance(value, int)
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False


def with_fresh_connection(call: Callable[[], Any], context: object, worker: object) -> Any:
    """Run a job with a database connection that works, in whichever thread it comes to (a middleware)."""
    close_old_connections()
    try:
        return call()
    finally:
        close_old_connections()


async def sweep(runner: App, dead: Collection[int] = ()) -> int:
    """Put jobs whose worker has died back in the queue; return how many.

    `dead` are workers that are known to have died; others are taken for dead without a heartbeat.
    """
    manager = runner.job_manager
    abandoned = list(await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER))
    for worker_id in dead:
        abandoned += await manager.list_jobs_async(worker_id=worker_id, status=Status.DOING.value)
    found = {each.id: each for each in abandoned}
    for each in found.values():
        await _again(manager, each)
    await manager.prune_stalled_workers(STALLED_AFTER)
    return len(found)


async def _again(manager: JobManager, abandoned: Job) -> None:
    """Queue an abandoned job again; when the same work waits there already, or it ended meanwhile, leave it."""
    try:
        await manager.retry_job(abandoned)
    except UniqueViolation:
        await manager.finish_job(abandoned, Status.ABORTED, delete_job=False)
    except ConnectorException as fault:
        log.warning("job %s could not be queued again: %s", abandoned.id, type(fault.__cause__).__name__)
