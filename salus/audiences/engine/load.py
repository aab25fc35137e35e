"""Puts people into the store: cuts their documents into columns, many at a time, and takes people out.

Statements are put together from names in `columns` and the dictionary only; values are bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import duckdb
import orjson
import pyarrow as pa
from pyroaring import BitMap

from salus.audiences import columns
from salus.audiences.lists import BITS, Range
from salus.contacts.contracts import Attribute, AttributeType
from salus.permissions.contracts import Standing
from salus.timeline.contracts import Event

Document = tuple[int, UUID, int, bytes]
"""A contact's number, id and version, and the document as JSON."""

_RECORD = dict(columns.RECORD_COLUMNS)
_CUT = f"""
CREATE OR REPLACE TEMP TABLE cut AS
SELECT number, hex::UUID AS id, version, d,
       coalesce(enum_code(TRY_CAST(d.time_zone AS {columns.ZONE_TYPE})) + 1, 0)::USMALLINT AS zone
FROM (SELECT number, hex, version, from_json(document, $shape) AS d FROM documents)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Cutter:
    """The statements that cut documents, made once from the dictionary."""

    struct: str
    person: str
    children: tuple[str, ...]

    @classmethod
    def of(cls, attributes: Mapping[str, Attribute]) -> Cutter:
        """Return the cutter for these attributes."""
        scalars = columns.scalars(attributes)
        codes = columns.lists(attributes, AttributeType.CODES)
        records = columns.lists(attributes, AttributeType.RECORDS)
        shape: dict[str, object] = {one.key: columns.SQL_TYPE[one.type] for one in scalars}
        shape |= {one.key: ["VARCHAR"] for one in codes}
        shape |= {one.key: [_RECORD] for one in records}
        shape["addresses"] = [{"channel": "VARCHAR"}]
        taken = ", ".join(f'd."{one.key}"' for one in scalars)
        channels = "list_transform(d.addresses, lambda a: a.channel)"
        fields = ", ".join(f'r."{name}"' for name in _RECORD)
        person = (
            f"INSERT INTO {columns.PERSON} SELECT number, id, version, zone, "  # noqa: S608
            f"coalesce(list_contains({channels}, 'email'), false), "
            f"coalesce(list_contains({channels}, 'sms'), false), {taken} FROM cut"
        )
        children = [
            f'INSERT INTO {columns.table(one)} SELECT number, unnest(d."{one.key}") FROM cut'  # noqa: S608
            for one in codes
        ]
        children += [
            f"INSERT INTO {columns.table(one)} SELECT number, zone, {fields} "  # noqa: S608
            f'FROM (SELECT number, zone, unnest(d."{one.key}") AS r FROM cut)'
            for one in records
        ]
        return cls(orjson.dumps(shape).decode(), person, tuple(children))

    def insert(self, cursor: duckdb.DuckDBPyConnection, documents: Sequence[Document]) -> None:
        """Add people who are not in the store; the caller holds the transaction."""
        self.insert_arrow(cursor, batch_of(documents))

    def insert_arrow(self, cursor: duckdb.DuckDBPyConnection, batch: pa.Table) -> None:
        """Add people from a table of number, hex (of the id), version and document."""
        cursor.register("documents", batch)
        try:
            cursor.execute(_CUT, {"shape": self.struct})
            cursor.execute(self.person)
            for statement in self.children:
                cursor.execute(statement)
            cursor.execute("DROP TABLE temp.cut")
        finally:
            cursor.unregister("documents")


def batch_of(documents: Sequence[Document]) -> pa.Table:
    """Return documents as the table that `Cutter.insert_arrow` takes."""
    numbers, ids, versions, documents_raw = zip(*documents, strict=True) if documents else ((), (), (), ())
    raw = pa.array(documents_raw, pa.binary())
    return pa.table(
        {
            "number": pa.array(numbers, pa.uint32()),
            "hex": pa.array([one.hex for one in ids], pa.string()),
            "version": pa.array(versions, pa.int64()),
            # The same bytes under the name of text: we wrote them, so nobody need check that they are UTF-8.
            "document": pa.Array.from_buffers(pa.string(), len(raw), raw.buffers()),
        }
    )


def insert_events(cursor: duckdb.DuckDBPyConnection, events: Sequence[Event]) -> None:
    """Add events; those of people who are not in the store are left out."""
    if not events:
        return
    batch = pa.table(
        {
            "hex": pa.array([one.contact_id.hex for one in events], pa.string()),
            "kind": pa.array([one.kind.value for one in events], pa.string()),
            "at": pa.array([_utc(one.at) for one in events], pa.timestamp("us")),
            "details": pa.array(
                [orjson.dumps(dict(one.details)).decode() if one.details else None for one in events],
                pa.string(),
            ),
        }
    )
    with _registered(cursor, batch):
        cursor.execute(
            f"INSERT INTO {columns.EVENT} SELECT person.number, given.kind, given.at, given.details "  # noqa: S608
            f"FROM given JOIN {columns.PERSON} AS person ON person.id = given.hex::UUID"
        )


def insert_standings(cursor: duckdb.DuckDBPyConnection, standings: Sequence[tuple[int, Standing]]) -> None:
    """Replace what the ledger says of people, given by number; the caller holds the transaction."""
    if not standings:
        return
    remove(cursor, [number for number, _ in standings], LEDGER)
    choices = [
        (number, wanted, one.topic, one.channel.value, one.confirmed)
        for number, standing in standings
        for wanted, some in ((True, standing.opt_ins), (False, standing.opt_outs))
        for one in some
    ]
    _insert(cursor, columns.CHOICE, choices)
    authorizations = [
        (
            number,
            sorted(one.value for one in form.purposes),
            sorted(one.value for one in form.specials),
            _utc(form.valid_from),
            _utc(form.valid_until),
        )
        for number, standing in standings
        for form in standing.authorizations
        if not form.defects
    ]
    _insert(cursor, columns.AUTHORIZATION, authorizations)
    rows = [
        (
            number,
            one.fundraising_opt_out is not None,
            bool(one.restrictions),
            one.deceased is not None,
            sorted({suppression.channel.value for suppression in one.suppressions}),
            _utc(one.valid_until),
        )
        for number, one in standings
    ]
    _insert(cursor, columns.STANDING, rows)


def put_range(cursor: duckdb.DuckDBPyConnection, given: Range) -> None:
    """Bring one range of a static segment up to date, by its differences; the caller holds the transaction."""
    low = given.place << BITS
    what = {"segment": given.segment_id, "low": low, "high": low + (1 << BITS) - 1}
    found = cursor.execute(
        f"SELECT number FROM {columns.LISTED} WHERE segment = $segment AND number BETWEEN $low AND $high",  # noqa: S608
        what,
    )
    present = BitMap(number for (number,) in found.fetchall())
    with _registered(cursor, _numbers(given.members - present)):
        cursor.execute(
            f"INSERT INTO {columns.LISTED} SELECT number, $segment FROM given",  # noqa: S608
            {"segment": given.segment_id},
        )
    gone = present - given.members
    if gone:
        with _registered(cursor, _numbers(gone)):
            cursor.execute(
                f"DELETE FROM {columns.LISTED} WHERE segment = $segment "  # noqa: S608
                "AND number IN (SELECT number FROM given)",
                {"segment": given.segment_id},
            )


def _numbers(numbers: BitMap) -> pa.Table:
    raw = pa.py_buffer(numbers.to_array())
    return pa.table({"number": pa.Array.from_buffers(pa.uint32(), len(numbers), [None, raw])})


LEDGER = (columns.CHOICE, columns.AUTHORIZATION, columns.STANDING)


def numbers_of(cursor: duckdb.DuckDBPyConnection, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the numbers of those of `ids` who are in the store."""
    if not ids:
        return {}
    found = cursor.execute(
        f"SELECT id, number FROM {columns.PERSON} WHERE id IN (SELECT unnest($ids)::UUID)",  # noqa: S608
        {"ids": [one.hex for one in ids]},
    ).fetchall()
    return dict(found)


