"""The sender process: lease, prepare, mark, hand over, record; nothing is lost wherever it is killed."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from salus.delivery import capping, detours, encrypting, judging, leasing, preparing, routing
from salus.delivery.building import Built
from salus.delivery.contracts import FREQUENCY_CAP
from salus.delivery.desks import Desk, Desks, MakeCourier
from salus.delivery.leasing import Lease
from salus.delivery.precedence import RightOfWay
from salus.delivery.preparing import Prepared, Stopped
from salus.delivery.recording import Recorder
from salus.delivery.routing import Way
from salus.delivery.threads import Threads
from salus.delivery.transports.handover import HandOver
from salus.identity import api as identity
from salus.kernel.acting import system
from salus.kernel.errors import SalusError
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.time import Clock, SystemClock
from salus.kernel.vocabulary import Protection
from salus.platform.outages import DATABASE_AWAY
from salus.platform.presence import Roll
from salus.platform.tenancy import acting_for
from salus.shaping.contracts import Detour
from salus.vendors.contracts import OutOfScope

log = logging.getLogger(__name__)
U = TypeVar("U")

ASK_AGAIN = timedelta(minutes=1)
"""How often the register is asked about a way that it closed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much a sender takes on at once."""

    batch: int = 150
    """Messages leased and prepared together."""
    mark: int = 50
    """Messages that one batch mark covers: at most so many are `uncertain` after a crash, a batch."""
    in_flight: int = 400
    """Messages under way: at a few hundred a second none is older than `WireSettings.fresh` when its turn comes."""
    flush_count: int = 200
    flush_seconds: float = 0.4
    idle_seconds: float = 0.25
    threads: int = 2
    """They check, render and record: one waits for the database while the other works."""
    roll_call_seconds: float = 1.0
    """How often to look for senders of this machine that died, to take their leases over."""


class Sender:
    """Hands over what is due until it is told to stop; then it finishes what has begun.

    With a `roll` its leases come back as soon as it has died and another sender of this machine
    lives; without one, when they run out. With `ranks` it takes messages of these priorities only (the
    first and the last): where one of its own hands over what somebody waits for, no campaign is before it.
    That one `asks` for the right of way when it has something to do, and the other `gives` it.
    """

    def __init__(
        self,
        make_courier: MakeCourier,
        *,
        pace: Pace | None = None,
        clock: Clock | None = None,
        roll: Roll | None = None,
        ranks: tuple[int, int] = leasing.ALL,
        asks: RightOfWay | None = None,
        gives: RightOfWay | None = None,
    ) -> None:
        self._ranks, self._asks, self._gives = ranks, asks, gives
        self._pace = pace or Pace()
        self._clock = clock or SystemClock()
        self._roll, self._roll_call_at = roll, 0.0
        self._name = roll.enter() if roll else new_id()
        self._threads = Threads(self._pace.threads, "sender")
        self._in_thread = self._threads.run
        self._desks = Desks(make_courier, self._in_thread, self._clock)
        self._paused: dict[UUID, datetime] = {}
        self._held: set[UUID] = set()
        self._stuck: set[UUID] = set()
        self._lost_count = False
        self._away = False
        self._turn: UUID | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._building = asyncio.Lock()
        self._stop, self._room = asyncio.Event(), asyncio.Event()
        self._recorder = Recorder(
            self._in_thread,
            self._clock,
            count=self._pace.flush_count,
            seconds=self._pace.flush_seconds,
            recorded=self._done_with,
            stuck=self._keep,
        )

    def stop(self) -> None:
        """Take on nothing more."""
        self._stop.set()
        self._room.set()

    async def run(self, *, until_idle: bool = False) -> None:
        """Work until `stop`, or, with `until_idle`, until nothing is due."""
        recording = asyncio.create_task(self._recorder.keep_recording())
        try:
            while not self._stop.is_set():
                if not await self._take_more():
                    if until_idle and not self._held and not self._lost_count:
                        break
                    await self._pause()
        finally:
            await self._drain()
            recording.cancel()
            await self._recorder.finish()
            self._threads.end()
            if self._roll and not (self._held or self._stuck or self._lost_count):
                self._roll.leave()

    async def _drain(self) -> None:
        """Let what is under way come to its end; what waits for a connection goes back to the queue."""
        while True:
            await self._desks.close()
            if not self._tasks:
                return
            await asyncio.gather(*list(self._tasks), return_exceptions=True)

    async def _pause(self) -> None:
        """Wait until there is room for another batch, or a little."""
        try:
            await asyncio.wait_for(self._room.wait(), self._pace.idle_seconds)
        except TimeoutError:
            return

    async def _take_more(self) -> bool:
        """Lease another batch when there is room for one; return whether there was anything."""
        self._room.clear()
        if self._pace.in_flight - len(self._held) < self._pace.batch:
            return False
        try:
            leases = await self._in_thread(self._lease)
        except DATABASE_AWAY as fault:
            if not self._away:
                log.warning("the database does not answer: %s", type(fault).__name__)
            self._away, self._lost_count = True, True  # it may have leased to us before it went
            return False
        self._away = False
        self._take_on(leases)
        return bool(leases)

    def _lease(self) -> list[Lease]:
        """Lease a batch; before it, put in order what dead senders and lost answers left behind."""
        if self._lost_count:
            self._lost_count = False  # first: who loses count meanwhile says so again
            leasing.take_back(self._name, keep=[*self._held, *self._stuck])
        if self._roll and time.monotonic() >= self._roll_call_at:
            with self._roll.departed() as dead:
                for each in dead:
                    count = leasing.take_back(each.name)
                    log.warning("a sender died; its %d messages are tried again", count)
            self._roll_call_at = time.monotonic() + self._pace.roll_call_seconds
        now = self._clock.now()
        self._paused = {id: until for id, until in self._paused.items() if until > now}
        leases = leasing.lease(
            self._pace.batch, now, self._name, after=self._turn, but=self._paused, ranks=self._ranks
        )
        self._turn = leases[-1].organization_id if leases else None
        return leases

    def _take_on(self, leases: Sequence[Lease]) -> None:
        if leases and self._asks:
            self._asks.ask()
        by_organization: dict[UUID, list[Lease]] = {}
        for each in leases:
            by_organization.setdefault(each.organization_id, []).append(each)
            self._held.add(each.message_id)
            self._stuck.discard(each.message_id)
        for organization_id, mine in by_organization.items():
            self._start(self._handle(organization_id, mine))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._asks and not self._tasks:
            self._asks.done()

    async def _handle(self, organization_id: UUID, leases: list[Lease]) -> None:
        """Prepare a batch and start its messages."""
        try:
            batch, way = await self._in_thread(self._prepare, organization_id, leases)
            desk = self._desks.open(organization_id, way)
        except OutOfScope:
            self._done_with(each.message_id for each in leases)
            return
        except DATABASE_AWAY as fault:
            self._release_all(leases, fault)
            return
        except Exception:
            log.exception("%d messages could not be prepared", len(leases))
            await self._in_halves(leases, leases, lambda half: self._handle(organization_id, half))
            return
        self._done_with({each.message_id for each in leases} - batch.message_ids())  # held back
        straight = [each for each in batch.prepared if each.floor >= Protection.PORTAL]
        ready = [each for each in batch.prepared if each.floor < Protection.PORTAL]
        now = self._clock.now()
        self._recorder.add(
            organization_id,
            outcomes=[judging.straight_to_portal(each, now) for each in straight],
            stopped=batch.stopped,
        )
        for start in range(0, len(ready), self._pace.mark):
            self._start(self._hand_over(organization_id, desk, ready[start : start + self._pace.mark]))

    def _prepare(self, organization_id: UUID, leases: list[Lease]) -> tuple[preparing.Batch, Way | None]:
        """Return what may go, and by which way; raises `OutOfScope` when the register closed it."""
        if self._gives:
            self._gives.give()
        way = self._way(organization_id, leases)
        with acting_for(organization_id):  # short: other senders wait for it
            going, in_vain = capping.take_turns(leases, self._clock.now())
        with acting_for(organization_id):
            batch = preparing.prepare(going, actor=system(organization_id, "sender"), at=self._clock.now())
            batch.stopped += [Stopped(each, FREQUENCY_CAP) for each in in_vain]
            if way:
                judging.keep_from_relay(
                    batch, routing.beyond(way, map(judging.told, batch.prepared), self._clock.now())
                )
            batch.prepared = encrypting.with_keys(batch.prepared, self._clock.now())
            self._desks.look_up(batch.organization, way)
            return batch, way

    def _way(self, organization_id: UUID, leases: list[Lease]) -> Way | None:
        """Return the way to use; when it is closed say so, once, and let the organization's mail rest."""
        actor, now = system(organization_id, "sender"), self._clock.now()
        with acting_for(organization_id):
            try:
                way = routing.way(now)
            except OutOfScope as refused:
                routing.pause(refused.why, actor=actor, at=now)
                leasing.give_back(leases)
                closed = refused
            else:
                if way:
                    routing.resume(actor=actor)
                return way
        self._paused[organization_id] = now + ASK_AGAIN
        raise closed

    async def _hand_over(self, organization_id: UUID, desk: Desk, batch: list[Prepared]) -> None:
        """Build, mark, and send: the mark is committed before the first MAIL FROM of the batch."""
        batch = await self._not_held(organization_id, desk, batch)
        try:
            built, unfit = await self._build(desk, batch)
            ours = await self._in_thread(self._mark, organization_id, [each for each, _ in built])
        except DATABASE_AWAY as fault:
            self._release_all([each.lease for each in batch], fault)
            return
        except Exception:
            log.exception("%d messages could not be built", len(batch))
            leases = [each.lease for each in batch]
            await self._in_halves(leases, batch, lambda half: self._hand_over(organization_id, desk, half))
            return
        self._recorder.add(organization_id, stopped=unfit)
        self._done_with(
            each.lease.message_id for each, _ in built if each.lease.message_id not in ours
        )  # another sender has them now
        await asyncio.gather(
            *(
                self._send(organization_id, desk, each, made)
                for each, made in built
                if each.lease.message_id in ours
            )
        )

    async def _not_held(self, organization_id: UUID, desk: Desk, batch: list[Prepared]) -> list[Prepared]:
        """Return the messages whose destinations take mail now; nothing is signed for the others."""
        going: list[Prepared] = []
        round_: dict[Detour, list[Prepared]] = {}
        for each in batch:
            held = await desk.courier.hold(each.content.to.rpartition("@")[2])
            if isinstance(held, Detour):
                (going if each.relay else round_.setdefault(held, [])).append(each)
            elif held and (outcome := judging.judge(each, held, "", self._clock.now(), 0.0)):
                self._recorder.add(organization_id, outcomes=[outcome])
            else:
                going.append(each)
        for detour, some in round_.items():
            self._start(self._go_round(organization_id, detour, some))
        return going

    async def _go_round(self, organization_id: UUID, detour: Detour, batch: list[Prepared]) -> None:
        """Let messages go by the relay that is kept ready for their destination, those that may."""
        leases = [each.lease for each in batch]
        try:
            parted = await self._in_thread(self._part, organization_id, detour, batch)
        except DATABASE_AWAY as fault:
            self._release_all(leases, fault)
            return
        except Exception:
            log.exception("%d messages could not be sent another way", len(batch))
            self._keep(each.message_id for each in leases)
            return
        self._recorder.add(organization_id, outcomes=parted.waiting)
        if parted.going:
            desk = self._desks.open(organization_id, parted.way)
            await self._hand_over(organization_id, desk, [*parted.going])

    def _part(self, organization_id: UUID, detour: Detour, batch: list[Prepared]) -> detours.Parted:
        with acting_for(organization_id):
            parted = detours.part(batch, detour, self._clock.now())
            if parted.going:
                self._desks.look_up(identity.organization(), parted.way)
            return parted

    async def _build(
        self, desk: Desk, batch: list[Prepared]
    ) -> tuple[list[tuple[Prepared, Built]], list[Stopped]]:
        """Build each message; one that cannot be built is stopped, and the others go on.

        Here and not in a thread: a signature lets go of the interpreter several times, and to get it back from a
        loop that is as busy costs a tenth of a message. In between others have their turn. One batch after the
        other, so that the first is on its way while the second is made.
        """
        built, unfit = [], []
        async with self._building:
            for each in batch:
                if self._gives:
                    await self._gives.give_in_loop()
                try:
                    built.append((each, encrypting.build(desk.builder, each)))
                except SalusError as fault:
                    log.warning("message %s cannot be built: %s", each.lease.message_id, fault)
                    unfit.append(Stopped(each.lease, preparing.CANNOT_BE_MADE, each.notice_for))
                await asyncio.sleep(0)
        return built, unfit

    def _mark(self, organization_id: UUID, batch: list[Prepared]) -> set[UUID]:
        with acting_for(organization_id):
            return leasing.mark_begun([each.lease for each in batch])

    async def _send(self, organization_id: UUID, desk: Desk, prepared: Prepared, built: Built) -> None:
        """Hand one message over and take down what became of it."""
        age = (self._clock.now() - prepared.checked_at).total_seconds()
        monotonic = time.monotonic()
        try:
            item = HandOver(
                message_id=prepared.lease.message_id,
                envelope_from=built.return_path,
                recipient=Phi(prepared.content.to),
                data=Phi(built.data),
                floor=encrypting.floor(prepared, built),
                key_id=encrypting.key_id(built),
                has_phi=bool(prepared.content.decision["disclosed"]),
                checked_at=monotonic - age,
                lease_until=monotonic - age + leasing.LEASE.total_seconds(),
            )
            result = await desk.courier.send(item)
            if encrypting.helps(prepared, built, result):
                sealed = await self._in_thread(encrypting.encrypted, desk.builder, prepared)
                if sealed:
                    built, result = sealed, await desk.courier.send(encrypting.instead(item, sealed))
            jitter = random.random()  # noqa: S311 - not a secret
            verdict = judging.judge(prepared, result, built.body_hash, self._clock.now(), jitter)
            verdict = encrypting.stated(verdict, built)
            if detours.fell_short(prepared, result):
                verdict = detours.too_weak(prepared, self._clock.now())
        except Exception:
            log.exception("message %s: nobody knows what became of it", prepared.lease.message_id)
            self._keep([prepared.lease.message_id])
            return
        if result.reason in judging.PUT_OFF:
            again_at = self._clock.now() + timedelta(seconds=result.again_in)
            self._recorder.add(organization_id, put_off=[(prepared.lease, again_at)])
        elif verdict is None:  # withdrawn: the person changed; it is prepared anew
            self._recorder.add(organization_id, withdrawn=[prepared.lease])
        else:
            self._recorder.add(organization_id, outcomes=[verdict])

    def _release_all(self, leases: Sequence[Lease], fault: Exception) -> None:
        """Without a database, let a batch whose attempt did not begin go back to the queue."""
        log.warning("%d messages wait for the database: %s", len(leases), type(fault).__name__)
        self._lost_count = True
        self._done_with(each.message_id for each in leases)

    async def _in_halves(
        self, leases: Sequence[Lease], batch: list[U], again: Callable[[list[U]], Coroutine[Any, Any, None]]
    ) -> None:
        """Try a batch again in halves: one faulty message must not hold up the others.

        The one that remains keeps its lease, and is tried again when that ends.
        """
        if len(batch) == 1:
            self._keep(each.message_id for each in leases)
            return
        middle = len(batch) // 2
        await again(batch[:middle])
        await again(batch[middle:])

    def _done_with(self, message_ids: Iterable[UUID]) -> None:
        """Forget messages that are recorded or not ours any more."""
        self._held.difference_update(message_ids)
        if self._pace.in_flight - len(self._held) >= self._pace.batch:
            self._room.set()

    def _keep(self, message_ids: Iterable[UUID]) -> None:
        """Keep the lease of messages that something is wrong with: it is tried again when it has ended."""
        ids = list(message_ids)
        self._stuck.update(ids)
        self._done_with(ids)
