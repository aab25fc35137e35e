"""Loads a dump into a new, empty database: all of it in one transaction, or nothing."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping

import psycopg
from psycopg.conninfo import conninfo_to_dict

from salus.kernel.errors import Conflict, Unavailable
from salus.platform import postgres, roles
from salus.recovery import pieces
from salus.recovery.contracts import Tell
from salus.recovery.repository import Manifest, Repository
from salus.recovery.taking import without_password

_UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"
"""pg_dump writes it for every server; one that is older than 17 does not know it."""
_HEAD = 4_096


def load(
    repository: Repository,
    manifest: Manifest,
    admin_dsn: str,
    database: str,
    passwords: Mapping[str, str],
    tell: Tell,
) -> None:
    """Make `database` and load a dump into it; raises `Conflict` for one that is there."""
    with psycopg.connect(admin_dsn) as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
    if there:
        raise Conflict(
            f"The database {database} is there already.",
            kept="It was not touched.",
            next_step="Name one that is not there.",
        )
    roles.bootstrap(admin_dsn, database, passwords)
    command = [
        str(postgres.binaries() / "psql"),
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--output=/dev/null",
    ]
    command += ["--set=ON_ERROR_STOP=1", "--file=-", without_password(admin_dsn, database)]
    password = str(conninfo_to_dict(admin_dsn).get("password") or "")
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            env={**os.environ, "PGPASSWORD": password},
        )
        assert process.stdin is not None
        try:
            done = 0
            for block in _dump(repository, manifest):
                process.stdin.write(block)
                done += len(block)
                tell("Database", done, done)
            process.stdin.close()
        except BrokenPipeError:
            pass  # its last words say why
        except BaseException:
            process.kill()  # what it has is no whole dump: the transaction is not committed
            raise
        finally:
            process.wait()
        if process.returncode:
            raise Unavailable(
                f"PostgreSQL did not take the dump (psql ended with {process.returncode}).",
                kept="Nothing of it stayed in the database.",
                next_step="Its server must not be older than the one that was dumped.",
            )


def _dump(repository: Repository, manifest: Manifest) -> Iterator[bytes]:
    """Yield the dump; psql gets its last bytes only when the piece's end is proven."""
    name = f"{manifest.id}/base"
    held, first = b"", True
    for block in pieces.reading(repository.directory / f"{name}.sealed", name):
        if held:
            yield held
        held, first = (block.replace(_UNKNOWN_BEFORE_17, b"", 1) if first else block), False
    yield held
