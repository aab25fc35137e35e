"""What is backed up comes back as of any moment since; what is damaged comes back not at all."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from salus.kernel.errors import BadInput, Conflict
from salus.keys import api as keys
from salus.keys.contracts import Damaged
from salus.platform import postgres
from salus.recovery import api as recovery
from salus.recovery.contracts import Site
from salus.recovery.rebuilding import running
from salus.wiring.home import Home
from salus.wiring.recovering import site as site_of

from .conftest import Change, admit, cut, flip, now


@pytest.fixture
def elsewhere() -> Iterator[Home]:
    """The home folder on a new machine, with the key file back from paper, and nothing else."""
    folder = Path(tempfile.mkdtemp(prefix="salus-elsewhere-"))
    folder.chmod(0o755)  # as root, PostgreSQL runs under another user who must reach its folder
    home = Home(folder / "home")
    _, shares = keys.make_recovery_kit(shares=3, threshold=2)
    keys.recover_key_file(shares[1:], home.keys)
    yield home
    for each in (postgres.place(home.path).data.parent, folder):
        shutil.rmtree(each, ignore_errors=True)


def unexamined(home: Home) -> Site:
    """A site whose restored copy is taken as it is: another test examines one."""
    return replace(site_of(home, None), examine=lambda folder, restoring: ())


def people(home: Home, organization_id: UUID) -> int:
    """Start the server of a home and count the clinic's people."""
    return int(
        rows(home, "SELECT count(*) FROM contacts_contact WHERE organization_id = %s", organization_id)[0][0]
    )


def rows(home: Home, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with served(home) as dsn, psycopg.connect(dsn) as connection:
        return connection.execute(statement, values).fetchall()


@contextmanager
def served(home: Home) -> Iterator[str]:
    cluster = postgres.Cluster(home.path, home.password(postgres.SUPERUSER))
    cluster.prepare()
    with running(cluster, cluster.place.data):
        yield cluster.dsn(database=postgres.DATABASE)


@pytest.mark.slow
def test_a_lost_machine_comes_back_as_of_any_moment(
    site: Site, clinic: UUID, vault: Path, elsewhere: Home
) -> None:
    recovery.back_up(site, vault)
    admit(clinic, 2)
    quiet = now(site)
    admit(clinic, 4)
    latest = recovery.back_up(site, vault)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "salus.wiring",
            "restore",
            "--directory",
            str(vault),
            "--to",
            quiet.isoformat(),
        ],
        env={**os.environ, "SALUS_HOME": str(elsewhere.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"backup {latest.id}" in done.stdout
    assert "engine rebuilt with 7 people" in done.stdout
    assert "NOT VERIFIED" not in done.stdout
    assert "given up" in done.stdout
    found = rows(
        elsewhere,
        "SELECT (SELECT count(*) FROM contacts_contact WHERE organization_id = run.organization_id), "
        "passed, facts->>'backup', (facts->>'given_up')::int FROM recovery_run AS run "
        "WHERE event = 'restore' AND organization_id = %s",
        clinic,
    )
    assert found[0][:3] == (7, True, latest.id)
    assert found[0][3] > 0

    # The same folder again, over what is there now: it is put aside, and the live data are the newer ones.
    restored = recovery.restore(unexamined(elsewhere), vault)
    assert people(elsewhere, clinic) == 11
    assert any(path.name.startswith("data.before-") and path.is_dir() for path in restored.aside)
    assert not (elsewhere.path / "recovery" / "restored").exists()


def test_between_two_bases_no_moment_is_lost(site: Site, clinic: UUID, vault: Path, elsewhere: Home) -> None:
    first = recovery.back_up(site, vault)
    admit(clinic, 1)
    second = recovery.back_up(site, vault, base=True)
    older, newer = recovery.backups(vault)
    assert (older.id, newer.id) == (first.id, second.id)
    assert older.until >= newer.whole_at
    shutil.rmtree(vault / second.id)
    recovery.restore(unexamined(elsewhere), vault)
    assert people(elsewhere, clinic) == 6


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("base.sealed", flip),
        ("base.sealed", cut),
        ("base.sealed", Path.unlink),
        ("manifest.sealed", flip),
        ("witness.sealed", flip),
        ("wal", flip),
        ("wal", cut),
        ("wal", Path.unlink),
    ],
)
def test_a_damaged_backup_brings_nothing_back(
    what: str, change: Change, site: Site, clinic: UUID, vault: Path, elsewhere: Home
) -> None:
    backup = recovery.back_up(site, vault)
    place = vault / backup.id / what
    change(next(place.iterdir()) if place.is_dir() else place)
    with pytest.raises((Damaged, BadInput)):
        recovery.restore(site_of(elsewhere, None), vault)
    assert not postgres.place(elsewhere.path).data.exists()
    assert not (elsewhere.path / "recovery" / "restored").exists()


