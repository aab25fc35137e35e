"""The work that follows a rotation: everything sealed is brought to the present key, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from salus.keys.contracts import KeptIndex, SealedColumn, Walk
from salus.keys.keyring import ring
from salus.platform import bulk
from salus.platform.tenancy import current_organization

_HEAD = 17
"""Bytes that tell one ciphertext from every other: version, key id and nonce."""

_COUNT = sql.SQL(
    "SELECT count(*) FROM {table} WHERE organization_id = %s AND {column} <> ''::bytea "
    "AND substring({column} FROM 1 FOR 5) <> %s"
)
_NEXT = sql.SQL(
    "SELECT {fields} FROM {table} WHERE organization_id = %s AND {column} <> ''::bytea "
    "AND substring({column} FROM 1 FOR 5) <> %s {after} ORDER BY {key} LIMIT %s"
)
_AFTER = sql.SQL("AND ({key}) > ({given})")
# Nobody's row is locked while it is opened: one that was written meanwhile has another head, and is passed over.
_UPDATE = sql.SQL(
    "UPDATE {table} AS t SET {column} = n.fresh FROM {loaded} AS n "
    "WHERE t.organization_id = %s AND {same} AND (substring(t.{column} FROM 1 FOR 17) = n.head) IS TRUE RETURNING 1"
)
# The loaded rows have no statistics: left alone, the planner reads the whole table for every batch.
_ROW_BY_ROW = sql.SQL(
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)"
)


class ColumnWalk:
    """Seals one column anew under the present data key (a `contracts.Walk`)."""

    def __init__(self, column: SealedColumn) -> None:
        self._given = column
        self._names = [sql.Identifier(name) for name, _ in column.key]
        self._parts = {
            "table": sql.Identifier(column.table),
            "column": sql.Identifier(column.column),
            "key": sql.SQL(", ").join(self._names),
        }

    @property
    def name(self) -> str:
        """Return table and column."""
        return self._given.name

    def total(self) -> int:
        """Return how many rows are not under the present key."""
        return self.left()

    def left(self) -> int:
        """Return how many rows are not under the present key; nothing is opened to see that."""
        organization_id = current_organization()
        prefix = ring.of(organization_id).data.prefix
        ((count,),) = bulk.execute(_COUNT.format(**self._parts), [organization_id, prefix])
        return int(count)

    def take(self, cursor: list[Any] | None) -> tuple[list[Any] | None, list[tuple[Any, ...]]]:
        """Read the next rows after `cursor` that are not under the present key."""
        rows = self._next(cursor, ring.of(current_organization()).data.prefix)
        if len(rows) < self._given.batch:
            return None, rows
        return [str(value) for value in rows[-1][: len(self._names)]], rows

    def bring(self, batch: list[tuple[Any, ...]]) -> int:
        """Seal rows anew; those that changed since they were read are passed over."""
        if not batch:
            return 0
        organization_id, given = current_organization(), self._given
        sealer, width = ring.of(organization_id).data, len(given.key)
        seal, open_, loaded = sealer.seal, sealer.open, []
        for row in batch:
            bound, before = given.bound(organization_id, row[:-1]), row[-1]
            loaded.append((*row[:width], before[:_HEAD], seal(open_(before, bound), bound)))
        table = bulk.copy_rows((*given.key, ("head", "bytea"), ("fresh", "bytea")), loaded)
        bulk.execute(_ROW_BY_ROW)
        same = sql.SQL(" AND ").join(sql.SQL("t.{0} = n.{0}").format(name) for name in self._names)
        return len(bulk.execute(_UPDATE.format(**self._parts, loaded=table, same=same), [organization_id]))

    def _next(self, cursor: list[Any] | None, prefix: bytes) -> list[tuple[Any, ...]]:
        given = self._given
        after: sql.Composable = sql.SQL("")
        if cursor is not None:
            casts = sql.SQL(", ").join(sql.SQL("%s::" + kind) for _, kind in given.key)
            after = _AFTER.format(key=self._parts["key"], given=casts)
        fields = [*self._names, *(sql.Identifier(name) for name in given.reads), self._parts["column"]]
        statement = _NEXT.format(**self._parts, fields=sql.SQL(", ").join(fields), after=after)
        return bulk.read(statement, [current_organization(), prefix, *(cursor or ()), given.batch])


_walks: dict[str, tuple[Walk, ...]] = {"data": (), "blind": ()}
_kept: tuple[KeptIndex, ...] = ()


def use(data: Sequence[SealedColumn | Walk], blind: Sequence[Walk], kept: Sequence[KeptIndex]) -> None:
    """Set what is sealed and indexed in this installation."""
    global _kept
    _walks["data"] = tuple(ColumnWalk(each) if isinstance(each, SealedColumn) else each for each in data)
    _walks["blind"], _kept = tuple(blind), tuple(kept)


def walks(kind: str) -> tuple[Walk, ...]:
    """Return what a rotation of `kind` changes: "data", "blind"; nothing for any other."""
    return _walks.get(kind, ())


def kept() -> tuple[KeptIndex, ...]:
    """Return the blind indexes that cannot be made anew."""
    return _kept
