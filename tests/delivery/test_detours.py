"""A destination refuses our mail and a rule switches to a relay: what goes by it, what waits and why, and that it ends."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import uvloop

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts.contracts import Read
from salus.delivery import api, routing
from salus.delivery.contracts import Origin, State
from salus.delivery.models import MessageRow
from salus.delivery.protection.policy import Named
from salus.delivery.routing import Way
from salus.delivery.sender import Pace, Sender
from salus.delivery.threads import Threads
from salus.delivery.transports import laboratory
from salus.delivery.transports.courier import Courier
from salus.delivery.transports.policies import PartnerPolicies
from salus.delivery.transports.relays import RelayRoutes
from salus.delivery.transports.settings import laboratory_settings
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import PhiClass
from salus.keys import api as keys
from salus.platform.tenancy import acting_for
from salus.shaping import api as shaping
from salus.shaping.contracts import Mail
from salus.shaping.document import read
from salus.shaping.files import ours
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Kind
from salus.wiring import destinations
from salus.wiring.catch.relay import Relay
from tests.delivery_wire.test_relays import OnLoopback
from tests.registered import attest

from . import office
from .conftest import Desk, furnish, open_clinic, sender_role
from .laboratory import caught, hold_everything
from .test_relay import EVERYTHING, HOST

RULE = """
[[default.on]]
id = "not-now"
match = "not accepting mail now"
do = "switch"
to = "relay:spare"
for = "1 h"
"""
REFUSING, VERIFIED_AND_REFUSING = "busy.example.test", "partner-busy.example.test"
LATER, AFTER = timedelta(minutes=12), timedelta(hours=2)
SEES_DR_LANE = Read("physician", PhiClass.PHYSICIAN, origin="segment", place="$")


class House:
    """A clinic that writes straight to its recipients' hosts, and has a relay of a vendor at hand."""

    def __init__(self, desk: Desk, sink: Relay) -> None:
        self.desk, self.sink = desk, sink
        self.made: dict[str, Any] = {"actor": desk.actor, "at": desk.clock.now()}
        self.vendor_id, self.service_id = new_id(), new_id()

    def register(self, may_carry: tuple[str, ...] = EVERYTHING, name: str = "spare") -> None:
        """Register the relay and keep it ready; everything about it is in order."""
        self.vendor_id = vendors.create_vendor("Harbor Relay", **self.made)
        signed = self.made["at"].date() - timedelta(days=300)
        vendors.record_agreement(
            self.vendor_id, signed_on=signed, report_hours=24, clauses=frozenset(Clause), **self.made
        )
        self.service_id = vendors.create_service(
            self.vendor_id,
            kind=Kind.SMTP_ROUTE,
            name="Relay",
            address=f"smtp://{HOST}:{self.sink.ports['mail']}",
            may_carry=may_carry,
            **self.made,
        )
        attest(self.service_id, **self.made)
        routing.keep_ready(name, self.service_id, **self.made)

    def end_agreement(self) -> None:
        """Let the agreement with the relay's vendor end now."""
        held = vendors.vendor(self.vendor_id, self.desk.clock.now()).in_force
        assert held
        vendors.end_agreement(held.id, actor=self.desk.actor, at=self.desk.clock.now())

    def run(self) -> None:
        """Run a sender process until nothing is due: it knows of measures what the database says."""
        uvloop.run(self._run())
        gc.collect()

    async def _run(self) -> None:
        threads = Threads(1, "measures")
        documents = [ours(), read(RULE, "x.toml")]
        keeper = shaping.Keeper(documents, shaping.DatabaseStore(threads.run), self.desk.clock)
        await keeper.refresh()
        quick = laboratory_settings("mail.cedar-row.example.org")
        authority = (self.sink.directory / "authority.pem").read_text()

        def look_up(organization_id: UUID, standby: Way | None = None) -> Any:
            blinder = keys.blinder()
            shaper = keeper.of(
                organization_id, "cedar", Mail.CAMPAIGN, lambda site: blinder.blind("site", site).hex()
            )
            routes, policies = laboratory.read(self.sink.routes_file)
            if standby:
                routes = RelayRoutes(standby.address, OnLoopback())  # type: ignore[assignment]
                policies = PartnerPolicies({}, Named(authority))
            return lambda recheck: Courier(
                replace(quick, fresh=0.0), routes, policies, recheck, shaper=shaper
            )

        sender = Sender(look_up, pace=Pace(mark=7, flush_count=10, idle_seconds=0.05), clock=self.desk.clock)
        await sender.run(until_idle=True)
        await keeper.close()
        await asyncio.to_thread(threads.end)

    def refused(self, domain: str, *names: str, **facts: Any) -> Origin:
        """Release a sending to people at a domain that refuses, and let it be refused."""
        with acting_for(self.desk.id):
            self.desk.admit(*names, domain=domain)
            origin = self.desk.release(self.desk.spec(**facts))
        self.run()
        with acting_for(self.desk.id):
            assert self.desk.states(origin) == {State.DEFERRED: len(self.desk.people)}
        return origin

    def caught(self, origin: Origin) -> list[str]:
        """Return which hosts took the messages of a sending."""
        rows = MessageRow.objects.filter(origin_id=origin.id)
        return [mail.behavior for row in rows for mail in caught(self.sink.mailbox, row)]

    def row(self, origin: Origin) -> MessageRow:
        """Return the one message of a sending."""
        return MessageRow.objects.get(origin_id=origin.id)

    def why(self, origin: Origin) -> str:
        """Return what `salus delivery explain` says of it."""
        return " ".join(api.protected_so(api.receipt(self.row(origin).id)))


