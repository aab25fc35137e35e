"""`./bench chaos`: a campaign while processes are killed, connections cut and stalled and the disk filled; then every message is counted."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from benchmarks import chaos_disk, send
from benchmarks.chaos_sink import PLAN, Phase, Sink

T = TypeVar("T")
VICTIMS = ("sender", "worker", "engine", "postgres")
KILLS, EVERY, FILLS, FULL_FOR = 40, (2.0, 6.0), 2, 8.0
"""How many kills, seconds between two, how often the disk is full and for how many seconds."""
WILD_SECONDS = 300.0
"""How long the sending takes at the least: the sink takes no more a second."""
IN_PLANNING = KILLS // 4
"""So many kills happen while it is planned, the others while it is sent."""
PATIENCE = 3600.0
SEED = 7
TARGETS: dict[str, tuple[float, Callable[[float, float], bool]]] = {
    "processes killed": (KILLS, float.__ge__),
    "times the disk was full": (FILLS, float.__ge__),
    "phases in which no connection failed": (0, float.__le__),
    "recipients in no accounted state": (0, float.__le__),
    "messages lost": (0, float.__le__),
    "messages twice and not marked uncertain": (0, float.__le__),
    "messages without a receipt": (0, float.__le__),
    "faults of the audit log": (0, float.__le__),
}


def run(messages: int, json_path: str | Path | None) -> int:
    """Send `messages` through chaos; write figures and targets; 1 when anything was lost or doubled unmarked."""
    from salus.wiring.home import Home
    from salus.wiring.installation import Installation

    if os.geteuid() != 0:
        _say("The disk that is filled is a tmpfs of its own, and only root may mount one: run this as root.")
        return 2
    with tempfile.TemporaryDirectory(prefix="salus-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs under another user who must reach its folder
        sink = Sink(per_second=max(1.0, messages / WILD_SECONDS), seed=SEED)
        routes = sink.start(Path(folder) / "routes")
        with chaos_disk.limited(Path(folder) / "disk", 1024 + messages // 20):
            home = Home(Path(folder) / "disk" / "home")
            installation = Installation(home, extra={"SALUS_LABORATORY_ROUTES": str(routes)})
            os.environ.update(installation.environment)
            with installation.running(_say) as supervisor:
                (home.path / "shaping.toml").write_text(PLAN)  # as whoever runs one would
                supervisor.start(installation.engine(), installation.worker(), installation.sender())
                figures = _measure(messages, supervisor, sink, Path(folder) / "disk" / "ballast")
                figures["log_faults"] = _verify(installation.environment)
    values = {
        "processes killed": sum(figures["killed"].values()),
        "times the disk was full": figures["disk_full"],
        "phases in which no connection failed": figures["phases_spared"],
        "recipients in no accounted state": messages - figures["accounted"],
        "messages lost": figures["lost"],
        "messages twice and not marked uncertain": figures["doubled_unmarked"],
        "messages without a receipt": figures["without_receipt"],
        "faults of the audit log": figures["log_faults"],
    }
    targets = {
        name: {"value": values[name], "bar": bar, "met": met(float(values[name]), float(bar))}
        for name, (bar, met) in TARGETS.items()
    }
    if json_path:
        Path(json_path).write_text(json.dumps({"figures": figures, "targets": targets}, indent=2) + "\n")
    for name, one in targets.items():
        _say(f"{'met   ' if one['met'] else 'MISSED'} {name}: {one['value']:,} (bar {one['bar']:,})")
    return 0 if all(one["met"] for one in targets.values()) else 1


@dataclass
class _Chaos:
    """Kills a process every few seconds, fills the disk now and then, and keeps the supervisor at work."""

    supervisor: Any
    ballast: Path
    killed: Counter[str] = field(default_factory=Counter)
    filled: int = 0
    until: int = 0
    """It rages until so many processes were killed."""
    _next_kill: float = 0.0
    _free_at: float = 0.0
    _random: random.Random = field(default_factory=lambda: random.Random(SEED))

    @property
    def is_over(self) -> bool:
        """Return whether there was enough of it."""
        return self._has_enough and not self._free_at

    @property
    def _has_enough(self) -> bool:
        return sum(self.killed.values()) >= self.until and (self.until < KILLS or self.filled >= FILLS)

    def tend(self) -> None:
        """Do what is due now; call it often."""
        self.supervisor.tend()
        now = time.monotonic()
        if self._free_at and now >= self._free_at:
            self.ballast.unlink()
            self._free_at = 0.0
        if now < self._next_kill or self._has_enough:
            return
        self._next_kill = now + self._random.uniform(*EVERY)
        if (
            not self._free_at
            and self.filled < FILLS
            and sum(self.killed.values()) >= KILLS * (self.filled + 1) / 3
        ):
            _say(f"  the disk is full: {chaos_disk.fill(self.ballast) / 2**20:,.0f} MB more were written")
            self.filled, self._free_at = self.filled + 1, now + FULL_FOR
            return
        name = self._random.choice(VICTIMS)
        if pid := self.supervisor.pids().get(name):  # one that is down already waits for its supervisor
            os.kill(pid, signal.SIGKILL)
            self.killed[name] += 1


def _measure(count: int, supervisor: Any, sink: Sink, ballast: Path) -> dict[str, Any]:
    from salus.wiring.cli import setup

    setup()
    from salus.kernel.acting import system
    from salus.wiring.demo.cast import clinic

    organization = clinic()
    send.people(organization.id, count, system(organization.id, "bench"))
    _say(f"  {count:,} people are here")
    chaos = _Chaos(supervisor, ballast)
    began = time.monotonic()
    plan = _Campaign(organization, chaos)
    plan.make()
    chaos.until = IN_PLANNING
    plan.go()
    chaos.until = KILLS
    while not chaos.is_over:
        chaos.tend()
        time.sleep(0.05)
    sink.is_wild = False
    wild = time.monotonic() - began
    _say(
        f"  {sum(chaos.killed.values())} kills, {sum(sink.faults.values())} cut or stalled connections: now it is calm"
    )
    _wait(plan.is_done, chaos, every=plan.tell)
    found = _count(organization.id, sink.taken)
    return {
        "messages": count,
        "killed": dict(chaos.killed),
        "disk_full": chaos.filled,
        "reached": {str(phase): sink.reached[phase] for phase in Phase},
        "connections": dict(sorted(sink.faults.items())),
        "phases_spared": len(set(Phase) - {Phase(name.rpartition(":")[0]) for name in sink.faults}),
        "wild_seconds": round(wild, 1),
        "seconds": round(time.monotonic() - began, 1),
        **found,
    }


class _Campaign:
    """A campaign to everybody, made and sent as staff would, whatever dies meanwhile."""

    def __init__(self, organization: Any, chaos: _Chaos) -> None:
        from salus.kernel.time import SystemClock

        self._organization, self._chaos, self._clock = organization, chaos, SystemClock()
        self._id = UUID(int=0)

    def make(self) -> None:
        """Write the message and draw the audience, in peace."""
        from salus.audiences import api as audiences
        from salus.campaigns import api as campaigns
        from salus.identity.contracts import Role
        from salus.wiring.demo.cast import member

        spec = send.specify(self._organization)
        _wait(self._engine_is_ready, self._chaos)

        def create() -> UUID:
            marketer = member(self._organization, Role.MARKETER)
            tree = {"version": 1, "where": {"record": "conditions", "code": "vs:diabetes"}}
            segment = audiences.save_segment("Chaos", tree, marketer)
            return campaigns.create(
                name="Chaos", segment_id=segment.id, versions=spec.versions, actor=marketer,
                at=self._clock.now(),
            ).id  # fmt: skip

        self._id = self._acting(create)

    def go(self) -> None:
        """Plan, approve and launch, each again until it has happened."""
        from salus.campaigns import api as campaigns
        from salus.campaigns.contracts import Status
        from salus.identity.contracts import Role
        from salus.wiring.demo.cast import member

        def step() -> bool:
            found = campaigns.campaign(self._id)
            marketer = member(self._organization, Role.MARKETER)
            match found.status:
                case Status.DRAFT:
                    campaigns.plan(self._id, actor=marketer, clock=self._clock)
                case Status.PLANNED:
                    officer = member(self._organization, Role.PRIVACY_OFFICER)
                    campaigns.approve(self._id, actor=officer, at=self._clock.now())
                case Status.APPROVED:
                    campaigns.launch(self._id, actor=marketer, at=self._clock.now())
                case Status.PLANNING:
                    pass
                case _:
                    return True
            return False

        _wait(lambda: self._acting(step), self._chaos)
        _say("  the campaign is planned, approved and launched")

    def is_done(self) -> bool:
        """Return whether nothing waits any more."""
        from salus.delivery import api as delivery

        return self._acting(lambda: not sum(delivery.waiting_by_state().values()))

    def tell(self) -> None:
        """Say where the messages are."""
        from salus.delivery import api as delivery

        _say(f"  waiting: {dict(self._acting(delivery.waiting_by_state))}")

    def _engine_is_ready(self) -> bool:
        from salus.audiences import api as audiences

        status = self._acting(audiences.engine_status)
        return status.state == "ready" and not sum((status.behind or {}).values())

    def _acting(self, work: Callable[[], T]) -> T:
        """Do something as the organization, again until the database and the engine answer."""
        from django.db import connections

        from salus.kernel.errors import Unavailable
        from salus.platform.outages import DATABASE_AWAY
        from salus.platform.tenancy import acting_for

        while True:
            try:
                with acting_for(self._organization.id):
                    return work()
            except (*DATABASE_AWAY, Unavailable):
                connections.close_all()
                self._chaos.tend()
                time.sleep(0.2)


def _wait(until: Callable[[], bool], chaos: _Chaos, every: Callable[[], None] = lambda: None) -> None:
    deadline, told = time.monotonic() + PATIENCE, time.monotonic()
    while not until():
        chaos.tend()
        time.sleep(0.2)
        if time.monotonic() > told + 30:
            told = time.monotonic()
            every()
        if told > deadline:
            raise AssertionError("it did not come to an end")


def _count(organization: UUID, taken: Mapping[UUID, int]) -> dict[str, Any]:
    """Hold what the sink took against what the database says of each message."""
    from psycopg import sql

    from salus.delivery.contracts import State
    from salus.delivery.rules import WAITING
    from salus.platform import bulk
    from salus.platform.tenancy import acting_for

    with acting_for(organization):
        rows = bulk.execute(sql.SQL("SELECT id, state, uncertain FROM delivery_message"))
        receipts = bulk.execute(
            sql.SQL(
                "SELECT message_id, bool_or((convert_from(body, 'UTF8')::jsonb->>'uncertain')::boolean) "
                "FROM delivery_receipt GROUP BY message_id"
            )
        )
    marked = {message_id: bool(uncertain) for message_id, uncertain in receipts}
    states: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for message_id, state, _ in rows:
        states[state] += 1
        times, is_marked = taken.get(message_id, 0), marked.get(message_id, False)
        most = 1 if state == State.ACCEPTED else 0
        found["accounted"] += state not in WAITING
        found["uncertain"] += is_marked
        found["without_receipt"] += message_id not in marked
        found["lost"] += state == State.ACCEPTED and not times
        found["doubled_marked"] += times > most and is_marked
        found["doubled_unmarked"] += times > most and not is_marked
    known = {message_id for message_id, *_ in rows}
    found["doubled_unmarked"] += sum(1 for each in taken if each not in known)
    names = ("accounted", "lost", "uncertain", "doubled_marked", "doubled_unmarked", "without_receipt")
    return {"states": dict(states), "taken": sum(taken.values()), **{name: found[name] for name in names}}


def _verify(environment: Mapping[str, str]) -> int:
    """Return 0 when the whole log verifies, else 1."""
    done = subprocess.run(
        [sys.executable, "-m", "salus.wiring", "audit", "verify"],
        env={**os.environ, **environment}, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        _say(done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace"))
    return int(done.returncode != 0)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
