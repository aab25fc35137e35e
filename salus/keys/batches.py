"""Runs the work after a rotation to its end: one transaction a batch."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from django.db import OperationalError

from salus.kernel.acting import Actor
from salus.kernel.time import Clock
from salus.keys import resealing
from salus.keys.contracts import Progress
from salus.keys.resealing import Stepped
from salus.platform.tenancy import acting_for

PAUSE = 0.5
"""Seconds before a look at what others are at, or wrote meanwhile."""
DEADLOCKS = 5
"""Times in a row that a batch may collide with others' work before it is given up."""


def run(
    organization_id: UUID, actor: Actor, clock: Clock, tell: Callable[[tuple[Progress, ...]], object]
) -> None:
    """Take steps until nothing is left."""
    collisions = 0
    while True:
        try:
            with acting_for(organization_id):
                came = resealing.step(actor, clock.now())
                progress = resealing.progress()
        except OperationalError:
            collisions += 1
            if collisions == DEADLOCKS:
                raise
            continue
        collisions = 0
        tell(progress)
        if came is Stepped.OVER:
            return
        if came is not Stepped.ON:
            time.sleep(PAUSE)
