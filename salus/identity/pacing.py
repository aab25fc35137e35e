"""Lets a refusal take a fixed time, so that its length does not tell what was looked up before it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def paced(
    seconds: float,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Callable[[], None]]:
    """Yield a function that waits until a whole multiple of `seconds` has passed since the block began.

    A known account costs a few milliseconds of recording more than an unknown one; rounding up to a quarter
    of a second hides that. With 0 it does not wait.
    """
    began = monotonic()

    def wait() -> None:
        if seconds > 0:
            spent = monotonic() - began
            sleep(max(0.0, math.ceil(spent / seconds) * seconds - spent))

    yield wait
