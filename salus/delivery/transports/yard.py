"""What all connections share: how many there may be at once, and each destination's window."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from salus.delivery import window
from salus.delivery.transports.handover import Fate, Outcome, Phase
from salus.delivery.transports.settings import WireSettings
from salus.shaping.contracts import Berth

TURN = 10
"""Messages after which a connection is left to a lane that has none."""
KEPT = 5
"""Of so many connections that a destination gets, one stays with an urgent lane that has nothing to do, as long as any idles."""
MOST_RESTS = 6
"""A destination that stays unreachable is left alone for twice as long each time, so many times."""


class Hungry(Protocol):
    """A lane that has messages and may not connect yet."""

    @property
    def urgent(self) -> bool:
        """Tell whether somebody waits for its messages."""
        ...

    @property
    def connected(self) -> int:
        """Return how many connections it has, or makes."""
        ...

    def staff(self) -> None:
        """Try again to connect."""
        ...


@dataclass(slots=True)
class Site:
    """One destination: its window and its connections, over all its lanes."""

    window: window.Window
    connections: int = 0
    kept: int = 0
    """Connections that idle, and stay although others want one: of urgent lanes."""
    hungry: list[Hungry] = field(default_factory=list)
    yielding: int = 0
    """Connections that end so that a lane without one gets it."""
    resting_until: float = 0.0
    rests: int = 0
    """How often in a row it rested."""
    why: Outcome | None = None

    @property
    def open(self) -> bool:
        """Tell whether another connection may be made."""
        return self.connections < self.window.size


@dataclass(frozen=True, slots=True)
class _Idle:
    """A connection that is not used, how it ends, and whether it stays although others want one."""

    site: Site
    make_room: Callable[[], None]
    kept: bool


class Yard:
    """Counts connections, keeps the windows, and knows who is idle and can make room."""

    def __init__(self, settings: WireSettings) -> None:
        self._settings = settings
        self._room = asyncio.Semaphore(settings.connections)
        self._queueing = 0
        self._idle: OrderedDict[object, _Idle] = OrderedDict()
        self._sites: dict[tuple[str, str, str], Site] = {}

    @property
    def sites(self) -> dict[tuple[str, str, str], Site]:
        """Return the destinations that are known now, for figures: by name, source address and owner."""
        return self._sites

    def site(self, berth: Berth) -> Site:
        """Return the destination of a berth, new when it was unknown; its window keeps to the berth's limits."""
        key = (berth.site, berth.source.name if berth.source else "", berth.owner)
        limits = berth.limits
        site = self._sites.get(key)
        if site is None:
            site = self._sites[key] = Site(window.start(limits.connections_at_first, limits.connections))
        elif site.window.limit != limits.connections:
            site.window = window.within(site.window, limits.connections_at_first, limits.connections)
        return site

    async def enter(self) -> None:
        """Wait for room for one more connection; the connection that idled longest makes it."""
        if self._room.locked() and self._idle:
            self._end(next(iter(self._idle)))
        self._queueing += 1
        try:
            await self._room.acquire()
        finally:
            self._queueing -= 1

    def needs_room(self, site: Site, lane: Hungry) -> bool:
        """Tell whether a connection of `lane` that has nothing to do should end: others wait for it."""
        kept = self._may_keep(site, lane)
        return self._queueing > 0 or any(
            other is not lane and (other.urgent or not kept) for other in site.hungry
        )

    def yields(self, site: Site, lane: Hungry, sent: int) -> bool:
        """Tell whether a connection that sent so many messages ends now, so that a lane without one gets it."""
        starved = [each for each in site.hungry if each is not lane and not each.connected]
        urgent = sum(each.urgent for each in starved)
        owed = len(starved) if sent >= TURN else 0 if lane.urgent else urgent
        if owed <= site.yielding:
            return False
        site.yielding += 1
        return True

    def leave(self) -> None:
        """Give the room back."""
        self._room.release()

    def want(self, site: Site, lane: Hungry) -> None:
        """Note that `lane` waits for a connection to `site`; one that idles there makes room."""
        if lane not in site.hungry:
            site.hungry.append(lane)
        for who, idle in self._idle.items():
            if idle.site is site and (lane.urgent or not idle.kept):
                self._end(who)
                return

    def freed(self, site: Site, but: Hungry | None = None) -> None:
        """Let the lanes that wait for a connection to `site` try, `but` not now: the urgent, then who has fewest."""
        hungry, site.hungry = site.hungry, []
        for lane in sorted(hungry, key=lambda each: (not each.urgent, each.connected)):
            if lane is not but:
                lane.staff()

    def idles(self, who: object, site: Site, lane: Hungry, make_room: Callable[[], None]) -> None:
        """Note that `who`, of `lane`, holds a connection to `site` it does not use; `make_room` ends it."""
        kept = self._may_keep(site, lane)
        site.kept += kept
        self._idle[who] = _Idle(site, make_room, kept)

    def works(self, who: object) -> None:
        """Note that `who` is at work again."""
        if idle := self._idle.pop(who, None):
            idle.site.kept -= idle.kept

    def _may_keep(self, site: Site, lane: Hungry) -> bool:
        return lane.urgent and site.kept < site.window.size // KEPT

    def _end(self, who: object) -> None:
        make_room = self._idle[who].make_room
        self.works(who)
        make_room()

    def learn(self, site: Site, outcome: Outcome) -> None:
        """Let a destination's window grow or shrink by what came of an attempt."""
        if outcome.phase is Phase.QUEUE:
            return
        trouble = outcome.fate in (Fate.BROKEN, Fate.UNCERTAIN)
        if trouble or (outcome.verdict and outcome.verdict.site_wide):
            site.window = window.after_failure(site.window)
            if site.window.dead:
                self.rest(site, outcome, self._settings.rest_unreachable)
        elif outcome.fate is not Fate.UNPROTECTED:
            site.rests = 0
            site.window = window.after_success(site.window, site.connections)
            if site.hungry and site.open:
                self.freed(site)

    def rest(self, site: Site, outcome: Outcome, seconds: float) -> None:
        """Leave a destination alone for a while; `outcome` is the answer until then."""
        now = time.monotonic()
        if site.resting_until <= now:
            site.resting_until, site.rests = now + seconds * 2**site.rests, min(site.rests + 1, MOST_RESTS)
        site.why = outcome

    def resting(self, site: Site) -> Outcome | None:
        """Return why a destination is left alone, or None when it is not, or no more."""
        if site.why and time.monotonic() >= site.resting_until:
            site.window, site.why = window.rested(site.window), None
        return site.why

    def forget_quiet(self) -> None:
        """Drop destinations that nothing is known of any more."""
        now = time.monotonic()
        quiet = [
            name
            for name, site in self._sites.items()
            if not (site.connections or site.hungry) and site.resting_until < now
        ]
        for name in quiet:
            del self._sites[name]
