"""Calls to a vendor's service: stored once, made while it is in scope, settled exactly once, told onward."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
import uvloop

from salus.delivery import api
from salus.delivery.calling import Caller, CallPace
from salus.delivery.contracts import CallSpec, NewCall, Origin
from salus.delivery.models import CallQueueRow, CallRow
from salus.delivery.transports.webhook import Answer, Post
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Kind

from .conftest import Desk, sender_role


@dataclass
class FakeWebhook:
    """A way out that answers by a script, the last word for ever, and keeps what it was given."""

    script: list[Answer] = field(default_factory=lambda: [Answer(204)])
    posts: list[Post] = field(default_factory=list)
    while_posting: Callable[[], object] = lambda: None

    async def post(self, post: Post) -> Answer:
        """Answer."""
        self.posts.append(post)
        await asyncio.get_running_loop().run_in_executor(None, self.while_posting)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@dataclass
class Bench:
    """A clinic with patients and a vendor's webhook, and a sender to make calls."""

    desk: Desk
    vendor_id: UUID
    service_id: UUID
    webhook: FakeWebhook = field(default_factory=FakeWebhook)
    origin: Origin = field(default_factory=lambda: Origin("journey", new_id()))

    def spec(self, *fields: str, **facts: Any) -> CallSpec:
        """Return what is told."""
        return CallSpec(self.origin, self.service_id, "journey.step", fields, **facts)

    def call(self, *fields: str, **facts: Any) -> dict[UUID, UUID]:
        """Store a call about everybody; inside the organization's context."""
        about = [NewCall(id, {"step": "tell"}) for id in self.desk.people]
        return api.call(self.spec(*fields, **facts), about, actor=self.desk.actor, at=self.now)

    @property
    def now(self) -> datetime:
        """Return the present moment."""
        return self.desk.clock.now()

    def run(self, webhook: Any = None) -> None:
        """Run a sender until nothing is due."""
        caller = Caller(webhook or self.webhook, pace=CallPace(idle_seconds=0.02), clock=self.desk.clock)
        uvloop.run(caller.run(until_idle=True))
        gc.collect()  # closes the connections of its threads

    def later(self, **span: int) -> None:
        """Let time pass."""
        self.desk.clock.advance(timedelta(**span))

    def bodies(self) -> list[dict[str, Any]]:
        """Return what was posted."""
        return [json.loads(post.body) for post in self.webhook.posts]


def register(desk: Desk, *, may_carry: tuple[str, ...] = ("contact", "demographic"), **facts: Any) -> Bench:
    """Return a bench whose agreement is in force unless `facts` say otherwise."""
    at = desk.clock.now()
    day = at.date() - timedelta(days=2)
    vendor_id = vendors.create_vendor("Harbor Print and Post", actor=desk.actor, at=at)
    given: dict[str, Any] = {"signed_on": day, "report_hours": 24, "clauses": frozenset(Clause), **facts}
    vendors.record_agreement(vendor_id, **given, actor=desk.actor, at=at)
    service_id = vendors.create_service(
        vendor_id,
        kind=Kind.WEBHOOK,
        name="Letters",
        address="https://hooks.harbor.example/salus",
        may_carry=may_carry,
        actor=desk.actor,
        at=at,
    )
    return Bench(desk, vendor_id, service_id)


@pytest.fixture
def bench(desk: Desk) -> Bench:
    """A clinic in a transaction that is rolled back: for what needs no sender."""
    desk.admit("ana", "bo")
    return register(desk)


@pytest.fixture
def open_bench(committed: Desk, world: Any) -> Iterator[Bench]:
    """A clinic that a sender sees; calls of other tests are out of the way."""
    with psycopg.connect(world.superuser_dsn, autocommit=True) as superuser:
        superuser.execute("DELETE FROM delivery_callqueue")
    with acting_for(committed.id):
        committed.admit("ana", "bo")
        bench = register(committed)
    with sender_role(world):
        yield bench


def settled(bench: Bench) -> list[tuple[UUID, bool, str, int]]:
    """Return how calls of the clinic ended, in order."""
    with acting_for(bench.desk.id):
        found = api.calls_settled(0, 100)
    numbers = [each.number for each in found]
    assert numbers == sorted(set(numbers))
    return [(each.contact_id, each.done, each.reason, each.attempts) for each in found]


def test_a_call_is_made_once_and_settled_as_done(open_bench: Bench) -> None:
    with acting_for(open_bench.desk.id):
        made = open_bench.call("given_name", "email")
    open_bench.run()
    ana, bo = open_bench.desk.people
    assert sorted(settled(open_bench)) == sorted([(ana, True, "", 1), (bo, True, "", 1)])
    assert {post.id for post in open_bench.webhook.posts} == {f"msg_{id.hex}" for id in made.values()}
    body = next(each for each in open_bench.bodies() if each["data"]["contact_id"] == str(ana))
    assert body["type"] == "journey.step"
    assert body["data"]["step"] == "tell"
    assert body["data"]["fields"] == {"given_name": "Ana", "email": "ana@lakepost.example.test"}
    with acting_for(open_bench.desk.id):
        assert not CallQueueRow.objects.exists()
        assert [bytes(row.sealed) for row in CallRow.objects.all()] == [b"", b""]
