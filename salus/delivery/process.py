"""Runs a sender as a process: its event loop, its way to the network, its end in good order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop
from django.conf import settings

from salus.delivery import routing
from salus.delivery.calling import Caller
from salus.delivery.contracts import TlsSeen
from salus.delivery.desks import MakeCourier
from salus.delivery.models import PartnerPolicy
from salus.delivery.ports import tally
from salus.delivery.precedence import RightOfWay
from salus.delivery.protection.policy import Partner
from salus.delivery.published import InThread, PublishedStore
from salus.delivery.routing import Way
from salus.delivery.rules import RANK
from salus.delivery.sender import Pace, Sender
from salus.delivery.threads import Threads
from salus.delivery.transports import laboratory
from salus.delivery.transports.courier import Courier
from salus.delivery.transports.dns import DnsFailure, Resolver, resolver_at
from salus.delivery.transports.fetch import Fetch
from salus.delivery.transports.handover import Recheck
from salus.delivery.transports.policies import FoundPolicies, PartnerPolicies
from salus.delivery.transports.relays import RelayRoutes
from salus.delivery.transports.routes import DnsRoutes
from salus.delivery.transports.settings import WireSettings, laboratory_settings
from salus.delivery.transports.sts import StsPolicies
from salus.delivery.transports.tlsa import DanePolicies
from salus.delivery.transports.watching import Watch
from salus.delivery.transports.webhook import Webhook
from salus.delivery.transports.yard import Yard
from salus.identity import api as identity
from salus.identity.contracts import Organization
from salus.kernel.time import SystemClock
from salus.keys import api as keys
from salus.platform.memory import settle_memory
from salus.platform.presence import Roll, living
from salus.platform.reach import laboratory as laboratory_here
from salus.platform.tenancy import acting_for
from salus.shaping import api as shaping
from salus.shaping.contracts import Mail

log = logging.getLogger(__name__)

EXPRESS = Pace(
    batch=50, mark=10, in_flight=200, flush_count=50, flush_seconds=0.2, idle_seconds=0.1, threads=2
)
"""Of the sender for what somebody waits for: few at a time, looked for often, in threads of its own."""
FIRST, LAST = min(RANK.values()), max(RANK.values())


@dataclass(frozen=True, slots=True)
class Harbor:
    """What all couriers of a process share, and which mail is handed over here."""

    keeper: shaping.Keeper
    yard: Yard
    mail: Mail = Mail.CAMPAIGN


def run_sender(
    *,
    laboratory_routes: Path | None = None,
    until_idle: bool = False,
    pace: Pace | None = None,
    roll: Roll | None = None,
    express: Roll | None = None,
) -> None:
    """Hand over mail and make calls that are due until SIGTERM or SIGINT (or, with `until_idle`, until none is).

    `laboratory_routes` names the file of a development relay: mail goes to its ports and nowhere
    else. Without it, mail goes by the relay that an organization chose, or where MX records say.
    `roll` is that of the senders of this machine, `express` that of their parts for what somebody waits
    for (sign-in codes, results, appointments): these are leased, made and sent beside everything else.
    Raises `BadInput` for a plan of shaping that cannot be.
    """
    settle_memory()
    uvloop.run(_run(laboratory_routes, until_idle, pace, roll, express))


async def _run(
    laboratory_routes: Path | None,
    until_idle: bool,
    pace: Pace | None,
    roll: Roll | None,
    express: Roll | None,
) -> None:
    documents = shaping.documents(settings.SALUS_HOME)
    threads = Threads(2, "policies")
    share = (lambda: living(roll.folder)) if roll else (lambda: 1)
    keeper = shaping.Keeper(documents, shaping.DatabaseStore(threads.run), SystemClock(), share=share)
    harbor = Harbor(keeper, Yard(WireSettings("")))
    urgent = replace(harbor, mail=Mail.TRANSACTIONAL)
    first = RightOfWay()
    senders = (
        Sender(
            ways_out(laboratory_routes, threads.run, harbor),
            pace=pace,
            roll=roll,
            ranks=(FIRST + 1, LAST),
            gives=first,
        ),
        Sender(
            ways_out(laboratory_routes, threads.run, urgent),
            pace=EXPRESS,
            roll=express,
            ranks=(FIRST, FIRST),
            asks=first,
        ),
    )
    caller = Caller(Webhook(Resolver(), laboratory=laboratory_here()))

    def stop() -> None:
        for sender in senders:
            sender.stop()
        caller.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        await warn_of(resolver_at(settings.SALUS_RESOLVER), settings.SALUS_RESOLVER)
        fresh = asyncio.create_task(keeper.keep_fresh())
        runs = [sender.run(until_idle=until_idle) for sender in senders]
        try:
            await asyncio.gather(*runs, caller.run(until_idle=until_idle))
        finally:
            fresh.cancel()
            await keeper.close()
    finally:
        threads.end()


async def warn_of(resolver: Resolver, address: str) -> None:
    """Say so when the resolver at `address`, if one is trusted, does not validate: DANE would bind nobody, unseen."""
    if not address:
        return
    try:
        if not await resolver.validates():
            log.warning("SALUS_RESOLVER (%s) does not validate: nothing is verified by DANE", address)
    except DnsFailure as fault:
        log.warning("SALUS_RESOLVER (%s) does not vouch for the root: %s", address, fault)


def ways_out(
    laboratory_routes: Path | None, in_thread: InThread = asyncio.to_thread, harbor: Harbor | None = None
) -> MakeCourier:
    """Return what looks up an organization's way to the network; it is called in a thread, in its context.

    `in_thread` runs what a courier asks of the database. Without a `harbor` every courier is on its own.
    """

    def look_up(organization_id: UUID, standby: Way | None = None) -> Callable[[Recheck], Courier]:
        organization = identity.organization()
        domain, shared = organization.sending_domain, _shared(organization, harbor)
        if laboratory_routes is not None:  # mail of invented people never leaves, whatever was chosen
            routes, policies = laboratory.read(laboratory_routes)
            return lambda recheck: Courier(laboratory_settings(domain), routes, policies, recheck, **shared)
        if relay := standby or routing.way(SystemClock().now()):
            password = relay.password.reveal()
            by = RelayRoutes(relay.address, Resolver(), user=relay.user, password=password)
            return lambda recheck: Courier(WireSettings(domain), by, PartnerPolicies(), recheck, **shared)
        partners = {
            row.domain: Partner(**{name: _plain(value) for name, value in row.policy.items()})
            for row in PartnerPolicy.objects.all()
        }
        resolver, store = resolver_at(settings.SALUS_RESOLVER), PublishedStore(in_thread, organization_id)
        published = StsPolicies(resolver, Fetch(resolver), store, SystemClock().now)
        found = FoundPolicies(partners, DanePolicies(resolver, published))

        def direct(recheck: Recheck) -> Courier:
            watch = (
                _watch(organization_id, in_thread) if harbor else None
            )  # what is sent by hand is not counted
            return Courier(WireSettings(domain), DnsRoutes(resolver), found, recheck, watch=watch, **shared)

        return direct

    return look_up


def _watch(organization_id: UUID, in_thread: InThread) -> Watch:
    """Return who counts how TLS goes, for the organization's reports to domains."""

    def keep(seen: Sequence[TlsSeen]) -> None:
        with acting_for(organization_id):
            tally(seen, SystemClock().now())

    return Watch(lambda seen: in_thread(keep, seen))


def _shared(organization: Organization, harbor: Harbor | None) -> dict[str, Any]:
    """Return what the courier of an organization shares with the others of its process."""
    if harbor is None:
        return {}
    blinder = keys.blinder()
    shaper = harbor.keeper.of(
        organization.id, organization.slug, harbor.mail, lambda name: blinder.blind("site", name).hex()
    )
    return {"yard": harbor.yard, "shaper": shaper, "urgent": harbor.mail is Mail.TRANSACTIONAL}


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
