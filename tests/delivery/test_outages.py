"""A sender whose database goes away, or one of whose messages cannot be recorded; a sender that died."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from salus.delivery import leasing
from salus.delivery.leasing import Lease
from salus.delivery.preparing import Stopped
from salus.delivery.rechecking import Recheck
from salus.delivery.recording import Recorder, Results
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import Protection
from salus.platform.tenancy import acting_for

from .test_leasing import Fill, fill, quiet

__all__ = ["fill", "quiet"]

CLOCK = FakeClock(datetime(2026, 6, 1, 18, tzinfo=UTC))
ORGANIZATION = new_id()


def stopped() -> Stopped:
    return Stopped(Lease(new_id(), ORGANIZATION, 1, False, "lakepost.example.test", 2), "person_is_gone")


class Ledger:
    """Takes the place of the thread and its database: it is away as often as told, and refuses some messages."""

    def __init__(self, *, away: int = 0, refuses: frozenset[UUID] = frozenset()) -> None:
        self.away, self.refuses = away, refuses
        self.written: list[UUID] = []
        self.done: list[UUID] = []
        self.stuck: list[UUID] = []

    async def in_thread(self, function: Callable[..., Any], organization_id: UUID, results: Results) -> None:
        await asyncio.sleep(0)
        if self.away:
            self.away -= 1
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        if self.refuses.intersection(results.message_ids()):
            raise ValueError("a message cannot go from accepted to leased")
        self.written += results.message_ids()

    def recorder(self) -> Recorder:
        return Recorder(
            self.in_thread, CLOCK, count=200, seconds=0.01, recorded=self.done.extend, stuck=self.stuck.extend
        )


def test_outcomes_are_kept_while_the_database_is_away_and_written_once() -> None:
    ledger, facts = Ledger(away=2), [stopped(), stopped()]

    async def go() -> None:
        recorder = ledger.recorder()
        recorder.add(ORGANIZATION, stopped=facts[:1])
        assert not await recorder.flush()
        recorder.add(ORGANIZATION, stopped=facts[1:])
        assert not await recorder.flush()
        assert ledger.done == []
        assert await recorder.flush()
        assert await recorder.flush()

    asyncio.run(go())
    assert sorted(ledger.written) == sorted(ledger.done) == sorted(each.lease.message_id for each in facts)


def test_one_message_that_cannot_be_recorded_does_not_take_the_others_with_it() -> None:
    facts = [stopped() for _ in range(5)]
    bad = facts[2].lease.message_id
    ledger = Ledger(refuses=frozenset({bad}))

    async def go() -> None:
        recorder = ledger.recorder()
        recorder.add(ORGANIZATION, stopped=facts)
        assert await recorder.flush()

    asyncio.run(go())
    assert set(ledger.done) == {each.lease.message_id for each in facts} - {bad}
    assert ledger.stuck == [bad], "it keeps its lease, and is looked at when that ends"


def hand_over() -> Any:
    from salus.delivery.transports.handover import HandOver

    return HandOver(
        new_id(),
        "",
        Phi("ana@lakepost.example.test"),
        Phi(b"x\r\n"),
        Protection.NAMED,
        checked_at=0.0,
        lease_until=0.0,
    )


def test_whoever_asks_while_an_answer_is_on_its_way_is_answered_too() -> None:
    rounds: list[int] = []

    async def go() -> list[bool]:
        late: list[asyncio.Task[bool]] = []

        async def look(function: Callable[..., Any], ids: list[UUID]) -> set[UUID]:
            rounds.append(len(ids))
            if len(rounds) == 1:
                late.append(asyncio.create_task(recheck(hand_over())))
                await asyncio.sleep(0.01)
            return set(ids)

        recheck = Recheck(look, ORGANIZATION, CLOCK)
        first = await asyncio.wait_for(recheck(hand_over()), 5)
        return [first, await asyncio.wait_for(late[0], 5)]

    assert asyncio.run(go()) == [True, True]
    assert rounds == [1, 1]


def test_a_check_waits_for_the_database_and_is_refused_when_it_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Recheck, "AGAIN", 0.001)

    async def go(faults: list[Exception]) -> bool:
        async def look(function: Callable[..., Any], ids: list[UUID]) -> set[UUID]:
            if faults:
                raise faults.pop()
            return set(ids)

        return await asyncio.wait_for(Recheck(look, ORGANIZATION, CLOCK)(hand_over()), 5)

    away = psycopg.OperationalError("the database system is starting up")
    assert asyncio.run(go([away, away])) is True
    assert asyncio.run(go([ValueError("a defect")])) is False, "closed by default"
    assert asyncio.run(go([away] * (Recheck.TRIES + 1))) is False


def test_a_dead_senders_messages_are_due_at_once_with_the_mark_of_what_was_begun(
    quiet: None, fill: Fill, as_sender: Callable[[], None]
) -> None:
    at, dead, living = CLOCK.now(), new_id(), new_id()
    organization_id = fill(5, at=at)
    as_sender()
    lost = leasing.lease(3, at, dead)
    kept = leasing.lease(2, at, living)
    with acting_for(organization_id):
        assert leasing.mark_begun(lost[:1]) == {lost[0].message_id}
    assert leasing.lease(10, at, living) == []
    assert leasing.take_back(dead) == 3
    assert leasing.take_back(dead) == 0
    again = {each.message_id: each.was_begun for each in leasing.lease(10, at, living)}
    assert again == {each.message_id: each is lost[0] for each in lost}
    assert not again.keys() & {each.message_id for each in kept}


def test_a_sender_that_lost_count_keeps_what_it_has_in_hand(
    quiet: None, fill: Fill, as_sender: Callable[[], None]
) -> None:
    at, sender = CLOCK.now(), new_id()
    fill(4, at=at)
    as_sender()
    leases = leasing.lease(4, at, sender)
    in_hand = [each.message_id for each in leases[:3]]
    assert leasing.take_back(sender, keep=in_hand) == 1
    assert [each.message_id for each in leasing.lease(4, at, sender)] == [leases[3].message_id]
