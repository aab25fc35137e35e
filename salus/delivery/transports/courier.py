"""Takes one message to one recipient, over pooled, protected connections: the only way out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from salus.delivery.addresses import ascii_domain
from salus.delivery.protection.policy import Shortfall, TlsPolicy
from salus.delivery.transports.handover import (
    Fate,
    HandOver,
    Outcome,
    Phase,
    Recheck,
    broken,
    held,
    unprotected,
)
from salus.delivery.transports.lane import Lane, Ways
from salus.delivery.transports.policies import Policies
from salus.delivery.transports.routes import NoRoute, Route, Routes
from salus.delivery.transports.settings import WireSettings
from salus.delivery.transports.shaping import Shaper, Unshaped
from salus.delivery.transports.watching import Watch
from salus.delivery.transports.yard import Yard
from salus.kernel.errors import BadInput
from salus.shaping.contracts import Berth, Detour, Hold

_MANY = 1000
PACED = "paced"
"""Why a message comes back later: its destination's rate."""


@dataclass(frozen=True, slots=True)
class Load:
    """Figures of the moment: lanes, connections, messages that wait."""

    lanes: int
    connections: int
    waiting: int


async def still_stands(item: HandOver) -> bool:
    """Answer a recheck with yes: for tests and benchmarks whose rows do not change."""
    return True


class Courier:
    """Sends messages; belongs to the event loop it was made in. Close it to let connections end well.

    Couriers of one process share a `yard`: destinations, windows and connections are counted for all of them.
    """

    def __init__(
        self,
        settings: WireSettings,
        routes: Routes,
        policies: Policies,
        recheck: Recheck,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        watch: Watch | None = None,
        yard: Yard | None = None,
        shaper: Shaper | None = None,
        urgent: bool = False,
    ) -> None:
        self._routes, self._policies = routes, policies
        self._yard, self._shaper = yard or Yard(settings), shaper or Unshaped(settings)
        self._ways = Ways(settings, routes, recheck, now, self._yard, self._shaper, urgent)
        self._lanes: dict[tuple[object, ...], Lane] = {}
        self._closing, self._watch = False, watch

    async def send(self, item: HandOver) -> Outcome:
        """Return what became of `item`. It returns an outcome for all that the network can do.

        Any number may be under way; the order between them is not kept. Give it only what was
        cleared, leased and marked as begun. Cancelling the caller does not stop a message under way.
        """
        if self._closing:
            return broken(Phase.QUEUE, "closing")
        route = await self._routes.find(item.domain)
        if isinstance(route, NoRoute):
            return route.outcome()
        policy = await self._policies.policy_for(item.domain, route)
        if isinstance(policy, NoRoute):
            return policy.outcome()
        if policy.reaches < item.floor:
            return unprotected(Phase.ROUTE, Shortfall.POLICY_TOO_LOW)
        berth = await self._shaper.berth(route.site, _best(route), by_relay=route.is_relay)
        if isinstance(berth, Hold):
            return held(berth.reason, berth.seconds)
        if wait := await self._shaper.turn(berth):
            self._shaper.unused(berth)
            return held(PACED, wait)
        if self._closing:
            self._shaper.unused(berth)
            return broken(Phase.QUEUE, "closing")
        outcome = await self._lane(route, policy, berth).send(item)
        if outcome.phase is Phase.QUEUE:
            self._shaper.unused(berth)
        if self._watch and not route.is_relay:
            self._watch.note(item, policy, outcome)
        if route.is_relay and outcome.fate is Fate.UNPROTECTED:
            return broken(outcome.phase, outcome.reason, outcome.tls)
        return outcome

    async def hold(self, domain: str) -> Outcome | Detour | None:
        """Return why nothing goes to a domain now, before a message is made for it, or by which relay; None: something may."""
        try:
            route = await self._routes.find(ascii_domain(domain))
        except BadInput:
            return None  # whoever makes the message finds that out
        if isinstance(route, NoRoute):
            return None
        found = self._shaper.hold(route.site, _best(route))
        return held(found.reason, found.seconds) if isinstance(found, Hold) else found

    async def close(self) -> None:
        """Finish what is under way, give back what waits (BROKEN, "closing"), end every connection."""
        self._closing = True
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))
        self._lanes.clear()
        if self._watch:
            await self._watch.close()

    def load(self) -> Load:
        """Return the figures of the moment."""
        return Load(
            lanes=len(self._lanes),
            connections=sum(site.connections for site in self._yard.sites.values()),
            waiting=sum(len(lane.waiting) for lane in self._lanes.values()),
        )

    def _lane(self, route: Route, policy: TlsPolicy, berth: Berth) -> Lane:
        key = (route.groups, policy, berth.source, berth.owner)
        lane = self._lanes.get(key)
        if lane is None:
            if len(self._lanes) >= _MANY:
                self._forget_quiet()
            lane = self._lanes[key] = Lane(route, policy, self._ways, berth)
        lane.berth = berth
        return lane

    def _forget_quiet(self) -> None:
        quiet = [key for key, lane in self._lanes.items() if not lane.workers and not lane.waiting]
        for key in quiet:
            del self._lanes[key]
        self._yard.forget_quiet()


def _best(route: Route) -> tuple[str, ...]:
    return tuple(host.name for host in route.groups[0])
