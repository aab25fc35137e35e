"""The engine process: a socket that answers, and a few threads that follow the feeds."""

from __future__ import annotations

import contextlib
import hmac
import logging
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from salus.audiences import wire
from salus.audiences.engine.answer import answer
from salus.audiences.engine.keeper import Keeper
from salus.kernel.errors import NotFound, SalusError, Unavailable

log = logging.getLogger(__name__)

ANSWERERS = 8
FOLLOWERS = 3
LOOK_EVERY = 0.5
"""Seconds between two looks at the feeds of an organization that nobody waits for."""
MEMORY_MEGABYTES = 512
LEAST_MEGABYTES = 128
MOST_CONNECTIONS = 64


class Server:
    """Serves the organizations that `organizations()` names until `stop`."""

    def __init__(
        self,
        path: Path,
        directory: Path,
        token: bytes,
        organizations: Callable[[], Iterable[UUID]],
        *,
        memory_megabytes: int = MEMORY_MEGABYTES,
        meet_every: float = 2.0,
    ) -> None:
        self._path = path
        self._directory = directory
        self._token = token.hex()
        self._organizations = organizations
        self._memory = memory_megabytes
        self._meet_every = meet_every
        self._keepers: dict[UUID, Keeper] = {}
        self._running: dict[UUID, Future[bool]] = {}
        self._next: dict[UUID, float] = {}
        self._stop = threading.Event()
        self._connections = threading.Semaphore(MOST_CONNECTIONS)

    def run(self) -> None:
        """Serve until `stop` is called."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.parent.chmod(0o700)
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with wire.short_path(self._path) as name:
                listener.bind(name)
            self._path.chmod(0o600)
            listener.listen(MOST_CONNECTIONS)
            listener.settimeout(0.2)
            with (
                ThreadPoolExecutor(ANSWERERS, "answer") as answerers,
                ThreadPoolExecutor(FOLLOWERS, "follow") as followers,
            ):
                follower = threading.Thread(target=self._follow, args=(followers,), name="feeds")
                follower.start()
                self._accept(listener, answerers)
                follower.join()
                _close_connections_of(followers)
        finally:
            listener.close()
            self._path.unlink(missing_ok=True)
            for keeper in self._keepers.values():
                keeper.close()

    def stop(self, *_: object) -> None:
        """Let `run` end; safe in a signal handler."""
        self._stop.set()

    # Questions

    def _accept(self, listener: socket.socket, answerers: ThreadPoolExecutor) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            if not self._connections.acquire(blocking=False):
                connection.close()
                continue
            answerers.submit(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(10.0)
                if not _is_ours(connection):
                    return
                request = wire.receive(connection, wire.LARGEST_REQUEST)
                if request is not None:
                    connection.settimeout(60.0)
                    wire.send(connection, self._answer(request))
        except (OSError, wire.Broken) as fault:
            log.info("A question to the engine broke off: %s", type(fault).__name__)
        finally:
            self._connections.release()

    def _answer(self, request: Any) -> dict[str, Any]:
        if not isinstance(request, dict) or not hmac.compare_digest(str(request.get("token")), self._token):
            return _error(NotFound())
        try:
            return answer(self._keeper(request.get("organization")), request)
        except SalusError as refusal:
            return _error(refusal)
        except Exception as fault:  # noqa: BLE001 - a client must get an answer; the text may hold PHI
            log.warning("A question to the engine failed: %s", type(fault).__name__)
            return _error(Unavailable("The audience engine could not answer this."))

    def _keeper(self, organization_id: Any) -> Keeper:
        keeper = self._keepers.get(UUID(str(organization_id)))
        if keeper is None:
            raise Unavailable(
                "The audience engine does not know this organization yet.",
                next_step="Try again in a few seconds.",
            )
        return keeper

    # Feeds

    def _follow(self, followers: ThreadPoolExecutor) -> None:
        """Look at every organization in turn; nobody is looked at by two threads at once."""
        looked = 0.0
        while not self._stop.is_set():
            now = time.monotonic()
            if now - looked > self._meet_every:
                looked = now
                self._meet()
                connections.close_all()  # it is seldom used
            for organization_id, keeper in list(self._keepers.items()):
                running = self._running.get(organization_id)
                if running is not None and not running.done():
                    continue
                if keeper.wake.is_set() or now >= self._next.get(organization_id, 0.0):
                    keeper.wake.clear()
                    self._next[organization_id] = now + LOOK_EVERY
                    self._running[organization_id] = followers.submit(self._tick, keeper)
            self._stop.wait(0.02)

    def _meet(self) -> None:
        """Learn of new organizations, and share the memory among all."""
        close_old_connections()
        try:
            found = set(self._organizations())
        except (DatabaseError, psycopg.Error) as fault:
            log.warning("The organizations could not be read: %s", type(fault).__name__)
            return
        new = found - set(self._keepers)
        if new:
            share = max(LEAST_MEGABYTES, self._memory // len(found))
            for keeper in self._keepers.values():
                keeper.limit_memory(share)
            for organization_id in sorted(new):
                self._keepers[organization_id] = Keeper(
                    organization_id, self._directory, memory_megabytes=share, stopping=self._stop
                )

    def _tick(self, keeper: Keeper) -> bool:
        close_old_connections()
        try:
            while keeper.tick():
                if self._stop.is_set():
                    return False
        except (SalusError, DatabaseError, psycopg.Error) as fault:
            log.warning("An organization's feeds could not be read: %s", type(fault).__name__)
            connections.close_all()  # the server may have gone; the next look begins with a new connection
            self._next[keeper.organization_id] = time.monotonic() + 5.0
        except Exception as fault:  # noqa: BLE001 - one organization must not end the others; no text: PHI
            connections.close_all()
            log.error("An organization's store failed: %s", type(fault).__name__)  # noqa: TRY400
            self._next[keeper.organization_id] = time.monotonic() + 30.0
        return True


def _error(fault: SalusError) -> dict[str, Any]:
    return {
        "error": {
            "kind": type(fault).__name__,
            "what": fault.what,
            "place": fault.place,
            "kept": fault.kept,
            "next_step": fault.next_step,
        }
    }


def _close_connections_of(pool: ThreadPoolExecutor) -> None:
    """Close the database connection of each follower: Django keeps one a thread, and nobody else can."""
    together = threading.Barrier(FOLLOWERS)

    def close() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(5.0)
        connections.close_all()

    for done in [pool.submit(close) for _ in range(FOLLOWERS)]:
        done.result()


def _is_ours(connection: socket.socket) -> bool:
    """Return whether the other side runs as our user, or as root."""
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return user in (os.getuid(), 0)


def serve_until_signal(server: Server) -> None:
    """Run `server` until SIGTERM or SIGINT."""
    signal.signal(signal.SIGTERM, server.stop)
    signal.signal(signal.SIGINT, server.stop)
    server.run()
