"""Who was erased stays erased: after a restore to a moment before, on a new machine, and by other means than ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from procrastinate.contrib.django.models import ProcrastinateJob
from psycopg.conninfo import make_conninfo

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.ids import new_id
from salus.kernel.time import SystemClock
from salus.keys import api as keys
from salus.keys.contracts import Damaged
from salus.platform import postgres
from salus.platform.tenancy import acting_for
from salus.privacy import api as privacy
from salus.privacy.contracts import Kind, Status
from salus.recovery import api as recovery
from salus.recovery.contracts import Site
from salus.wiring.home import Home
from salus.wiring.person import PACKAGES
from salus.wiring.recovering import site as site_of
from tests.conftest import World

from .conftest import flip, now, sign
from .test_restoring import rows, unexamined

BACK = "salus_erased_again"


@pytest.fixture
def elsewhere() -> Iterator[Home]:
    """A new machine with the key file back from paper, and nothing else."""
    folder = Path(tempfile.mkdtemp(prefix="salus-elsewhere-"))
    folder.chmod(0o755)
    home = Home(folder / "home")
    _, shares = keys.make_recovery_kit(shares=3, threshold=2)
    keys.recover_key_file(shares[1:], home.keys)
    yield home
    for each in (postgres.place(home.path).data.parent, folder):
        shutil.rmtree(each, ignore_errors=True)


def erase_one(clinic: UUID) -> UUID:
    """Erase somebody of the clinic as the privacy office does; return who it was."""
    privacy.use_packages(PACKAGES)
    clock = SystemClock()
    officer = Actor(
        ActorKind.STAFF, clinic, new_id(), permissions=frozenset({Permission.PRIVACY_REQUEST_DO.value})
    )
    with acting_for(clinic):
        (_, person), *_ = contacts.ids_after(0, 1)
        at = clock.now()
        id = privacy.receive(person, Kind.ERASURE, note="", received_at=at, actor=officer, at=at)
        privacy.approve(id, actor=officer, at=at)
    privacy.erase(clinic, id, actor=officer, clock=clock)
    sign(clinic)
    return person


def salus(home: Home, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "salus.wiring", *words],
        env={**os.environ, "SALUS_HOME": str(home.path), **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_restore_to_a_moment_before_an_erasure_does_not_bring_the_person_back(
    site: Site, clinic: UUID, vault: Path, elsewhere: Home, tmp_path: Path
) -> None:
    recovery.back_up(site, vault)
    before = now(site)
    person = erase_one(clinic)
    recovery.back_up(site, vault)
    assert str(person).encode() not in b"".join(
        each.read_bytes() for each in vault.rglob("*") if each.is_file()
    )
    found, _ = recovery.drill(site, vault, tmp_path / "evidence")
    assert found.faults == ()
    (mine,) = [each for each in found.logs if each.organization_id == clinic]
    assert (mine.erasures, mine.erased_again, mine.contacts) == (1, 0, 4)

    done = salus(elsewhere, "restore", "--directory", str(vault), "--to", before.isoformat())
    assert done.returncode == 0, done.stderr
    assert "erased again: 1 people" in done.stdout
    assert "engine rebuilt with 4 people" in done.stdout
    assert str(person) in elsewhere.erased.read_text()
    (facts,) = rows(
        elsewhere,
        "SELECT (SELECT count(*) FROM contacts_contact WHERE organization_id = run.organization_id "
        "AND erased_at IS NULL), (SELECT erased_at IS NOT NULL FROM contacts_contact WHERE id = %s), "
        "(SELECT status FROM privacy_request WHERE contact_id = %s), "
        "(SELECT count(*) FROM privacy_step WHERE organization_id = run.organization_id) = %s, "
        "(SELECT count(*) FROM permissions_barred WHERE organization_id = run.organization_id), "
        "(facts->>'erased_again')::int FROM recovery_run AS run WHERE event = 'restore' AND organization_id = %s",
        person, person, len(PACKAGES), clinic,
    )  # fmt: skip
    assert facts[:4] == (4, True, "done", True)
    assert facts[5] == 1


def test_what_the_live_system_knows_counts_although_no_backup_has_it(
    site: Site, clinic: UUID, vault: Path
) -> None:
    recovery.back_up(site, vault)
    person = erase_one(clinic)
    from salus.recovery import remembering
    from salus.recovery.repository import Repository

    target = vault.parent / "erased"
    with Repository(vault).locked() as repository:
        assert not any(str(person) in each for each in repository.erased())
        remembering.bring(site, repository, target)
    assert str(person) in target.read_text()
    assert target.stat().st_mode & 0o077 == 0


def test_a_list_that_does_not_open_stops_the_restore(
    site: Site, clinic: UUID, vault: Path, elsewhere: Home
) -> None:
    erase_one(clinic)
    recovery.back_up(site, vault)
    flip(vault / "erased.sealed")
    with pytest.raises(Damaged):
        recovery.restore(unexamined(elsewhere), vault)
    assert not postgres.place(elsewhere.path).data.exists()


def test_who_came_back_by_other_means_is_erased_by_the_round(database: World, clinic: UUID) -> None:
    person = erase_one(clinic)
    with acting_for(clinic):
        assert (privacy.came_back(), privacy.listed(), privacy.unlisted()) == ([], 1, 0)
        assert privacy.queue_again() == 0
    with psycopg.connect(database.superuser_dsn) as connection:  # as a server's own restore would
        connection.execute("UPDATE contacts_contact SET erased_at = NULL WHERE id = %s", [person])
        connection.execute("DELETE FROM privacy_step WHERE organization_id = %s", [clinic])
        connection.execute("DELETE FROM privacy_request WHERE organization_id = %s", [clinic])
    try:
        _is_asked_again(clinic, person)
    finally:  # what is here is no person any more: other tests look at every clinic
        with psycopg.connect(database.superuser_dsn) as connection:
            connection.execute("UPDATE contacts_contact SET erased_at = now() WHERE id = %s", [person])


def _is_asked_again(clinic: UUID, person: UUID) -> None:
    with acting_for(clinic):
        (back,) = privacy.came_back()
        assert privacy.queue_again() == 1
        assert privacy.queue_again() == 1
        (job,) = ProcrastinateJob.objects.filter(args__request_id=str(back.request_id))
        assert set(job.args) == {"organization_id", "request_id"}
        (asked,) = privacy.requests(actor=Actor(ActorKind.SYSTEM, clinic, None, name="test"))
        assert asked.status is Status.APPROVED
        assert "restore" in asked.note.reveal()
        assert audit.entries(Filters(action=Action.PRIVACY_ERASE, patient_id=person))


def test_a_line_that_a_crash_cut_short_is_written_again(database: World, clinic: UUID) -> None:
    erase_one(clinic)
    path = database.home.erased
    kept = path.read_bytes()
    path.write_bytes(kept[:-20])
    with acting_for(clinic):
        assert (privacy.listed(), privacy.unlisted()) == (0, 1)
        assert privacy.remember() == 1
        assert privacy.remember() == 0
        assert (privacy.listed(), privacy.unlisted()) == (1, 0)


def test_a_dump_that_is_loaded_has_nobody_who_was_erased(database: World, clinic: UUID, vault: Path) -> None:
    from dataclasses import replace

    server = replace(site_of(database.home, database.url), embedded=False)
    recovery.back_up(server, vault)
    person = erase_one(clinic)
    url = database.url or _url(server)
    try:
        done = salus(
            database.home, "restore", "--directory", str(vault), "--database", BACK, DATABASE_URL=url
        )
        assert done.returncode == 0, done.stderr
        assert "erased again: 1 people" in done.stdout
        with psycopg.connect(make_conninfo(server.admin_dsn, dbname=BACK)) as connection:
            row = connection.execute(
                "SELECT erased_at FROM contacts_contact WHERE id = %s", [person]
            ).fetchone()
        assert row is not None
        assert row[0] is not None
    finally:
        with psycopg.connect(server.admin_dsn, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {BACK}")


def _url(server: Site) -> str:
    """Return the embedded server's address as DATABASE_URL would have it."""
    from urllib.parse import quote

    from psycopg.conninfo import conninfo_to_dict

    facts = conninfo_to_dict(server.admin_dsn)
    host, password = quote(str(facts["host"]), safe=""), quote(str(facts["password"]), safe="")
    return f"postgresql://{facts['user']}:{password}@{host}/{server.database}"
