"""The drill: restores beside the live system, compares everything, and says what does not agree (45 CFR 164.308(a)(7)(ii)(D))."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo

from salus.recovery import comparing, remembering, rules, taking
from salus.recovery.contracts import Drill, Examined, Site, Table, Tell
from salus.recovery.rebuilding import Beside, Point, beside
from salus.recovery.repository import Manifest, Repository
from salus.recovery.restoring import witness

LiveRoot = Callable[[UUID, int], str]
"""Returns the root of a live log's first entries, in hexadecimal digits."""


def drill(
    site: Site, repository: Repository, notes: taking.Witness, live_root: LiveRoot, tell: Tell
) -> Drill:
    """Bring the backup up to now, restore it beside, compare every table and every log, throw the copy away.

    The point in time is enclosed by two snapshots of the live system, taken milliseconds apart: what did not
    change between them has to be the same to the last byte.
    """
    began, at = time.monotonic(), datetime.now(UTC)
    compare = _physical if site.embedded else _logical
    manifest, tables, logs = compare(site, repository, notes, tell)
    return Drill(
        at=at,
        seconds=round(time.monotonic() - began, 1),
        backup=manifest.id,
        tables=tables,
        logs=logs,
        faults=(*_of_tables(tables), *_of_logs(logs, live_root)),
    )


def _physical(
    site: Site, repository: Repository, notes: taking.Witness, tell: Tell
) -> tuple[Manifest, tuple[Table, ...], tuple[Examined, ...]]:
    taking.take(site, repository, notes, tell)  # the base, if there is none, is before the point in time
    with comparing.moment(site.admin_dsn, site.database) as moment:
        manifest = taking.take(site, repository, notes, tell)
        first = comparing.count(moment.before, tell, "Counting")
        second = first if moment.still else comparing.count(moment.after, tell, "Counting")
    point = Point(transaction=moment.transaction)
    with beside(site, repository, manifest, point, tell, durable=False) as back:
        return manifest, *_look(site, repository, manifest, back, (first, second), tell)


def _logical(
    site: Site, repository: Repository, notes: taking.Witness, tell: Tell
) -> tuple[Manifest, tuple[Table, ...], tuple[Examined, ...]]:
    with psycopg.connect(make_conninfo(site.admin_dsn, dbname=site.database)) as connection:
        manifest = taking.dump(site, repository, connection, notes, tell)
        counts = comparing.count(connection, tell, "Counting")
    with beside(site, repository, manifest, Point(), tell, durable=False) as back:
        return manifest, *_look(site, repository, manifest, back, (counts, counts), tell)


def _look(
    site: Site,
    repository: Repository,
    manifest: Manifest,
    back: Beside,
    live: tuple[comparing.Counts, comparing.Counts],
    tell: Tell,
) -> tuple[tuple[Table, ...], tuple[Examined, ...]]:
    with psycopg.connect(back.admin_dsn) as connection:
        restored = comparing.count(connection, tell, "Comparing")
    witness(site, repository.witness(manifest.id), back)
    remembering.bring(site, repository, back.home / site.erased.name)
    tell("Verifying", 0, 0)
    return comparing.tables(*live, restored), site.examine(back.home, None)


def _of_tables(tables: tuple[Table, ...]) -> list[str]:
    return [
        f"{each.name}: {each.restored:,} rows were restored of {each.most:,}"
        if not each.least <= each.restored <= each.most
        else f"{each.name}: rows were restored with other contents"
        for each in tables
        if not each.agrees
    ]


def _of_logs(logs: tuple[Examined, ...], live_root: LiveRoot) -> list[str]:
    found = []
    for each in logs:
        who = f"organization {each.organization_id}"
        found += [f"{who}, audit log: {what}" for what in each.faults]
        if each.entries and live_root(each.organization_id, each.entries) != each.root:
            found.append(f"{who}, audit log: its root over {each.entries:,} entries is not the live one's")
        if each.erased_again:
            found.append(f"{who}: {each.erased_again:,} people who were erased came back")
        if each.engine_people != each.contacts:
            found.append(f"{who}: the engine has {each.engine_people:,} people of {each.contacts:,}")
    return found


def file_report(found: Drill, directory: Path) -> Path:
    """Write the evidence of a drill as JSON and return its file; it holds counts, roots and times, no PHI."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / f"drill-{found.at:{rules.STAMP}}.json"
    facts = {
        "what": "Restore drill: testing of the contingency plan, 45 CFR 164.308(a)(7)(ii)(D)",
        "keep": "six years from this date, 45 CFR 164.316(b)(2)(i)",
        "passed": not found.faults,
        "rows": found.rows,
        **asdict(found),
    }
    text = json.dumps(facts, indent=2, default=str) + "\n"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path
