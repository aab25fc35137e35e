"""Brings a backup back beside the live system: a home folder and a server of its own, until it is proven or thrown away."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from salus.kernel.errors import BadInput, Unavailable
from salus.platform import postgres
from salus.platform.supervisor import die_with_parent
from salus.recovery import pieces
from salus.recovery.contracts import Kind, Site, Tell
from salus.recovery.loading import load
from salus.recovery.repository import Manifest, Repository
from salus.recovery.unpacking import unpack_cluster

_HBA, _IDENT = "recovery_hba.conf", "recovery_ident.conf"
_FOREVER = 86_400.0


@dataclass(frozen=True, slots=True)
class Point:
    """Where a restore ends: at a moment, right after a transaction, or (neither) with the last of the log."""

    moment: datetime | None = None
    transaction: int | None = None

    def settings(self) -> dict[str, str]:
        """Return what tells PostgreSQL so."""
        if self.transaction is not None:
            return {"recovery_target_xid": f"'{self.transaction}'"}
        if self.moment is not None:
            return {"recovery_target_time": f"'{self.moment.astimezone(UTC).isoformat()}'"}
        return {}


@dataclass(frozen=True, slots=True)
class Beside:
    """A restored installation beside the live one; its server runs until `stop`."""

    home: Path
    cluster: postgres.Cluster
    admin_dsn: str
    """Connects to the restored database as the superuser."""
    stop: Callable[[], None]


@contextmanager
def beside(
    site: Site, repository: Repository, manifest: Manifest, point: Point, tell: Tell, *, durable: bool
) -> Iterator[Beside]:
    """Restore into `<home>/recovery/restored` and run its server; at the end it is stopped, and removed unless moved.

    The live system is not touched. Raises `Damaged`, `BadInput` or `Unavailable`.
    """
    home = site.home / "recovery" / "restored"
    home.parent.mkdir(parents=True, exist_ok=True)
    home.parent.chmod(0o711)  # as root, PostgreSQL runs under another user who must pass here
    cluster = postgres.Cluster(home, site.passwords[postgres.SUPERUSER], durable=durable)
    _clear(home, cluster)
    home.mkdir(mode=0o711)
    home.chmod(0o711)
    try:
        (home / "keys").symlink_to(site.home / "keys")
        with ExitStack() as server:
            bring_back = _from_files if manifest.kind is Kind.PHYSICAL else _from_dump
            bring_back(site, repository, manifest, point, cluster, tell)
            server.enter_context(running(cluster, cluster.place.data))
            yield Beside(home, cluster, cluster.dsn(database=site.database), server.close)
    finally:
        _clear(home, cluster)


def _from_files(
    site: Site,
    repository: Repository,
    manifest: Manifest,
    point: Point,
    cluster: postgres.Cluster,
    tell: Tell,
) -> None:
    data = cluster.place.data
    unpack_cluster(repository, manifest, data, point.moment, tell)
    with pieces.told_plainly(data):
        cluster.prepare()
        _write_recovery(data, point)
    with running(
        cluster, data, "-c", f"hba_file={data / _HBA}", "-c", f"ident_file={data / _IDENT}"
    ) as process:
        _await_promotion(cluster, process, tell)
        _take_password(cluster, site.passwords[postgres.SUPERUSER])
    for name in (_HBA, _IDENT):
        (data / name).unlink()
    cluster.prepare()  # without what was for the recovery


def _from_dump(
    site: Site,
    repository: Repository,
    manifest: Manifest,
    point: Point,
    cluster: postgres.Cluster,
    tell: Tell,
) -> None:
    with pieces.told_plainly(cluster.place.data):
        cluster.prepare()
    with running(cluster, cluster.place.data):
        load(repository, manifest, cluster.dsn(), site.database, site.passwords, tell)


def _write_recovery(data: Path, point: Point) -> None:
    """Have PostgreSQL replay the log up to the point, then open; only we may connect meanwhile, whoever we are."""
    names = {pwd.getpwuid(os.geteuid()).pw_name, postgres.SUPERUSER}
    (data / _HBA).write_text(f"local all {postgres.SUPERUSER} peer map=recovery\n")
    (data / _IDENT).write_text("".join(f"recovery {name} {postgres.SUPERUSER}\n" for name in sorted(names)))
    lines = {
        "restore_command": "'false'",  # the log is in pg_wal already
        "recovery_target_action": "promote",
        "hot_standby": "on",
        **point.settings(),
    }
    with (data / "salus.conf").open("a") as file:
        file.write("".join(f"{name} = {value}\n" for name, value in lines.items()))
    (data / "recovery.signal").touch()
    owner = postgres.system_user()
    if owner is not None:
        for path in (data, *data.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)


@contextmanager
def running(cluster: postgres.Cluster, data: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; it ends with us, even by kill -9."""
    log = data.parent / "recovery.log"
    with log.open("ab") as output:
        process: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]
            [*cluster.command(), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=data,
            process_group=0,
            preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - made before the fork, it only makes one call
            **cluster.drop_privileges(),
        )
    try:
        if not arguments:
            cluster.wait_ready(seconds=_FOREVER, alive=lambda: process.poll() is None)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(300)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_promotion(cluster: postgres.Cluster, process: subprocess.Popen[bytes], tell: Tell) -> None:
    began = time.monotonic()
    while True:
        if process.poll() is not None:
            raise _why(cluster.place.data.parent / "recovery.log")
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(_peer(cluster)) as connection:
            found = connection.execute("SELECT pg_is_in_recovery()").fetchone()
            if found and not found[0]:
                return
        tell("Replaying", int(time.monotonic() - began), 0)
        time.sleep(0.1)


def _peer(cluster: postgres.Cluster) -> str:
    return make_conninfo(
        host=str(cluster.place.socket), user=postgres.SUPERUSER, dbname="postgres", connect_timeout=5
    )


def _why(log: Path) -> BadInput | Unavailable:
    """Return what PostgreSQL said when it gave up; its log holds no values."""
    lines = log.read_text(errors="replace").splitlines()
    said = [
        found[2].strip()
        for line in lines
        if (found := re.match(r".*\b(FATAL|PANIC):(.*)", line)) and "starting up" not in line
    ]
    if any("before configured recovery target was reached" in each for each in said):
        return BadInput(
            "The write-ahead log in the backup ends before that moment.", next_step="Name an earlier one."
        )
    return Unavailable(f"PostgreSQL could not replay the backup: {said[-1] if said else 'it ended'}.")


def _take_password(cluster: postgres.Cluster, password: str) -> None:
    """Give the superuser the password of this home; the one at the time of the backup may be lost."""
    with psycopg.connect(_peer(cluster), autocommit=True) as connection:
        verifier = connection.pgconn.encrypt_password(
            password.encode(), postgres.SUPERUSER.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(postgres.SUPERUSER), sql.Literal(verifier)
            )
        )


def _clear(home: Path, cluster: postgres.Cluster) -> None:
    """Remove what an earlier restore, killed or not, left beside the live system."""
    keys = home / "keys"
    if keys.is_symlink():
        keys.unlink()
    for folder in (home, cluster.place.data.parent, cluster.place.socket):
        shutil.rmtree(folder, ignore_errors=True)
