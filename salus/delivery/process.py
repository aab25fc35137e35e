"""Runs a sender as a process: its event loop, its way to the network, its end in good order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop
from django.conf import settings

from salus.delivery import routing
from salus.delivery.calling import Caller
from salus.delivery.models import PartnerPolicy
from salus.delivery.protection.policy import Partner
from salus.delivery.published import InThread, PublishedStore
from salus.delivery.sender import MakeCourier, Pace, Sender
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
from salus.delivery.transports.webhook import Webhook
from salus.identity import api as identity
from salus.kernel.time import SystemClock
from salus.platform.memory import settle_memory
from salus.platform.presence import Roll
from salus.platform.reach import laboratory as laboratory_here

log = logging.getLogger(__name__)


def run_sender(
    *,
    laboratory_routes: Path | None = None,
    until_idle: bool = False,
    pace: Pace | None = None,
    roll: Roll | None = None,
) -> None:
    """Hand over mail and make calls that are due until SIGTERM or SIGINT (or, with `until_idle`, until none is).

    `laboratory_routes` names the file of a development relay: mail goes to its ports and nowhere
    else. Without it, mail goes by the relay that an organization chose, or where MX records say.
    `roll` is that of the senders of this machine.
    """
    settle_memory()
    uvloop.run(_run(laboratory_routes, until_idle, pace, roll))


async def _run(
    laboratory_routes: Path | None, until_idle: bool, pace: Pace | None, roll: Roll | None
) -> None:
    threads = Threads(2, "policies")
    sender = Sender(ways_out(laboratory_routes, threads.run), pace=pace, roll=roll)
    caller = Caller(Webhook(Resolver(), laboratory=laboratory_here()))

    def stop() -> None:
        sender.stop()
        caller.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        await warn_of(resolver_at(settings.SALUS_RESOLVER), settings.SALUS_RESOLVER)
        await asyncio.gather(sender.run(until_idle=until_idle), caller.run(until_idle=until_idle))
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


def ways_out(laboratory_routes: Path | None, in_thread: InThread = asyncio.to_thread) -> MakeCourier:
    """Return what looks up an organization's way to the network; it is called in a thread, in its context.

    `in_thread` runs what a courier asks of the database.
    """

    def look_up(organization_id: UUID) -> Callable[[Recheck], Courier]:
        domain = identity.organization().sending_domain
        if laboratory_routes is not None:  # mail of invented people never leaves, whatever was chosen
            routes, policies = laboratory.read(laboratory_routes)
            return lambda recheck: Courier(laboratory_settings(domain), routes, policies, recheck)
        if relay := routing.way(SystemClock().now()):
            password = relay.password.reveal()
            by = RelayRoutes(relay.address, Resolver(), user=relay.user, password=password)
            return lambda recheck: Courier(WireSettings(domain), by, PartnerPolicies(), recheck)
        partners = {
            row.domain: Partner(**{name: _plain(value) for name, value in row.policy.items()})
            for row in PartnerPolicy.objects.all()
        }
        resolver, store = resolver_at(settings.SALUS_RESOLVER), PublishedStore(in_thread, organization_id)
        published = StsPolicies(resolver, Fetch(resolver), store, SystemClock().now)
        found = FoundPolicies(partners, DanePolicies(resolver, published))
        return lambda recheck: Courier(WireSettings(domain), DnsRoutes(resolver), found, recheck)

    return look_up


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
