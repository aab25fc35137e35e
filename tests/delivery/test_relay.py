"""All mail by a vendor's relay: while the register closes it nothing leaves, nothing is lost, and it says why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts.contracts import Read
from salus.delivery import api, process, routing
from salus.delivery.contracts import Origin, State
from salus.delivery.deposits import notice_origin_id
from salus.delivery.laboratory import FORMAT
from salus.delivery.models import MessageRow, QueueRow
from salus.delivery.protection.policy import Named
from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.handover import HandOver, Outcome
from salus.delivery.transports.policies import PartnerPolicies
from salus.delivery.transports.relays import RelayRoutes
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import PhiClass, Protection, Special
from salus.platform.tenancy import acting_for
from salus.shaping.contracts import Detour
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Kind, Waiting
from salus.wiring.catch.behaviors import BEHAVIORS
from salus.wiring.catch.relay import Relay
from tests.delivery_wire.peers import AUTHORITY
from tests.delivery_wire.test_relays import OnLoopback
from tests.registered import attest

from .conftest import Desk, furnish, open_clinic, sender_role
from .laboratory import caught, hold_everything, send

MINUTE = timedelta(seconds=61)
HOST = next(each.host for each in BEHAVIORS if each.name == "mail")
SEES_DR_LANE = Read("physician", PhiClass.PHYSICIAN, origin="segment", place="$")
EVERYTHING = (*PhiClass, *(set(Special) - {Special.PSYCHOTHERAPY_NOTES}))


class Shop:
    """A clinic whose mail goes by a relay that really takes it, and what it has agreed on with its vendor."""

    def __init__(self, desk: Desk, sink: Relay | None = None) -> None:
        self.desk, self.sink = desk, sink
        self.address = f"smtp://{HOST}:{sink.ports['mail'] if sink else 587}"
        self.made: dict[str, Any] = {"actor": desk.actor, "at": desk.clock.now()}
        self.vendor_id, self.service_id = new_id(), new_id()

    def register(self, may_carry: tuple[str, ...] = EVERYTHING, **facts: Any) -> None:
        """Register the relay, its set-up attested, and choose it; the agreement holds unless `facts` say otherwise."""
        self.vendor_id = vendors.create_vendor("Harbor Relay", **self.made)
        self.agree(**facts)
        self.service_id = vendors.create_service(
            self.vendor_id,
            kind=Kind.SMTP_ROUTE,
            name="Relay",
            address=self.address,
            may_carry=may_carry,
            **self.made,
        )
        attest(self.service_id, **self.made)
        routing.choose(self.service_id, **self.made)

    def agree(self, **facts: Any) -> UUID:
        """Record an agreement; it holds unless `facts` say otherwise."""
        signed = self.made["at"].date() - timedelta(days=300)
        given = {"signed_on": signed, "report_hours": 24, "clauses": frozenset(Clause), **facts}
        return vendors.record_agreement(self.vendor_id, **given, **self.made)

    def run(self, change: Callable[[Courier], Any] = lambda courier: courier, fresh: float = 3.0) -> None:
        """Run a sender until nothing is due."""
        assert self.sink
        authority = (self.sink.directory / "authority.pem").read_text()
        routes = RelayRoutes(self.address, OnLoopback())
        send(self.desk, (routes, PartnerPolicies({}, Named(authority))), change=change, fresh=fresh)

    def caught(self, origin: Origin) -> list[Any]:
        """Return what the relay took of a sending."""
        assert self.sink
        rows = MessageRow.objects.filter(origin_id=origin.id)
        return [mail for row in rows for mail in caught(self.sink.mailbox, row)]


@pytest.fixture
def shop(database: Any, fast_passwords: None, relay: Relay) -> Iterator[Shop]:
    hold_everything(database)
    desk = furnish(open_clinic())
    desk.clock = FakeClock(datetime.now(UTC) + timedelta(seconds=5))
    with sender_role(database):
        yield Shop(desk, relay)
    hold_everything(database)


def paused() -> list[tuple[str, str]]:
    """Return what the log says of the queue, oldest first."""
    words = (Action.MESSAGE_PAUSE, Action.MESSAGE_RESUME)
    found = [each for word in words for each in audit.entries(Filters(action=word))]
    return [(each.action, each.reason) for each in sorted(found, key=lambda each: each.at)]


def test_an_expired_agreement_lets_nothing_out_and_a_renewed_one_all_of_it(shop: Shop) -> None:
    desk = shop.desk
    with acting_for(desk.id):
        shop.register(valid_until=shop.made["at"].date() - timedelta(days=2))
        desk.admit("ada", "bert", "cleo", domain="anywhere.example")
        origin = desk.release()
    shop.run()
    desk.clock.advance(MINUTE)
    shop.run()  # asked again, refused again, and said once
    with acting_for(desk.id):
        assert shop.caught(origin) == []
        assert desk.states(origin) == {State.CLEARED: 3}
        assert {(each.lease_until, each.begun) for each in QueueRow.objects.all()} == {(None, False)}
        found = api.route(desk.clock.now())
        assert found
        assert (found.paused, found.why_not, found.waiting) == ("agreement_expired", "agreement_expired", 3)
        assert vendors.waiting([shop.service_id]) == {shop.service_id: Waiting(3, "agreement_expired")}
        assert paused() == [(Action.MESSAGE_PAUSE, "agreement_expired")]
        shop.agree()
    desk.clock.advance(MINUTE)
    shop.run()
    with acting_for(desk.id):
        assert desk.states(origin) == {State.ACCEPTED: 3}
        assert len(shop.caught(origin)) == 3, "each of them once"
        [row] = MessageRow.objects.filter(origin_id=origin.id, contact_id=desk.people[0])
        assert api.receipt(row.id).tls["host"] == HOST
        found = api.route(desk.clock.now())
        assert found
        assert (found.paused, found.why_not, found.waiting) == ("", "", 0)
        assert [word for word, _ in paused()] == [Action.MESSAGE_PAUSE, Action.MESSAGE_RESUME]


def test_while_one_clinic_waits_for_its_agreement_the_mail_of_another_goes(shop: Shop) -> None:
    other = furnish(open_clinic("Somebody Else"))
    other.clock = shop.desk.clock
    with acting_for(shop.desk.id):
        shop.register(signed_on=None)
        shop.desk.admit("ada", domain="anywhere.example")
        waits = shop.desk.release()
    with acting_for(other.id):
        other.admit("bert", domain="anywhere.example")
        goes = other.release()
    shop.run()
    with acting_for(shop.desk.id):
        assert shop.desk.states(waits) == {State.CLEARED: 1}
    with acting_for(other.id):
        assert other.states(goes) == {State.ACCEPTED: 1}
        assert api.route(other.clock.now()) is None


def test_what_tells_more_than_the_relay_may_carry_stays_in_the_portal(shop: Shop) -> None:
    with acting_for(shop.desk.id):
        shop.register(may_carry=("contact",))
        shop.desk.admit("ada", domain="anywhere.example")
        origin = shop.desk.release(shop.desk.spec(reads=[SEES_DR_LANE]))
        [row] = MessageRow.objects.filter(origin_id=origin.id)
        assert {*api.receipt(row.id).disclosed} == {"contact", "physician"}
        assert Protection(row.floor) < Protection.PORTAL, "without the relay it would go by mail"
    shop.run()
    with acting_for(shop.desk.id):
        assert shop.desk.states(origin) == {State.PORTAL: 1}
        assert api.progress(origin).reasons[State.PORTAL] == {"class_out_of_scope": 1}
        assert shop.caught(origin) == []
        [notice] = shop.caught(Origin("notice", notice_origin_id(origin.id)))
        assert b"Ada" not in notice.data


def test_an_agreement_that_ends_after_the_check_stops_the_message_before_mail_from(shop: Shop) -> None:
    desk = shop.desk
    with acting_for(desk.id):
        shop.register()
        desk.admit("ada", domain="anywhere.example")
        origin = desk.release()

    def end() -> None:
        with acting_for(desk.id):
            held = vendors.vendor(shop.vendor_id, desk.clock.now()).in_force
            if held:
                vendors.end_agreement(held.id, actor=desk.actor, at=desk.clock.now())
        connections.close_all()

    class EndsFirst:
        """A courier to whom the end of the agreement happens just before the hand-over."""

        def __init__(self, courier: Courier) -> None:
            self._courier = courier

        async def send(self, item: HandOver) -> Outcome:
            await asyncio.to_thread(end)
            return await self._courier.send(item)

        async def hold(self, domain: str) -> Outcome | Detour | None:
            return await self._courier.hold(domain)

        async def close(self) -> None:
            await self._courier.close()

    shop.run(change=EndsFirst, fresh=0.0)
    with acting_for(desk.id):
        assert shop.caught(origin) == []
        [row] = MessageRow.objects.filter(origin_id=origin.id)
        assert (row.state, row.attempts) == (State.LEASED, 0)
        assert [each.lease_until for each in QueueRow.objects.all()] == [None]
        found = api.route(desk.clock.now())
        assert found
        assert found.paused == "agreement_ended"


def test_choosing_asks_for_a_relay_and_a_whole_login(desk: Desk) -> None:
    shop = Shop(desk)
    made = shop.made
    shop.register()
    with pytest.raises(NotFound):
        routing.choose(new_id(), **made)
    backup = vendors.create_service(
        shop.vendor_id, kind=Kind.BACKUP, name="Vault", address="s3://vault", may_carry=(), **made
    )
    wrong: list[tuple[UUID, dict[str, Any], str]] = [
        (backup, {}, "service_id"),
        (shop.service_id, {"user": "cedar"}, "password"),
        (shop.service_id, {"password": "x"}, "user"),
        (shop.service_id, {"user": "c" * 256, "password": "x"}, "user"),
        (shop.service_id, {"user": "c", "password": "x\0"}, "password"),
    ]
    for service_id, login, place in wrong:
        with pytest.raises(BadInput) as refused:
            routing.choose(service_id, **login, **made)
        assert refused.value.place == place
    routing.choose(shop.service_id, user="cedar", password="kestrel-secret", **made)
    first = routing.way(desk.clock.now())
    routing.choose(shop.service_id, user="cedar", **made)
    assert routing.way(desk.clock.now()) == first, "an empty password keeps the one before"
    assert "kestrel" not in repr(first)
    assert routing.is_open(first, desk.clock.now())
    routing.choose(None, **made)
    assert routing.way(desk.clock.now()) is None
    assert not routing.is_open(first, desk.clock.now())
    assert api.route(desk.clock.now()) is None
    words = {each.outcome for each in audit.entries(Filters(action=Action.ROUTE_CHANGE))}
    assert words == {"relay", "direct"}


def test_a_sender_process_goes_by_the_relay_but_never_out_of_a_laboratory(desk: Desk, tmp_path: Path) -> None:
    shop = Shop(desk)
    shop.register()
    routing.choose(shop.service_id, user="cedar", password="kestrel-secret", **shop.made)

    async def routes_of(courier: Courier) -> Any:
        return await courier._routes.find("anywhere.example")

    by = process.ways_out(None)(desk.id)(still_stands)
    found = asyncio.run(routes_of(by))
    assert [(host.name, host.port, bool(host.login)) for host in found.groups[0]] == [(HOST, 587, True)]
    written = tmp_path / "routes.json"
    at_home = {"name": "mx.example.test", "port": 2525, "address": "127.0.0.1"}
    (tmp_path / "authority.pem").write_text(AUTHORITY.pem)
    written.write_text(
        json.dumps({"format": FORMAT, "authority": "authority.pem", "routes": {"*": at_home}, "partners": {}})
    )
    inside = process.ways_out(written)(desk.id)(still_stands)
    assert asyncio.run(routes_of(inside)).groups[0][0].address == "127.0.0.1"
