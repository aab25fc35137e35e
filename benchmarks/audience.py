"""`./bench audience`: people in, the engine's rebuild, six segments beside SQL on JSONB, memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from benchmarks.audience_import import measure
from benchmarks.audience_people import people
from benchmarks.audience_segments import cases

BATCH = 2_000
SEED = 11
"""The seed of the crowd that `audience_import` makes; record numbers begin with it."""
ROUNDS = 25
BASELINE_ROUNDS = 7
TARGETS: dict[str, tuple[float, Callable[[float, float], bool]]] = {
    "import contacts/s": (10_000, float.__ge__),
    "rebuild people/s": (50_000, float.__ge__),
    "median speed-up over SQL on JSONB": (4, float.__ge__),
    "engine memory GB": (1.5, float.__le__),
}


def run(contacts: int, json_path: str | Path | None) -> int:
    """Measure everything with `contacts` people; write figures and targets; 1 when a target is missed."""
    from salus.wiring.home import Home
    from salus.wiring.installation import Installation

    with tempfile.TemporaryDirectory(prefix="salus-bench-") as folder:
        Path(folder).chmod(0o755)
        installation = Installation(Home(Path(folder) / "home"), os.environ.get("DATABASE_URL"))
        os.environ.update(installation.environment)
        os.environ["DJANGO_SETTINGS_MODULE"] = "salus.wiring.settings"
        with installation.running(_say):
            figures = _measure(contacts, installation)
    values = {
        "import contacts/s": figures["import"]["contacts_per_second"],
        "rebuild people/s": figures["rebuild"]["people_per_second"],
        "median speed-up over SQL on JSONB": figures["median_ratio"],
        "engine memory GB": figures["memory"]["peak_gb"],
    }
    targets = {
        name: {"value": round(values[name], 3), "bar": bar, "met": met(float(values[name]), float(bar))}
        for name, (bar, met) in TARGETS.items()
    }
    if json_path:
        Path(json_path).write_text(json.dumps({"figures": figures, "targets": targets}, indent=2) + "\n")
    for name, one in targets.items():
        _say(f"{'met   ' if one['met'] else 'MISSED'} {name}: {one['value']:,} (bar {one['bar']:,})")
    return 0 if all(one["met"] for one in targets.values()) else 1


def _measure(count: int, installation: Any) -> dict[str, Any]:
    from salus.wiring.cli import setup

    setup()
    organization = _organization("Lake Clinic", "lake")
    # Yesterday at noon on the west coast: one civil date all over the country, so that SQL needs only one.
    at = (datetime.now(UTC) - timedelta(1)).replace(hour=19, minute=0, second=0, microsecond=0)
    figures: dict[str, Any] = {"contacts": count, "processors": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="salus-bench-csv-") as folder:
        figures["import"] = measure(organization, count, Path(folder), _dsn(installation))
    figures["appointments"] = _appointments(organization, count, at)
    figures["events"] = _events(organization, count, at)
    with _engine(installation) as process:
        figures["rebuild"] = _rebuild(organization, count, process.pid)
        figures["baseline"] = _baseline_table(organization, installation)
        figures["segments"] = _segments(organization, installation, at)
        figures["memory"] = _memory(process.pid)
    figures["rebuild_of_people_with_many_records"] = _rich(
        installation, max(1_000, min(100_000, count // 5)), at
    )
    folder = installation.home.path / "audience" / str(organization)
    figures["file_mb"] = round(sum(one.stat().st_size for one in folder.glob("people*")) / 1e6, 1)
    figures["median_ratio"] = statistics.median(one["ratio"] for one in figures["segments"].values())
    return figures


def _organization(name: str, slug: str) -> UUID:
    from salus.identity import api as identity
    from salus.kernel.vocabulary import SenderRole

    return identity.create_organization(
        name=name,
        slug=slug,
        sender_role=SenderRole.PROVIDER,
        postal_address="1 Shore Road, Lakepost, WA 98100",
        phone="+12065550100",
        sending_domain=f"{slug}.example.org",
        time_zone="America/Los_Angeles",
    ).id


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _appointments(organization: UUID, count: int, at: datetime) -> dict[str, Any]:
    """Give every twentieth person an appointment in the next 90 days, by record number."""
    from salus.contacts import api as contacts
    from salus.contacts.contracts import ContactPatch, Identifier
    from salus.kernel.acting import system
    from salus.kernel.phi import Phi
    from salus.platform.tenancy import acting_for

    began, actor = time.perf_counter(), system(organization, "bench")
    numbers = iter(range(0, count, 20))
    while batch := list(islice(numbers, BATCH)):
        with acting_for(organization):
            contacts.merge(
                [
                    ContactPatch(
                        identifiers=(Identifier("mrn", Phi(f"M{SEED:02d}{n:08d}")),),
                        records={
                            "appointments": (
                                {
                                    "id": "a",
                                    "date": (at.date() + timedelta(n % 90)).isoformat(),
                                    "status": "booked",
                                },
                            )
                        },
                        create=False,
                    )
                    for n in batch
                ],
                actor=actor,
            )
    return {"people": -(-count // 20), "seconds": round(time.perf_counter() - began, 2)}


def _rich(installation: Any, count: int, at: datetime) -> dict[str, Any]:
    """Build another organization's file, whose people have some fifteen records each: the heavy case."""
    from salus.contacts import api as contacts
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    organization = _organization("Deep Clinic", "deep")
    crowd, actor = people(count, at.date()), system(organization, "bench")
    while batch := list(islice(crowd, BATCH)):
        with acting_for(organization):
            contacts.merge(batch, actor=actor)
    with acting_for(organization):
        size = sum(len(raw) for _, _, _, raw in contacts.open_documents_after(0, 1_000)) // 1_000
    with _engine(installation) as process:
        return _rebuild(organization, count, process.pid) | {"document_bytes": size}


