"""What became of messages, until it is in the database: collected, written in batches, kept while it is away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.delivery import leasing, outcomes
from salus.delivery.leasing import Lease
from salus.delivery.outcomes import Outcome
from salus.delivery.preparing import Stopped
from salus.kernel.acting import system
from salus.kernel.time import Clock
from salus.platform.outages import DATABASE_AWAY
from salus.platform.tenancy import acting_for

log = logging.getLogger(__name__)

AGAIN = 0.5
"""Seconds to wait for a database that is away."""
LAST_TRIES = 20
"""How often a sender that ends tries to write down what it knows."""


@dataclass(slots=True)
class Results:
    """What waits to be recorded for one organization.

    `withdrawn` leases just go back to the queue, those `put_off` until a moment of their own.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)
    withdrawn: list[Lease] = field(default_factory=list)
    put_off: list[tuple[Lease, datetime]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.outcomes) + len(self.stopped) + len(self.withdrawn) + len(self.put_off)

    def __iadd__(self, more: Results) -> Results:
        self.outcomes += more.outcomes
        self.stopped += more.stopped
        self.withdrawn += more.withdrawn
        self.put_off += more.put_off
        return self

    def message_ids(self) -> list[UUID]:
        """Return whose results these are."""
        leases = [each.prepared.lease for each in self.outcomes] + [each.lease for each in self.stopped]
        return [each.message_id for each in (*leases, *self.withdrawn, *(each for each, _ in self.put_off))]

    def one_by_one(self) -> Iterator[Results]:
        """Yield each result alone."""
        yield from (Results(outcomes=[each]) for each in self.outcomes)
        yield from (Results(stopped=[each]) for each in self.stopped)
        yield from (Results(withdrawn=[each]) for each in self.withdrawn)
        yield from (Results(put_off=[each]) for each in self.put_off)


class Recorder:
    """Writes results down every `seconds`, or as soon as `count` of an organization wait.

    `in_thread` runs a function with database access; `recorded` is told whose messages are done
    with, `stuck` those whose outcome the database refuses: they keep lease and mark.
    """

    def __init__(
        self,
        in_thread: Callable[..., Any],
        clock: Clock,
        *,
        count: int,
        seconds: float,
        recorded: Callable[[Iterable[UUID]], None],
        stuck: Callable[[Iterable[UUID]], None],
    ) -> None:
        self._in_thread, self._clock = in_thread, clock
        self._count, self._seconds = count, seconds
        self._recorded, self._stuck = recorded, stuck
        self._waiting: dict[UUID, Results] = {}
        self._wake = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._away = False

    def add(
        self,
        organization_id: UUID,
        *,
        outcomes: Sequence[Outcome] = (),
        stopped: Sequence[Stopped] = (),
        withdrawn: Sequence[Lease] = (),
        put_off: Sequence[tuple[Lease, datetime]] = (),
    ) -> None:
        """Take results; they are written soon."""
        results = self._waiting.setdefault(organization_id, Results())
        results += Results([*outcomes], [*stopped], [*withdrawn], [*put_off])
        if len(results) >= self._count:
            self._wake.set()

    async def keep_recording(self) -> None:
        """Write down what comes in, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._seconds)
            self._wake.clear()
            if not await self.flush():
                await asyncio.sleep(AGAIN)

    async def finish(self) -> None:
        """Write down everything; without a database, try for a while and leave the rest to the marks."""
        for _ in range(LAST_TRIES):
            if await self.flush():
                return
            await asyncio.sleep(AGAIN)
        log.error("%d outcomes could not be recorded", sum(map(len, self._waiting.values())))

    async def flush(self) -> bool:
        """Write down what waits; return False when the database is away."""
        async with self._flushing:
            for organization_id in [each for each, results in self._waiting.items() if len(results)]:
                results, self._waiting[organization_id] = self._waiting[organization_id], Results()
                if not await self._write(organization_id, results):
                    return False
        return True

    async def _write(self, organization_id: UUID, results: Results) -> bool:
        try:
            await self._in_thread(self._record, organization_id, results)
        except DATABASE_AWAY as fault:
            if not self._away:
                log.warning("%d outcomes wait for the database: %s", len(results), type(fault).__name__)
            self._away = True
            self._waiting[organization_id] += results
            return False
        except Exception:
            log.exception("%d outcomes could not be recorded", len(results))
            if len(results) == 1:
                self._stuck(results.message_ids())
                return True
            # One that cannot be recorded must not take the others with it.
            answers = [await self._write(organization_id, each) for each in results.one_by_one()]
            return all(answers)
        self._away = False
        self._recorded(results.message_ids())
        return True

    def _record(self, organization_id: UUID, results: Results) -> None:
        with acting_for(organization_id):
            if results.withdrawn:
                leasing.give_back(results.withdrawn)
            if results.put_off:
                leasing.put_off(results.put_off)
            outcomes.record(
                results.outcomes,
                results.stopped,
                actor=system(organization_id, "sender"),
                at=self._clock.now(),
            )
