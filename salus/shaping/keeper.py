"""What a sender process knows of destinations: the plan, the measures in force, rates and allotments, for all its couriers."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from salus.kernel.ids import new_id
from salus.kernel.time import Clock
from salus.shaping import layers, rules
from salus.shaping.allotting import Allotments, Ledger
from salus.shaping.contracts import (
    OTHER,
    Berth,
    Detour,
    Hold,
    Limits,
    Mail,
    Measure,
    Plan,
    Pool,
    Rate,
    Rule,
    Site,
    Whose,
)
from salus.shaping.document import Document
from salus.shaping.pacing import LONGEST, Pacer, Reserve

log = logging.getLogger(__name__)

FRESH = 1.0
"""Seconds after which other processes know of a measure, or that one was lifted."""
MOST_TIMES = 100


class Store(Ledger, Protocol):
    """What senders share: the database, or a test's own."""

    async def measures(self) -> Sequence[Measure]:
        """Return the measures in force, of all organizations."""
        ...

    async def take(self, measure: Measure, *, destination: str, rule: str, said: str, at: datetime) -> None:
        """Write a measure down, or make the one longer that is in force for the same reason."""
        ...

    async def reserve(self, name: str, interval: float, count: int) -> float:
        """Reserve slots of a calendar; return in how many seconds the first one is."""
        ...


SUSPENDED, WARMING, SWITCHED = "suspended", "warming_up", "switched"
"""Reasons of a `Hold`; the last: it goes by a relay as soon as it is looked at again."""


class Keeper:
    """One a process. `keep_fresh` has to run; `share` is how many processes of this machine send."""

    def __init__(
        self,
        documents: Sequence[Document],
        store: Store,
        clock: Clock,
        *,
        share: Callable[[], int] = lambda: 1,
    ) -> None:
        self.documents, self.store, self.clock = documents, store, clock
        self.share = max(1, share())
        """How many processes of this machine send, as of the last look."""
        self._count_share = share
        self.allotments = Allotments(store)
        self._in_force: list[Measure] = []
        self._taken: list[Measure] = []
        self._pacers: dict[tuple[str, Rate], Pacer] = {}
        self._heard: dict[tuple[UUID, str, str], deque[datetime]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, organization_id: UUID, slug: str, mail: Mail, blind: Callable[[str], str]) -> Shaper:
        """Return the shaper of one organization's mail; `blind` makes the index of a destination without a name."""
        plan = layers.plan(self.documents, slug)
        return Shaper(self, organization_id, plan, layers.pool_for(plan, slug, mail), mail, blind)

    async def keep_fresh(self) -> None:
        """Ask for the measures in force again and again, until cancelled."""
        while True:
            try:
                await self.refresh()
            except Exception:
                log.exception("the measures in force could not be read; those that are known go on")
            await asyncio.sleep(FRESH)

    async def refresh(self) -> None:
        """Ask for the measures in force, and count who sends."""
        self.share = max(1, self._count_share())
        self._in_force = list(await self.store.measures())

    async def close(self) -> None:
        """Write down what is still to be written, give back what was not used."""
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.allotments.close()

    def measures(self, organization_id: UUID, key: str) -> list[Measure]:
        """Return what is in force for an organization's mail to a destination."""
        return [
            each
            for each in (*self._in_force, *self._taken)
            if each.site == key and (each.whose is Whose.EVERYBODY or each.organization_id == organization_id)
        ]

    def pacer(self, name: str, rate: Rate, *, shared: bool) -> Pacer:
        """Return the turns of a rate; `shared` with all senders."""
        if (name, rate) not in self._pacers:
            self._pacers[name, rate] = Pacer(rate, self._calendar(name) if shared else None)
        return self._pacers[name, rate]

    def _calendar(self, name: str) -> Reserve:
        def reserve(interval: float, count: int) -> Awaitable[float]:
            return self.store.reserve(name, interval, count)

        return reserve

    def count(self, organization_id: UUID, key: str, rule: Rule) -> bool:
        """Note that a reply fitted a rule; tell whether that sets it off."""
        at = self.clock.now()
        times = self._heard.setdefault(
            (organization_id, key, rule.id), deque(maxlen=max(MOST_TIMES, rule.after))
        )
        times.append(at)
        return rules.often_enough(rule, tuple(times), at)

    def take(self, measure: Measure, *, destination: str, rule: Rule, said: str) -> None:
        """Put a measure in force here at once, and for all others as soon as it is written down."""
        self._taken.append(measure)
        task = asyncio.create_task(self._write(measure, destination, rule.id, said))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, measure: Measure, destination: str, rule: str, said: str) -> None:
        try:
            at = self.clock.now()
            await self.store.take(measure, destination=destination, rule=rule, said=said, at=at)
            await self.refresh()
        except Exception:
            # It stays in force here, until it ends by itself.
            log.exception("a measure could not be written down")
            return
        self._taken.remove(measure)


