"""Processes of the last release go on while the schema is the new one already; what would break them is found before."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from salus.platform import postgres
from salus.platform.schema import AppendOnly, TenantTable
from salus.recovery.rebuilding import running
from salus.wiring.home import Home
from salus.wiring.installation import Installation
from tools.migrations import RELEASED, faults, unexplained

ROOT = Path(__file__).parent.parent.parent
RELEASE = json.loads(RELEASED.read_text())
OLD_TESTS = (
    "tests/contacts/test_merging.py",
    "tests/vendors/test_register.py",
    "tests/permissions/test_ledger.py",
    "tests/audit/test_log.py",
    "tests/inbox/test_tasks.py",
)
"""What the old code does to the new tables: people, vendors, permissions, the log, tasks."""


def test_no_migration_takes_away_what_the_last_release_needs() -> None:
    assert unexplained(RELEASE["migrations"]) == []


def _state() -> ProjectState:
    state = ProjectState()
    state.add_model(
        ModelState(
            "clinic",
            "Person",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=20)),
                ("note", models.CharField(max_length=20, null=True)),
            ],
        )
    )
    return state


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (migrations.DeleteModel("Person"), "the table breaks"),
        (migrations.RenameModel("Person", "Human"), "the table breaks"),
        (migrations.AlterModelTable("person", "people"), "the table breaks"),
        (migrations.RemoveField("person", "name"), "the column breaks"),
        (migrations.RenameField("person", "name", "label"), "the column breaks"),
        (migrations.AddField("person", "age", models.IntegerField(default=0)), "db_default"),
        (migrations.AlterField("person", "note", models.CharField(max_length=20)), "must not be empty"),
        (
            migrations.AlterField("person", "name", models.CharField(max_length=20, unique=True)),
            "the only one",
        ),
        (migrations.AlterField("person", "name", models.CharField(max_length=10)), "from varchar"),
        (migrations.AlterField("person", "name", models.IntegerField()), "from varchar"),
        (
            migrations.AddConstraint("person", models.UniqueConstraint(fields=["name"], name="once")),
            "may be refused",
        ),
        (migrations.RunSQL("ALTER TABLE clinic_person DROP COLUMN name"), "SQL with DROP COLUMN"),
        (migrations.RunSQL(["SELECT 1", "alter table a alter column b type text"]), "SQL with ALTER"),
        (
            migrations.SeparateDatabaseAndState(
                database_operations=[migrations.RunSQL("DROP TABLE clinic_person")]
            ),
            "SQL with DROP TABLE",
        ),
    ],
)
def test_what_takes_away_is_found(operation: Operation, said: str) -> None:
    (found,) = faults([operation], _state(), "clinic", _state())
    assert said in found


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("person", "age", models.IntegerField(null=True)),
        migrations.AddField("person", "age", models.IntegerField(db_default=0)),
        migrations.AlterField("person", "name", models.CharField(max_length=40)),
        migrations.AlterField("person", "name", models.CharField(max_length=20, null=True)),
        migrations.AddIndex("person", models.Index(fields=["name"], name="by_name")),
        migrations.CreateModel("Visit", [("id", models.BigAutoField(primary_key=True))]),
        TenantTable("clinic_visit"),
        AppendOnly("clinic_visit"),
    ],
)
def test_what_only_adds_is_fine(operation: Operation) -> None:
    assert list(faults([operation], _state(), "clinic", _state())) == []


def test_what_the_release_does_not_know_may_go_again() -> None:
    now = _state()
    now.add_model(ModelState("clinic", "Draft", [("id", models.BigAutoField(primary_key=True))]))
    assert list(faults([migrations.DeleteModel("Draft")], now, "clinic", _state())) == []


@pytest.fixture
def upgraded() -> Iterator[str]:
    """A server whose schema the present code has made."""
    folder = Path(tempfile.mkdtemp(prefix="salus-upgraded-"))
    folder.chmod(0o755)  # as root, PostgreSQL runs under another user who must reach its folder
    home = Home(folder / "home")
    home.path.mkdir()
    cluster = postgres.Cluster(home.path, home.password(postgres.SUPERUSER), durable=False)
    try:
        cluster.prepare()
        with running(cluster, cluster.place.data):
            Installation(home).prepare_database()
            password = quote(home.password(postgres.SUPERUSER), safe="")
            host = quote(str(cluster.place.socket), safe="")
            yield f"postgresql://postgres:{password}@{host}/{postgres.DATABASE}"
    finally:
        for each in (cluster.place.data.parent, folder):
            shutil.rmtree(each, ignore_errors=True)


@pytest.mark.slow
def test_the_last_release_works_on_the_new_schema(upgraded: str, tmp_path: Path) -> None:
    """A rolling upgrade migrates first; until their turn comes, old processes work with what is new."""
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", RELEASE["commit"], "salus", "tests", "tools", "pyproject.toml"],
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        pytest.skip("the history does not reach back to the last release")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(tmp_path, filter="data")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not browser and not slow", *OLD_TESTS],
        cwd=tmp_path,
        env={
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("SALUS_", "PYTEST_"))
            },
            "PYTHONPATH": str(tmp_path),
            "DATABASE_URL": upgraded,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4_000:]
    assert "passed" in done.stdout
