"""Prints an expression as MiniJinja, and notes every field that it uses on the way.

Nothing reaches MiniJinja but what is printed here: fixed shapes, names from the dictionary, quoted
constants. Text is shown as formatted words; what is compared is the raw value beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from salus.contacts.contracts import Attribute
from salus.content import fields
from salus.content.expressions import (
    Both,
    Choice,
    Compare,
    Const,
    Either,
    Expr,
    Fault,
    Filter,
    Items,
    Join,
    Not,
    Path,
    Test,
)
from salus.content.fields import Kind, Ref

MAX_PRINTED = 6_000
TEXT_FILTERS = frozenset({"upper", "lower", "capitalize", "trim"})
SHOWN = frozenset({Kind.TEXT, Kind.CODE, Kind.NUMBER, Kind.DATE, Kind.BOOL, Kind.CODES, Kind.ORG, Kind.COUNT})
CODE_TESTS = frozenset({"within", "startingwith"})
DAY_TESTS = {"upcoming": "true", "past": "false"}
"""Tests of a date against the day for which a message is made."""
_ORDER = frozenset({"<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class Use:
    """One use of patient data: which, in which form, the codes asked for, printed or only tested.

    `form` is "" (the shown words), "raw", "within" (does a code fall under one asked for), "upcoming" (is
    a date still to come) or "list".
    """

    ref: Ref
    form: str
    codes: tuple[str, ...]
    tested: bool


@dataclass(frozen=True, slots=True)
class Alias:
    """A name given by `set`: it stands for the expression, read in the scope where it was given."""

    expr: Expr
    scope: Scope


@dataclass(frozen=True, slots=True)
class LoopVariable:
    """A name given by `for`: one record of `field`; `pins` are the codes it can have, None for any."""

    field: str
    pins: frozenset[str] | None = None


@dataclass(slots=True)
class Scope:
    """The names that a tag can see."""

    attributes: Mapping[str, Attribute]
    names: dict[str, Alias | LoopVariable] = field(default_factory=dict)
    loops: int = 0

    def child(self, *, loop: bool = False) -> Scope:
        """Return a scope inside this one; names given there are not seen here."""
        return Scope(self.attributes, dict(self.names), self.loops + loop)


def quote(text: str) -> str:
    """Return `text` as a MiniJinja string literal that holds no sign of a tag."""
    return '"' + re.sub(r"[^\w .,;:!?/@+=()\'-]", _escaped, text) + '"'


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code < 0x80 else match[0]


def resolve(path: Path, scope: Scope) -> Ref | Alias:
    """Return what `path` names; raises `Fault` for anything that a template may not read."""
    head, rest = path.parts[0], path.parts[1:]
    known = scope.names.get(head)
    if isinstance(known, Alias):
        if rest:
            raise Fault(f"{head} is a name that you set; it has no parts.")
        return known
    if isinstance(known, LoopVariable):
        return _record_part(head, known, rest)
    if head == "contact" and len(rest) == 1 and rest[0] in scope.attributes:
        return Ref(fields.kind_of(scope.attributes[rest[0]]), f"contact.{rest[0]}", rest[0])
    if head == "org" and len(rest) == 1 and rest[0] in fields.ORG_FIELDS:
        return Ref(Kind.ORG, f"org.{rest[0]}")
    if head == "link" and len(rest) == 1 and rest[0] in fields.LINK_FIELDS:
        return Ref(Kind.LINK, f"link.{rest[0]}")
    if head == "loop" and len(rest) == 1 and rest[0] in fields.LOOP_KINDS and scope.loops:
        return Ref(fields.LOOP_KINDS[rest[0]], f"loop.{rest[0]}")
    raise Fault(f"There is no field {path}.", _known(head, scope))


def _record_part(var: str, known: LoopVariable, rest: tuple[str, ...]) -> Ref:
    if not rest:
        return Ref(Kind.RECORD, f"v_{var}", known.field, "", var)
    if len(rest) == 1 and rest[0] in fields.RECORD_KINDS:
        return Ref(fields.RECORD_KINDS[rest[0]], f"v_{var}.{rest[0]}", known.field, rest[0], var)
    raise Fault(
        f"A record of {known.field} has no part {'.'.join(rest)}.",
        f"It has {', '.join(fields.RECORD_KINDS)}.",
    )


def _known(head: str, scope: Scope) -> str:
    known = {
        "contact": sorted(scope.attributes),
        "org": list(fields.ORG_FIELDS),
        "link": list(fields.LINK_FIELDS),
        "loop": list(fields.LOOP_KINDS),
    }.get(head)
    if known is None:
        return "A field begins with contact., org. or link."
    return f"After {head}. there can be: {', '.join(known)}."


class Printer:
    """Prints expressions within one scope; `uses` collects the patient data that they read."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.uses: list[Use] = []

    def output(self, expr: Expr) -> str:
        """Return the whole tag that shows `expr`. Links come escaped already, all else is escaped there."""
        ref = self.target(expr)
        if ref is not None and ref.kind is Kind.LINK:
            return "{{ " + ref.printed + "|safe }}"
        return "{{ " + self.show(expr) + " }}"

    def show(self, expr: Expr) -> str:
        """Return `expr` as something to be shown to the reader."""
        match expr:
            case Const(bool()):
                raise Fault("True and false cannot be shown.", "Show a text.")
            case Const(value):
                return quote(value if isinstance(value, str) else repr(value).removesuffix(".0"))
            case Path():
                return self._show_path(expr)
            case Filter():
                return self._show_filter(expr)
            case Join(left, right):
                return self._bounded(f"({self.show(left)} ~ {self.show(right)})")
            case Either(left, right):
                return self._bounded(f"({self.show(left)} or {self.show(right)})")
            case Choice(test, then, otherwise):
                shown = f"({self.show(then)} if {self.test(test)} else {self.show(otherwise)})"
                return self._bounded(shown)
        raise Fault("The outcome of a test cannot be shown.", "Use {% if %} with a text inside.")

    def _bounded(self, printed: str) -> str:
        if len(printed) > MAX_PRINTED:
            raise Fault("This tag says too much at once.", "Split it.")
        return printed

    def _inner(self, alias: Alias) -> Printer:
        inner = Printer(Scope(alias.scope.attributes, {**alias.scope.names}, alias.scope.loops))
        inner.uses = self.uses
        return inner

    def _use(self, ref: Ref, form: str, *, tested: bool, codes: tuple[str, ...] = ()) -> None:
        if ref.field:
            self.uses.append(Use(ref, form, codes, tested))

    def _show_path(self, path: Path) -> str:
        found = resolve(path, self.scope)
        if isinstance(found, Alias):
            return self._inner(found).show(found.expr)
        if found.kind is Kind.RECORDS:
            raise Fault(f"{path} is a list of records.", f"Loop over it: {{% for r in {path} %}}.")
        if found.kind is Kind.LINK:
            raise Fault("A link stands alone in its tag.", f"Write {{{{ {path} }}}} and nothing else in it.")
        if found.kind not in SHOWN:
            raise Fault(f"{path} cannot be shown.", "Show a part of it, such as its text or its date.")
        self._use(found, "", tested=False)
        return found.printed

    def _show_filter(self, expr: Filter) -> str:
        if expr.name == "default" and len(expr.args) == 1 and isinstance(expr.args[0].value, str):
            return f"({self.show(expr.base)} or {quote(expr.args[0].value)})"
        if expr.name in TEXT_FILTERS and not expr.args:
            return f"({self.show(expr.base)}|{expr.name})"
        if expr.name == "length" and not expr.args:
            return self._count(expr, tested=False)
        raise Fault(
            f"There is no filter {expr.name!r} of that form.",
            f'There are default("..."), length, {", ".join(sorted(TEXT_FILTERS))}.',
        )

    def _count(self, expr: Filter, *, tested: bool) -> str:
        found = self.target(expr.base)
        if found is None or found.kind is not Kind.RECORDS:
            raise Fault("Only a list of records has a length.")
        self._use(found, "list", tested=tested)
        return f"({found.printed}|length)"

    def target(self, expr: Expr) -> Ref | None:
        """Return the field that `expr` is, through names given by `set`; None if it is no field."""
        if not isinstance(expr, Path):
            return None
        found = resolve(expr, self.scope)
        if isinstance(found, Alias):
            return self._inner(found).target(found.expr)
        return found

    def test(self, expr: Expr) -> str:
        """Return `expr` as something that is true or false."""
        match expr:
            case Const(bool() as value):
                return "true" if value else "false"
            case Path():
                return self._test_path(expr)
            case Not(base):
                return f"(not {self.test(base)})"
            case Both(left, right):
                return self._bounded(f"({self.test(left)} and {self.test(right)})")
            case Either(left, right):
                return self._bounded(f"({self.test(left)} or {self.test(right)})")
            case Compare():
                return self._compare(expr)
            case Test():
                return self._named_test(expr)
            case Filter(_, "length", ()):
                return f"({self._count(expr, tested=True)} > 0)"
        raise Fault("This is not something to test.", "Test a field, or compare it with a constant.")

    def _test_path(self, path: Path) -> str:
        found = resolve(path, self.scope)
        if isinstance(found, Alias):
            return self._inner(found).test(found.expr)
        if found.kind is Kind.BOOL:
            self._use(found, "raw", tested=True)
            return f'({found.printed}__raw == "true")'
        if found.kind in {Kind.RECORD, Kind.COUNT}:
            raise Fault(f"{path} is always there.", "Compare a part of it.")
        self._use(found, "list" if found.kind is Kind.RECORDS else "", tested=True)
        return found.printed

    def _named_test(self, expr: Test) -> str:
        found = self.target(expr.base)
        if found is not None and found.kind is Kind.DATE and expr.name in DAY_TESTS and not expr.args:
            self._use(found, "upcoming", tested=True)
            printed = f'({found.printed}__upcoming == "{DAY_TESTS[expr.name]}")'
            return f"(not {printed})" if expr.negated else printed
        codes = tuple(arg.value for arg in expr.args if isinstance(arg.value, str))
        if found is None or len(codes) != 1 or len(expr.args) != 1 or not codes[0] or "|" in codes[0]:
            raise Fault(
                f"There is no test {expr.name!r} of that form.",
                'There are r.code is within("E11"), contact.conditions is having("E11") and '
                'r.code is startingwith("E11"), r.date is upcoming and r.date is past.',
            )
        if expr.name == "having" and found.kind in {Kind.RECORDS, Kind.CODES}:
            self._use(found, "within", tested=True, codes=codes)
            printed = f"({quote(f'|{codes[0]}|')} in {found.printed}__within)"
        elif expr.name == "within" and found.part == "code":
            self._use(found, "within", tested=True, codes=codes)
            printed = f"({quote(f'|{codes[0]}|')} in v_{found.var}.within)"
        elif expr.name == "startingwith" and found.kind in {Kind.CODE, Kind.TEXT}:
            asked = codes if found.part == "code" else ()
            printed = f"({self._raw(found, asked)} is startingwith({quote(codes[0])}))"
        else:
            raise Fault(f"The test {expr.name!r} does not fit {expr.base}.")
        return f"(not {printed})" if expr.negated else printed

    def _raw(self, ref: Ref, codes: tuple[str, ...] = ()) -> str:
        raw = fields.has_raw(ref.kind, ref.part)
        self._use(ref, "raw" if raw else "", tested=True, codes=codes)
        return f"{ref.printed}__raw" if raw else ref.printed

    def _compare(self, expr: Compare) -> str:
        left, op, right = expr.left, expr.op, expr.right
        if op in {"in", "not in"}:
            printed = self._contained(left, right)
            return f"(not {printed})" if op == "not in" else printed
        if isinstance(left, Const) and not isinstance(right, Const):
            op = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
            left, right = right, left
        if isinstance(left, Filter) and left.name == "length" and isinstance(right, Const):
            return f"({self._count(left, tested=True)} {op} {_number(right)})"
        ref = self.target(left)
        if ref is None or not isinstance(right, Const):
            raise Fault("Compare a field with a constant.", 'For example contact.gender == "female".')
        return self._compare_field(ref, op, right)

    def _compare_field(self, ref: Ref, op: str, right: Const) -> str:
        if ref.kind is Kind.COUNT:
            return f"({ref.printed} {op} {_number(right)})"
        if ref.kind is Kind.NUMBER:
            raw, number = self._raw(ref), _number(right)
            return f'({raw} != "" and ({raw}|float) {op} {number})'
        if ref.kind is Kind.BOOL and isinstance(right.value, bool) and op in {"==", "!="}:
            yes = right.value == (op == "==")
            return f'({self._raw(ref)} {"==" if yes else "!="} "true")'
        if not isinstance(right.value, str):
            raise Fault(f"A {ref.kind.value} is compared with a text in quotes.")
        if ref.kind is Kind.DATE:
            try:
                day = date.fromisoformat(right.value)
            except ValueError:
                raise Fault("A date is written in the form 2026-03-31.") from None
            raw = self._raw(ref)
            return f'({raw} != "" and {raw} {op} {quote(day.isoformat())})'
        if ref.kind in {Kind.TEXT, Kind.CODE} and op in {"==", "!="}:
            codes = (right.value,) if ref.part == "code" and right.value else ()
            return f"({self._raw(ref, codes)} {op} {quote(right.value)})"
        if op in _ORDER and ref.kind in {Kind.TEXT, Kind.CODE}:
            raise Fault("Only numbers and dates have an order.")
        raise Fault(f"A {ref.kind.value} cannot be compared this way.")

    def _contained(self, left: Expr, right: Expr) -> str:
        if isinstance(right, Items):
            ref = self.target(left)
            words = tuple(item.value for item in right.items if isinstance(item.value, str))
            if ref is None or ref.kind not in {Kind.TEXT, Kind.CODE} or len(words) != len(right.items):
                raise Fault("Only a text or a code is looked up in a list of texts.")
            codes = words if ref.part == "code" else ()
            return f"({self._raw(ref, codes)} in [{', '.join(map(quote, words))}])"
        ref = self.target(right)
        word = left.value if isinstance(left, Const) and isinstance(left.value, str) else ""
        if ref is not None and ref.kind is Kind.CODES and word and "|" not in word:
            self._use(ref, "raw", tested=True, codes=(word,))
            return f"({quote(f'|{word}|')} in {ref.printed}__raw)"
        raise Fault('Write contact.gender in ["a", "b"], or "E11" in contact.treatment_plans.')


def _number(const: Const) -> str:
    if isinstance(const.value, bool) or not isinstance(const.value, float):
        raise Fault("A number is compared with a number.")
    return repr(const.value)
