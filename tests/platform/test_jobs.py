"""Jobs of dead workers: run again at once, never twice beside each other, and never lost."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from django.db import connection
from procrastinate.contrib.django import app

from salus.kernel.ids import new_id
from salus.platform import jobs
from salus.platform.tenancy import acting_for

NAME = "salus.intake.tasks.run_import"


def defer(organization: UUID, work: UUID) -> int:
    """Queue a job for some work and return its id."""
    with acting_for(organization):
        jobs.defer(NAME, once=str(work), import_id=str(work))
    return rows("SELECT max(id) FROM procrastinate_jobs")[0][0]  # type: ignore[no-any-return]


def start(job_id: int) -> int:
    """Let a worker begin a job, and return the worker."""
    [(worker,)] = rows("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
    rows(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s RETURNING id",
        worker,
        job_id,
    )
    return int(worker)


def rows(statement: str, *parameters: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def status(job_id: int) -> str:
    return str(rows("SELECT status FROM procrastinate_jobs WHERE id = %s", job_id)[0][0])


def sweep(*dead: int) -> int:
    async def go() -> int:
        connector: Any = app.connector
        runner = app.with_connector(connector.get_worker_connector())
        async with runner.open_async():
            return await jobs.sweep(runner, dead)

    return asyncio.run(go())


def test_the_job_of_a_dead_worker_waits_again_and_that_of_a_living_one_goes_on(organization: UUID) -> None:
    lost, going = defer(organization, new_id()), defer(organization, new_id())
    dead, _ = start(lost), start(going)
    assert sweep() == 0, "both have a heartbeat"
    assert sweep(dead) == 1
    assert (status(lost), status(going)) == ("todo", "doing")
    assert sweep(dead) == 0


def test_a_worker_without_a_heartbeat_is_taken_for_dead(organization: UUID) -> None:
    job = defer(organization, new_id())
    worker = start(job)
    rows(
        "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour' WHERE id = %s RETURNING id",
        worker,
    )
    assert sweep() == 1
    assert status(job) == "todo"


def test_a_job_whose_like_waits_already_is_put_aside_and_holds_nobody_up(organization: UUID) -> None:
    work = new_id()
    lost, other = defer(organization, work), defer(organization, new_id())
    first, second = start(lost), start(other)
    waiting = defer(organization, work)
    assert waiting != lost
    assert sweep(first, second) == 2
    assert (status(lost), status(waiting), status(other)) == ("aborted", "todo", "todo")
