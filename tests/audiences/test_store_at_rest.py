"""What lies on the disk: nothing of a person in the file, its write-ahead log or the spill; and it survives kill -9."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from uuid import UUID

import duckdb
import orjson
import pytest

from salus.audiences.engine import load
from salus.audiences.engine.store import FILE, Store

from .worlds import LEXICON

CANARY = "Quillfeather"
DOCUMENT = {
    "given_name": CANARY,
    "city": CANARY,
    "birth_date": "1970-01-01",
    "conditions": [{"id": CANARY, "code": "E11.9", "system": "icd10", "text": CANARY, "date": "2024-01-01"}],
    "risk_factors": [CANARY.lower()],
    "addresses": [{"channel": "email", "value": f"{CANARY}@lakepost.example.org"}],
}


def people(first: int, count: int) -> list[load.Document]:
    return [
        (n, UUID(int=n), 1, orjson.dumps(DOCUMENT | {"family_name": f"{CANARY}{n * 7919 % 1_000_003}"}))
        for n in range(first, first + count)
    ]


def files_under(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file()]


def canaries(folder: Path) -> list[str]:
    wanted = (CANARY.encode(), CANARY.lower().encode(), CANARY.encode("utf-16-le"))
    return [one.name for one in files_under(folder) if any(word in one.read_bytes() for word in wanted)]


def store(folder: Path, key: bytes, megabytes: int = 400) -> Store:
    return Store(folder, key, LEXICON.attributes, memory_megabytes=megabytes)


def test_file_and_log_hold_no_plaintext(tmp_path: Path) -> None:
    key = secrets.token_bytes(32)
    one = store(tmp_path, key)
    cutter = load.Cutter.of(LEXICON.attributes)
    with one.cursor() as cursor:
        cursor.execute("SET checkpoint_threshold = '1GB'")
        cursor.begin()
        cutter.insert(cursor, people(1, 3_000))
        cursor.commit()
        assert (tmp_path / f"{FILE}.wal").stat().st_size > 10_000
        assert canaries(tmp_path) == []
    one.checkpoint()
    assert (tmp_path / FILE).stat().st_size > 100_000
    assert canaries(tmp_path) == []
    one.close()
    assert canaries(tmp_path) == []


def test_what_spills_to_the_disk_is_sealed(tmp_path: Path) -> None:
    one = store(tmp_path, secrets.token_bytes(32), megabytes=100)
    cutter = load.Cutter.of(LEXICON.attributes)
    seen = 0
    with one.cursor() as cursor:
        for first in range(1, 40_001, 4_000):
            cursor.begin()
            cutter.insert(cursor, people(first, 4_000))
            cursor.commit()
        # A sort of wide rows that does not fit: it must go to the disk.
        cursor.execute(
            "CREATE TEMP TABLE big AS SELECT a.*, a.a_family_name || b.i AS more "
            "FROM person a, range(20) b(i) ORDER BY more DESC"
        )
        for spilled in files_under(tmp_path / "spill"):
            seen += spilled.stat().st_size
            assert CANARY.encode() not in spilled.read_bytes()
    assert seen > 1_000_000, "nothing was spilled, so this proves nothing"
    one.close()
    assert not (tmp_path / "spill").exists()


def test_another_key_opens_nothing_and_the_file_is_built_anew(tmp_path: Path) -> None:
    one = store(tmp_path, secrets.token_bytes(32))
    with one.cursor() as cursor:
        cursor.begin()
        load.Cutter.of(LEXICON.attributes).insert(cursor, people(1, 10))
        cursor.commit()
    one.close()
    other = store(tmp_path, secrets.token_bytes(32))
    assert other.fresh
    with other.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM person").fetchone() == (0,)
    other.close()


def test_the_file_is_encrypted_with_openssl_and_gcm_and_nothing_else_is_allowed(tmp_path: Path) -> None:
    one = store(tmp_path, secrets.token_bytes(32))
    with one.cursor() as cursor:
        settings = dict(
            cursor.execute(
                "SELECT name, value FROM duckdb_settings() WHERE name IN ('force_mbedtls_unsafe', "
                "'temp_file_encryption', 'autoinstall_known_extensions', 'allow_community_extensions')"
            ).fetchall()
        )
        assert settings == {
            "force_mbedtls_unsafe": "false",
            "temp_file_encryption": "true",
            "autoinstall_known_extensions": "false",
            "allow_community_extensions": "false",
        }
        found = cursor.execute(
            "SELECT encrypted, cipher FROM duckdb_databases() WHERE database_name = 'store'"
        ).fetchone()
        assert found == (True, "GCM")
        other = tmp_path / "elsewhere.csv"
        for statement in (
            f"COPY person TO '{other}'",
            "SELECT * FROM read_text('/etc/hostname')",
            "INSTALL spatial",
        ):
            with pytest.raises(duckdb.Error):
                cursor.execute(statement)
        assert not other.exists()
    one.close()
    with pytest.raises(duckdb.Error):
        duckdb.connect(str(tmp_path / FILE), read_only=True)


KILLED = """
    import os, signal, sys
    from pathlib import Path
    import django
    os.environ |= {{"DJANGO_SETTINGS_MODULE": "salus.wiring.settings", "SALUS_HOME": {folder!r} + "-home"}}
    sys.path.insert(0, {root!r})
    django.setup()
    from tests.audiences.test_store_at_rest import people, store
    from tests.audiences.worlds import LEXICON
    from salus.audiences.engine import load
    one = store(Path({folder!r}), bytes.fromhex({key!r}))
    cutter = load.Cutter.of(LEXICON.attributes)
    with one.cursor() as cursor:
        cursor.begin()
        cutter.insert(cursor, people(1, 2_000))
        cursor.commit()
        cursor.begin()
        cutter.insert(cursor, people(2_001, 2_000))
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_after_kill_9_what_was_committed_is_there_and_the_rest_is_not(tmp_path: Path) -> None:
    key = secrets.token_bytes(32)
    root = Path(__file__).parents[2]
    code = textwrap.dedent(KILLED).format(root=str(root), folder=str(tmp_path / "a"), key=key.hex())
    died = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, cwd=root)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()[-500:]
    one = store(tmp_path / "a", key)
    with one.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM person").fetchone() == (2_000,)
        assert cursor.execute("SELECT count(*) FROM r_conditions").fetchone() == (2_000,)
    assert not one.fresh
    one.close()
    shutil.rmtree(tmp_path / "a")
