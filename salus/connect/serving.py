"""The process that takes submissions: both doors, and a few threads for what needs the database."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

from django.db import close_old_connections

from salus.connect import submitting
from salus.connect.contracts import Fault, Submitted, Taken
from salus.connect.session import Submission
from salus.kernel.time import Clock, SystemClock
from salus.platform import smtp

log = logging.getLogger(__name__)

R = TypeVar("R")

THREADS = 4
TOGETHER = 100
"""Messages that one transaction takes at most."""
_STATUS = {
    Fault.UNKNOWN_RECIPIENT: "550 5.1.1",
    Fault.AMBIGUOUS: "550 5.1.4",
    Fault.ATTACHMENT: "550 5.6.1",
    Fault.NOT_ALLOWED: "535 5.7.8",
}


def reply_to(taken: Taken) -> str:
    """Return what the client is told: 250 only for what is in the queue, and codes instead of words about a person."""
    if taken.reason == Fault.LATER:
        return "451 4.3.0 Come again later"
    if not taken.reason:
        return f"250 2.0.0 Queued as {taken.message_id}"
    head = _STATUS.get(Fault(taken.reason), "550 5.6.0") if taken.reason in set(Fault) else "550 5.7.1"
    return f"{head} {taken.reason}{f' ({taken.message_id})' if taken.message_id else ''}"


_Waiting = deque[tuple[submitting.Arrived, asyncio.Future[str]]]
"""Messages of one organization that wait for the next transaction, and who waits for their answers."""


class _Desk:
    """Asks and takes in threads: what comes for an organization while a transaction is under way is read, and goes into the next."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._pool = clock, ThreadPoolExecutor(THREADS, thread_name_prefix="submission")
        self._queues: dict[UUID, _Waiting] = {}
        self._takers: set[asyncio.Task[None]] = set()
        self.replies: Counter[str] = Counter()

    async def may(self, key: str, ip: str) -> bool:
        return await self._do(self._may, key, ip)

    async def take(self, submitted: Submitted) -> str:
        organization_id = submitting.organization_of(submitted)
        if organization_id is None:
            return reply_to(Taken(None, Fault.NOT_ALLOWED))
        arrived = await self._do(submitting.arrived, submitted)
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if organization_id not in self._queues:
            self._queues[organization_id] = deque()
            taker = asyncio.create_task(self._take_all(organization_id))
            self._takers.add(taker)
            taker.add_done_callback(self._takers.discard)
        self._queues[organization_id].append((arrived, answer))
        reply = await answer
        self.replies[reply[:3]] += 1
        return reply

    async def _take_all(self, organization_id: UUID) -> None:
        waiting = self._queues[organization_id]
        while waiting:
            batch = [waiting.popleft() for _ in range(min(len(waiting), TOGETHER))]
            replies = await self._do(self._take, organization_id, [arrived for arrived, _ in batch])
            for (_, answer), reply in zip(batch, replies, strict=True):
                if not answer.done():
                    answer.set_result(reply)
        del self._queues[organization_id]

    def end(self) -> None:
        self._pool.shutdown(wait=True)
        log.info(
            "submissions: %s",
            ", ".join(f"{count} x {code}" for code, count in self.replies.items()) or "none",
        )

    async def _do(self, act: Callable[..., R], *given: object) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._pool, act, *given)

    def _may(self, key: str, ip: str) -> bool:
        close_old_connections()
        return submitting.may_submit(key, ip=ip, clock=self._clock)

    def _take(self, organization_id: UUID, batch: list[submitting.Arrived]) -> list[str]:
        close_old_connections()
        try:
            return [reply_to(taken) for taken in submitting.take(organization_id, batch, self._clock)]
        except Exception as fault:  # noqa: BLE001 - a text of it might quote what came
            log.warning("%d submissions could not be taken: %s", len(batch), type(fault).__name__)
            close_old_connections()
            return [reply_to(Taken(None, Fault.LATER))] * len(batch)


async def serve(
    listen: str, listen_tls: str, host: str, tls: ssl.SSLContext, ready: Callable[[str], None]
) -> None:
    """Take submissions until SIGTERM or SIGINT; an empty address opens no door. Tells `ready` of each."""
    over = smtp.told_to_end()
    desk = _Desk(SystemClock())
    submission = Submission(host, tls, desk.may, desk.take)
    servers = []
    for where, implicit in ((listen, False), (listen_tls, True)):
        if where:
            server = await submission.listen(where, implicit=implicit)
            servers.append(server)
            bound = server.sockets[0].getsockname()
            kind = "implicit TLS" if implicit else "STARTTLS"
            ready(f"takes submissions on {bound[0]}:{bound[1]} ({kind})")
    await over.wait()
    for server in servers:
        server.close()
    await submission.close()
    desk.end()
