"""Takes backups: a base with the write-ahead log after it, or a dump under one snapshot."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from salus import __version__
from salus.kernel.errors import BadInput, Conflict, Unavailable
from salus.platform import postgres
from salus.recovery import pieces, rules
from salus.recovery.contracts import Kind, Site, Tell
from salus.recovery.replication import SEGMENT, Replication, lsn, lsn_text
from salus.recovery.repository import Manifest, Repository

LONGEST_PIECE = 256 << 20
"""Bytes of write-ahead log in one piece: what an interruption costs at most."""
Witness = Callable[[], Mapping[UUID, str]]


def take(site: Site, repository: Repository, witness: Witness, tell: Tell, *, base: bool = False) -> Manifest:
    """Bring the backups in a directory up to now, and return the manifest of the one that reaches to now.

    What is new in the write-ahead log follows the last base; a new base is made when there is none that it
    could follow, or when one is asked for. Raises `Unavailable`: nothing half is left that would count.
    """
    if not site.embedded:
        return _dump(site, repository, witness, tell)
    previous = _following(site, repository)
    if previous and not base:
        _follow(site, repository, previous, tell)
        repository.keep_witness(repository.directory / previous.id, dict(witness()))
        return previous
    return _base(site, repository, previous, witness, tell)


def _following(site: Site, repository: Repository) -> Manifest | None:
    """Return the last base if what is new in the write-ahead log can follow it, else None."""
    last = repository.newest()
    if last is None or last.kind is not Kind.PHYSICAL:
        return None
    with Replication(site.admin_dsn) as replication:
        system, timeline = replication.identify()
    if (last.system, last.timeline) != (system, timeline):
        return None
    with psycopg.connect(site.admin_dsn, autocommit=True) as connection:
        slot = connection.execute(
            "SELECT restart_lsn::text FROM pg_replication_slots WHERE slot_name = %s AND wal_status <> 'lost'",
            [repository.slot],
        ).fetchone()
    try:
        reached = _reached(repository, last)
    except BadInput:
        return None  # a piece is missing: what would follow it could not be brought back
    # What the slot does not keep may be gone already, or be gone while we read.
    return last if slot and slot[0] and lsn(slot[0]) // SEGMENT * SEGMENT <= reached else None


def _reached(repository: Repository, manifest: Manifest) -> int:
    found = rules.chain(repository.wal(manifest.id), manifest.start, None)
    return found[-1].end if found else manifest.start


def _base(
    site: Site, repository: Repository, previous: Manifest | None, witness: Witness, tell: Tell
) -> Manifest:
    with psycopg.connect(site.admin_dsn, autocommit=True) as connection:
        made_at, version, size = _one(
            connection,
            "SELECT clock_timestamp(), current_setting('server_version'), "
            "(SELECT sum(pg_database_size(oid)) FROM pg_database)",
        )
        if previous:
            _follow(site, repository, previous, tell)
            start = _reached(repository, previous) // SEGMENT * SEGMENT
        else:
            connection.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                "WHERE slot_name = %s OR (slot_name LIKE 'salus\\_backup\\_%%' AND wal_status = 'lost')",
                [repository.slot],
            )
            place = _new_slot(connection, repository.slot)
            start = lsn(place) // SEGMENT * SEGMENT
        name = f"{made_at.astimezone(UTC):{rules.STAMP}}"
        folder = repository.begin(name)
        try:
            _copy_cluster(site, folder / "base.sealed", f"{name}/base", int(size), tell)
            (stop,) = _one(connection, "SELECT pg_current_wal_insert_lsn()::text")
            with Replication(site.admin_dsn) as replication:
                system, timeline = replication.identify()
            written = _fetch(site, folder / "wal", start, timeline, system, made_at.astimezone(UTC), tell)
            if previous:  # so that no moment lies between what the two bring back
                for each in written:
                    _also(each, repository.directory / previous.id / "wal")
            manifest = Manifest(
                id=name,
                kind=Kind.PHYSICAL,
                system=system,
                timeline=timeline,
                start=start,
                stop=lsn(stop),
                made_at=made_at.astimezone(UTC),
                whole_at=_closed(written),
                salus=__version__,
                postgres=version,
            )
            repository.keep_witness(folder, dict(witness()))
            repository.complete(manifest, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _release(connection, repository.slot, written)
    return manifest


def _new_slot(connection: psycopg.Connection, slot: str) -> str:
    """Have PostgreSQL keep its log from here on until it is fetched."""
    connection.execute("CHECKPOINT")  # the log is kept from the last one on, and that may be gigabytes ago
    try:
        (place,) = _one(
            connection, "SELECT lsn::text FROM pg_create_physical_replication_slot(%s, true)", [slot]
        )
    except psycopg.errors.ConfigurationLimitExceeded:
        raise Unavailable(
            "PostgreSQL keeps its log for as many folders of backups as it can.",
            next_step="Let go of a folder that is not used any more: "
            "SELECT pg_drop_replication_slot(slot_name); the names are in pg_replication_slots.",
        ) from None
    return str(place)


def _follow(site: Site, repository: Repository, manifest: Manifest, tell: Tell) -> None:
    """Fetch what the write-ahead log has after the last piece of a backup."""
    folder = repository.directory / manifest.id / "wal"
    found = rules.chain(repository.wal(manifest.id), manifest.start, None)
    known = max(manifest.made_at, *(each.closed_at for each in found))
    reached = _reached(repository, manifest)
    written = _fetch(site, folder, reached, manifest.timeline, manifest.system, known, tell)
    with psycopg.connect(site.admin_dsn, autocommit=True) as connection:
        _release(connection, repository.slot, written)


def _release(connection: psycopg.Connection, slot: str, written: list[Path]) -> None:
    """Let PostgreSQL remove what is whole in the directory."""
    ends = [found.end for each in written if (found := rules.parse_wal_file(each.name))]
    if ends:
        connection.execute(
            "SELECT pg_replication_slot_advance(slot_name, least(%s::pg_lsn, pg_current_wal_flush_lsn())) "
            "FROM pg_replication_slots WHERE slot_name = %s AND restart_lsn < %s::pg_lsn",
            [lsn_text(max(ends)), slot, lsn_text(max(ends))],
        )


def close_moment(connection: psycopg.Connection) -> tuple[datetime, int, int]:
    """Commit a transaction that changes nothing; return when, its id, and up to where the log holds it.

    A restore to a moment looks for a commit after it: without this one the last minutes of a quiet night
    could not be asked for.
    """
    with connection.transaction():
        connection.execute("SET LOCAL synchronous_commit = on")
        at, number, _ = _one(
            connection,
            "SELECT clock_timestamp(), pg_current_xact_id()::text::bigint, "
            "pg_logical_emit_message(true, 'salus-backup', '')",
        )
    (place,) = _one(connection, "SELECT pg_current_wal_flush_lsn()::text")
    return at.astimezone(UTC), number, lsn(place)


def _fetch(
    site: Site, folder: Path, start: int, timeline: int, system: str, known: datetime, tell: Tell
) -> list[Path]:
    """Write the log from `start` to now in sealed pieces; return their files.

    The last one holds this moment. Of the others it is only known that they end after `known`.
    """
    with psycopg.connect(site.admin_dsn, autocommit=True) as connection:
        closed_at, _, until = close_moment(connection)
    written: list[Path] = []
    with Replication(site.admin_dsn) as replication:
        arriving = replication.stream(start, timeline)
        place = start
        while place < until:
            with pieces.writing(folder / "next", wal_name(system, timeline, place)) as draft:
                for at, data in arriving:
                    draft.write(data)
                    tell("Write-ahead log", at + len(data) - start, until - start)
                    if at + len(data) >= until or draft.length >= LONGEST_PIECE:
                        break
                end = place + draft.length
                moment = closed_at if end >= until else known
                draft.path = folder / rules.wal_file(timeline, place, end, moment)
            written.append(draft.path)
            place = end
    return written


def wal_name(system: str, timeline: int, start: int) -> str:
    """Return under which name a piece of write-ahead log is sealed."""
    return f"wal/{system}/{timeline}/{start:016X}"


def _closed(written: list[Path]) -> datetime:
    found = [piece.closed_at for each in written if (piece := rules.parse_wal_file(each.name))]
    if not found:
        raise Unavailable("PostgreSQL gave no write-ahead log.", next_step="Run it again.")
    return max(found)


def _also(path: Path, folder: Path) -> None:
    """Have the same piece in another folder: by a link where the disk has them."""
    target = folder / path.name
    try:
        os.link(path, target)
    except FileExistsError:
        return
    except OSError:
        partial = target.with_name(f".{target.name}.partial")
        shutil.copyfile(path, partial)
        partial.replace(target)
    pieces.flush(folder)


def _dump(site: Site, repository: Repository, witness: Witness, tell: Tell) -> Manifest:
    with psycopg.connect(make_conninfo(site.admin_dsn, dbname=site.database)) as connection:
        return dump(site, repository, connection, witness, tell)


def dump(
    site: Site, repository: Repository, connection: psycopg.Connection, witness: Witness, tell: Tell
) -> Manifest:
    """Dump the database that DATABASE_URL names, all of it under one snapshot: `connection` sees the same after it."""
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    snapshot, at, version, size = _one(
        connection,
        "SELECT pg_export_snapshot(), clock_timestamp(), current_setting('server_version'), "
        "pg_database_size(current_database())",
    )
    name = f"{at.astimezone(UTC):{rules.STAMP}}"
    folder = repository.begin(name)
    command = [str(postgres.binaries() / "pg_dump"), "--format=plain", f"--snapshot={snapshot}"]
    command += [
        "--no-publications",
        "--no-subscriptions",
        f"--dbname={without_password(site.admin_dsn, site.database)}",
    ]
    try:
        _pipe(site, command, folder / "base.sealed", f"{name}/base", "Database", int(size), tell)
        moment_at = at.astimezone(UTC)
        manifest = Manifest(name, Kind.LOGICAL, "", 0, 0, 0, moment_at, moment_at, __version__, version)
        repository.keep_witness(folder, dict(witness()))
        repository.complete(manifest, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return manifest


def _copy_cluster(site: Site, path: Path, name: str, size: int, tell: Tell) -> None:
    command = [str(postgres.binaries() / "pg_basebackup"), "--pgdata=-", "--format=tar", "--wal-method=none"]
    command += ["--checkpoint=fast", "--no-manifest", f"--dbname={without_password(site.admin_dsn)}"]
    _pipe(site, command, path, name, "Cluster", size, tell)


def _pipe(site: Site, command: list[str], path: Path, name: str, words: str, size: int, tell: Tell) -> None:
    """Seal what a program writes; raises `Unavailable` with its last words when it fails."""
    with pieces.writing(path, name) as draft, _running(site, command) as process:
        assert process.stdout is not None
        while block := process.stdout.read(pieces.BLOCK):
            draft.write(block)
            tell(words, draft.length, max(size, draft.length))


@contextmanager
def _running(site: Site, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    password = str(conninfo_to_dict(site.admin_dsn).get("password") or "")
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PGPASSWORD": password},
    )
    assert process.stderr is not None
    try:
        yield process
        said = process.stderr.read().decode(errors="replace").strip().splitlines()
        if process.wait():
            if any("row-level security" in each for each in said):
                raise Unavailable(
                    "The database user may not read every row, so that a dump of it would lack some.",
                    kept="Nothing was written.",
                    next_step="Name one in DATABASE_URL that is a superuser or has BYPASSRLS.",
                )
            raise Unavailable(
                f"The copy of the database did not end well: {said[-1] if said else process.returncode}",
                kept="What was whole before still is.",
                next_step="Run it again.",
            )
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


def without_password(dsn: str, database: str = "") -> str:
    """Return how to connect without the password, for a command line; PGPASSWORD has it."""
    given: dict[str, Any] = {**conninfo_to_dict(dsn), "password": None}
    if database:
        given["dbname"] = database
    return make_conninfo(**given)


def _one(connection: psycopg.Connection, statement: str, values: list[Any] | None = None) -> tuple[Any, ...]:
    found = connection.execute(statement, values).fetchone()
    if found is None:
        raise Conflict("The database changed meanwhile.", next_step="Run it again.")
    return found
