"""What happens between the check and the outcome: a change of mind, and a crash."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from salus.delivery import api
from salus.delivery.contracts import Origin, State
from salus.delivery.laboratory import read_routes
from salus.delivery.leasing import LEASE
from salus.delivery.models import MessageRow, QueueRow
from salus.delivery.transports.courier import Courier
from salus.delivery.transports.handover import HandOver, Outcome
from salus.gate.contracts import Reason
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.shaping.contracts import Detour
from salus.wiring.catch.relay import Relay

from . import office
from .conftest import Desk, furnish, open_clinic, sender_role
from .laboratory import caught, hold_everything, send


@pytest.fixture
def alone(database: Any, fast_passwords: None, relay: Relay) -> Iterator[tuple[Desk, Origin]]:
    """A clinic with a reminder to one person, released, and nobody else's messages in the queue."""
    hold_everything(database)
    desk = furnish(open_clinic())
    desk.clock = FakeClock(datetime.now(UTC) + timedelta(seconds=5))
    with acting_for(desk.id):
        desk.admit("ada", domain="mail.example.test")
        origin = desk.release()
    with sender_role(database):
        yield desk, origin
    hold_everything(database)


def test_who_opts_out_after_the_check_and_before_mail_from_gets_nothing(
    alone: tuple[Desk, Origin], relay: Relay
) -> None:
    desk, origin = alone

    class OptsOutFirst:
        """A courier to whom the person's opt-out happens just before the hand-over."""

        def __init__(self, courier: Courier) -> None:
            self._courier = courier

        async def send(self, item: HandOver) -> Outcome:
            await asyncio.to_thread(opt_out)
            return await self._courier.send(item)

        async def hold(self, domain: str) -> Outcome | Detour | None:
            return await self._courier.hold(domain)

        async def close(self) -> None:
            await self._courier.close()

    def opt_out() -> None:
        with acting_for(desk.id):
            permissions.opt_out(
                desk.people[0], office.TOPIC, Channel.EMAIL, evidence="by phone", actor=desk.actor
            )
        connections.close_all()

    send(desk, read_routes(relay.routes_file), change=OptsOutFirst, fresh=0.0)
    with acting_for(desk.id):
        [row] = MessageRow.objects.filter(origin_id=origin.id)
        assert (row.state, row.reason, row.attempts) == (State.CANCELLED, Reason.OPTED_OUT, 0)
        assert caught(relay.mailbox, row) == []
        assert not QueueRow.objects.exists()


def test_after_a_crash_between_mark_and_outcome_it_is_sent_again_and_flagged(
    alone: tuple[Desk, Origin], relay: Relay
) -> None:
    desk, origin = alone
    routes = read_routes(relay.routes_file)

    class DiesAfterwards:
        """A courier whose sender does not live to hear what became of the message."""

        def __init__(self, courier: Courier) -> None:
            self._courier = courier

        async def send(self, item: HandOver) -> Outcome:
            await self._courier.send(item)
            raise RuntimeError("the power went")

        async def hold(self, domain: str) -> Outcome | Detour | None:
            return await self._courier.hold(domain)

        async def close(self) -> None:
            await self._courier.close()

    send(desk, routes, change=DiesAfterwards)
    with acting_for(desk.id):
        [row] = MessageRow.objects.filter(origin_id=origin.id)
        assert row.state == State.LEASED
        [queued] = QueueRow.objects.all()
        assert queued.begun
    send(desk, routes)
    desk.clock.advance(LEASE + timedelta(seconds=1))
    send(desk, routes)
    with acting_for(desk.id):
        row.refresh_from_db()
        assert (row.state, row.uncertain) == (State.ACCEPTED, True)
        first, second = caught(relay.mailbox, row)
        [step] = api.receipt(row.id).steps
        assert step["uncertain"]
        assert step["body_hash"] == hashlib.sha256(second.data).hexdigest()
        assert first.recipients == second.recipients
