"""Keeps answers of the network for their time, and asks once for what many want at the same moment."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

SHORTEST, LONGEST = 30.0, 3600.0
"""Seconds that an answer is kept, whatever its time to live says."""
_MOST = 20_000

T = TypeVar("T")


class Kept(Generic[T]):
    """Answers with an end, the oldest dropped when there are too many."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._answers: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._asking: dict[str, asyncio.Future[T]] = {}

    async def find(self, name: str, ask: Callable[[], Awaitable[tuple[T, float]]]) -> T:
        """Return what is kept, else what `ask` answers (and for how many seconds); whoever comes meanwhile shares it."""
        if (kept := self.get(name)) is not None:
            return kept
        asking = self._asking.get(name)
        if asking is None:
            asking = self._asking[name] = asyncio.ensure_future(self._ask(name, ask))
            asking.add_done_callback(lambda _: self._asking.pop(name, None))
        return await asyncio.shield(asking)

    async def _ask(self, name: str, ask: Callable[[], Awaitable[tuple[T, float]]]) -> T:
        answer, seconds = await ask()
        self.put(name, answer, seconds)
        return answer

    def get(self, name: str) -> T | None:
        """Return what is kept and still holds."""
        kept = self._answers.get(name)
        return kept[1] if kept and kept[0] > self._monotonic() else None

    def put(self, name: str, answer: T, seconds: float) -> None:
        """Keep an answer; 0 seconds means not at all."""
        if seconds > 0:
            self._answers[name] = (self._monotonic() + min(max(seconds, SHORTEST), LONGEST), answer)
            self._answers.move_to_end(name)
            if len(self._answers) > _MOST:
                self._answers.popitem(last=False)
