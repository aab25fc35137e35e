"""The part of the sender that makes calls: each service has its turn, its rest after faults, and its pause."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from salus.delivery import call_rules, call_turns
from salus.delivery.call_turns import Made, Ready, Turn
from salus.delivery.threads import Threads
from salus.delivery.transports.webhook import Answer, Post
from salus.kernel.acting import system
from salus.kernel.time import Clock, SystemClock
from salus.platform.outages import DATABASE_AWAY
from salus.platform.tenancy import acting_for

log = logging.getLogger(__name__)


class Way(Protocol):
    """The way out: `transports.webhook.Webhook`, or what a test puts in its place."""

    async def post(self, post: Post) -> Answer:
        """Return what became of one attempt."""
        ...


@dataclass(frozen=True, slots=True)
class CallPace:
    """How much is taken on at once."""

    turn: int = 8
    """Calls of one service under way together."""
    services: int = 16
    idle_seconds: float = 0.5
    look_again: timedelta = timedelta(minutes=1)
    """How often the scope of a paused service is looked at."""


@dataclass(slots=True)
class _Service:
    """What this sender remembers of a service."""

    failures: int = 0
    rests_until: datetime | None = None
    busy: bool = False


class Caller:
    """Makes the calls that are due until it is told to stop; then it finishes what has begun.

    The receiver hears a call once or more, always with the same id and body; it is settled exactly once.
    """

    def __init__(self, way: Way, *, pace: CallPace | None = None, clock: Clock | None = None) -> None:
        self._way, self._pace, self._clock = way, pace or CallPace(), clock or SystemClock()
        self._threads = Threads(2, "caller")
        self._services: dict[UUID, _Service] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop, self._wake = asyncio.Event(), asyncio.Event()

    def stop(self) -> None:
        """Take on nothing more."""
        self._stop.set()
        self._wake.set()

    async def run(self, *, until_idle: bool = False) -> None:
        """Work until `stop`, or, with `until_idle`, until nothing is due that may be tried now."""
        try:
            while not self._stop.is_set():
                self._wake.clear()
                busy = bool(self._tasks)  # before: what ends while we ask kept its service's calls from us
                turns = await self._take_turns()
                for turn in turns:
                    self._start(turn)
                if until_idle and not busy and not turns:
                    break
                if not turns:
                    await self._pause()
        finally:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._threads.end()

    async def _pause(self) -> None:
        """Wait until a turn has ended, or a little."""
        try:
            await asyncio.wait_for(self._wake.wait(), self._pace.idle_seconds)
        except TimeoutError:
            return

    async def _take_turns(self) -> list[Turn]:
        room = self._pace.services - len(self._tasks)
        if room <= 0:
            return []
        now = self._clock.now()
        try:
            return await self._threads.run(
                call_turns.lease, room, self._pace.turn, now, lambda id: self._may_take(id, now)
            )
        except DATABASE_AWAY as fault:
            log.warning("calls wait for the database: %s", type(fault).__name__)
            return []

    def _may_take(self, service_id: UUID, now: datetime) -> bool:
        known = self._services.get(service_id)
        return known is None or not (known.busy or (known.rests_until and known.rests_until > now))

    def _start(self, turn: Turn) -> None:
        service = self._services.setdefault(turn.service_id, _Service())
        service.busy = True
        task = asyncio.create_task(self._make_calls(turn, service))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()

    async def _make_calls(self, turn: Turn, service: _Service) -> None:
        """Look again whether the service may have this, make the calls, write down what became of them."""
        try:
            ready = await self._threads.run(self._prepare, turn)
            made = await asyncio.gather(*(self._make(each) for each in ready or ()))
            if made:
                await self._threads.run(self._record, turn, made)
            self._let_rest(service, paused=ready is None, made=made)
        except DATABASE_AWAY as fault:
            log.warning("%d calls wait for the database: %s", len(turn.fences), type(fault).__name__)
        except Exception:
            log.exception("%d calls could not be made", len(turn.fences))
            service.rests_until = self._clock.now() + self._pace.look_again
        finally:
            service.busy = False

    async def _make(self, ready: Ready) -> Made:
        answer = await self._way.post(
            Post(
                url=ready.address,
                id=f"msg_{ready.call_id.hex}",
                body=ready.content.body.encode(),
                secrets=ready.secrets,
                at=self._clock.now(),
            )
        )
        return Made(ready, answer.status, answer.reason)

    def _let_rest(self, service: _Service, *, paused: bool, made: Sequence[Made]) -> None:
        """Let a service rest while its queue is paused, and, longer each time, while it takes nothing."""
        now = self._clock.now()
        if paused:
            service.rests_until = now + self._pace.look_again
        elif made:
            failed = not any(each.taken for each in made)
            service.failures = service.failures + 1 if failed else 0
            service.rests_until = now + call_rules.rest(service.failures) if failed else None

    def _prepare(self, turn: Turn) -> list[Ready] | None:
        with acting_for(turn.organization_id):
            actor = system(turn.organization_id, "sender")
            return call_turns.prepare(turn, actor=actor, at=self._clock.now())

    def _record(self, turn: Turn, made: Sequence[Made]) -> None:
        with acting_for(turn.organization_id):
            actor = system(turn.organization_id, "sender")
            call_turns.record(turn, made, actor=actor, at=self._clock.now())
