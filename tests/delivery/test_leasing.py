"""Leases: fair, skipped when locked, fenced, and seen across organizations by the sender's role alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from salus.delivery import api, leasing
from salus.delivery.contracts import Priority, State
from salus.delivery.leasing import LEASE
from salus.delivery.models import QueueRow
from salus.delivery.rules import RANK
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for

from .conftest import Desk, furnish, open_clinic

Fill = Callable[..., UUID]


@pytest.fixture
def quiet(database: Any) -> Iterator[None]:
    """Keep the messages of other tests out of the way: a sender sees every organization's."""
    with psycopg.connect(database.superuser_dsn, autocommit=True) as superuser:
        superuser.execute("UPDATE delivery_queue SET held = true")
        yield
        superuser.execute("UPDATE delivery_queue SET held = true")


@pytest.fixture
def fill(database: Any) -> Fill:
    """Return a way to put messages of an invented organization into the queue, past everything else."""

    def put(count: int, *, at: datetime, priority: Priority = Priority.CAMPAIGN, **facts: Any) -> UUID:
        organization_id = facts.pop("organization_id", None) or new_id()
        with acting_for(organization_id):
            QueueRow.objects.bulk_create(
                [
                    QueueRow(
                        message_id=new_id(),
                        origin_id=new_id(),
                        site="lakepost.example.test",
                        priority=RANK[priority],
                        not_before=at,
                        **facts,
                    )
                    for _ in range(count)
                ]
            )
        return organization_id

    return put


@pytest.fixture
def at() -> datetime:
    return datetime.fromisoformat("2026-06-01T18:00:00+00:00")


def test_each_organization_that_waits_gets_an_equal_share(
    quiet: None, fill: Fill, at: datetime, as_sender: Callable[[], None]
) -> None:
    large, small, other = fill(50, at=at), fill(2, at=at), fill(50, at=at)
    as_sender()
    shares = Counter(each.organization_id for each in leasing.lease(30, at))
    assert shares[small] == 2
    assert shares[large] >= 10
    assert shares[other] >= 10
    assert 22 <= shares.total() <= 30
    while leases := leasing.lease(30, at):
        shares.update(each.organization_id for each in leases)
    assert shares == {large: 50, small: 2, other: 50}, "nobody is left behind"


def test_everybody_has_a_turn_also_where_more_wait_than_one_batch_holds(
    quiet: None, fill: Fill, at: datetime, as_sender: Callable[[], None]
) -> None:
    clinics = sorted(fill(4, at=at) for _ in range(5))
    as_sender()
    served, after = [], None
    for _ in range(5):
        leases = leasing.lease(2, at, after=after)
        served += [each.organization_id for each in leases]
        after = leases[-1].organization_id
    assert served == clinics * 2


def test_what_is_leased_is_leased_once(
    quiet: None, fill: Fill, at: datetime, as_sender: Callable[[], None]
) -> None:
    fill(8, at=at)
    as_sender()
    first, second = leasing.lease(5, at), leasing.lease(5, at)
    assert (len(first), len(second)) == (5, 3)
    assert not {each.message_id for each in first} & {each.message_id for each in second}
    assert leasing.lease(5, at) == []


def test_rows_that_another_sender_is_leasing_are_passed_over_not_waited_for(
    quiet: None, fill: Fill, at: datetime, as_sender: Callable[[], None], database: Any
) -> None:
    fill(6, at=at)
    as_sender()
    dsn = make_conninfo(database.superuser_dsn, options="-c lock_timeout=1000")
    with psycopg.connect(dsn) as slow:
        locked = slow.execute(
            "SELECT message_id FROM delivery_queue WHERE NOT held ORDER BY not_before LIMIT 4 FOR UPDATE"
        ).fetchall()
        leases = leasing.lease(10, at)
        assert len(leases) == 2
        assert not {each.message_id for each in leases} & {row[0] for row in locked}
        slow.rollback()
    assert len(leasing.lease(10, at)) == 4


def test_transactional_goes_before_journeys_and_journeys_before_campaigns(
    quiet: None, fill: Fill, at: datetime, as_sender: Callable[[], None]
) -> None:
    clinic = fill(3, at=at - timedelta(hours=1), priority=Priority.CAMPAIGN)
    fill(2, at=at, priority=Priority.JOURNEY, organization_id=clinic)
    fill(1, at=at, priority=Priority.TRANSACTIONAL, organization_id=clinic)
    as_sender()
    order = [leasing.lease(1, at)[0].priority for _ in range(6)]
    assert order == [0, 1, 1, 2, 2, 2]


def test_what_is_held_or_not_due_waits(
    quiet: None, fill: Fill, at: datetime, as_sender: Callable[[], None]
) -> None:
    fill(1, at=at, held=True)
    fill(1, at=at + timedelta(minutes=5))
    as_sender()
    assert leasing.lease(10, at) == []
    assert len(leasing.lease(10, at + timedelta(minutes=5))) == 1


