"""Answers what the wire asks last before MAIL FROM, many in one query: whether this row still stands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from salus.delivery import preparing, routing
from salus.delivery.routing import Way
from salus.delivery.transports.handover import HandOver
from salus.kernel.time import Clock
from salus.platform.outages import DATABASE_AWAY
from salus.platform.tenancy import acting_for
from salus.sealedmail import api as sealedmail

InThread = Callable[..., Awaitable[Any]]
"""Runs a function with its arguments in a thread that has a database connection."""

log = logging.getLogger(__name__)


class Recheck:
    """The recheck of one organization's messages."""

    WAIT = 0.02
    """Seconds in which questions come together: all connections of a destination ask when one does."""
    AGAIN, TRIES = 0.5, 60
    """A connection that is open waits half a minute for a database that is away."""

    def __init__(
        self, in_thread: InThread, organization_id: UUID, clock: Clock, way: Way | None = None
    ) -> None:
        self._in_thread, self._organization, self._clock, self._way = in_thread, organization_id, clock, way
        self._asked: dict[UUID, asyncio.Future[bool]] = {}
        self._keys: dict[UUID, UUID] = {}
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, item: HandOver) -> bool:
        """Return whether nothing about the message, or its way, changed since it was checked."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked[item.message_id] = answer
        if item.key_id:
            self._keys[item.message_id] = item.key_id
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        standing = await answer
        self._keys.pop(item.message_id, None)
        return standing

    async def _ask(self) -> None:
        # Whoever asks while an answer is on its way is answered by the next turn of the loop.
        while self._asked:
            await asyncio.sleep(self.WAIT)
            asked, self._asked = self._asked, {}
            standing = await self._standing(list(asked))
            for message_id, answer in asked.items():
                if not answer.done():
                    answer.set_result(message_id in standing)

    async def _standing(self, message_ids: list[UUID]) -> set[UUID]:
        """Return who still stands; nobody when that cannot be said: closed by default, prepared anew."""
        for _ in range(self.TRIES):
            try:
                return set(await self._in_thread(self._look, message_ids))
            except DATABASE_AWAY as fault:
                log.warning("%d messages wait to be checked: %s", len(message_ids), type(fault).__name__)
                await asyncio.sleep(self.AGAIN)
            except Exception:
                log.exception("%d messages could not be checked again", len(message_ids))
                break
        return set()

    def _look(self, message_ids: Sequence[UUID]) -> set[UUID]:
        with acting_for(self._organization):
            now = self._clock.now()
            if not routing.is_open(self._way, now):
                return set()
            standing = preparing.still_standing(message_ids, now)
            keys = {id: self._keys[id] for id in standing if id in self._keys}
            in_use = sealedmail.still_in_use(keys.values(), now) if keys else set()
            return {id for id in standing if id not in keys or keys[id] in in_use}
