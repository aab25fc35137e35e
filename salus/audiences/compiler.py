"""Compiles a segment to set-based SQL: a sqlglot tree in which every value is a bound parameter.

The result is one boolean expression over a row of the person table; what is asked of other tables is
a set of numbers that the person's number is in. Unknown (NULL) counts as false, and is made false
before a `not` turns it around. Dates that depend on today are constants by the time they get here:
people are grouped by the civil date in their time zone, which takes at most three values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlglot import exp

from salus.audiences import calendar_rules, columns, earth
from salus.audiences.lexicon import Lexicon
from salus.audiences.nodes import (
    All,
    AnyOf,
    Consent,
    Event,
    Field,
    Kind,
    Latest,
    Listed,
    Match,
    Member,
    Moment,
    Near,
    Node,
    Not,
    Op,
    Record,
    Stage,
    Standing,
    Test,
)
from salus.audiences.parse import AGE
from salus.audiences.text_rules import fold
from salus.permissions.contracts import EVERY_TOPIC

Zones = Sequence[tuple[date, tuple[int, ...]]]
"""Civil dates with the numbers of the time zones where it is that day; the first is for all others."""


@dataclass(slots=True)
class Compiler:
    """Compiles nodes for one moment; `parameters` fills with what must be bound."""

    lexicon: Lexicon
    moment: Moment
    zones: Zones
    parameters: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> exp.Expr:
        """Return a placeholder for `value`."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return exp.Placeholder(this=name)

    def compile(self, node: Node) -> exp.Expr:
        """Return a boolean expression over the person table; NULL in it means false."""
        match node:
            case All():
                return _join(exp.And, [self.compile(one) for one in node.nodes], exp.true())
            case AnyOf():
                return _join(exp.Or, [self.compile(one) for one in node.nodes], exp.false())
            case Not():
                return _complement(self.compile(node.node))
            case Stage() | Member():
                return self.compile(node.node)
            case Field():
                return self._field(node)
            case Record():
                return self._record(node)
            case Latest():
                return self._latest(node)
            case Event():
                return self._event(node)
            case Listed():
                chosen = exp.EQ(this=exp.column("segment"), expression=self.bind(node.segment_id))
                return _in(columns.LISTED, [chosen])
            case Standing():
                return self._standing(node)
            case Near():
                return self._near(node)

    # Fields of the person row

    def _field(self, node: Field) -> exp.Expr:
        test, key = node.test, node.key
        if test.kind is Kind.PRESENCE and key in self.lexicon.addresses:
            return _truth(exp.column(columns.has_address(key)), test.operand)
        if test.kind is Kind.PRESENCE or test.kind is Kind.CODES:
            return self._list(node)
        if key == AGE:
            return self._age(test)
        return self._test(test, exp.column(columns.column(key)))

    def _list(self, node: Field) -> exp.Expr:
        table = columns.table(self.lexicon.attributes[node.key])
        if node.test.op is Op.HAS:
            return _in(table, [self._covered(node.test.operand, exp.column("code"))])
        return _truth(_in(table, []), node.test.operand)

    def _age(self, test: Test) -> exp.Expr:
        born = columns.column("birth_date")

        def on(now: date) -> exp.Expr:
            return self._ranges(exp.column(born), calendar_rules.birth_ranges(test, now))

        known = self._by_today(on)
        return _truth(known, test.operand) if test.op is Op.EXISTS else known

    def _test(self, test: Test, value: exp.Expr) -> exp.Expr:
        """Return whether `value` passes; `value` is copied wherever it is used."""
        if test.op is Op.EXISTS:
            return _truth(exp.Is(this=value.copy(), expression=exp.null()), not test.operand)
        match test.kind:
            case Kind.TEXT:
                return self._text(test, exp.Lower(this=value.copy()))
            case Kind.CODE if test.op is Op.HAS:
                return self._covered(test.operand, value)
            case Kind.CODE:
                return self._among(value, test.operand if test.op is Op.IN else (test.operand,))
            case Kind.NUMBER:
                return self._number(test, value)
            case Kind.DATE:
                return self._date(test, value)
            case _:
                return exp.EQ(this=value.copy(), expression=self.bind(test.operand))

    def _text(self, test: Test, value: exp.Expr) -> exp.Expr:
        if test.op is Op.CONTAINS:
            return exp.Contains(this=value, expression=self.bind(fold(test.operand)))
        if test.op is Op.STARTS_WITH:
            return exp.StartsWith(this=value, expression=self.bind(fold(test.operand)))
        wanted = test.operand if test.op is Op.IN else (test.operand,)
        return self._among(value, tuple(fold(one) for one in wanted))

    def _among(self, value: exp.Expr, wanted: Sequence[Any]) -> exp.Expr:
        if len(wanted) == 1:
            return exp.EQ(this=value.copy(), expression=self.bind(wanted[0]))
        return exp.ArrayContains(this=self.bind(list(wanted)), expression=value.copy())

    def _number(self, test: Test, value: exp.Expr) -> exp.Expr:
        if test.op in (Op.EQUAL, Op.IN):
            return self._among(value, test.operand if test.op is Op.IN else (test.operand,))
        if test.op is Op.BETWEEN:
            low, high = (self.bind(one) for one in test.operand)
            return exp.Between(this=value.copy(), low=low, high=high)
        kind = {Op.ABOVE: exp.GT, Op.BELOW: exp.LT, Op.AT_LEAST: exp.GTE, Op.AT_MOST: exp.LTE}[test.op]
        return kind(this=value.copy(), expression=self.bind(test.operand))

    # Dates

    def _date(self, test: Test, value: exp.Expr) -> exp.Expr:
        if test.op is Op.IN:
            return self._among(value, test.operand)
        if test.op is Op.ANNIVERSARY_WITHIN:
            return self._by_today(lambda now: self._anniversary(test, value, now))
        if test.op in (Op.WITHIN_LAST, Op.WITHIN_NEXT, Op.OLDER_THAN, Op.LATER_THAN):
            return self._by_today(lambda now: self._ranges(value, calendar_rules.day_ranges(test, now)))
        return self._ranges(value, calendar_rules.day_ranges(test, self.zones[0][0]))

    def _by_today(self, on: Any) -> exp.Expr:
        """Return what `on` makes of today's date, in each group of time zones its own."""
        case = exp.Case(default=on(self.zones[0][0]))
        for now, zones in self.zones[1:]:
            case = case.when(self._among(exp.column(columns.ZONE), zones), on(now), copy=False)
        return case if len(self.zones) > 1 else case.args["default"]

    def _ranges(self, value: exp.Expr, ranges: Iterable[tuple[date, date]]) -> exp.Expr:
        return _join(exp.Or, [self._range(value, *one) for one in ranges], exp.false())

    def _range(self, value: exp.Expr, first: date, last: date) -> exp.Expr:
        if first == last:
            return exp.EQ(this=value.copy(), expression=self.bind(first))
        if first == calendar_rules.FIRST_DAY:
            return exp.LTE(this=value.copy(), expression=self.bind(last))
        if last == calendar_rules.LAST_DAY:
            return exp.GTE(this=value.copy(), expression=self.bind(first))
        return exp.Between(this=value.copy(), low=self.bind(first), high=self.bind(last))

    def _anniversary(self, test: Test, value: exp.Expr, now: date) -> exp.Expr:
        day = exp.Add(
            this=exp.Mul(this=exp.Month(this=value.copy()), expression=exp.Literal.number(100)),
            expression=exp.Day(this=value.copy()),
        )
        parts = [
            exp.and_(
                exp.Between(this=day.copy(), low=self.bind(first), high=self.bind(last)),
                exp.LT(this=exp.Year(this=value.copy()), expression=self.bind(year)),
                copy=False,
            )
            for first, last, year in calendar_rules.anniversary_ranges(test.operand, now)
        ]
        return _join(exp.Or, parts, exp.false())

    # Codes and dated records

    def _covered(self, asked: Sequence[str], code: exp.Expr) -> exp.Expr:
        exact: set[str] = set()
        prefixes: set[str] = set()
        for one in asked:
            wanted = self.lexicon.patterns(one)
            exact |= wanted.exact
            prefixes |= set(wanted.prefixes)
        exact = {one for one in exact if not one.startswith(tuple(prefixes))}
        parts: list[exp.Expr] = [
            exp.StartsWith(this=code.copy(), expression=self.bind(one))
            for one in sorted(prefixes)
            if not any(one != other and one.startswith(other) for other in prefixes)
        ]
        if exact:
            parts.append(self._among(code, sorted(exact)))
        return _join(exp.Or, parts, exp.false())

    def _match(self, match: Match) -> list[exp.Expr]:
        found = []
        if match.codes:
            found.append(self._covered(match.codes, exp.column("code")))
        if match.system:
            found.append(self._among(exp.column("system"), (match.system,)))
        if match.statuses:
            found.append(self._among(exp.column("status"), match.statuses))
        return found

    def _tests(self, tests: Iterable[tuple[str, Test]]) -> list[exp.Expr]:
        return [self._test(test, exp.column(name, quoted=True)) for name, test in tests]

    def _record(self, node: Record) -> exp.Expr:
        where = self._match(node.match) + self._tests(node.tests)
        return _in(columns.table(node.attribute), where, node.at_least)

    def _latest(self, node: Latest) -> exp.Expr:
        day = exp.column("date", quoted=True)
        passed = exp.Case().when(_join(exp.And, self._tests(node.tests), exp.true()), day.copy(), copy=False)
        latest = (
            exp.select(
                _number(),
                exp.alias_(exp.Max(this=day.copy()), "last"),
                exp.alias_(exp.Max(this=passed), "passed"),
                copy=False,
            )
            .from_(exp.to_table(columns.table(node.attribute)), copy=False)
            .group_by(_number(), copy=False)
        )
        for one in self._match(node.match):
            latest = latest.where(one, copy=False)
        same = exp.EQ(this=exp.column("last"), expression=exp.column("passed"))
        chosen = exp.select(_number(), copy=False).from_(latest.subquery("latest", copy=False), copy=False)
        chosen = chosen.where(same, copy=False)
        return exp.In(
            this=exp.column(columns.NUMBER, table=columns.PERSON), query=chosen.subquery(copy=False)
        )

    # Events, the ledger, places

    def _event(self, node: Event) -> exp.Expr:
        where = [self._among(exp.column("kind"), tuple(one.value for one in node.kinds))]
        if node.when is not None:
            first, last = calendar_rules.moment_range(node.when, self.moment)
            low, high = self.bind(_naive(first)), self.bind(_naive(last))
            where.append(exp.Between(this=exp.column("at"), low=low, high=high))
        where += [self._detail(name, test) for name, test in node.where]
        did = _in(columns.EVENT, where, node.at_least)
        return did if node.did else _complement(did)

    def _detail(self, name: str, test: Test) -> exp.Expr:
        path, details = self.bind(f"$.{name}"), exp.column("details")
        kind = exp.func("json_type", details.copy(), path.copy())
        text = exp.func("json_extract_string", details.copy(), path.copy())
        if test.op is Op.EXISTS:
            empty = exp.func("json_extract", details.copy(), path.copy())
            there = exp.and_(
                exp.NEQ(this=kind, expression=exp.Literal.string("NULL")),
                exp.Not(this=exp.In(this=exp.cast(empty, "text"), expressions=[_text('""'), _text("[]")])),
                copy=False,
            )
            return _truth(there, test.operand)
        if test.kind is Kind.NUMBER:
            wanted: exp.Expr = exp.In(
                this=kind, expressions=[_text(one) for one in ("UBIGINT", "BIGINT", "DOUBLE")]
            )
            value: exp.Expr = exp.TryCast(this=text, to=exp.DataType.build("double"))
        elif test.kind is Kind.BOOL:
            wanted = exp.EQ(this=kind, expression=_text("BOOLEAN"))
            value = exp.TryCast(this=text, to=exp.DataType.build("boolean"))
        else:
            wanted, value = exp.EQ(this=kind, expression=_text("VARCHAR")), text
        return exp.and_(wanted, self._test(test, value), copy=False)

    def _standing(self, node: Standing) -> exp.Expr:
        match node.consent:
            case Consent.OPTED_IN:
                return exp.and_(self._opted_in(node), _complement(self._opted_out(node)), copy=False)
            case Consent.OPTED_OUT:
                return self._opted_out(node)
            case Consent.AUTHORIZED:
                return self._authorized(node)
            case Consent.SUPPRESSED:
                channel = self.bind(str(node.channel))
                listed = exp.ArrayContains(this=exp.column("suppressed"), expression=channel)
                return _in(columns.STANDING, [listed])
            case _:
                return _in(columns.STANDING, [exp.column(node.consent.value)])

    def _choice(self, wanted: bool, node: Standing, topic: str) -> list[exp.Expr]:
        return [
            exp.EQ(this=exp.column("wanted"), expression=exp.true() if wanted else exp.false()),
            self._among(exp.column("topic"), (topic,)),
            self._among(exp.column("channel"), (str(node.channel),)),
        ]

    def _opted_in(self, node: Standing) -> exp.Expr:
        confirmed: list[exp.Expr] = [exp.column("confirmed")] if node.confirmed else []
        return _in(columns.CHOICE, self._choice(True, node, node.topic) + confirmed)

    def _opted_out(self, node: Standing) -> exp.Expr:
        own = _in(columns.CHOICE, self._choice(False, node, node.topic))
        wants_it = _in(columns.CHOICE, self._choice(True, node, node.topic))
        every = _in(columns.CHOICE, self._choice(False, node, EVERY_TOPIC))
        return exp.or_(own, exp.and_(every, _complement(wants_it), copy=False), copy=False)

    def _authorized(self, node: Standing) -> exp.Expr:
        at = self.bind(_naive(self.moment.at))
        where: list[exp.Expr] = [
            exp.LTE(this=exp.column("begins"), expression=at),
            exp.GT(this=exp.column("ends"), expression=at.copy()),
        ]
        for name, word in (("purposes", node.purpose), ("specials", node.special)):
            if word is not None:
                where.append(exp.ArrayContains(this=exp.column(name), expression=self.bind(word.value)))
        return _in(columns.AUTHORIZATION, where)

    def _near(self, node: Near) -> exp.Expr:
        inside = [
            code
            for code, (latitude, longitude) in self.lexicon.places.items()
            if earth.distance(latitude, longitude, node.latitude, node.longitude) <= node.kilometers
        ]
        area = exp.Left(this=exp.column(columns.column("postal_code")), expression=exp.Literal.number(5))
        return self._among(area, sorted(inside)) if inside else exp.false()


