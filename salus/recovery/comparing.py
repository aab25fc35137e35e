"""Compares a restored database with the live one, table by table, although the live one goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from salus.recovery.contracts import Table, Tell
from salus.recovery.taking import close_moment

Counts = Mapping[str, tuple[int, str]]
"""Of each table: rows, and a fingerprint of their contents."""

_TABLES = """
SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
    AND relnamespace = 'public'::regnamespace AND relpersistence = 'p' ORDER BY relname
"""
# The sum does not hang on the order of rows; a row that is there twice counts twice.
_COUNT = (
    "SELECT count(*), coalesce(sum(hashtextextended(one::text, 0)::numeric), 0)::text FROM public.{} AS one"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time of the live system, right after `transaction`, between two snapshots milliseconds apart."""

    transaction: int
    before: psycopg.Connection
    after: psycopg.Connection

    @property
    def still(self) -> bool:
        """Return whether nothing but our own empty transaction happened between the two."""
        return _others(self.before, self.transaction) == _others(self.after, self.transaction)


@contextmanager
def moment(admin_dsn: str, database: str) -> Iterator[Moment]:
    """Mark a point in time; the live system as of it can be read until the block ends."""
    dsn = psycopg.conninfo.make_conninfo(admin_dsn, dbname=database)
    with (
        psycopg.connect(dsn, autocommit=True) as marker,
        psycopg.connect(dsn) as before,
        psycopg.connect(dsn) as after,
    ):
        for each in (before, after):
            each.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            each.read_only = True
        before.execute("SELECT 1")
        _, transaction, _ = close_moment(marker)
        after.execute("SELECT 1")
        yield Moment(transaction, before, after)


def _others(connection: psycopg.Connection, ours: int) -> tuple[int, frozenset[int]]:
    """Return what a snapshot sees, in words that our own transaction does not change."""
    row = connection.execute(
        "SELECT pg_snapshot_xmax(taken)::text::bigint, ARRAY(SELECT pg_snapshot_xip(taken)::text::bigint) "
        "FROM (SELECT pg_current_snapshot() AS taken) AS now"
    ).fetchone()
    assert row is not None
    return max(row[0], ours + 1), frozenset(row[1]) - {ours}


def count(connection: psycopg.Connection, tell: Tell, words: str) -> Counts:
    """Return rows and fingerprint of every table that a connection sees."""
    connection.execute("SET LOCAL TIME ZONE 'UTC'")
    names = [row[0] for row in connection.execute(_TABLES).fetchall()]
    found = {}
    for number, name in enumerate(names, 1):
        row = connection.execute(sql.SQL(_COUNT).format(sql.Identifier(name))).fetchone()
        assert row is not None
        found[name] = (int(row[0]), str(row[1]))
        tell(words, number, len(names))
    return found


def tables(before: Counts, after: Counts, restored: Counts) -> tuple[Table, ...]:
    """Return every table that is on either side, with what was there and what was brought back."""
    none = (0, "")
    found = []
    for name in sorted(before.keys() | after.keys() | restored.keys()):
        first, second, back = before.get(name, none), after.get(name, none), restored.get(name, none)
        fingerprint = first[1] if first == second else None
        least, most = sorted((first[0], second[0]))
        found.append(Table(name, least, most, fingerprint, back[0], back[1]))
    return tuple(found)