@pytest.fixture
def house(database: Any, fast_passwords: None, relay: Relay) -> Iterator[House]:
    hold_everything(database)
    desk = furnish(open_clinic())
    desk.clock = FakeClock(datetime.now(UTC) + timedelta(seconds=5))
    with sender_role(database):
        yield House(desk, relay)
    hold_everything(database)


def test_while_the_rule_holds_mail_goes_by_the_relay_and_afterwards_straight_again(house: House) -> None:
    desk = house.desk
    with acting_for(desk.id):
        house.register()
    first = house.refused(REFUSING, "ada", "bert")
    with acting_for(desk.id):
        [told] = shaping.measures(desk.clock.now())
        assert (told.measure.relay, told.rule, told.said) == ("spare", "not-now", "451 4.3.2")
        shown = destinations.told(desk.organization.slug, ended=False, as_json=False)
        assert "switch to relay:spare for organization" in shown
    desk.clock.advance(LATER)
    house.run()
    with acting_for(desk.id):
        assert desk.states(first) == {State.ACCEPTED: 2}
        assert house.caught(first) == ["mail", "mail"]
        for row in MessageRow.objects.filter(origin_id=first.id):
            receipt = api.receipt(row.id)
            assert receipt.relay == {"name": "spare", "service": str(house.service_id)}
            assert (receipt.tls["host"], receipt.reached) == (HOST, "named")
            assert "It went by your relay spare" in " ".join(api.protected_so(receipt))
    desk.clock.advance(AFTER)
    second = house.refused(REFUSING, "cleo")
    with acting_for(desk.id):
        assert house.caught(second) == [], "they were tried at their own host again"
        for row in MessageRow.objects.filter(origin_id=second.id):
            assert api.receipt(row.id).relay == {}


