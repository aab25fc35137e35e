"""Restores: brings a backup back beside the live system, proves it, and only then puts it in the live one's place."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql

from salus.kernel.errors import BadInput, Conflict
from salus.platform import postgres
from salus.platform.supervisor import only_one
from salus.recovery import pieces, remembering, rules, witnessing
from salus.recovery.contracts import Backup, Kind, Restored, Restoring, Site, Tell
from salus.recovery.loading import load
from salus.recovery.rebuilding import Beside, Point, beside
from salus.recovery.repository import Repository

_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_HERE = -100  # AT_FDCWD


def restore(site: Site, repository: Repository, to: datetime | None, tell: Tell) -> Restored:
    """Bring the installation back to the moment `to` (None: the last one there is); it must not run.

    What was there before is put aside, not removed. Raises `BadInput` for a moment that no backup has,
    `Damaged`, `Conflict`, `Unavailable`: the live system is as it was then. Logs that do not verify do not
    stop a restore (there may be nothing else left): what is wrong with them is in the answer.
    """
    backup = rules.chosen(repository.usable(), to)
    manifest = repository.manifest(backup.id)
    if manifest.kind is Kind.LOGICAL:
        raise BadInput(
            "This backup is a dump of a server's database: it is loaded into a new database there.",
            place=manifest.id,
            next_step="Run: salus restore --database NAME",
        )
    notes = repository.witness(manifest.id)
    site.home.mkdir(parents=True, exist_ok=True)
    with (
        only_one(site.home / "salus.lock"),
        beside(site, repository, manifest, Point(moment=to), tell, durable=True) as back,
    ):
        given_up = witness(site, notes, back)
        remembering.bring(site, repository, back.home / site.erased.name)
        restoring = Restoring(manifest.id, to or backup.until, given_up)
        tell("Verifying", 0, 0)
        logs = site.examine(back.home, restoring)
        back.stop()
        with pieces.told_plainly(site.home):
            aside = _put_in_place(site, back)
    return Restored(manifest.id, restoring.to, logs, given_up, aside)


def load_dump(site: Site, repository: Repository, database: str, to: datetime | None, tell: Tell) -> Backup:
    """Load a dump into a new database of the server; after a fault it is removed again."""
    backups = [each for each in repository.usable() if each.kind is Kind.LOGICAL]
    backup = rules.chosen(backups, to)
    try:
        load(repository, repository.manifest(backup.id), site.admin_dsn, database, site.passwords, tell)
    except Conflict:
        raise
    except BaseException:
        with psycopg.connect(site.admin_dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(database)))
        raise
    return backup


def witness(site: Site, notes: Mapping[UUID, str], back: Beside) -> Mapping[UUID, int]:
    """Give a restored installation the checkpoints that its logs have to agree with; return what they give up."""
    with psycopg.connect(back.admin_dsn) as connection:
        sizes: dict[UUID, int] = dict(
            connection.execute("SELECT organization_id, size FROM audit_log").fetchall()
        )
    return witnessing.bring(site.witness, notes, sizes, back.home / "witness")


def _put_in_place(site: Site, back: Beside) -> tuple[Path, ...]:
    """Exchange the live cluster for the restored one; at any moment one of the two is whole in its place."""
    stamp = f"{datetime.now(UTC):{rules.STAMP}}"
    live = postgres.place(site.home).data
    live.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = []
    shutil.rmtree(site.home / "audience", ignore_errors=True)  # a cache, of what will not be
    ready = back.cluster.place.data.rename(live.with_name(f"data.restored-{stamp}"))
    if live.exists():
        _exchange(ready, live)
        aside.append(ready.rename(live.with_name(f"data.before-{stamp}")))
    else:
        ready.rename(live)
    (back.home / site.erased.name).replace(site.erased)
    aside += _exchange_witness(site.witness, back.home / "witness", stamp)
    if (back.home / "audience").exists():
        (back.home / "audience").rename(site.home / "audience")
    pieces.flush(live.parent)
    pieces.flush(site.home)
    return tuple(aside)


def _exchange_witness(live: Path, ready: Path, stamp: str) -> list[Path]:
    """Put the live checkpoints aside and the others in their place, file by file: it may be a disk of its own."""
    live.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = live / f"before-{stamp}"
    files = [each for each in live.iterdir() if each.is_file()]
    if files:
        aside.mkdir(mode=0o700)
    for each in files:
        each.rename(aside / each.name)
    for each in ready.iterdir():
        shutil.move(each, live / each.name)
    return [aside] if files else []


def _exchange(one: Path, other: Path) -> None:
    """Let two folders change places at once, so that no crash finds an empty place and fills it with a new cluster."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_HERE, bytes(one), _HERE, bytes(other), _EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))
