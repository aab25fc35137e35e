"""Reads what a template discloses: every field it shows or tests, with line and code.

A condition discloses as much as printed words do: `{% if contact.pregnant %}` tells who is pregnant
though nothing of it is shown. Names given by `set` and `for` are followed to their fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from salus.contacts.contracts import Attribute, Read
from salus.content.contracts import Need, Problem
from salus.content.expressions import Both, Compare, Const, Either, Expr, Fault, Items, Path, Test
from salus.content.fields import Kind, SpecialOf
from salus.content.printing import CODE_TESTS, Alias, LoopVariable, Printer, Scope, Use, resolve
from salus.content.tags import Assign, Branch, For, If, Literal, Node, Output, place
from salus.kernel.vocabulary import Special

MAX_LOOPS = 2
_RESERVED = frozenset({"contact", "org", "link", "loop"})


@dataclass(slots=True)
class Gathered:
    """A `Need` while it is being put together."""

    forms: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    codes: set[str] | None = field(default_factory=set)

    def join(self, other: Gathered) -> None:
        """Take in what another source needs of the same field."""
        self.forms |= other.forms
        self.asked |= other.asked
        self.limit(other.codes)

    def limit(self, codes: Iterable[str] | None) -> None:
        """Widen the records to those with `codes`; None widens them to all."""
        if codes is None or self.codes is None:
            self.codes = None
        else:
            self.codes |= set(codes)

    def need(self) -> Need:
        """Return it as it is stored."""
        codes = None if self.codes is None else frozenset(self.codes)
        return Need(frozenset(self.forms), frozenset(self.asked), codes)


@dataclass(frozen=True, slots=True)
class Shown:
    """What an output tag is when it is nothing but a link or a fact of the organization; else empty."""

    link: str = ""
    org: str = ""


@dataclass(slots=True)
class Meaning:
    """The outcome of reading one source."""

    reads: list[Read] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    printed: dict[int, str] = field(default_factory=dict)
    """Tag index -> the tag as MiniJinja gets it."""
    needs: dict[str, Gathered] = field(default_factory=dict)
    shown: dict[int, Shown] = field(default_factory=dict)


def read(nodes: list[Node], part: str, attributes: Mapping[str, Attribute], special_of: SpecialOf) -> Meaning:
    """Return what `nodes` disclose and how their tags are printed; pure, never raises for bad tags."""
    walker = _Walker(part, attributes, special_of)
    walker.walk(nodes, Scope(attributes))
    walker.meaning.reads = list(dict.fromkeys(walker.meaning.reads))
    return walker.meaning


class _Walker:
    def __init__(self, part: str, attributes: Mapping[str, Attribute], special_of: SpecialOf) -> None:
        self.part, self.attributes, self.special_of = part, attributes, special_of
        self.meaning = Meaning()

    def walk(self, nodes: Iterable[Node], scope: Scope) -> None:
        for node in nodes:
            try:
                self._node(node, scope)
            except Fault as fault:
                line = node.branches[0].line if isinstance(node, If) else node.line
                self._problem(line, fault)

    def _problem(self, line: int, fault: Fault) -> None:
        self.meaning.problems.append(Problem(place(self.part, line), fault.what, fault.next_step))

    def _node(self, node: Node, scope: Scope) -> None:
        match node:
            case Literal():
                return
            case Output():
                self._output(node, scope)
            case Assign():
                self._assign(node, scope)
            case If():
                self._if(node, scope)
            case For():
                self._for(node, scope)

    def _output(self, node: Output, scope: Scope) -> None:
        printer = Printer(scope)
        self.meaning.printed[node.index] = printer.output(node.expr)
        ref = printer.target(node.expr)
        space, _, key = ref.printed.partition(".") if ref is not None else ("", "", "")
        self.meaning.shown[node.index] = Shown(
            link=key if space == "link" else "", org=key if space == "org" else ""
        )
        self._note(printer.uses, node.line, scope)

    def _assign(self, node: Assign, scope: Scope) -> None:
        """Give a name. Nothing is printed for it: where the name is used, its expression is."""
        self._new_name(node.name, scope)
        self.meaning.printed[node.index] = ""
        alias = Alias(node.expr, scope.child())
        probe = Printer(scope)
        ref = probe.target(node.expr)
        if ref is None or ref.kind not in {Kind.RECORDS, Kind.RECORD, Kind.LINK}:
            _printable(node.expr, scope)
        if _mentions_loop(node.expr):
            raise Fault("loop. cannot be given another name.", "Use loop.index where you need it.")
        scope.names[node.name] = alias

    def _new_name(self, name: str, scope: Scope) -> None:
        if name in _RESERVED or name in scope.names or "__" in name:
            raise Fault(f"The name {name} is taken.", "Choose another one.")

    def _if(self, node: If, scope: Scope) -> None:
        for number, branch in enumerate(node.branches):
            inner = scope.child()
            word = "else"
            if branch.test is not None:
                printer = Printer(scope)
                word = ("elif " if number else "if ") + "true"
                try:
                    word = ("elif " if number else "if ") + printer.test(branch.test)
                    inner.names = _pinned(branch.test, scope)
                    tested = Scope(scope.attributes, inner.names, scope.loops)
                    self._note(printer.uses, branch.line, tested)
                except Fault as fault:
                    self._problem(branch.line, fault)
            self.meaning.printed[branch.index] = "{% " + word + " %}"
            self.walk(branch.body, inner)
        self.meaning.printed[node.end] = "{% endif %}"

    def _for(self, node: For, scope: Scope) -> None:
        if scope.loops >= MAX_LOOPS:
            raise Fault(f"Loops are nested at most {MAX_LOOPS} deep.")
        self._new_name(node.var, scope)
        outer = Printer(scope)
        ref = outer.target(node.source)
        if ref is None or ref.kind is not Kind.RECORDS:
            raise Fault(
                f"{node.source} is not a list of records.", "Loop over contact.medications and the like."
            )
        keeping = scope.child()
        keeping.loops = 0
        keeping.names[node.var] = LoopVariable(ref.field)
        pins, condition = None, ""
        if node.keep is not None:
            pins = _pins(node.keep, node.var, keeping)
            keeping.names[node.var] = LoopVariable(ref.field, pins)
            printer = Printer(keeping)
            condition = " if " + printer.test(node.keep)
            self._note(printer.uses, node.line, keeping)
        if pins is None and node.keep is None and node.otherwise is None:
            pins = _guarded(node.body, node.var, keeping)
        inner = scope.child(loop=True)
        inner.names[node.var] = LoopVariable(ref.field, pins)
        self._note([Use(ref, "list", tuple(sorted(pins or ())), tested=True)], node.line, inner)
        head = f"for v_{node.var} in {ref.printed}{condition}"
        self.meaning.printed[node.index] = "{% " + head + " %}"
        self.walk(node.body, inner)
        if node.otherwise is not None:
            self.meaning.printed[node.otherwise.index] = "{% else %}"
            self.walk(node.otherwise.body, scope.child())
        self.meaning.printed[node.end] = "{% endfor %}"

    def _note(self, uses: Iterable[Use], line: int, scope: Scope) -> None:
        for use in uses:
            ref, codes = use.ref, frozenset(use.codes) or None
            if ref.var and not codes:
                known = scope.names.get(ref.var)
                codes = known.pins if isinstance(known, LoopVariable) else None
            self._need(use, codes)
            attribute = self.attributes[ref.field]
            for code in sorted(codes) if codes else (None,):
                special = attribute.special or (self._special(ref.field, code) if code else None)
                if special is Special.PSYCHOTHERAPY_NOTES:
                    raise Fault("Psychotherapy notes are never part of a message (45 CFR 164.508(a)(2)).")
                origin = "condition" if use.tested else "merge"
                where = place(self.part, line)
                self.meaning.reads.append(Read(ref.field, attribute.phi_class, special, origin, where, code))

    def _special(self, field_: str, code: str) -> Special | None:
        try:
            return self.special_of(field_, code)
        except KeyError:
            raise Fault(f"There is no value set {code}.") from None

    def _need(self, use: Use, codes: frozenset[str] | None) -> None:
        need = self.meaning.needs.setdefault(use.ref.field, Gathered())
        if use.form == "within" or use.ref.kind is Kind.CODES:
            need.asked.update(use.codes)
        if use.ref.part:
            need.forms.add("within" if use.form == "within" else _part_form(use))
        elif use.form == "list":
            need.forms.add("list")
            need.limit(codes)
        else:
            need.forms.add(use.form)


def _part_form(use: Use) -> str:
    return f"{use.ref.part}__{use.form}" if use.form else use.ref.part


def _printable(expr: Expr, scope: Scope) -> None:
    """Raise `Fault` unless `expr` can be shown or tested, so that a set is judged where it stands."""
    try:
        Printer(scope).show(expr)
    except Fault as fault:
        try:
            Printer(scope).test(expr)
        except Fault:
            raise fault from None


def _pins(expr: Expr, var: str, scope: Scope) -> frozenset[str] | None:
    """Return the codes that the record `var` must have for `expr` to be true; None for any."""
    match expr:
        case Path():
            found = resolve(expr, scope)
            return _pins(found.expr, var, found.scope) if isinstance(found, Alias) else None
        case Both(left, right):
            one, other = _pins(left, var, scope), _pins(right, var, scope)
            if one is None or other is None:
                return one or other
            return min(one, other, key=len)
        case Either(left, right):
            one, other = _pins(left, var, scope), _pins(right, var, scope)
            return one | other if one and other else None
        case Compare("==", Path() as path, Const(str(code))) | Compare(
            "==", Const(str(code)), Path() as path
        ):
            return frozenset({code}) if code and _is_code(path, var, scope) else None
        case Compare("in", Path() as path, Items(items)):
            codes = frozenset(str(item.value) for item in items)
            return codes if codes and _is_code(path, var, scope) else None
        case Test(Path() as path, name, (Const(str(code)),), negated=False) if name in CODE_TESTS:
            return frozenset({code}) if code and _is_code(path, var, scope) else None
    return None


def _is_code(path: Path, var: str, scope: Scope) -> bool:
    ref = Printer(scope).target(path)
    return ref is not None and ref.var == var and ref.part == "code"


def _pinned(test: Expr, scope: Scope) -> dict[str, Alias | LoopVariable]:
    """Return the names of `scope`, with records narrowed to the codes that `test` demands."""
    names = dict(scope.names)
    for name, known in scope.names.items():
        if isinstance(known, LoopVariable) and (pins := _pins(test, name, scope)):
            names[name] = LoopVariable(known.field, pins)
    return names


def _guarded(body: list[Node], var: str, scope: Scope) -> frozenset[str] | None:
    """Return the codes outside which `body` shows nothing at all, not even a blank element."""
    codes: frozenset[str] = frozenset()
    for node in body:
        if isinstance(node, Literal) and not node.text.strip():
            continue
        if not isinstance(node, If):
            return None
        for branch in node.branches:
            pins = None if branch.test is None else _safe_pins(branch.test, var, scope)
            if not pins or branch.test is None or _mentions_loop(branch.test):
                return None
            if any(_uses_loop(inner) for inner in branch.body):
                return None
            codes |= pins
    return codes or None


def _safe_pins(test: Expr, var: str, scope: Scope) -> frozenset[str] | None:
    try:
        return _pins(test, var, scope)
    except Fault:
        return None


def _uses_loop(node: Node) -> bool:
    match node:
        case Output() | Assign():
            return _mentions_loop(node.expr)
        case If(branches):
            return any(
                (branch.test is not None and _mentions_loop(branch.test))
                or any(_uses_loop(inner) for inner in branch.body)
                for branch in branches
            )
        case For():
            arms: list[Branch] = [node.otherwise] if node.otherwise else []
            bodies = [*node.body, *(inner for arm in arms for inner in arm.body)]
            return any(_uses_loop(inner) for inner in bodies)
    return False


def _mentions_loop(expr: Expr) -> bool:
    match expr:
        case Path(parts):
            return parts[0] == "loop"
        case Const() | Items():
            return False
    parts_of = (getattr(expr, name) for name in expr.__slots__)
    return any(_mentions_loop(part) for part in parts_of if isinstance(part, Expr))
