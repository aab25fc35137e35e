"""Keeps a rate: turns are slots in time, one after the other; whoever is urgent gets the next one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from salus.shaping.contracts import Rate

PATIENCE = 20.0
"""Seconds that a message waits in memory for its turn; who would wait longer comes back later."""
LONGEST = 900.0
"""Seconds after which whoever was sent away comes back at the latest: by then somebody may have lifted a measure."""

Reserve = Callable[[float, int], Awaitable[float]]
"""Reserves so many slots, so many seconds apart, for this process; returns in how many seconds the first one is."""


class Pacer:
    """The turns of one rate. With `reserve` its slots are taken from a calendar that all senders share.

    A process reserves a second's worth at a time: two processes never use one slot, a process that dies wastes
    a second's worth, and nothing is asked of the database for each message.
    """

    def __init__(
        self,
        rate: Rate,
        reserve: Reserve | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.interval = rate.interval
        self._reserve, self._monotonic = reserve, monotonic
        self._at_once = max(1, int(1 / self.interval)) if reserve else 1
        self._next, self._left = monotonic(), 0
        self._urgent: deque[asyncio.Future[float]] = deque()
        self._others: deque[asyncio.Future[float]] = deque()
        self._promised = 0.0
        self._running: asyncio.Task[None] | None = None

    async def turn(self, *, urgent: bool = False) -> float:
        """Return 0.0 when the turn has come, else the seconds after which to come back."""
        before = len(self._urgent) + (0 if urgent else len(self._others))
        ahead = max(0.0, self._next - self._monotonic()) + before * self.interval
        if ahead > PATIENCE:
            return self._promise(ahead)
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._others).append(turn)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await turn

    def _promise(self, ahead: float) -> float:
        """Return a time of their own to whoever is sent away: they do not all come back as one wave."""
        now = self._monotonic()
        self._promised = max(self._promised, now + ahead) + self.interval
        return min(self._promised - now, LONGEST)

    async def _run(self) -> None:
        while self._urgent or self._others:
            wait = await self._slot()
            if (
                wait > PATIENCE
            ):  # others hold the slots before ours: it is kept, and nobody waits for it in memory
                while turn := self._first():
                    turn.set_result(self._promise(wait))
                return
            if wait > 0:
                await asyncio.sleep(wait)
            if turn := self._first():
                self._left -= 1
                self._next += self.interval
                turn.set_result(0.0)

    def _first(self) -> asyncio.Future[float] | None:
        for queue in (self._urgent, self._others):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    return turn
        return None

    async def _slot(self) -> float:
        """Return the seconds until the next slot; one that passed unused is used now."""
        if not self._left:
            if self._reserve:
                self._next = await self._reserve(self.interval, self._at_once) + self._monotonic()
            else:
                self._next = max(self._monotonic(), self._next)
            self._left = self._at_once
        return self._next - self._monotonic()
