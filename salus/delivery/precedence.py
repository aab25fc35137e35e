"""Who goes first within a sender process: while a message is made that somebody waits for, those who make campaigns pause."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable


class RightOfWay:
    """Asked for by whoever makes what somebody waits for, given by the others, in threads and in the event loop.

    Threads of one process take turns at the interpreter, a few milliseconds each: what needs a hundred turns waits for
    all the others a hundred times. A pause is short, and who paused works for as long before the next one.
    """

    LONGEST = 0.5
    """Seconds of a pause at most: by then the message is made, or its destination is slow."""
    PEEP = 0.01
    """Seconds after which who pauses in the event loop looks again."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._clear = threading.Event()
        self._clear.set()
        self._until = self._not_before = 0.0

    def ask(self) -> None:
        """Have the others pause from now on."""
        self._until = self._monotonic() + self.LONGEST
        self._clear.clear()

    def done(self) -> None:
        """Let the others go on."""
        self._clear.set()

    def give(self) -> None:
        """Pause, in a thread, while it is asked for."""
        began = self._monotonic()
        if self._is_asked(began):
            self._clear.wait(self._until - began)
            self._paused(began)

    async def give_in_loop(self) -> None:
        """Pause, in the event loop, while it is asked for: the loop goes on."""
        began = self._monotonic()
        if self._is_asked(began):
            while not self._clear.is_set() and self._monotonic() < self._until:
                await asyncio.sleep(self.PEEP)
            self._paused(began)

    def _is_asked(self, now: float) -> bool:
        return not self._clear.is_set() and self._not_before <= now < self._until

    def _paused(self, began: float) -> None:
        ended = self._monotonic()
        self._not_before = ended + (ended - began)
