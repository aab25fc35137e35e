"""A clinic whose messages a test plans, leases and settles, with time that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from salus.delivery import api, capping, leasing, outcomes, preparing
from salus.delivery.contracts import FREQUENCY_CAP, MessageSpec, Origin, PlanCounts, State
from salus.delivery.models import MessageRow, QueueRow
from salus.delivery.outcomes import Outcome
from salus.delivery.preparing import Batch, Prepared, Stopped
from salus.identity import api as identity
from salus.identity.contracts import Organization
from salus.kernel.acting import Actor, system
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import Protection, SenderRole
from salus.platform import bulk
from salus.platform.tenancy import acting_for
from salus.wiring.catch.relay import Relay
from salus.wiring.home import django_database

from . import office
from .laboratory import running_relay

TLS = {
    "version": "TLSv1.3",
    "cipher": "TLS_AES_256_GCM_SHA384",
    "host": "mx.lakepost.example.test",
    "peer": "name",
    "fingerprint": "ab" * 32,
}


@dataclass
class Desk:
    """The clinic, with short ways to plan and to do what a sender does, step by step."""

    organization: Organization
    clock: FakeClock
    version_id: UUID
    people: list[UUID] = field(default_factory=list)

    @property
    def id(self) -> UUID:
        """Return the organization's id."""
        return self.organization.id

    @property
    def actor(self) -> Actor:
        """Return who acts."""
        return system(self.id, "test")

    def admit(self, *names: str, domain: str = "lakepost.example.test", **values: Any) -> list[UUID]:
        """Take people in; return their ids."""
        patches = [
            office.patient(name, f"{name}@{domain}" if domain else None, self.clock.now(), **values)
            for name in names
        ]
        ids = office.admit(patches, self.actor)
        self.people += ids
        return ids

    def spec(self, version_id: UUID | None = None, **facts: Any) -> MessageSpec:
        """Return a sending of the clinic's reminder, or of another version."""
        return office.specify(self.organization, version_id or self.version_id, **facts)

    def plan(self, spec: MessageSpec | None = None) -> tuple[Origin, PlanCounts]:
        """Plan a sending to everybody."""
        spec = spec or self.spec()
        counts = api.plan(spec, office.numbers(self.people), actor=self.actor, clock=self.clock)
        return spec.origin, counts

    def release(self, spec: MessageSpec | None = None) -> Origin:
        """Plan a sending to everybody and let it go."""
        origin, _ = self.plan(spec)
        api.release(origin, not_before=self.clock.now(), actor=self.actor)
        return origin

    def take(self, limit: int = 100) -> Batch:
        """Lease what is due and prepare it, as a sender does."""
        going, in_vain = capping.take_turns(leasing.lease(limit, self.clock.now()), self.clock.now())
        batch = preparing.prepare(going, actor=self.actor, at=self.clock.now())
        batch.stopped += [Stopped(each, FREQUENCY_CAP) for each in in_vain]
        return batch

    def settle(self, *made: Outcome, batch: Batch | None = None) -> set[UUID]:
        """Record outcomes, and what the second check of `batch` stopped."""
        stopped = batch.stopped if batch else []
        return outcomes.record(list(made), stopped, actor=self.actor, at=self.clock.now())

    def outcome(self, prepared: Prepared, state: State = State.ACCEPTED, **facts: Any) -> Outcome:
        """Return the outcome of an attempt; accepted over TLS, unless `facts` say otherwise."""
        reached = {State.ACCEPTED: Protection.NAMED, State.PORTAL: Protection.PORTAL}.get(state)
        given = {"reached": reached, "tls": TLS, "body_hash": "ab" * 32, **facts}
        return Outcome(prepared, state, self.clock.now(), **given)

    def row(self, message_id: UUID) -> MessageRow:
        """Return a message."""
        return MessageRow.objects.get(id=message_id)

    def states(self, origin: Origin) -> dict[str, int]:
        """Return how many messages of a sending are in each state."""
        return dict(api.progress(origin).states)

    def queue(self, origin: Origin) -> list[QueueRow]:
        """Return what waits of a sending."""
        return list(QueueRow.objects.filter(origin_id=origin.id))


def open_clinic(name: str = "Cedar Row Clinic") -> Organization:
    """Return a fresh clinic with one person a role, really committed."""
    organization = identity.create_organization(
        name=name,
        slug=f"clinic-{new_id().hex[-12:]}",
        sender_role=SenderRole.PROVIDER,
        postal_address="40 Cedar Row, Ellery, WA 98100",
        phone="206-555-0142",
        sending_domain="mail.cedar-row.example.org",
        time_zone="America/Los_Angeles",
        demo=True,
    )
    identity.create_demo_staff(organization)
    return organization


def soon() -> datetime:
    """Return a moment that lies after everything that the test records by the machine's own clock."""
    return datetime.now(UTC) + timedelta(minutes=1)


def furnish(organization: Organization) -> Desk:
    """Return a clinic with a reminder to send; nobody is there yet."""
    with acting_for(organization.id):
        version_id = office.template(organization)
    return Desk(organization, FakeClock(soon()), version_id)


@pytest.fixture
def committed(database: object, fast_passwords: None) -> Desk:
    """A clinic of the test's own; enter `acting_for(desk.id)`."""
    return furnish(open_clinic())


@pytest.fixture(scope="module")
def shared_clinic(world: Any, django_db_blocker: Any, fast_passwords: None) -> Desk:
    """A clinic that tests share which undo what they do."""
    with django_db_blocker.unblock():
        return furnish(open_clinic())


@pytest.fixture
def desk(shared_clinic: Desk, database: object) -> Iterator[Desk]:
    """The shared clinic, in a transaction that is rolled back."""
    from django.db import transaction

    desk = Desk(shared_clinic.organization, FakeClock(soon()), shared_clinic.version_id)
    with transaction.atomic():
        with acting_for(desk.id):
            yield desk
        transaction.set_rollback(True)


@contextmanager
def statements() -> Iterator[list[str]]:
    """List what is asked of the database meanwhile, by the ORM and in bulk."""
    asked: list[str] = []

    def listening(function: Any) -> Any:
        def listen(statement: Any, *arguments: Any) -> Any:
            asked.append(repr(statement))
            return function(statement, *arguments)

        return listen

    with pytest.MonkeyPatch.context() as patched, CaptureQueriesContext(connection) as queries:
        for name in ("execute", "read"):
            patched.setattr(bulk, name, listening(getattr(bulk, name)))
        yield asked
    asked += [each["sql"] for each in queries]


@contextmanager
def sender_role(world: Any) -> Iterator[None]:
    """Make new database connections as the sender's role, as a sender process has them."""
    database = settings.DATABASES["default"]
    before = dict(database)
    database.update(django_database(world.home, world.url, "sender"))
    try:
        yield
    finally:
        database.clear()
        database.update(before)
        if not connection.in_atomic_block:  # one that was made meanwhile would stay the sender's
            connections.close_all()


@pytest.fixture
def as_sender(database: Any) -> Iterator[Callable[[], None]]:
    """Be the sender's database role from the call on, until the test ends."""
    with ExitStack() as stack:

        def become() -> None:
            stack.enter_context(sender_role(database))
            connection.close()

        yield become
    connections.close_all()


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """The development relay."""
    with running_relay(tmp_path_factory.mktemp("relay")) as relay:
        yield relay
