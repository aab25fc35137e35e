"""Many write, several sequence, one order comes out; who commits late is taken late, and nobody is skipped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters, NewEntry
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for

PATIENCE = 30.0


@pytest.fixture
def apart(database: Any, django_db_blocker: Any) -> Callable[..., Any]:
    """Run a function in a thread with a database connection of its own."""

    def run(function: Callable[[], Any]) -> Any:
        with django_db_blocker.unblock():
            try:
                return function()
            finally:
                connections.close_all()

    return run


def entries_of(organization: UUID, count: int) -> list[NewEntry]:
    actor = system(organization, "test")
    return [NewEntry(Action.CONTACT_READ, actor, "contact", object_id=new_id()) for _ in range(count)]


def order_of(organization: UUID) -> list[tuple[int, UUID]]:
    with acting_for(organization), connection.cursor() as cursor:
        cursor.execute(
            "SELECT position, entry_id FROM audit_index WHERE organization_id = %s ORDER BY position",
            [organization],
        )
        return list(cursor.fetchall())


def test_writers_and_sequencers_at_once_give_every_entry_exactly_one_place(
    organization: UUID, apart: Callable[..., Any]
) -> None:
    def write() -> list[UUID]:
        ids = []
        for _ in range(20):
            with acting_for(organization):
                ids += audit.record_many(entries_of(organization, 7))
        return ids

    def sequence() -> list[UUID]:
        for _ in range(25):
            with acting_for(organization):
                audit.integrate()
            with acting_for(organization):
                audit.checkpoint()
        return []

    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(apart, job) for job in (write, sequence, write, sequence, write, sequence)]
        written = {entry_id for future in done for entry_id in future.result(PATIENCE)}
    with acting_for(organization):
        audit.integrate()
    order = order_of(organization)
    assert [position for position, _ in order] == list(range(len(order)))
    assert written <= {entry_id for _, entry_id in order}
    assert len(written) == 3 * 20 * 7
    with acting_for(organization):
        verdict = audit.verify()
    assert (verdict.verified, verdict.faults, verdict.pending) == (True, (), 0)


def test_who_commits_late_is_taken_late_and_never_skipped(
    organization: UUID, apart: Callable[..., Any]
) -> None:
    recorded, may_commit = threading.Event(), threading.Event()

    def slow() -> UUID:
        with acting_for(organization):
            (entry_id,) = audit.record_many(entries_of(organization, 1))
            recorded.set()
            assert may_commit.wait(PATIENCE)
        return entry_id

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(apart, slow)
        assert recorded.wait(PATIENCE)
        with acting_for(organization):
            (quick,) = audit.record_many(entries_of(organization, 1))
        with acting_for(organization):
            audit.integrate()  # does not wait for the slow one, and does not take it
        with acting_for(organization):
            before = audit.checkpoint()
            assert audit.entry(quick).position == before.size - 1
        may_commit.set()
        late = future.result(PATIENCE)
    with acting_for(organization):
        assert audit.entry(late).position is None
        assert audit.integrate() == 1
    with acting_for(organization):
        assert late < quick  # its id is older, its place is later
        assert audit.entry(late).position == before.size
        assert audit.verify(before.note).verified


def test_a_second_sequencer_waits_for_the_first_and_takes_what_is_left(
    organization: UUID, apart: Callable[..., Any]
) -> None:
    with acting_for(organization):
        audit.record_many(entries_of(organization, 5))
    started = threading.Event()

    def second() -> int:
        with acting_for(organization):
            started.set()
            return audit.integrate()

    with ThreadPoolExecutor(1) as pool:
        with acting_for(organization):
            first = audit.integrate()
            assert first >= 5
            future = pool.submit(apart, second)
            assert started.wait(PATIENCE)
        assert future.result(PATIENCE) == 0
    with acting_for(organization):
        assert audit.verify().verified


def test_a_sequencer_that_dies_leaves_everything_waiting(organization: UUID) -> None:
    from django.db import transaction

    with acting_for(organization):
        ids = audit.record_many(entries_of(organization, 300))
    with acting_for(organization):
        assert audit.integrate() >= 300
        transaction.set_rollback(True)
    assert order_of(organization) == []
    with acting_for(organization):
        assert audit.integrate() >= 300
    assert set(ids) <= {entry_id for _, entry_id in order_of(organization)}


def test_a_long_queue_is_taken_in_batches(organization: UUID) -> None:
    from salus.audit import sequencer

    with acting_for(organization):
        audit.record_many(entries_of(organization, 2_500))
        total = len(audit.entries(Filters(), limit=10_000))
    taken = []
    while True:
        with acting_for(organization):
            count = sequencer.integrate(batch=1_000)
        if not count:
            break
        taken.append(count)
    assert sum(taken) == total
    assert max(taken) == 1_000
    with acting_for(organization):
        audit.checkpoint()
        assert audit.verify().verified
