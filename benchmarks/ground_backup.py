"""How long a whole backup and a whole restore take: with people, messages, log, and the engine built anew."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

Say = Callable[[str], None]
TARGETS: dict[str, tuple[float, Callable[[float, float], bool]]] = {
    "backup and restore seconds": (600, float.__le__),
    "rows that did not come back": (0, float.__le__),
}

_ORIGIN = """
INSERT INTO delivery_origin (id, organization_id, kind, status, is_open, spec, priority, is_capped, created_at)
VALUES (%(origin)s, %(organization)s, 'campaign', 'released', false, 'none', 1, true, now())
"""
# As long as a planned message's sealed row is (800 bytes), and as little compressible.
_MESSAGES = """
INSERT INTO delivery_message (id, organization_id, origin_id, contact_id, contact_number, state, reason, rule,
    floor, reached, contact_version, standing_version, valid_until, version_id, language, site, sealed,
    decided_at, attempts, uncertain, changed_at)
SELECT gen_random_uuid(), organization_id, %(origin)s, id, number, 'accepted', '', 'treatment', 0, 0, version, 1,
    now(), gen_random_uuid(), 'en', 'example.test',
    (SELECT string_agg(sha256((number || '.' || part)::bytea), ''::bytea) FROM generate_series(1, 25) AS part),
    now(), 1, false, now()
FROM contacts_contact WHERE organization_id = %(organization)s
"""
_COUNT = "SELECT (SELECT count(*) FROM contacts_contact), (SELECT count(*) FROM delivery_message)"


def measure(organization: UUID, home: Path, say: Say) -> dict[str, Any]:
    """Give everybody a message, back up, restore into another home; return seconds, bytes, and what is missing."""
    from salus.recovery import api as recovery
    from salus.recovery.contracts import Examined, Restoring
    from salus.wiring.home import Home
    from salus.wiring.recovering import site as site_of

    site = site_of(Home(home), None)
    _write_messages(site.admin_dsn, site.database, organization)
    rows = _counts(site.admin_dsn, site.database)
    with tempfile.TemporaryDirectory(prefix="salus-bench-") as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs under another user who must reach its folder
        vault, other = Path(folder) / "vault", Home(Path(folder) / "home")
        began = time.perf_counter()
        backup = recovery.back_up(site, vault, record=False)
        backed_up = time.perf_counter()
        say(f"  a backup of {backup.bytes / 1e6:,.0f} MB took {backed_up - began:,.1f} s")
        shutil.copytree(site.home / "keys", other.keys)
        there, found = site_of(other, None), list[tuple[int, int]]()

        def examine(place: Path, restoring: Restoring | None) -> tuple[Examined, ...]:
            found.append(_counts(site_of(Home(place), None).admin_dsn, site.database))
            return there.examine(place, restoring)

        clock = _Clock()
        back = recovery.restore(replace(there, examine=examine), vault, tell=clock)
        restored = time.perf_counter()
    say(f"  the restore took {restored - backed_up:,.1f} s, verification and engine among them")
    return {
        "contacts": rows[0],
        "messages": rows[1],
        "backup_mb": round(backup.bytes / 1e6, 1),
        "backup_seconds": round(backed_up - began, 2),
        "restore_seconds": round(restored - backed_up, 2),
        "restore_steps": clock.steps(),
        "seconds": round(restored - began, 2),
        "missing_rows": sum(was - now for was, now in zip(rows, found[0], strict=True)),
        "engine_people": sum(each.engine_people for each in back.logs),
    }


class _Clock:
    """Notes when each step of a restore begins."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}

    def __call__(self, words: str, done: int, total: int) -> None:
        self._began.setdefault(words, time.perf_counter())

    def steps(self) -> dict[str, float]:
        """Return the seconds of each step; the last one ends now."""
        ends = [*list(self._began.values())[1:], time.perf_counter()]
        return {
            words: round(end - begin, 2)
            for (words, begin), end in zip(self._began.items(), ends, strict=True)
        }


def _write_messages(dsn: str, database: str, organization: UUID) -> None:
    import psycopg

    values = {"organization": organization, "origin": uuid4()}
    with psycopg.connect(psycopg.conninfo.make_conninfo(dsn, dbname=database)) as connection:
        connection.execute(_ORIGIN, values)
        connection.execute(_MESSAGES, values)


def _counts(dsn: str, database: str) -> tuple[int, int]:
    import psycopg

    with psycopg.connect(psycopg.conninfo.make_conninfo(dsn, dbname=database)) as connection:
        row = connection.execute(_COUNT).fetchone()
    assert row
    return row[0], row[1]
