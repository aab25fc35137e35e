"""With DATABASE_URL a backup is a dump under one snapshot: it comes back whole, as of its own moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from salus.kernel.errors import BadInput, Conflict, Unavailable
from salus.keys.contracts import Damaged
from salus.recovery import api as recovery
from salus.recovery.contracts import Kind, Site
from salus.wiring.recovering import site as site_of
from tests.conftest import World

from .conftest import flip

BACK = "salus_brought_back"


@pytest.fixture
def server(database: World) -> Site:
    """The installation of the tests as one whose server somebody else runs."""
    found = site_of(database.home, database.url)
    return replace(found, embedded=False)


def test_the_drill_brings_a_dump_back_into_a_server_of_its_own(
    server: Site, clinic: UUID, vault: Path, tmp_path: Path
) -> None:
    found, _ = recovery.drill(server, vault, tmp_path / "evidence")
    assert found.faults == ()
    assert {each.name: each.agrees for each in found.tables}["contacts_contact"]
    assert next(each for each in found.logs if each.organization_id == clinic).engine_people == 5
    (backup,) = recovery.backups(vault)
    assert backup.kind is Kind.LOGICAL


def test_a_dump_is_loaded_into_a_new_database_of_the_server(server: Site, clinic: UUID, vault: Path) -> None:
    backup = recovery.back_up(server, vault)
    with pytest.raises(BadInput, match="--database"):
        recovery.restore(server, vault)
    try:
        assert recovery.load(server, vault, BACK).id == backup.id
        with psycopg.connect(make_conninfo(server.admin_dsn, dbname=BACK)) as connection:
            people = connection.execute(
                "SELECT count(*) FROM contacts_contact WHERE organization_id = %s", [clinic]
            ).fetchone()
        assert people == (5,)
        with pytest.raises(Conflict, match="is there already"):
            recovery.load(server, vault, BACK)
    finally:
        _drop(server)


def test_a_dump_brings_back_no_other_moment(server: Site, clinic: UUID, vault: Path) -> None:
    backup = recovery.back_up(server, vault)
    with pytest.raises(BadInput, match="exactly"):
        recovery.load(server, vault, BACK, to=backup.whole_at + timedelta(seconds=1))


def test_a_damaged_dump_leaves_no_database(server: Site, clinic: UUID, vault: Path) -> None:
    backup = recovery.back_up(server, vault)
    flip(vault / backup.id / "base.sealed")
    with pytest.raises(Damaged):
        recovery.load(server, vault, BACK)
    with psycopg.connect(server.admin_dsn) as connection:
        assert not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [BACK]).fetchone()


def test_who_may_not_read_every_row_makes_no_backup(server: Site, clinic: UUID, vault: Path) -> None:
    role = "salus_owner"
    bounded = make_conninfo(
        server.admin_dsn, user=role, password=server.passwords[role], dbname=server.database
    )
    with pytest.raises(Unavailable, match="BYPASSRLS"):
        recovery.back_up(replace(server, admin_dsn=bounded), vault)
    assert recovery.backups(vault) == ()


def _drop(server: Site) -> None:
    with psycopg.connect(server.admin_dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {BACK}")