class Shaper:
    """Answers for one organization and kind of mail where a message may go now."""

    def __init__(
        self,
        keeper: Keeper,
        organization_id: UUID,
        plan: Plan,
        pool: Pool | None,
        mail: Mail,
        blind: Callable[[str], str],
    ) -> None:
        self._keeper, self._organization, self._plan, self._pool = keeper, organization_id, plan, pool
        self._mail, self._blind = mail, blind
        self._known: dict[tuple[str, tuple[str, ...]], tuple[Site, bool, str]] = {}

    def hold(self, site: str, hosts: tuple[str, ...]) -> Hold | Detour | None:
        """Return why nothing goes to a destination now, or by which relay it goes, before anything is made for it."""
        found, _, key = self._destination(site, hosts)
        now, at = self._standing(found, key), self._keeper.clock.now()
        if held := _suspended(now, at):
            return held
        switched = now.switched
        return Detour(switched.relay, _until(switched, at)) if switched and switched.relay else None

    async def berth(self, site: str, hosts: tuple[str, ...], *, by_relay: bool = False) -> Berth | Hold:
        """Return where a message to a destination may go now; `by_relay` it leaves from no address of a pool."""
        found, is_named, key = self._destination(site, hosts)
        at = self._keeper.clock.now()
        now = self._standing(found, key)
        if held := _suspended(now, at):
            return held
        pool = self._pool
        if now.switched and not by_relay:
            if now.switched.relay:
                return Hold(SWITCHED, 0.0)
            pool = next((each for each in self._plan.pools if each.name == now.switched.to), pool)
        source = None
        if pool and not by_relay:
            source = await self._keeper.allotments.choose(self._plan, pool, key if is_named else OTHER, at)
            if source is None:
                return Hold(WARMING, (rules.tomorrow(at) - at).total_seconds())
        share = self._keeper.share
        owner = str(self._organization) if found.has_own_limits or now.is_own else ""
        return Berth(
            found.name if is_named else site,
            key,
            now.limits if share == 1 else _part(now.limits, share, shared=is_named or now.is_own),
            source,
            owner,
            is_named or now.limits != found.limits,
            found.rules,
        )

    async def turn(self, berth: Berth) -> float:
        """Return 0.0 when a message's turn has come, else the seconds after which to come back."""
        rate = berth.limits.message_rate
        if rate is None:
            return 0.0
        urgent = self._mail is Mail.TRANSACTIONAL
        return await self._pacer("messages", berth, rate).turn(urgent=urgent)

    async def connecting(self, berth: Berth) -> None:
        """Wait until another connection may be made."""
        rate = berth.limits.connection_rate
        while rate and (wait := await self._pacer("connections", berth, rate).turn()):
            await asyncio.sleep(wait)

    def unused(self, berth: Berth) -> None:
        """Take back what a message took of a day's volume and did not use."""
        if berth.source:
            site = berth.key if berth.is_named else OTHER
            self._keeper.allotments.unused(self._plan, berth.source, site, self._keeper.clock.now())

    def heard(self, berth: Berth, code: int, enhanced: str, text: str) -> None:
        """Take a refusal down, and do what a rule says about it."""
        rule = rules.rule_for(berth.rules, code, enhanced, text)
        if rule is None or not self._keeper.count(self._organization, berth.key, rule):
            return
        at = self._keeper.clock.now()
        named = berth.key in self._plan.sites
        measure = Measure(
            new_id(),
            self._organization,
            berth.key,
            rule.act,
            rule.whose if named else Whose.ORGANIZATION,
            at + rule.lasts,
            rule.messages,
            rule.connections,
            rule.to,
        )
        # The same again within the first half of its time says nothing new.
        present = self._keeper.measures(self._organization, berth.key)
        if any(_same(each, measure) and each.until > at + rule.lasts / 2 for each in present):
            return
        self._keeper.take(measure, destination=berth.site, rule=rule, said=f"{code} {enhanced}".strip())

    def _destination(self, site: str, hosts: tuple[str, ...]) -> tuple[Site, bool, str]:
        if (site, hosts) not in self._known:
            if len(self._known) > 10_000:
                self._known.clear()
            found, is_named = rules.destination(self._plan, site, hosts)
            self._known[site, hosts] = found, is_named, found.name if is_named else self._blind(site)
        return self._known[site, hosts]

    def _standing(self, found: Site, key: str) -> rules.Standing:
        present = self._keeper.measures(self._organization, key)
        return rules.standing(found.limits, present, self._keeper.clock.now())

    def _pacer(self, what: str, berth: Berth, rate: Rate) -> Pacer:
        source = berth.source.name if berth.source else ""
        name = " ".join(word for word in (what, berth.key, source, berth.owner) if word)
        return self._keeper.pacer(name, rate, shared=berth.is_named)


def _suspended(now: rules.Standing, at: datetime) -> Hold | None:
    return Hold(SUSPENDED, _until(now.suspended, at)) if now.suspended else None


def _until(measure: Measure, at: datetime) -> float:
    return min((measure.until - at).total_seconds(), LONGEST)


def _same(one: Measure, other: Measure) -> bool:
    aside = {"id": other.id, "until": other.until, "organization_id": other.organization_id}
    return replace(one, **aside) == other  # type: ignore[arg-type]


def _part(limits: Limits, share: int, *, shared: bool) -> Limits:
    """Return one of `share` processes' part of the limits; rates that are shared stay whole."""

    def of(rate: Rate | None) -> Rate | None:
        return rate and Rate(rate.count, rate.seconds * share)

    most = max(1, limits.connections // share)
    parted = replace(
        limits, connections=most, connections_at_first=min(most, max(1, limits.connections_at_first))
    )
    if shared:
        return parted
    return replace(parted, connection_rate=of(parted.connection_rate), message_rate=of(parted.message_rate))
