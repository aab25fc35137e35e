"""The sender process: lease, prepare, mark, hand over, record; nothing is lost wherever it is killed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections

from salus.delivery import judging, leasing, outcomes, preparing
from salus.delivery.building import Builder, Built
from salus.delivery.leasing import Lease
from salus.delivery.outcomes import Outcome
from salus.delivery.preparing import Prepared, Stopped
from salus.delivery.protection.dkim import Signer
from salus.delivery.transports.courier import Courier
from salus.delivery.transports.handover import HandOver
from salus.delivery.transports.handover import Recheck as WireRecheck
from salus.kernel.acting import Actor, system
from salus.kernel.errors import SalusError
from salus.kernel.phi import Phi
from salus.kernel.time import Clock, SystemClock
from salus.kernel.vocabulary import Protection
from salus.keys import api as keys
from salus.platform.tenancy import acting_for

log = logging.getLogger(__name__)
T = TypeVar("T")

MakeCourier = Callable[[UUID], Callable[[WireRecheck], Courier]]
"""Looks up an organization's routes and policies, and returns what makes its courier from them."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much a sender takes on at once."""

    batch: int = 200
    """Messages leased and prepared together."""
    mark: int = 50
    """Messages that one batch mark covers: at most so many are `uncertain` after a crash, a batch."""
    in_flight: int = 1000
    flush_count: int = 200
    flush_seconds: float = 0.05
    idle_seconds: float = 0.25


@dataclass(slots=True)
class _Desk:
    """What a sender keeps for one organization."""

    builder: Builder
    courier: Courier


@dataclass(slots=True)
class _Results:
    """What waits to be recorded for one organization."""

    outcomes: list[Outcome] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.outcomes) + len(self.stopped)


