"""`./bench ground`: what keeps a clinic's ground firm: a rotation of its data key over everybody, a backup and a restore, pages under load, the log."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks import ground_audit, ground_backup, ground_pages
from benchmarks.audience_people import people
from benchmarks.processes import usage

Pids = Callable[[], Mapping[str, int]]
MERGED, BARE = 2_000, 5_000
LOOKS = 10
"""Entries of the log for each person, up to a million."""
TARGETS: dict[str, tuple[float, Callable[[float, float], bool]]] = {
    "rotation contacts/s": (20_000, float.__ge__),
    "rows left under the old key": (0, float.__le__),
    **ground_pages.TARGETS,
    **ground_backup.TARGETS,
    **ground_audit.TARGETS,
}


def run(contacts: int, json_path: str | Path | None) -> int:
    """Measure with `contacts` people; write figures and targets; 1 when a target is missed."""
    from salus.wiring.home import Home
    from salus.wiring.installation import Installation

    with tempfile.TemporaryDirectory(prefix="salus-bench-") as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs under another user who must reach its folder
        # Servers on one port share what comes in: on the usual one, another Salus of this machine would answer.
        http = f"127.0.0.1:{_free_port()}"
        installation = Installation(Home(Path(folder) / "home"), os.environ.get("DATABASE_URL"), http)
        os.environ.update(installation.environment)
        with installation.running(_say) as supervisor:
            figures = _measure(contacts, installation, supervisor)
    values = {
        "rotation contacts/s": figures["rotation"]["contacts_per_second"],
        "rows left under the old key": figures["rotation"]["left"],
        "sign-in page p99 ms": figures["pages"]["sign_in"]["p99_ms"],
        "contact page p99 ms": figures["pages"]["contact"]["p99_ms"],
        "pages that failed": figures["pages"]["sign_in"]["failed"] + figures["pages"]["contact"]["failed"],
        "backup and restore seconds": figures["backup"]["seconds"],
        "rows that did not come back": figures["backup"]["missing_rows"],
        "log entries verified/s": figures["log"]["verified_per_second"],
        "slowest search of the log ms": max(figures["log"]["search_ms"].values()),
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


def _measure(count: int, installation: Any, supervisor: Any) -> dict[str, Any]:
    from salus.wiring.cli import setup

    setup()
    from salus.kernel.acting import system
    from salus.wiring.demo.cast import clinic

    organization = clinic()
    actor = system(organization.id, "bench")
    figures: dict[str, Any] = {"contacts": count, "processors": os.cpu_count()}
    _admit(organization.id, count, actor)
    figures["rotation"] = _rotate(organization.id, count, actor, supervisor.pids)
    supervisor.start(installation.web())
    figures["pages"] = ground_pages.measure(organization, installation.http, _say)
    figures["backup"] = ground_backup.measure(organization.id, installation.home.path, _say)
    entries = min(ground_audit.MILLION, LOOKS * count)
    figures["log"] = ground_audit.measure(organization.id, entries, _say)
    return figures


def _admit(organization: UUID, count: int, actor: Any) -> None:
    from salus.contacts import api as contacts
    from salus.platform.tenancy import acting_for

    crowd = people(count, datetime.now(UTC).date())
    while batch := list(islice(crowd, MERGED)):
        with acting_for(organization):
            contacts.merge(batch, actor=actor)
    _say(f"  {count:,} people are here")


def _rotate(organization: UUID, count: int, actor: Any, pids: Pids) -> dict[str, Any]:
    """Rotate the data key, bring everything to the new one, and count what is left by the sweep."""
    from salus.keys import api as keys
    from salus.platform.tenancy import acting_for

    bare = _bare(organization)
    began = time.perf_counter()
    with acting_for(organization):
        keys.rotate("data", actor=actor)
    rotated, cpu, database = time.perf_counter(), time.process_time(), _database(pids)
    keys.reseal(organization, actor=actor)
    seconds, cpu = time.perf_counter() - rotated, time.process_time() - cpu
    with acting_for(organization):
        left = sum(each.total - each.done for each in keys.progress())
    rate = round(count / seconds, 1)
    _say(f"  {rate:,} contacts sealed anew a second; the bare library opens and seals {bare:,} in one thread")
    return {
        "seconds": round(seconds, 2),
        "begin_seconds": round(rotated - began, 3),
        "contacts_per_second": rate,
        "python_cpu_us_per_contact": round(cpu / count * 1e6, 1),
        "database_cpu_us_per_contact": round((_database(pids) - database) / count * 1e6, 1),
        "bare_per_second": bare,
        "ratio": round(rate / bare, 3),
        "left": left,
    }


def _database(pids: Pids) -> float:
    """Return the seconds of processor time that PostgreSQL has used; 0 for a server elsewhere."""
    found = usage(pids())
    return found["postgres"].cpu if "postgres" in found else 0.0


def _bare(organization: UUID) -> float:
    """Return how many documents of a thousand bytes the library opens and seals in a second."""
    from salus.keys import api as keys
    from salus.platform.tenancy import acting_for

    with acting_for(organization):
        sealer = keys.sealer()
    one = sealer.seal(bytes(1_000), b"place")
    began = time.perf_counter()
    for _ in range(BARE):
        sealer.seal(sealer.open(one, b"place"), b"place")
    return round(BARE / (time.perf_counter() - began), 1)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
