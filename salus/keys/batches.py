"""Runs the work after a rotation to its end, two batches at a time: one is opened while the other is written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.db import OperationalError, connections

from salus.kernel.acting import Actor
from salus.kernel.time import Clock
from salus.keys import resealing
from salus.keys.contracts import Progress
from salus.platform.tenancy import acting_for

HANDS = 2
PAUSE = 0.2
"""Seconds before another look at what others are at, or wrote meanwhile."""
COLLISIONS = 5
"""Times in a row that a batch may collide with others' work before it is given up; a later run goes on."""

Tell = Callable[[tuple[Progress, ...]], object]


def run(organization_id: UUID, actor: Actor, clock: Clock, tell: Tell) -> None:
    """Take batches until nothing is left; the first fault ends all hands and is raised."""
    hand = _Hand(organization_id, actor, clock, tell)
    with ThreadPoolExecutor(HANDS, thread_name_prefix="reseal") as pool:
        hands = [pool.submit(hand.work) for _ in range(HANDS)]
        try:
            for done in hands:
                done.result()
        except BaseException:  # Ctrl-C too: the batches that have begun end, and no other begins
            hand.stop()
            raise


class _Hand:
    def __init__(self, organization_id: UUID, actor: Actor, clock: Clock, tell: Tell) -> None:
        self._organization_id, self._actor, self._clock, self._tell = organization_id, actor, clock, tell
        self._telling, self._stop = threading.Lock(), threading.Event()

    def stop(self) -> None:
        self._stop.set()

    def work(self) -> None:
        try:
            collisions = 0
            while not self._stop.is_set() and collisions < COLLISIONS:
                try:
                    if not self._batch():  # whoever waits for another look need not
                        self._stop.set()
                    collisions = 0
                except OperationalError:  # a deadlock with somebody's own work: theirs or ours is undone
                    collisions += 1
                    if collisions == COLLISIONS:
                        raise
        except BaseException:
            self._stop.set()
            raise
        finally:
            connections.close_all()

    def _batch(self) -> bool:
        with acting_for(self._organization_id):
            batch = resealing.take(self._actor, self._clock.now())
        if batch is None:
            return False
        with acting_for(self._organization_id):
            if batch.walk is not None:
                resealing.bring(batch)
            progress = resealing.progress()
        with self._telling:
            self._tell(progress)
        if batch.waits:
            self._stop.wait(PAUSE)
        return True