def _number() -> exp.Expr:
    return exp.column(columns.NUMBER)


def _text(value: str) -> exp.Expr:
    return exp.Literal.string(value)


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _join(kind: type[exp.Connector], parts: Sequence[exp.Expr], nothing: exp.Expr) -> exp.Expr:
    if not parts:
        return nothing
    if len(parts) == 1:
        return parts[0]
    whole = [exp.paren(one, copy=False) if isinstance(one, exp.Connector) else one for one in parts]
    first, *others = whole
    for one in others:
        first = kind(this=first, expression=one)
    return first


def _complement(part: exp.Expr) -> exp.Expr:
    if isinstance(part, exp.In):
        return exp.Not(this=part)
    return exp.Not(this=exp.Coalesce(this=exp.paren(part, copy=False), expressions=[exp.false()]))


def _truth(part: exp.Expr, wanted: bool) -> exp.Expr:
    return part if wanted else _complement(part)


def _in(table: str, where: Iterable[exp.Expr], at_least: int = 1) -> exp.Expr:
    """Return that the person's number is among those of at least `at_least` rows of `table`."""
    # Names as expressions, not as text: sqlglot would parse each of them, a third of a millisecond a time.
    chosen = exp.select(_number(), copy=False).from_(exp.to_table(table), copy=False)
    for one in where:
        chosen = chosen.where(
            exp.paren(one, copy=False) if isinstance(one, exp.Connector) else one, copy=False
        )
    if at_least > 1:
        enough = exp.GTE(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(at_least))
        chosen = chosen.group_by(_number(), copy=False).having(enough, copy=False)
    return exp.In(this=exp.column(columns.NUMBER, table=columns.PERSON), query=chosen.subquery(copy=False))
