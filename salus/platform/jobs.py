"""Background jobs on procrastinate, deferred in Django's transaction: state and job commit together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from django.db import transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.tasks import Task

from salus.kernel.errors import SalusError
from salus.platform.tenancy import current_organization

STALLED_AFTER = 30.0
"""Seconds without a heartbeat of its worker after which a job is taken to be abandoned."""

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
    """Return whether `value` is an int, None, or a short word without spaces or an at-sign."""
    if value is None or isinstance(value, int):
        return True
    return isinstance(value, str) and len(value) <= 64 and "@" not in value and " " not in value


async def sweep() -> int:
    """Put jobs whose worker has died back in the queue; return how many."""
    manager = app.job_manager
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER))
    for abandoned in stalled:
        await manager.retry_job(abandoned)
    await manager.prune_stalled_workers(STALLED_AFTER)
    return len(stalled)
