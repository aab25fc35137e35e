"""The pool's unit: the connections to one set of mail hosts under one TLS policy, and what waits for them."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from salus.delivery.protection.policy import TlsPolicy
from salus.delivery.status import enhanced_status
from salus.delivery.transports.handover import Fate, HandOver, Outcome, Phase, Recheck, broken, held
from salus.delivery.transports.replies import Heard
from salus.delivery.transports.routes import Host, NoRoute, Route, Routes
from salus.delivery.transports.session import Ended, ProtectedSession, open_session
from salus.delivery.transports.settings import WireSettings
from salus.delivery.transports.shaping import Shaper, called, local_address
from salus.delivery.transports.yard import Site, Yard
from salus.shaping.contracts import Berth

MAX_TRIES = 6
"""Addresses that are tried for one connection."""
FEW, PATIENCE = 20, 20.0
"""Where more messages wait than a few, and the last would wait for so many seconds, others come back later."""
MOST_LATE = 5.0
"""Seconds over which those are spread who come back after a rest."""

T = TypeVar("T")

_NOTHING_TAKEN = (Phase.MAIL, Phase.RCPT, Phase.DATA)


@dataclass(frozen=True, slots=True)
class Ways:
    """What a lane needs from the courier."""

    settings: WireSettings
    routes: Routes
    recheck: Recheck
    now: Callable[[], datetime]
    yard: Yard
    shaper: Shaper
    urgent: bool = False
    """Somebody waits for what is sent here."""


@dataclass(slots=True, eq=False)
class Job:
    """A message that waits, and who waits for its outcome."""

    item: HandOver
    done: asyncio.Future[Outcome]
    tried: bool = False


@dataclass(slots=True, eq=False)
class Lane:
    """Messages wait here in order; workers, each with the life of one connection, take them."""

    route: Route
    policy: TlsPolicy
    ways: Ways
    berth: Berth
    """Where it goes from and what it gets; the newest that was asked for."""
    waiting: deque[Job] = field(default_factory=deque)
    idle: list[asyncio.Future[bool]] = field(default_factory=list)
    workers: set[asyncio.Task[None]] = field(default_factory=set)
    starting: set[asyncio.Task[None]] = field(default_factory=set)
    sessions: int = 0
    closing: bool = False
    unprotected_until: float = 0.0
    unprotected: Outcome | None = None
    pace: float = 0.0
    """Seconds from one message to the next while some wait, a mean over the last ones."""
    last: float = 0.0

    @property
    def site(self) -> Site:
        """Return the destination with its window."""
        return self.ways.yard.site(self.berth)

    @property
    def urgent(self) -> bool:
        """Tell whether somebody waits for its messages."""
        return self.ways.urgent

    @property
    def connected(self) -> int:
        """Return how many connections it has, or makes."""
        return len(self.workers)

    async def send(self, item: HandOver) -> Outcome:
        """Return what became of `item`, when its turn has come."""
        if why := self._at_rest() or self._too_long():
            return why
        job = Job(item, asyncio.get_running_loop().create_future())
        self.waiting.append(job)
        self.staff()
        return await job.done

    async def close(self) -> None:
        """Let the workers finish what they hold, and end; what waits is given back unsent."""
        self.closing = True
        self._answer_all(broken(Phase.QUEUE, "closing"))
        for sleeper in self.idle:
            _answer(sleeper, value=False)
        for worker in self.starting:
            worker.cancel()
        if self.workers:
            await asyncio.gather(*self.workers, return_exceptions=True)

    def staff(self) -> None:
        """Wake an idle worker for what waits, or hire one when the destination's window allows."""
        if not self.waiting or self.closing:
            return
        while self.idle:
            if _answer(self.idle.pop(), value=True):
                return
        if len(self.starting) >= len(self.waiting):
            return
        site = self.site
        if not site.open:
            self.ways.yard.want(site, self)
            return
        site.connections += 1
        worker = asyncio.get_running_loop().create_task(self._work(site))
        self.workers.add(worker)
        self.starting.add(worker)
        worker.add_done_callback(self._gone)

    def _gone(self, worker: asyncio.Task[None]) -> None:
        self.workers.discard(worker)
        if not worker.cancelled():
            worker.exception()  # whoever waited for the message has heard of it

    def _too_long(self) -> Outcome | None:
        """Send a message away that would wait here for long: others could not be leased meanwhile.

        It comes back before what waits now is gone, so that no connection is without work until then.
        """
        wait = len(self.waiting) * self.pace
        if self.urgent or len(self.waiting) < FEW or wait < PATIENCE:
            return None
        return held("busy_site", wait * (0.25 + random.random() / 2))  # noqa: S311 - not a secret

    def _note_pace(self) -> None:
        now = time.monotonic()
        if self.last and self.waiting:
            self.pace += ((now - self.last) - self.pace) / 20
        self.last = now if self.waiting else 0.0  # the time in which nothing waits says nothing of the pace

    def _at_rest(self) -> Outcome | None:
        if self.unprotected and time.monotonic() < self.unprotected_until:
            return self.unprotected
        self.unprotected = None
        why = self.ways.yard.resting(self.site)
        if not why:
            return None
        fate = Fate.TEMPORARY if why.fate is Fate.TEMPORARY else Fate.BROKEN
        rest = self.site.resting_until - time.monotonic()
        again = max(0.0, rest) + random.random() * MOST_LATE  # noqa: S311 - not a secret
        return Outcome(fate, Phase.QUEUE, why.reason, why.reply, why.verdict, again_in=again)

    async def _work(self, site: Site) -> None:
        """Connect, send what waits, idle a little, end."""
        yard, session, gives_way = self.ways.yard, None, False
        try:
            await self.ways.shaper.connecting(self.berth)
            await yard.enter()
            try:
                session = await self._start()
                while session and (self.waiting or await self._idle(session, site)):
                    if not self._good(session):
                        break
                    if self.waiting:
                        await self._deliver(session, self.waiting.popleft())
                    if site.connections > site.window.size:
                        break
                    if site.hungry and self.waiting and yard.yields(site, self, session.sent):
                        gives_way = True
                        break
            finally:
                if session:
                    self.sessions -= 1
                    await session.quit()
                yard.leave()
        finally:
            self.starting.discard(_this_task())
            site.connections -= 1
            site.yielding -= gives_way
            # After a failure to connect, those who are connected or on the way go on; nobody is hired.
            yard.freed(site, but=None if session and not gives_way else self)
            if session:
                self.staff()

    async def _start(self) -> ProtectedSession | None:
        try:
            session = await self._connect()
        except Exception as fault:
            while self.waiting:
                job = self.waiting.popleft()
                if not job.done.done():
                    job.done.set_exception(fault)
            raise
        finally:
            self.starting.discard(_this_task())
        self.sessions += session is not None
        return session

    async def _deliver(self, session: ProtectedSession, job: Job) -> None:
        if job.done.done():
            return
        used = session.sent > 0
        try:
            outcome = await session.deliver(job.item, self.ways.recheck)
        except BaseException as fault:
            if not job.done.done():
                job.done.set_exception(fault if isinstance(fault, Exception) else RuntimeError("ended"))
            raise
        went_stale = outcome.reason in ("closed", "reset") or (outcome.reply and outcome.reply.code == 421)
        if used and went_stale and outcome.phase in _NOTHING_TAKEN and not job.tried:
            # The peer closed a connection that it had kept open for us: that says nothing of the message.
            job.tried = True
            self.waiting.appendleft(job)
            return
        self._note_pace()
        self.ways.yard.learn(self.site, outcome)
        _answer(job.done, value=outcome)
        if why := self._at_rest():
            self._answer_all(why)
        self.staff()

    async def _connect(self) -> ProtectedSession | None:
        """Return a session with the first host that meets the policy; else answer who waits."""
        outcome: Outcome | None = None
        tries = 0
        for host in self._in_order():
            found = await self.ways.routes.addresses(host)
            if isinstance(found, NoRoute):
                outcome = _worse(outcome, found.outcome(Phase.CONNECT))
                continue
            for address in found:
                if tries == MAX_TRIES:
                    break
                tries += 1
                try:
                    return await self._open(host, address)
                except Ended as ended:
                    outcome = _worse(outcome, ended.outcome)
        self._not_reached(outcome or broken(Phase.CONNECT, "unreachable"))
        return None

    async def _open(self, host: Host, address: str) -> ProtectedSession:
        ways, berth = self.ways, self.berth
        source = local_address(berth.source, address)
        if source is None:
            raise Ended(broken(Phase.CONNECT, "no_source_address"))
        return await open_session(
            host.name,
            address,
            host.port,
            policy=self.policy,
            settings=called(ways.settings, berth.source),
            at=ways.now(),
            within_tls=host.within_tls,
            login=host.login,
            source=source,
            refused=self._refused,
        )

    def _refused(self, heard: Heard) -> None:
        self.ways.shaper.heard(self.berth, heard.code, enhanced_status(heard.lines[0]), " ".join(heard.lines))

    def _in_order(self) -> list[Host]:
        """Return the hosts best first, equals in random order (RFC 5321, 5.1)."""
        ordered: list[Host] = []
        for group in self.route.groups:
            ordered.extend(random.sample(group, len(group)))
        return ordered

    def _not_reached(self, outcome: Outcome) -> None:
        """No connection was made. While others live or are on the way, only the window shrinks."""
        self.ways.yard.learn(self.site, outcome)
        if self.sessions or len(self.starting) > 1:
            return
        if outcome.fate is Fate.UNPROTECTED:
            self.unprotected = outcome
            self.unprotected_until = time.monotonic() + self.ways.settings.rest_unprotected
        else:
            self.ways.yard.rest(self.site, outcome, self.ways.settings.rest_unreachable)
        self._answer_all(outcome)

    def _answer_all(self, outcome: Outcome) -> None:
        while self.waiting:
            _answer(self.waiting.popleft().done, value=outcome)

    def _good(self, session: ProtectedSession) -> bool:
        return session.usable and session.sent < self.berth.limits.messages_per_connection

    async def _idle(self, session: ProtectedSession, site: Site) -> bool:
        """Wait for work. False when the time is over, or when others need the room."""
        if self.closing or not self._good(session) or self.ways.yard.needs_room(site, self):
            return False
        loop = asyncio.get_running_loop()
        sleeper: asyncio.Future[bool] = loop.create_future()

        def end() -> None:
            _answer(sleeper, value=False)

        timer = loop.call_later(self.berth.limits.idle, end)
        self.idle.append(sleeper)
        self.ways.yard.idles(sleeper, site, self, end)
        try:
            return await sleeper
        finally:
            timer.cancel()
            self.ways.yard.works(sleeper)
            if sleeper in self.idle:
                self.idle.remove(sleeper)


def _answer(future: asyncio.Future[T], *, value: T) -> bool:
    """Give `future` its value unless it has one; tell whether it was given."""
    if future.done():
        return False
    future.set_result(value)
    return True


def _this_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task is not None
    return task


def _worse(known: Outcome | None, new: Outcome) -> Outcome:
    """Return what to say when several hosts failed: as long as one may come back, the message waits."""
    if known is None or (known.fate in (Fate.UNPROTECTED, Fate.PERMANENT) and new.fate is not known.fate):
        return new
    return known
