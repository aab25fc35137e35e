"""Answers about sets of people: every question is one statement over the store."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import duckdb
from pyroaring import BitMap, BitMap64
from sqlglot import exp

from salus.audiences import calendar_rules, columns
from salus.audiences.compiler import Compiler, Zones
from salus.audiences.lexicon import Lexicon
from salus.audiences.nodes import Moment, Node
from salus.audiences.parse import AGE
from salus.contacts.contracts import AttributeType
from salus.kernel.errors import BadInput

DIALECT = "duckdb"
MOST_GROUPS = 50
MOST_SAMPLED = 1_000
AGE_BANDS = ((0, 17), (18, 39), (40, 54), (55, 64), (65, 74), (75, None))
_NUMBER = exp.column(columns.NUMBER, table=columns.PERSON)


def zones_at(moment: Moment, names: dict[int, str]) -> Zones:
    """Return today's dates around the world with the zones where it is that day, the commonest first.

    `names` are the zones that anybody lives in, by their number in the store; number 0, no zone known,
    has the zone of `moment`.
    """
    days: dict[date, list[int]] = {}
    for number, name in {0: moment.zone, **names}.items():
        days.setdefault(calendar_rules.today(moment, name), []).append(number)
    ordered = sorted(days.items(), key=lambda one: -len(one[1]))
    return [(day, tuple(sorted(numbers))) for day, numbers in ordered]


@dataclass(slots=True)
class Asker:
    """Asks the store behind `cursor` about people as of `moment`."""

    cursor: duckdb.DuckDBPyConnection
    lexicon: Lexicon
    moment: Moment
    zones: Zones

    def _compiler(self) -> Compiler:
        return Compiler(self.lexicon, self.moment, self.zones)

    def _run(self, query: exp.Select, compiler: Compiler) -> duckdb.DuckDBPyConnection:
        return self.cursor.execute(query.sql(DIALECT), compiler.parameters)

    def _people(self, node: Node, compiler: Compiler, *wanted: str | exp.Expr) -> exp.Select:
        query = exp.select(*wanted).from_(columns.PERSON)
        return query.where(exp.paren(compiler.compile(node), copy=False), copy=False)

    def count(self, node: Node) -> int:
        """Return how many people `node` is true of."""
        compiler = self._compiler()
        query = self._people(node, compiler, exp.Count(this=exp.Star()))
        return int(_one(self._run(query, compiler))[0])

    def members(self, node: Node) -> BitMap64:
        """Return the numbers of the people `node` is true of."""
        compiler = self._compiler()
        found = BitMap64()
        reader = self._run(self._people(node, compiler, _NUMBER.copy()), compiler).to_arrow_reader(131072)
        for batch in reader:
            numbers = batch.column(0).cast("uint32")
            values = array("I")
            values.frombytes(numbers.buffers()[1][: 4 * len(numbers)])
            found |= BitMap64(BitMap(values))
        return found

    def sample(self, node: Node, size: int) -> list[tuple[int, UUID]]:
        """Return up to `size` people, number and id: always the same ones while nothing changes."""
        compiler = self._compiler()
        order = exp.func("hash", _NUMBER.copy())
        query = self._people(node, compiler, _NUMBER.copy(), "id").order_by(order)
        return self._run(query.limit(min(size, MOST_SAMPLED)), compiler).fetchall()

    def explain(self, nodes: Sequence[tuple[Node, Sequence[Node]]]) -> list[int]:
        """Return how many people each of `nodes` holds of when all of its `before` hold as well.

        Each distinct node is evaluated once for everybody, in one pass over the store.
        """
        compiler = self._compiler()
        names: dict[int, str] = {}
        truths: list[exp.Expr] = []
        for node, before in nodes:
            for one in (node, *before):
                if id(one) not in names:
                    names[id(one)] = f"t{len(names)}"
                    truth = exp.Coalesce(
                        this=exp.paren(compiler.compile(one), copy=False), expressions=[exp.false()]
                    )
                    truths.append(exp.alias_(truth, names[id(one)]))
        rows = exp.select(*truths).from_(columns.PERSON)
        counts: list[exp.Expr] = []
        for node, before in nodes:
            wanted = exp.and_(*(exp.column(names[id(one)]) for one in (node, *before)), copy=False)
            counts.append(exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=wanted)))
        query = exp.select(*counts).from_(rows.subquery("rows"))
        return [int(one) for one in _one(self._run(query, compiler))]

    def breakdown(self, node: Node, key: str) -> list[tuple[str, int]]:
        """Return how many of the people have each value of attribute `key`, the commonest first.

        Ages come in bands; what comes after the first 50 values is summed under "*", and people
        without a value under "". Someone with several codes counts under each of them.
        Raises `BadInput` for an attribute that cannot be broken down.
        """
        if key == AGE:
            return self._ages(node)
        attribute = self.lexicon.attributes.get(key)
        if attribute is None or attribute.type is AttributeType.NUMBER:
            raise BadInput("people cannot be broken down by this", place="attribute")
        compiler = self._compiler()
        people = self._people(node, compiler, _NUMBER.copy(), *self._value(key, attribute.type))
        if attribute.type in (AttributeType.CODES, AttributeType.RECORDS):
            child = exp.select(columns.NUMBER, "code").distinct().from_(columns.table(attribute))
            joined = (
                exp.select("people.number", exp.alias_(exp.column("code", table="child"), "value"))
                .from_(people.subquery("people"))
                .join(child.subquery("child"), on="child.number = people.number", join_type="left")
            )
            people = joined
        count = exp.alias_(exp.Count(this=exp.Star()), "people")
        groups = exp.select("value", count).from_(people.subquery("rows")).group_by("value")
        found = self._run(groups.order_by("people DESC", "value"), compiler).fetchall()
        return _folded([("" if value is None else str(value), int(many)) for value, many in found])

    def _value(self, key: str, kind: AttributeType) -> list[exp.Expr]:
        if kind in (AttributeType.CODES, AttributeType.RECORDS):
            return []
        value: exp.Expr = exp.column(columns.column(key))
        if kind is AttributeType.DATE:
            value = exp.Year(this=value)
        return [exp.alias_(value, "value")]

    def _ages(self, node: Node) -> list[tuple[str, int]]:
        compiler = self._compiler()
        born = exp.column("born", table="rows")
        now = self.zones[0][0]
        rows = self._people(node, compiler, exp.alias_(exp.column(columns.column("birth_date")), "born"))
        counts: list[exp.Expr] = []
        for low, high in AGE_BANDS:
            first, last = calendar_rules.born_between(low, high, now)
            inside = exp.Between(this=born.copy(), low=compiler.bind(first), high=compiler.bind(last))
            counts.append(exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=inside)))
        query = exp.select(exp.Count(this=exp.Star()), *counts).from_(rows.subquery("rows"))
        total, *bands = _one(self._run(query, compiler))
        named = [
            (f"{low}+" if high is None else f"{low}-{high}", int(many))
            for (low, high), many in zip(AGE_BANDS, bands, strict=True)
        ]
        return [*named, ("", int(total) - sum(many for _, many in named))]


def _folded(found: list[tuple[str, int]]) -> list[tuple[str, int]]:
    kept, rest = found[:MOST_GROUPS], found[MOST_GROUPS:]
    return [*kept, ("*", sum(many for _, many in rest))] if rest else kept


def _one(result: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    row = result.fetchone()
    if row is None:
        raise AssertionError("an aggregate always has a row")
    return tuple(row)