def _events(organization: UUID, count: int, at: datetime) -> dict[str, Any]:
    """Let every fifth person open messages: one to three times in the last 180 days."""
    from salus.contacts import api as contacts
    from salus.platform.tenancy import acting_for
    from salus.timeline import api as timeline
    from salus.timeline.contracts import EventKind, NewEvent

    began, appended, after = time.perf_counter(), 0, 0
    while True:
        with acting_for(organization):
            changes = contacts.changes(after, 10_000)
            events = [
                NewEvent(
                    one.contact_id,
                    EventKind.MESSAGE_OPENED,
                    at - timedelta(hours=(one.number * 37 + 911 * i) % (180 * 24)),
                    f"open-{i}",
                )
                for one in changes
                if one.number % 5 == 0
                for i in range(1 + one.number % 3)
            ]
            appended += timeline.append(events)
        if not changes:
            break
        after = changes[-1].change
    return {"events": appended, "seconds": round(time.perf_counter() - began, 2)}


@contextmanager
def _engine(installation: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(installation.engine().command, env={**os.environ, **installation.environment})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _rebuild(organization: UUID, count: int, pid: int) -> dict[str, Any]:
    """Wait until the engine has built its file from nothing, and return its own account of it."""
    from salus.audiences import api as audiences
    from salus.platform.tenancy import acting_for

    shown = 0
    while True:
        with acting_for(organization):
            status = audiences.engine_status()
        if status.state == "ready" and status.people == count:
            break
        if status.people >= shown + 100_000:
            shown = status.people
            _say(f"  {shown:,} of {status.of:,} people are in the engine")
        time.sleep(0.1)
    built = status.build
    return {
        "people": count,
        "people_per_second": round(count / built["people_seconds"], 1),
        "people_seconds": round(built["people_seconds"], 2),
        "feeds_seconds": round(built["feeds_seconds"], 2),
        "all_seconds": round(built["seconds"], 2),
        "engine_cpu_us_per_person": round(_cpu_seconds(pid) / count * 1e6, 1),
    }


def _baseline_table(organization: UUID, installation: Any) -> dict[str, Any]:
    """Put the same people, opened, into one JSONB column of the same PostgreSQL: the thing to beat."""
    import psycopg

    from salus.contacts import api as contacts
    from salus.platform.tenancy import acting_for
    from salus.timeline import api as timeline

    happened: dict[UUID, list[dict[str, str]]] = {}
    after, began = 0, time.perf_counter()
    while True:
        with acting_for(organization):
            events = timeline.events_since(after, 20_000)
        if not events:
            break
        after = events[-1].number
        for one in events:
            happened.setdefault(one.contact_id, []).append({"kind": one.kind.value, "at": one.at.isoformat()})
    with psycopg.connect(_dsn(installation)) as connection:
        connection.execute("CREATE UNLOGGED TABLE bench_people (number bigint, doc jsonb)")
        last = 0
        with connection.cursor().copy("COPY bench_people (number, doc) FROM STDIN") as copy:
            while True:
                with acting_for(organization):
                    documents = list(contacts.open_documents_after(last, 10_000))
                if not documents:
                    break
                last = documents[-1][0]
                for number, contact_id, _, raw in documents:
                    some = happened.get(contact_id)
                    text = raw[:-1] + b',"events":' + json.dumps(some).encode() + b"}" if some else raw
                    copy.write_row((number, text.decode()))
    with psycopg.connect(_dsn(installation), autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) bench_people")
        (size,) = connection.execute("SELECT pg_total_relation_size('bench_people')").fetchone() or (0,)
    return {"seconds": round(time.perf_counter() - began, 1), "table_mb": round(size / 1e6, 1)}


def _dsn(installation: Any) -> str:
    from psycopg.conninfo import make_conninfo

    from salus.wiring.home import admin_dsn, database_name

    return make_conninfo(
        admin_dsn(installation.home, installation.database_url),
        dbname=database_name(installation.database_url),
    )


def _segments(organization: UUID, installation: Any, at: datetime) -> dict[str, Any]:
    import psycopg

    from salus.audiences import api as audiences
    from salus.kernel.time import FakeClock
    from salus.platform.tenancy import acting_for

    clock = FakeClock(at)
    found: dict[str, dict[str, Any]] = {}
    today = at.astimezone(ZoneInfo("America/Los_Angeles")).date()
    with psycopg.connect(_dsn(installation), autocommit=True) as connection:
        for case in cases(at, today):
            tree = {"version": 1, "where": case.where}
            statement = f"SELECT count(*) FROM bench_people WHERE {case.sql}"
            with acting_for(organization):
                people_in = audiences.count(tree, clock=clock).people
                ours = _times(partial(audiences.count, tree, clock=clock), ROUNDS)
            row = connection.execute(statement, case.parameters).fetchone()
            theirs = _times(partial(_fetch, connection, statement, case.parameters), BASELINE_ROUNDS)
            if row is None or row[0] != people_in:
                raise AssertionError(f"{case.name}: the engine counts {people_in}, SQL on JSONB {row}")
            found[case.name] = {
                "people": people_in,
                "engine": _figures(ours),
                "jsonb": _figures(theirs),
                "ratio": round(statistics.median(theirs) / statistics.median(ours), 2),
            }
            _say(f"  {case.name}: {people_in:,} people, {found[case.name]['engine']['p50_ms']} ms, "
                 f"JSONB {found[case.name]['jsonb']['p50_ms']} ms")  # fmt: skip
    return found


def _fetch(connection: Any, statement: str, parameters: dict[str, Any]) -> Any:
    return connection.execute(statement, parameters).fetchone()


def _times(act: Callable[[], Any], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return times


def _figures(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "p50_ms": round(statistics.median(ordered) * 1_000, 1),
        "p95_ms": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))] * 1_000, 1),
    }


def _cpu_seconds(pid: int) -> float:
    """Return the processor time of a process so far: it says what a busy machine's clock cannot."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> dict[str, float]:
    """Return what the engine's process used at most, and now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    facts = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmHWM", "VmRSS"))}
    return {"peak_gb": round(int(facts["VmHWM"]) / 1e6, 3), "now_gb": round(int(facts["VmRSS"]) / 1e6, 3)}


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
