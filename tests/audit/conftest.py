"""A witness folder of a test's own, and the hands of somebody who owns the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from salus.audit import ports

Thief = Callable[..., None]


@pytest.fixture
def witness_folder(tmp_path: Path) -> Iterator[Path]:
    """Send copies of checkpoints to a folder of this test."""
    before = ports.witness_directory()
    folder = tmp_path / "witness"
    ports.use_witness_directory(folder)
    yield folder
    ports._witness_directory = before


@pytest.fixture
def behind_our_back(database: Any) -> Iterator[Thief]:
    """Run SQL as the database's superuser with triggers, policies and keys of no effect."""
    with psycopg.connect(database.superuser_dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")

        def run(statement: str, *parameters: object) -> None:
            cursor = connection.execute(statement, parameters)
            assert cursor.rowcount > 0, "the tampering touched nothing"

        yield run
