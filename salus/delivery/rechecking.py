"""Answers what the wire asks last before MAIL FROM, many in one query: whether this row still stands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from salus.delivery import preparing
from salus.delivery.transports.handover import HandOver
from salus.kernel.time import Clock
from salus.platform.tenancy import acting_for

log = logging.getLogger(__name__)


class Recheck:
    """The recheck of one organization's messages."""

    WAIT = 0.005

    def __init__(self, in_thread: Callable[..., Any], organization_id: UUID, clock: Clock) -> None:
        self._in_thread, self._organization, self._clock = in_thread, organization_id, clock
        self._asked: dict[UUID, asyncio.Future[bool]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, item: HandOver) -> bool:
        """Return whether nothing about the message changed since it was checked."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked[item.message_id] = answer
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await answer

    async def _ask(self) -> None:
        # Whoever asks while an answer is on its way is answered by the next turn of the loop.
        while self._asked:
            await asyncio.sleep(self.WAIT)
            asked, self._asked = self._asked, {}
            try:
                standing = await self._in_thread(self._look, list(asked))
            except Exception:
                log.exception("%d messages could not be checked again", len(asked))
                standing = set()  # closed by default: they are withdrawn and prepared anew
            for message_id, answer in asked.items():
                if not answer.done():
                    answer.set_result(message_id in standing)

    def _look(self, message_ids: Sequence[UUID]) -> set[UUID]:
        with acting_for(self._organization):
            return preparing.still_standing(message_ids, self._clock.now())
