"""Who goes first within a sender process: while a message is made that somebody waits for, those who make campaigns pause."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class RightOfWay:
    """Asked for by whoever makes what somebody waits for, given by the others; used from several threads.

    Threads of one process take turns at the interpreter, a few milliseconds each: what needs a hundred turns waits for
    all the others a hundred times. A pause is short, and who paused works for as long before the next one.
    """

    LONGEST = 0.5
    """Seconds of a pause at most: by then the message is made, or its destination is slow."""

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
        """Pause while it is asked for."""
        began = self._monotonic()
        if self._clear.is_set() or began < self._not_before or began >= self._until:
            return
        self._clear.wait(self._until - began)
        ended = self._monotonic()
        self._not_before = ended + (ended - began)