def test_a_lease_that_ended_is_another_senders_and_the_first_can_change_nothing_more(
    quiet: None, fill: Fill, at: datetime, as_sender: Callable[[], None]
) -> None:
    clinic = fill(1, at=at)
    as_sender()
    [old] = leasing.lease(1, at)
    assert leasing.lease(1, at + LEASE - timedelta(seconds=1)) == []
    [new] = leasing.lease(1, at + LEASE + timedelta(seconds=1))
    assert (new.message_id, new.fence) == (old.message_id, old.fence + 1)
    with acting_for(clinic):
        assert leasing.mark_begun([old]) == set()
        leasing.give_back([old])
        row = QueueRow.objects.get(message_id=old.message_id)
        assert (row.begun, row.lease_until) == (False, at + LEASE + timedelta(seconds=1) + LEASE)
        assert leasing.mark_begun([new]) == {new.message_id}


def test_the_batch_mark_of_a_dead_sender_is_told_to_the_next_one(
    quiet: None, fill: Fill, at: datetime, as_sender: Callable[[], None]
) -> None:
    clinic = fill(2, at=at)
    as_sender()
    begun, other = leasing.lease(2, at)
    with acting_for(clinic):
        leasing.mark_begun([begun])
    again = {each.message_id: each for each in leasing.lease(2, at + LEASE + timedelta(seconds=1))}
    assert again[begun.message_id].was_begun
    assert not again[other.message_id].was_begun


def test_what_is_given_back_is_due_at_once_and_not_marked(
    quiet: None, fill: Fill, at: datetime, as_sender: Callable[[], None]
) -> None:
    clinic = fill(1, at=at)
    as_sender()
    [lease] = leasing.lease(1, at)
    with acting_for(clinic):
        leasing.mark_begun([lease])
        leasing.give_back([lease])
    [again] = leasing.lease(1, at)
    assert not again.was_begun


def test_only_the_senders_role_sees_the_queue_of_all_and_nothing_else_of_anybody(
    quiet: None, fill: Fill, at: datetime, as_sender: Callable[[], None]
) -> None:
    first, second = fill(1, at=at), fill(1, at=at)
    desk = furnish(open_clinic())
    with acting_for(desk.id):
        desk.admit("ada")
        desk.release()
    assert leasing.lease(10, desk.clock.now()) == [], "the application's role sees no queue out of context"
    as_sender()
    seen = {each.organization_id for each in leasing.lease(10, desk.clock.now())}
    assert seen == {first, second, desk.id}
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("salus_sender",)
        for table in ("delivery_message", "delivery_receipt", "contacts_contact", "identity_organization"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table
        cursor.execute("UPDATE delivery_message SET state = 'cancelled'")
        assert cursor.rowcount == 0


def test_pause_holds_what_no_sender_has_and_cancel_leaves_what_a_sender_has(desk: Desk) -> None:
    desk.admit("ada", "bert", "cora")
    origin = desk.release()
    batch = desk.take(1)
    api.pause(origin, actor=desk.actor)
    assert leasing.lease(10, desk.clock.now()) == []
    api.resume(origin, actor=desk.actor)
    assert api.cancel(origin, actor=desk.actor, at=desk.clock.now()) == 2
    assert desk.states(origin) == {State.LEASED: 1, State.CANCELLED: 2}
    [prepared] = batch.prepared
    assert desk.settle(desk.outcome(prepared)) == {prepared.lease.message_id}
    assert desk.states(origin) == {State.ACCEPTED: 1, State.CANCELLED: 2}


def test_what_a_dead_sender_had_begun_is_cancelled_with_its_doubt(desk: Desk) -> None:
    desk.admit("ada")
    origin = desk.release()
    [prepared] = desk.take().prepared
    leasing.mark_begun([prepared.lease])
    desk.clock.advance(LEASE + timedelta(seconds=1))
    assert api.cancel(origin, actor=desk.actor, at=desk.clock.now()) == 1
    row = desk.row(prepared.lease.message_id)
    assert (row.state, row.uncertain) == (State.CANCELLED, True)


def test_what_was_with_a_sender_when_its_sending_was_cancelled_is_not_tried_again(desk: Desk) -> None:
    desk.admit("ada")
    origin = desk.release()
    [prepared] = desk.take().prepared
    api.cancel(origin, actor=desk.actor, at=desk.clock.now())
    again = desk.clock.now() + timedelta(minutes=5)
    desk.settle(desk.outcome(prepared, State.DEFERRED, again_at=again))
    desk.clock.advance(timedelta(minutes=6))
    batch = desk.take()
    assert [stopped.reason for stopped in batch.stopped] == ["cancelled_by_staff"]
    desk.settle(batch=batch)
    assert desk.states(origin) == {State.CANCELLED: 1}
    assert desk.queue(origin) == []