@pytest.mark.parametrize(
    ("cause", "reason", "said"),
    [
        ("nobody has it", "no_relay_of_that_name", "no relay is kept ready by that name"),
        ("agreement", "agreement_ended", "agreement ended"),
        ("scope", "class_out_of_scope", "it tells more than the relay may carry"),
    ],
)
def test_a_relay_that_may_not_have_a_message_does_not_get_it(
    house: House, cause: str, reason: str, said: str
) -> None:
    desk = house.desk
    with acting_for(desk.id):
        carries = ("contact",) if cause == "scope" else EVERYTHING
        house.register(carries, name="other" if cause == "nobody has it" else "spare")
        desk.admit("ada", domain=VERIFIED_AND_REFUSING if cause == "scope" else REFUSING)
        if cause == "agreement":
            house.end_agreement()
    origin = _sent(house, reads=[SEES_DR_LANE] if cause == "scope" else [])
    for _ in range(2):
        desk.clock.advance(LATER)
        house.run()
        with acting_for(desk.id):
            row = house.row(origin)
            assert (row.state, row.reason, row.attempts) == (State.DEFERRED, reason, 1)
            assert house.caught(origin) == []
            assert f"does not go by your relay spare: {said}" in house.why(origin)


def test_what_has_to_be_verified_waits_because_a_relay_reaches_less(house: House) -> None:
    desk = house.desk
    with acting_for(desk.id):
        house.register()
        version_id = office.template(desk.organization, classification=office.EDUCATION)
        desk.version_id = version_id
    origin = house.refused(VERIFIED_AND_REFUSING, "ada", reads=office.ASKS_FOR_DIABETES)
    desk.clock.advance(LATER)
    house.run()
    with acting_for(desk.id):
        row = house.row(origin)
        assert (row.state, row.reason) == (State.DEFERRED, "relay_too_weak")
        assert house.caught(origin) == []
        assert "the relay cannot protect it enough" in house.why(origin)


def test_an_agreement_that_ends_on_the_way_stops_it_before_mail_from(house: House) -> None:
    with acting_for(house.desk.id):
        house.register()
        at = house.desk.clock.now()
        way = routing.standby("spare", at)
        assert routing.is_open(way, at)
        house.end_agreement()
        assert not routing.is_open(way, at)


def test_keeping_a_relay_ready_asks_for_a_name_and_a_relay_and_is_in_the_log(desk: Desk) -> None:
    made: dict[str, Any] = {"actor": desk.actor, "at": desk.clock.now()}
    vendor_id = vendors.create_vendor("Harbor", **made)
    service: dict[str, Any] = {"may_carry": ("contact",), **made}
    relay = vendors.create_service(
        vendor_id, kind=Kind.SMTP_ROUTE, name="Relay", address="smtp://relay.example", **service
    )
    vault = vendors.create_service(vendor_id, kind=Kind.BACKUP, name="Vault", address="s3://vault", **service)
    wrong: list[tuple[str, UUID, dict[str, Any], str]] = [
        ("Spare", relay, {}, "name"),
        ("", relay, {}, "name"),
        ("spare", vault, {}, "service_id"),
        ("spare", relay, {"user": "cedar"}, "password"),
    ]
    for name, service_id, login, place in wrong:
        with pytest.raises(BadInput) as refused:
            routing.keep_ready(name, service_id, **login, **made)
        assert refused.value.place == place
    with pytest.raises(NotFound):
        routing.keep_ready("spare", new_id(), **made)
    routing.keep_ready("spare", relay, user="cedar", password="kestrel-secret", **made)
    routing.keep_ready("spare", relay, user="cedar", **made)
    [found] = routing.ready(desk.clock.now())
    assert (found.name, found.user, found.why_not) == ("spare", "cedar", "no_agreement")
    assert routing.route(desk.clock.now()) is None, "mail goes its usual way"
    routing.drop(found.id, actor=desk.actor)
    assert routing.ready(desk.clock.now()) == []
    with pytest.raises(NotFound):
        routing.drop(found.id, actor=desk.actor)
    words = [each.outcome for each in audit.entries(Filters(action=Action.ROUTE_CHANGE))]
    assert sorted(words) == ["standby", "standby", "standby_dropped"]


def _sent(house: House, **facts: Any) -> Origin:
    with acting_for(house.desk.id):
        origin = house.desk.release(house.desk.spec(**facts))
    house.run()
    return origin
