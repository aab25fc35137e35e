"""Runs the processes of one installation: starts them in order, restarts what dies, stops all of them."""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from salus.kernel.errors import Conflict, Unavailable

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_LONGEST_PAUSE = 30.0
_STEADY_AFTER = 60.0


@dataclass
class Process:
    """One process to keep alive.

    `ready` is asked after a start until it says yes. `stop_signal` ends it in good order (for
    PostgreSQL SIGINT: its fast shutdown). `arguments` go to `subprocess.Popen`.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = lambda: True
    stop_signal: int = signal.SIGTERM
    arguments: Mapping[str, Any] = field(default_factory=dict)
    patience: float = 60.0
    child: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    next_start: float = 0.0

    def is_alive(self) -> bool:
        """Return whether the process runs now."""
        return self.child is not None and self.child.poll() is None


class Supervisor:
    """Keeps the processes of one home alive; at most one supervisor a home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._processes: list[Process] = []
        self._stopping = False
        (home / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def running(self) -> Iterator[Supervisor]:
        """Hold the home's lock, and stop every process at the end, last started first."""
        with only_one(self._home / "salus.lock"):
            try:
                yield self
            finally:
                self.stop()

    def start(self, *processes: Process) -> None:
        """Start processes side by side and wait until each is ready; raises `Unavailable` when one does not get there."""
        self._processes += processes
        for process in processes:
            self._launch(process)
        for process in processes:
            self._await(process)

    def _await(self, process: Process) -> None:
        deadline = time.monotonic() + process.patience
        while not process.ready():
            if not process.is_alive() or time.monotonic() > deadline:
                raise Unavailable(
                    f"{process.name} did not start.", next_step=f"Its log is {self._log_of(process)}."
                )
            time.sleep(0.05)

    def watch(self, *, seconds: float | None = None, until: Callable[[], bool] = lambda: False) -> None:
        """Restart what dies, until a signal, `until()` or the time ends it."""
        deadline = time.monotonic() + seconds if seconds is not None else float("inf")
        while not self._stopping and time.monotonic() < deadline and not until():
            self.tend()
            time.sleep(0.2)

    def tend(self) -> None:
        """Look at every process once: restart a dead one, waiting longer each time it fails."""
        now = time.monotonic()
        for process in self._processes:
            if process.is_alive():
                if now - process.started_at > _STEADY_AFTER:
                    process.failures = 0
            elif process.next_start == 0.0:
                code = process.child.returncode if process.child else None
                process.next_start = now + min(_LONGEST_PAUSE, 0.5 * 2**process.failures)
                process.failures += 1
                log.warning("%s ended with %s and is started again", process.name, code)
            elif now >= process.next_start:
                self._launch(process)

    def pids(self) -> dict[str, int]:
        """Return the process id of each living process, by name."""
        return {each.name: each.child.pid for each in self._processes if each.child and each.is_alive()}

    def end_watch(self) -> None:
        """Let `watch` return soon; safe in a signal handler."""
        self._stopping = True

    def stop(self) -> None:
        """Stop every process, last started first, each given its time to end in good order."""
        self.end(*reversed(self._processes))

    def end(self, *processes: Process) -> None:
        """Stop these processes, one after the other, each given its time; they are not started again."""
        self._processes = [each for each in self._processes if each not in processes]
        for process in processes:
            if process.child is None or not process.is_alive():
                continue
            process.child.send_signal(process.stop_signal)
            try:
                process.child.wait(timeout=process.patience)
            except subprocess.TimeoutExpired:
                log.warning("%s did not end in time and is killed", process.name)
                process.child.kill()
                process.child.wait()

    def _launch(self, process: Process) -> None:
        with self._log_of(process).open("ab") as output:
            process.child = subprocess.Popen(
                list(process.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **process.environment},
                process_group=0,  # Ctrl-C reaches us alone, and we stop them in order
                preexec_fn=die_with_parent(process.stop_signal),  # noqa: PLW1509 - this process has one thread
                **process.arguments,
            )
        process.started_at, process.next_start = time.monotonic(), 0.0

    def _log_of(self, process: Process) -> Path:
        return self._home / "logs" / f"{process.name}.log"


def die_with_parent(number: int) -> Callable[[], None] | None:
    """Return what makes a child get signal `number` when we are gone, even by kill -9 (Linux)."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number))

    return ask


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`; raises `Conflict` when another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise Conflict(
                "Salus runs in this home already.", next_step="Stop it first, or name another with --home."
            ) from held
        yield
