"""`./bench journeys`: people let in and moved through ten steps, events that wake them, beside the bare rows; memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks import journeys_bare
from benchmarks.journeys_graph import one_wait, ten_steps
from benchmarks.journeys_worker import FileClock
from benchmarks.processes import usage

WORKERS, MERGED, EVENTS = 2, 2_000, 1_000
MOST_EVENTS = 50_000
TARGETS: dict[str, tuple[float, Callable[[float, float], bool]]] = {
    "step transitions/s": (5_000, float.__ge__),
    "events/s with those who wait woken": (3_000, float.__ge__),
    "cost of a transition against a tenth of the people": (1.15, float.__le__),
    "worker memory MB": (500, float.__lt__),
    "people who did not come to the end": (0, float.__le__),
}


@dataclass(frozen=True)
class Bench:
    """The organization that is measured, its processes and its clock."""

    organization: Any
    supervisor: Any
    folder: Path

    @property
    def id(self) -> UUID:
        """Return the organization's id."""
        found: UUID = self.organization.id
        return found


def run(contacts: int, json_path: str | Path | None) -> int:
    """Measure with `contacts` people and with a tenth of them; write figures and targets; 1 when one is missed."""
    from salus.wiring.home import Home
    from salus.wiring.installation import Installation

    with tempfile.TemporaryDirectory(prefix="salus-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root, PostgreSQL runs under another user who must reach its folder
        installation = Installation(Home(folder / "home"), os.environ.get("DATABASE_URL"))
        os.environ.update(installation.environment)
        with installation.running(_say) as supervisor:
            supervisor.start(installation.engine())
            figures = _measure(contacts, installation, supervisor, folder)
    whole, tenth = figures["whole"], figures["tenth"]
    values = {
        "step transitions/s": whole["transitions_per_second"],
        "events/s with those who wait woken": figures["events"]["per_second"],
        "cost of a transition against a tenth of the people": round(
            tenth["transitions_per_second"] / whole["transitions_per_second"], 3
        ),
        "worker memory MB": max(whole["worker_peak_mb"]),
        "people who did not come to the end": float(whole["waiting"]),
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


def _measure(count: int, installation: Any, supervisor: Any, folder: Path) -> dict[str, Any]:
    from salus.wiring.cli import setup

    setup()
    figures: dict[str, Any] = {"people": count, "processors": os.cpu_count(), "workers": WORKERS}
    for name, people in (("tenth", max(1, count // 10)), ("whole", count)):
        bench = Bench(_clinic(name), supervisor, folder)
        _people(bench, people)
        figures[name] = _ten_steps(bench, people)
    figures["events"] = _events(bench, min(count, MOST_EVENTS))
    bare = journeys_bare.measure(_dsn(installation), bench.id, WORKERS, count)
    bare["ratio"] = round(figures["whole"]["transitions_per_second"] / bare["transitions_per_second"], 3)
    _say(f"  the bare rows: {bare['transitions_per_second']:,}/s; ours are {bare['ratio']} of that")
    figures["bare"] = bare
    return figures


def _dsn(installation: Any) -> str:
    """Return how the administrator reaches the database."""
    from psycopg.conninfo import make_conninfo

    from salus.wiring.home import admin_dsn, database_name

    url = os.environ.get("DATABASE_URL")
    return make_conninfo(admin_dsn(installation.home, url), dbname=database_name(url))


def _clinic(name: str) -> Any:
    from salus.identity import api as identity
    from salus.kernel.vocabulary import SenderRole

    organization = identity.create_organization(
        name="Lake Clinic",
        slug=f"lake-{name}",
        sender_role=SenderRole.PROVIDER,
        postal_address="1 Shore Road, Lakepost, WA 98100",
        phone="+12065550100",
        sending_domain=f"{name}.example.org",
        time_zone="America/Chicago",
        demo=True,
    )
    identity.create_demo_staff(organization)
    return organization


def _people(bench: Bench, count: int) -> None:
    from benchmarks.audience_people import people
    from salus.audiences import api as audiences
    from salus.contacts import api as contacts
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    actor, crowd = system(bench.id, "bench"), people(count, datetime.now(UTC).date())
    while batch := list(islice(crowd, MERGED)):
        with acting_for(bench.id):
            contacts.merge(batch, actor=actor)
    while True:
        with acting_for(bench.id):
            if audiences.engine_status().state == "ready":
                return
        bench.supervisor.tend()
        time.sleep(0.1)


def _ten_steps(bench: Bench, count: int) -> dict[str, Any]:
    """Let everybody in, and move them to the end of their way."""
    from salus.journeys import api as journeys

    clock = FileClock(bench.folder / f"clock-{bench.organization.slug}")
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    clock.set(at)
    journeys.use_clock(clock)
    journey_id = _live(bench, ten_steps, at)
    began = time.perf_counter()
    journeys.enter(bench.id, journey_id)
    entering = time.perf_counter() - began
    _say(f"  {count / entering:,.0f} people let in a second")
    with _workers(bench, journey_id, clock) as workers:
        before, began = usage(workers), time.perf_counter()
        moments = _drive(bench, journey_id, clock)
        seconds, after = time.perf_counter() - began, usage(workers)
    counts = _counts(bench, journey_id)
    transitions = sum(sum(step.left.values()) for step in counts.steps.values())
    _say(f"  {count:,} people, {transitions:,} transitions: {transitions / seconds:,.0f} a second")
    return {
        "people": count,
        "entered": counts.entered,
        "waiting": counts.waiting,
        "let_in_per_second": round(count / entering, 1),
        "transitions": transitions,
        "moments": moments,
        "seconds": round(seconds, 2),
        "transitions_per_second": round(transitions / seconds, 1),
        "worker_cpu_us": round(
            sum(after[name].cpu - before[name].cpu for name in workers) / transitions * 1e6, 1
        ),
        "worker_peak_mb": [each.peak_mb for each in after.values()],
    }


def _live(bench: Bench, draw: Callable[[UUID], dict[str, Any]], at: datetime) -> UUID:
    """Return a journey that three people drew, approved and started."""
    from salus.audiences import api as audiences
    from salus.identity.contracts import Role
    from salus.journeys import api as journeys
    from salus.platform.tenancy import acting_for
    from salus.wiring.demo.cast import member

    with acting_for(bench.id):
        author, officer = (member(bench.organization, role) for role in (Role.AUTHOR, Role.PRIVACY_OFFICER))
        everybody = audiences.save_segment("Everybody", {"version": 1, "where": {"all": []}}, author)
        version = journeys.create(journeys.read(draw(everybody.id)), actor=author, at=at)
        version = journeys.submit(version.id, actor=author, at=at)
        journeys.approve(version.id, seen=version.changed_at, actor=officer, at=at)
        return journeys.go_live(version.id, actor=officer, at=at).journey_id


@contextmanager
def _workers(bench: Bench, journey_id: UUID, clock: FileClock) -> Iterator[dict[str, int]]:
    """Run workers; they end when the clock is taken away."""
    command = [
        sys.executable, "-m", "benchmarks.journeys_worker", str(bench.id), str(journey_id), str(clock.file),
    ]  # fmt: skip
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(WORKERS)]
    try:
        for each in processes:  # until they have begun, which is not measured
            assert each.stdout is not None
            if not each.stdout.readline():
                raise RuntimeError("a worker ended before there was anything to do")
        yield {f"worker {n}": each.pid for n, each in enumerate(processes)}
    finally:
        clock.file.unlink()
        for each in processes:
            each.wait(60)


def _drive(bench: Bench, journey_id: UUID, clock: FileClock) -> int:
    """Let the clock jump to when somebody is due next, whenever nobody is due; return how often."""
    moments = 0
    while True:
        due = _next_due(bench, journey_id)
        if due is None:
            return moments
        if due > clock.now():
            clock.set(due)
            moments += 1
        time.sleep(0.005)


def _next_due(bench: Bench, journey_id: UUID) -> datetime | None:
    from psycopg import sql

    from salus.platform import bulk
    from salus.platform.tenancy import acting_for

    with acting_for(bench.id):
        found = bulk.execute(
            sql.SQL(
                "SELECT due_at FROM journeys_enrolment WHERE organization_id = %s AND journey_id = %s "
                "AND fate = 'waiting' ORDER BY due_at LIMIT 1"
            ),
            [bench.id, journey_id],
        )
    return found[0][0] if found else None


def _counts(bench: Bench, journey_id: UUID) -> Any:
    from salus.journeys import api as journeys
    from salus.platform.tenancy import acting_for

    with acting_for(bench.id):
        return journeys.counts(journey_id, engaged_at=())


def _events(bench: Bench, count: int) -> dict[str, Any]:
    """Let everybody wait for a booking; let it happen to them, and move them on."""
    from salus.contacts import api as contacts
    from salus.journeys import api as journeys
    from salus.kernel.ids import new_id
    from salus.platform.tenancy import acting_for
    from salus.timeline import api as timeline
    from salus.timeline.contracts import EventKind, NewEvent

    clock = FileClock(bench.folder / "clock-events")
    at = datetime.now(UTC) + timedelta(days=90)
    clock.set(at)
    journeys.use_clock(clock)
    journey_id = _live(bench, one_wait, at)
    journeys.enter(bench.id, journey_id)
    while journeys.move(bench.id, journey_id):
        pass
    clock.set(at + timedelta(hours=1))
    with acting_for(bench.id):
        while journeys.follow():
            pass
    appending = following = 0.0
    for start in range(1, count + 1, EVENTS):
        began = time.perf_counter()
        with acting_for(bench.id):
            ids = contacts.ids_of(range(start, min(start + EVENTS, count + 1)))
            timeline.append(
                [
                    NewEvent(
                        id, EventKind.APPOINTMENT_BOOKED, clock.now(), new_id().hex, None, {"place": "desk"}
                    )
                    for id in ids.values()
                ],
                clock=clock,
            )
        appended = time.perf_counter()
        with acting_for(bench.id):
            journeys.follow()
        appending += appended - began
        following += time.perf_counter() - appended
    began = time.perf_counter()
    moved = journeys.move(bench.id, journey_id)
    while journeys.move(bench.id, journey_id):
        pass
    counts = _counts(bench, journey_id)
    woken = counts.steps["booking"].left.get("happened", 0)
    rate = round(count / (appending + following), 1)
    _say(f"  {rate:,} events a second taken in and followed; {woken:,} of {count:,} woken")
    return {
        "events": count,
        "woken": woken,
        "per_second": rate if woken == count else 0.0,
        "append_us": round(appending / count * 1e6, 1),
        "follow_us": round(following / count * 1e6, 1),
        "moved_on_in_seconds": round(time.perf_counter() - began, 2),
        "moved_first": moved,
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