_ARROW = {
    "UINTEGER": pa.uint32(),
    "BOOLEAN": pa.bool_(),
    "VARCHAR": pa.string(),
    "VARCHAR[]": pa.list_(pa.string()),
    "TIMESTAMP": pa.timestamp("us"),
}


def _insert(cursor: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    types = columns.schema({})[table]
    batch = pa.table(
        {
            name: pa.array([row[i] for row in rows], _ARROW[kind])
            for i, (name, kind) in enumerate(types.items())
        }
    )
    with _registered(cursor, batch):
        cursor.execute(f"INSERT INTO {table} SELECT * FROM given")  # noqa: S608


@contextmanager
def _registered(cursor: duckdb.DuckDBPyConnection, batch: pa.Table) -> Iterator[None]:
    cursor.register("given", batch)
    try:
        yield
    finally:
        cursor.unregister("given")


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def remove(cursor: duckdb.DuckDBPyConnection, numbers: Iterable[int], tables: Iterable[str]) -> None:
    """Take people out of `tables`; numbers that are not there do not matter."""
    numbers = list(numbers)
    if not numbers:
        return
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE gone AS SELECT unnest($numbers)::UINTEGER AS number",
        {"numbers": numbers},
    )
    for table in tables:
        cursor.execute(f"DELETE FROM {table} WHERE number IN (SELECT number FROM gone)")  # noqa: S608
    cursor.execute("DROP TABLE temp.gone")