class Sender:
    """Hands over what is due until it is told to stop; then it finishes what has begun."""

    def __init__(
        self, make_courier: MakeCourier, *, pace: Pace | None = None, clock: Clock | None = None
    ) -> None:
        self._make_courier = make_courier
        self._pace = pace or Pace()
        self._clock = clock or SystemClock()
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sender")
        self._desks: dict[UUID, _Desk] = {}
        self._openings: dict[UUID, tuple[Builder, Callable[[WireRecheck], Courier]]] = {}
        self._results: dict[UUID, _Results] = {}
        self._wake = asyncio.Event()
        self._in_flight = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Take on nothing more."""
        self._stop.set()

    async def run(self, *, until_idle: bool = False) -> None:
        """Work until `stop`, or, with `until_idle`, until nothing is due."""
        flusher = asyncio.create_task(self._flush_regularly())
        try:
            while not self._stop.is_set():
                room = self._pace.in_flight - self._in_flight
                leases = await self._in_thread(self._lease, min(room, self._pace.batch)) if room > 0 else []
                self._take_on(leases)
                if not leases:
                    if until_idle and not self._tasks and not any(self._results.values()):
                        break
                    await self._pause()
        finally:
            await self._drain()
            flusher.cancel()
            await self._flush(everything=True)
            for desk in self._desks.values():
                await desk.courier.close()
            self._threads.shutdown(wait=True)

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), self._pace.idle_seconds)
        except TimeoutError:
            return

    def _lease(self, limit: int) -> list[Lease]:
        return leasing.lease(limit, self._clock.now())

    def _take_on(self, leases: Sequence[Lease]) -> None:
        by_organization: dict[UUID, list[Lease]] = {}
        for each in leases:
            by_organization.setdefault(each.organization_id, []).append(each)
        for organization_id, mine in by_organization.items():
            self._in_flight += len(mine)
            self._start(self._handle(organization_id, mine))

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, organization_id: UUID, leases: list[Lease]) -> None:
        """Prepare a batch and start its messages; a batch that fails is leased again when its lease ends."""
        try:
            batch = await self._in_thread(self._prepare, organization_id, leases)
        except Exception:
            log.exception("a batch of %d messages could not be prepared", len(leases))
            self._in_flight -= len(leases)
            return
        self._open_desk(organization_id)
        results = self._results.setdefault(organization_id, _Results())
        results.stopped += batch.stopped
        self._in_flight -= len(batch.stopped)
        ready = []
        for each in batch.prepared:
            if each.floor >= Protection.PORTAL:
                self._settle(organization_id, judging.straight_to_portal(each, self._clock.now()))
            else:
                ready.append(each)
        for start in range(0, len(ready), self._pace.mark):
            self._start(self._hand_over(organization_id, ready[start : start + self._pace.mark]))

    def _prepare(self, organization_id: UUID, leases: list[Lease]) -> preparing.Batch:
        with acting_for(organization_id):
            batch = preparing.prepare(leases, actor=_actor(organization_id), at=self._clock.now())
            if organization_id not in self._desks and organization_id not in self._openings:
                domain = batch.organization.sending_domain
                builder = Builder(batch.organization, Signer(domain, keys.dkim_keys(domain)))
                self._openings[organization_id] = builder, self._make_courier(organization_id)
            return batch

    def _open_desk(self, organization_id: UUID) -> None:
        """Make the courier in the event loop that it belongs to, from what was looked up in a thread."""
        if organization_id not in self._desks:
            builder, make = self._openings[organization_id]
            recheck = Recheck(self._threads, organization_id, self._clock)
            self._desks[organization_id] = _Desk(builder, make(recheck))

    async def _hand_over(self, organization_id: UUID, batch: list[Prepared]) -> None:
        """Build, mark, and send: the mark is committed before the first MAIL FROM of the batch."""
        try:
            built, unfit = await self._in_thread(self._build, organization_id, batch)
            ours = await self._in_thread(self._mark, organization_id, [each for each, _ in built])
        except Exception:
            log.exception("a batch of %d messages could not be built", len(batch))
            self._in_flight -= len(batch)
            return
        results = self._results.setdefault(organization_id, _Results())
        results.stopped += unfit
        self._in_flight -= len(batch) - len(ours)
        await asyncio.gather(
            *(
                self._send(organization_id, each, made)
                for each, made in built
                if each.lease.message_id in ours
            )
        )

    def _build(
        self, organization_id: UUID, batch: list[Prepared]
    ) -> tuple[list[tuple[Prepared, Built]], list[Stopped]]:
        """Build each message; one that cannot be built is stopped, and the others go on."""
        builder = self._desks[organization_id].builder
        built, unfit = [], []
        for each in batch:
            try:
                built.append((each, builder.build(each, each.links, each.checked_at)))
            except SalusError as fault:
                log.warning("message %s cannot be built: %s", each.lease.message_id, fault)
                unfit.append(Stopped(each.lease, preparing.CANNOT_BE_MADE, each.notice_for))
        return built, unfit

    def _mark(self, organization_id: UUID, batch: list[Prepared]) -> set[UUID]:
        with acting_for(organization_id):
            return leasing.mark_begun([each.lease for each in batch])

    async def _send(self, organization_id: UUID, prepared: Prepared, built: Built) -> None:
        age = (self._clock.now() - prepared.checked_at).total_seconds()
        monotonic = time.monotonic()
        item = HandOver(
            message_id=prepared.lease.message_id,
            envelope_from=built.return_path,
            recipient=Phi(prepared.content.to),
            data=Phi(built.data),
            floor=prepared.floor,
            checked_at=monotonic - age,
            lease_until=monotonic - age + leasing.LEASE.total_seconds(),
        )
        result = await self._desks[organization_id].courier.send(item)
        verdict = judging.judge(prepared, result, built.body_hash, self._clock.now(), random.random())  # noqa: S311 - jitter
        if verdict is None:  # withdrawn: the person changed; prepare it anew
            await self._in_thread(self._give_back, organization_id, [prepared.lease])
            self._in_flight -= 1
        else:
            self._settle(organization_id, verdict)

    def _give_back(self, organization_id: UUID, leases: list[Lease]) -> None:
        with acting_for(organization_id):
            leasing.give_back(leases)

    def _settle(self, organization_id: UUID, outcome: Outcome) -> None:
        results = self._results.setdefault(organization_id, _Results())
        results.outcomes.append(outcome)
        self._in_flight -= 1
        if len(results) >= self._pace.flush_count:
            self._wake.set()

    async def _flush_regularly(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._pace.flush_seconds)
            self._wake.clear()
            await self._flush()

    async def _flush(self, *, everything: bool = False) -> None:
        for organization_id, results in list(self._results.items()):
            if not len(results):
                continue
            self._results[organization_id] = _Results()
            try:
                await self._in_thread(self._record, organization_id, results)
            except Exception:
                # Nothing is lost: the rows keep lease and mark, and are tried again as `uncertain`.
                log.exception("%d outcomes could not be recorded", len(results))

    def _record(self, organization_id: UUID, results: _Results) -> None:
        with acting_for(organization_id):
            outcomes.record(
                results.outcomes, results.stopped, actor=_actor(organization_id), at=self._clock.now()
            )

    async def _drain(self) -> None:
        """Let what has begun come to its end."""
        while self._tasks:
            await asyncio.gather(*list(self._tasks), return_exceptions=True)

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, _with_fresh_connection, function, *arguments
        )


class Recheck:
    """Answers the wire's "does this row still stand?" for rows checked too long ago, many in one query."""

    WAIT = 0.005

    def __init__(self, threads: ThreadPoolExecutor, organization_id: UUID, clock: Clock) -> None:
        self._threads, self._organization, self._clock = threads, organization_id, clock
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
        await asyncio.sleep(self.WAIT)
        asked, self._asked = self._asked, {}
        try:
            standing = await asyncio.get_running_loop().run_in_executor(
                self._threads, _with_fresh_connection, self._look, list(asked)
            )
        except Exception:
            log.exception("%d messages could not be checked again", len(asked))
            standing = set()  # closed by default: they are withdrawn and prepared anew
        for message_id, answer in asked.items():
            if not answer.done():
                answer.set_result(message_id in standing)

    def _look(self, message_ids: Sequence[UUID]) -> set[UUID]:
        with acting_for(self._organization):
            return preparing.still_standing(message_ids, self._clock.now())


def _with_fresh_connection(function: Callable[..., T], *arguments: Any) -> T:
    """Run `function` in a thread; a connection that broke is dropped, so that the next use makes another."""
    try:
        return function(*arguments)
    except Exception:
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()
        raise


def _actor(organization_id: UUID) -> Actor:
    return system(organization_id, "sender")
