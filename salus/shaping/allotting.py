"""Keeps source addresses that warm up within their day: a process takes a few messages' worth at a time."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Protocol

from salus.shaping import rules
from salus.shaping.contracts import Curve, Plan, Pool, Source

AT_ONCE = 20
"""Of a day's volume at most a fiftieth: what a process that dies takes with it is not missed."""


class Ledger(Protocol):
    """Where all senders write down what they take of a day."""

    async def allot(self, source: str, site: str, day: date, most: int, wanted: int) -> int:
        """Take up to `wanted` of what is left of `most`; return how many were got."""
        ...

    async def give_back(self, source: str, site: str, day: date, count: int) -> None:
        """Give back what was taken and not used."""
        ...


class Allotments:
    """What this process may still send today from addresses that warm up."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._left: dict[tuple[str, str, date], int] = {}
        self._spent: set[tuple[str, str, date]] = set()
        self._lock = asyncio.Lock()
        self._turn = 0

    async def choose(self, plan: Plan, pool: Pool, site: str, at: datetime) -> Source | None:
        """Return the source of a pool whose turn it is and who may send another message to `site` today.

        None: all of them are warming up and have sent what they may.
        """
        self._turn += 1
        start = self._turn % len(pool.sources)
        for source in (*pool.sources[start:], *pool.sources[:start]):
            if await self._take(plan, source, site, at.date()):
                return source
        return None

    def unused(self, plan: Plan, source: Source, site: str, at: datetime) -> None:
        """Keep for another message what one did not use."""
        key = (source.name, site, at.date())
        if source.curve and _most(plan.curves[source.curve], source, site, at.date()) is not None:
            self._left[key] = self._left.get(key, 0) + 1

    async def close(self) -> None:
        """Give back what is left."""
        left, self._left = self._left, {}
        for (source, site, day), count in left.items():
            if count:
                await self._ledger.give_back(source, site, day, count)

    async def _take(self, plan: Plan, source: Source, site: str, today: date) -> bool:
        most = _most(plan.curves[source.curve], source, site, today) if source.curve else None
        if most is None:
            return True
        key = (source.name, site, today)
        if not self._left.get(key) and key not in self._spent:
            async with self._lock:
                await self._refill(key, most)
        if not self._left.get(key):
            return False
        self._left[key] -= 1
        return True

    async def _refill(self, key: tuple[str, str, date], most: int) -> None:
        if self._left.get(key) or key in self._spent:
            return
        self._left = {each: count for each, count in self._left.items() if each[2] == key[2]}
        self._spent = {each for each in self._spent if each[2] == key[2]}
        wanted = max(1, min(AT_ONCE, most // 50))
        got = await self._ledger.allot(*key, most, wanted) if most else 0
        self._left[key] = got
        if not got:
            self._spent.add(key)


def _most(curve: Curve, source: Source, site: str, today: date) -> int | None:
    return rules.most_of(curve, site, rules.day_of(source, today))
