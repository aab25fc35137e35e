"""Loads many rows at once: COPY into a temporary table, from which one set-based statement merges.

PostgreSQL refuses `COPY FROM` into a table with row-level security; a temporary table has none, and
the `INSERT ... SELECT` that follows is checked by the policy as usual.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from psycopg import Cursor, sql

from salus.kernel.ids import new_id

FEW = 100
"""Rows that are bound to a statement instead of being loaded into a table."""


def copy_rows(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]) -> sql.Identifier:
    """Fill a fresh temporary table with `rows` and return its name, ready for `psycopg.sql`.

    `columns` are (name, PostgreSQL type); `rows` are tuples in the same order. The table lives until
    the transaction ends. Must run inside a transaction.
    """
    table = sql.Identifier(f"bulk_{new_id().hex[12:]}")
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
    definitions = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns
    )
    with connection.cursor() as cursor:
        raw = cursor.connection.cursor()  # psycopg's own: Django's wrapper has no copy()
        raw.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(table, definitions))
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(table, names)
        with raw.copy(statement) as copy:
            copy.set_types([kind for _, kind in columns])
            for row in rows:
                copy.write_row(row)
    return table


def given(
    columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]
) -> tuple[sql.Composable, list[Any]]:
    """Return what a statement selects these rows from, and its parameters, for `read`; for one row at least.

    Few rows are bound as arrays: a temporary table costs as much as a hundred of them. More are loaded.
    """
    if len(rows) > FEW:
        return copy_rows(columns, rows), []
    arrays = sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.SQL(kind)) for _, kind in columns)
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
    return sql.SQL("unnest({}) AS given ({})").format(arrays, names), [*map(list, zip(*rows, strict=True))]


def execute(statement: sql.Composable, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a composed statement on the current connection; return its rows, if it has any."""
    with connection.cursor() as cursor:
        raw = cursor.connection.cursor()
        raw.execute(statement, parameters)
        return raw.fetchall() if raw.description else []


def read(statement: sql.SQL | sql.Composed, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement on the current connection and return its rows, if it has any: for many ids, times and bytes.

    The server binds the parameters (so each needs a type it can infer) and answers in binary: a fifth
    of the work of `execute` for such rows.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with Cursor(connection.connection) as cursor:
        cursor.execute(statement, parameters, binary=True)
        return cursor.fetchall() if cursor.description else []
