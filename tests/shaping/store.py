"""A store for tests, in memory: what senders share, shared by whoever is given it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from salus.shaping.contracts import Measure


@dataclass
class Shared:
    """`salus.shaping.keeper.Store`: calendars by the monotonic clock, volumes and measures as they were taken."""

    taken: list[tuple[Measure, str, str]] = field(default_factory=list)
    used: dict[tuple[str, str, date], int] = field(default_factory=dict)
    slots: dict[str, float] = field(default_factory=dict)
    asked: int = 0

    async def measures(self) -> Sequence[Measure]:
        return [measure for measure, _, _ in self.taken]

    async def take(self, measure: Measure, *, destination: str, rule: str, said: str, at: datetime) -> None:
        self.taken.append((measure, rule, said))

    async def reserve(self, name: str, interval: float, count: int) -> float:
        self.asked += 1
        now = time.monotonic()
        first = max(self.slots.get(name, now), now)
        self.slots[name] = first + interval * count
        return first - now

    async def allot(self, source: str, site: str, day: date, most: int, wanted: int) -> int:
        key = (source, site, day)
        got = max(0, min(wanted, most - self.used.get(key, 0)))
        self.used[key] = self.used.get(key, 0) + got
        return got

    async def give_back(self, source: str, site: str, day: date, count: int) -> None:
        self.used[source, site, day] -= count