def test_a_piece_that_is_missing_in_the_middle_is_named(
    site: Site, clinic: UUID, vault: Path, elsewhere: Home
) -> None:
    backup = recovery.back_up(site, vault)
    recovery.back_up(site, vault)
    recovery.back_up(site, vault)
    wal = sorted((vault / backup.id / "wal").iterdir())
    wal[1].unlink()
    with pytest.raises(BadInput, match="lacks the write-ahead log before"):
        recovery.restore(site_of(elsewhere, None), vault)


def test_a_damaged_backup_stops_neither_the_next_nor_a_restore_of_another(
    site: Site, clinic: UUID, vault: Path, elsewhere: Home
) -> None:
    first = recovery.back_up(site, vault)
    flip(vault / first.id / "manifest.sealed")
    second = recovery.back_up(site, vault)
    assert second.id != first.id
    next((vault / second.id / "wal").iterdir()).unlink()
    third = recovery.back_up(site, vault)
    assert third.id not in {first.id, second.id}
    assert recovery.restore(unexamined(elsewhere), vault).backup == third.id
    with pytest.raises(Damaged):
        recovery.backups(vault)


def test_a_moment_that_is_not_there_is_refused(
    site: Site, clinic: UUID, vault: Path, elsewhere: Home
) -> None:
    backup = recovery.back_up(site, vault)
    for to in (backup.made_at - timedelta(hours=1), backup.until + timedelta(hours=1)):
        with pytest.raises(BadInput, match="No backup brings back"):
            recovery.restore(site_of(elsewhere, None), vault, to=to)


def test_an_installation_that_runs_is_not_restored(site: Site, clinic: UUID, vault: Path) -> None:
    from salus.platform.supervisor import only_one

    recovery.back_up(site, vault)
    with only_one(site.home / "salus.lock"), pytest.raises(Conflict, match="Stop it first"):
        recovery.restore(site, vault)


def test_a_backup_that_is_killed_counts_for_nothing(site: Site, clinic: UUID, vault: Path) -> None:
    whole = recovery.back_up(site, vault)
    process = subprocess.Popen(
        [sys.executable, "-m", "salus.wiring", "backup", "--base", "--directory", str(vault)],
        env={**os.environ, "SALUS_HOME": str(site.home)},
    )
    while not (found := list(vault.glob("*.partial/.base.sealed.partial"))):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert found
    assert [each.id for each in recovery.backups(vault)] == [whole.id]
    assert recovery.back_up(site, vault).id == whole.id
    assert recovery.back_up(site, vault, base=True).id != whole.id
    assert not list(vault.glob("*.partial"))


def test_two_backups_do_not_mix(site: Site, clinic: UUID, vault: Path) -> None:
    from salus.recovery.repository import Repository

    recovery.back_up(site, vault)
    with Repository(vault).locked(), pytest.raises(Conflict, match="Wait for its end"):
        recovery.back_up(site, vault)


def test_other_folders_are_refused(site: Site, vault: Path) -> None:
    vault.mkdir()
    (vault / "letter.txt").write_text("mine")
    with pytest.raises(BadInput, match="holds other things"):
        recovery.back_up(site, vault)
    with pytest.raises(BadInput, match="no backups of Salus"):
        recovery.backups(vault)
    with pytest.raises(BadInput, match="inside the installation"):
        recovery.back_up(site, site.home / "backups")
    assert [each.name for each in vault.iterdir()] == ["letter.txt"]


def test_a_slot_that_the_server_lost_leads_to_a_new_base(site: Site, clinic: UUID, vault: Path) -> None:
    first = recovery.back_up(site, vault)
    with psycopg.connect(site.admin_dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active"
        )
    second = recovery.back_up(site, vault)
    assert second.id != first.id


def test_nothing_of_a_backup_can_be_read(site: Site, clinic: UUID, vault: Path) -> None:
    recovery.back_up(site, vault)
    with psycopg.connect(site.admin_dsn, dbname=site.database) as connection:
        slug = connection.execute("SELECT slug FROM identity_organization LIMIT 1").fetchone()
    assert slug
    for path in vault.rglob("*"):
        if path.is_file():
            assert slug[0].encode() not in path.read_bytes(), path.name
            assert path.stat().st_mode & 0o077 == 0 or path.name in {"salus-backups", "lock"}
