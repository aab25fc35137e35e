"""Plans a sending as the workers of an installation do: one goes through all chunks, helpers come towards it from the end of their shares."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Helpers:
    """Processes that wait for shares of a plan."""

    processes: Sequence[subprocess.Popen[str]]

    def pids(self) -> dict[str, int]:
        """Return who they are, by name."""
        return {f"planner-{number}": each.pid for number, each in enumerate(self.processes, 1)}

    def begin(self, origin_id: UUID, count: int) -> int:
        """Hand out the shares of a plan for people 1 to `count`; return how many there are."""
        from salus.campaigns import rules

        shares = rules.shares(count, CHUNK) if self.processes else []
        for place, (first, last) in enumerate(shares):
            pipe = self.processes[place % len(self.processes)].stdin
            assert pipe is not None
            pipe.write(f"{origin_id} {count} {first} {last}\n")
            pipe.flush()
        return len(shares)

    def wait(self, shares: int) -> None:
        """Wait until nobody is at work on these shares."""
        for place in range(shares):
            pipe = self.processes[place % len(self.processes)].stdout
            assert pipe is not None
            if not pipe.readline():
                raise AssertionError("a process that plans has ended")


@contextmanager
def helping(count: int) -> Iterator[Helpers]:
    """Run `count` helpers; they end with the block."""
    command = [sys.executable, "-m", "benchmarks.planning"]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    try:
        for each in processes:
            assert each.stdout is not None
            each.stdout.readline()  # it is ready
        yield Helpers(processes)
    finally:
        for each in processes:
            each.communicate()


def plan(origin: Any, count: int, actor: Any, chunks: Sequence[int]) -> None:
    """Plan some chunks of people 1 to `count`, in this order, until one was planned by somebody else; each commits."""
    from salus.delivery import api as delivery
    from salus.platform.tenancy import acting_for

    for chunk in chunks:
        numbers = range(chunk * CHUNK + 1, min(count, (chunk + 1) * CHUNK) + 1)
        with acting_for(actor.organization_id):
            if not delivery.plan_chunk(origin, numbers, actor=actor, at=datetime.now(UTC)):
                return


def _main() -> None:
    from salus.wiring.cli import setup

    setup()
    from salus.delivery.contracts import Origin
    from salus.kernel.acting import system
    from salus.platform.memory import settle_memory
    from salus.wiring.demo.cast import clinic

    actor = system(clinic().id, "bench")
    settle_memory()  # as a worker does
    print("ready", flush=True)
    for line in sys.stdin:
        origin_id, count, first, last = line.split()
        backward = range(int(last), int(first) - 1, -1)
        plan(Origin("campaign", UUID(origin_id)), int(count), actor, backward)
        print("done", flush=True)


if __name__ == "__main__":
    _main()
