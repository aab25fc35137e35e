"""The expressions of the template language: a closed subset of Jinja, read into a small tree.

Only what is named here exists. MiniJinja never sees what an author typed: it gets what `reading`
prints from this tree, so the analysis and the renderer cannot disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

MAX_DEPTH = 24
MAX_TAG = 2_000
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "for", "set"})


class Fault(Exception):
    """A template tag that is not part of the language: what is wrong, and how to mend it."""

    def __init__(self, what: str, next_step: str = "") -> None:
        self.what, self.next_step = what, next_step
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Const:
    """A text, number or truth value that the author wrote."""

    value: str | float | bool


@dataclass(frozen=True, slots=True)
class Path:
    """A dotted name: `contact.given_name`, `r.code`, `loop.first`."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Filter:
    """`base|name(args)`."""

    base: Expr
    name: str
    args: tuple[Const, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """`base is name(args)`; `negated` for `is not`."""

    base: Expr
    name: str
    args: tuple[Const, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """`left op right`, where op is one of == != < <= > >= in, and `not in`."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Both:
    """`left and right`."""

    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Either:
    """`left or right`: a test, or the first text that is not empty."""

    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Not:
    """`not base`."""

    base: Expr


@dataclass(frozen=True, slots=True)
class Join:
    """`left ~ right`: two texts side by side."""

    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Choice:
    """`then if test else otherwise`."""

    test: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class Items:
    """`[a, b]`: constants to compare with."""

    items: tuple[Const, ...]


Expr = Const | Path | Filter | Test | Compare | Both | Either | Not | Join | Choice | Items

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<op>==|!=|<=|>=|[<>=|.,()\[\]~-])
    )""",
    re.VERBOSE,
)
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n"}


def _tokens(source: str) -> list[tuple[str, str]]:
    if len(source) > MAX_TAG:
        raise Fault(f"This tag is longer than {MAX_TAG} characters.", "Split it.")
    found: list[tuple[str, str]] = []
    at, end = 0, len(source.rstrip())
    while at < end:
        match = _TOKEN.match(source, at)
        if match is None:
            sign = source[at:].strip()[0]
            raise Fault(
                f"The sign {sign!r} has no meaning inside a tag.",
                "Tags hold names, texts in quotes, numbers, and, or, not, in, is, == and the like.",
            )
        found.append((str(match.lastgroup), match.group(str(match.lastgroup))))
        at = match.end()
    return found


def _unquote(literal: str) -> str:
    def one(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            raise Fault(f"A text may not hold the escape \\{match[1]}.", "Write the character itself.")
        return _ESCAPES[match[1]]

    return re.sub(r"\\(.)", one, literal[1:-1])


class Reader:
    """Reads one tag's inside from left to right; `rest` tells what is still unread."""

    def __init__(self, source: str) -> None:
        self._tokens = _tokens(source)
        self._at = 0
        self._depth = 0

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        """Return (kind, text) of the token `ahead` of here; ("end", "") after the last."""
        place = self._at + ahead
        return self._tokens[place] if place < len(self._tokens) else ("end", "")

    def take(self, text: str) -> bool:
        """Step over the next token if it is the word or sign `text`."""
        kind, found = self.peek()
        if found == text and kind in {"name", "op"}:
            self._at += 1
            return True
        return False

    def name(self) -> str:
        """Step over a plain name and return it."""
        kind, found = self.peek()
        if kind != "name" or found in KEYWORDS:
            self.fail("a name")
        self._at += 1
        return found

    def expect(self, text: str) -> None:
        """Step over `text` or raise `Fault`."""
        if not self.take(text):
            self.fail(f'"{text}"')

    def finish(self) -> None:
        """Raise `Fault` if anything is left."""
        if self.peek()[0] != "end":
            self.fail("the end of the tag")

    def fail(self, wanted: str) -> NoReturn:
        """Raise the `Fault` that says what was wanted here and what was found."""
        kind, found = self.peek()
        if found == "(" and kind == "op":
            raise Fault("Functions are not part of a template.", "Use a field, a filter or a test.")
        raise Fault(f"Here should be {wanted}, not {found or 'the end of the tag'}.")

    def expression(self) -> Expr:
        """Read an expression: the loosest binding is `then if test else otherwise`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Fault("This tag is nested too deeply.", "Use {% set %} to name a part of it.")
        then = self._either()
        if self.take("if"):
            test = self._either()
            otherwise: Expr = Const("")
            if self.take("else"):
                otherwise = self.expression()
            then = Choice(test, then, otherwise)
        self._depth -= 1
        return then

    def _either(self) -> Expr:
        left = self._both()
        while self.take("or"):
            left = Either(left, self._both())
        return left

    def _both(self) -> Expr:
        left = self._not()
        while self.take("and"):
            left = Both(left, self._not())
        return left

    def _not(self) -> Expr:
        if self.take("not"):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise Fault("This tag is nested too deeply.")
            negated = Not(self._not())
            self._depth -= 1
            return negated
        return self._compare()

    def _compare(self) -> Expr:
        left = self._join()
        if self.take("is"):
            negated = self.take("not")
            name = self.name()
            return Test(left, name, self._arguments(), negated)
        for op in ("==", "!=", "<=", ">=", "<", ">", "in"):
            if self.take(op):
                return Compare(op, left, self._join())
        if self.peek() == ("name", "not") and self.peek(1) == ("name", "in"):
            self._at += 2
            return Compare("not in", left, self._join())
        return left

    def _join(self) -> Expr:
        left = self._filtered()
        while self.take("~"):
            left = Join(left, self._filtered())
        return left

    def _filtered(self) -> Expr:
        base = self._primary()
        while self.take("|"):
            base = Filter(base, self.name(), self._arguments())
        return base

    def _arguments(self) -> tuple[Const, ...]:
        if not self.take("("):
            return ()
        return self._constants(")")

    def _constants(self, closing: str) -> tuple[Const, ...]:
        found: list[Const] = []
        while not self.take(closing):
            if found:
                self.expect(",")
            found.append(self._constant())
        return tuple(found)

    def _constant(self) -> Const:
        minus = self.take("-")
        kind, text = self.peek()
        self._at += 1
        if kind == "number":
            return Const(-float(text) if minus else float(text))
        if kind == "text" and not minus:
            return Const(_unquote(text))
        if (kind, text) in {("name", "true"), ("name", "false")} and not minus:
            return Const(text == "true")
        self._at -= 1
        return self.fail("a text in quotes, a number, true or false")

    def _primary(self) -> Expr:
        kind, text = self.peek()
        if self.take("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if self.take("["):
            return Items(self._constants("]"))
        if kind in {"text", "number"} or text in {"-", "true", "false"}:
            return self._constant()
        return self.path()

    def path(self) -> Path:
        """Read a dotted name; `a["b"]` is read as `a.b`."""
        parts = [self.name()]
        while True:
            if self.take("."):
                parts.append(self.name())
            elif self.take("["):
                key = self._constant().value
                if not isinstance(key, str):
                    raise Fault("A record is not picked by its number.", "Loop over the records.")
                parts.append(key)
                self.expect("]")
            elif self.peek() == ("op", "("):
                self.fail("a field")
            else:
                return Path(tuple(parts))


def parse(source: str) -> Expr:
    """Return the tree of one whole expression; raises `Fault`."""
    reader = Reader(source)
    tree = reader.expression()
    reader.finish()
    return tree
