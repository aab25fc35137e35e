"""Filters of SCIM (RFC 7644 section 3.4.2.2): read one, and say whether a resource fits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from salus.kernel.errors import BadInput

Resource = Mapping[str, Any]
LONGEST, DEEPEST = 2_000, 20
_TOKEN = re.compile(
    r"""\s*(?:(?P<mark>[()\[\]])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])"""
    r"""|(?P<word>[A-Za-z$][\w.:$-]*))"""
)
_PREFIX = re.compile(r"urn:ietf:params:scim:schemas:core:2\.0:(?:user|group):", re.IGNORECASE)
_CONSTANTS = {"true": True, "false": False, "null": None}
_EXACT = frozenset({"id", "externalid"})
"""Compared letter by letter (RFC 7643 section 3.1); everything else without regard to capitals."""
_OPERATORS = frozenset({"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"})


@dataclass(frozen=True, slots=True)
class Compare:
    """`path operator value`; the operator "pr" has no value."""

    path: str
    operator: str
    value: Any = None

    def fits(self, resource: Resource) -> bool:
        """Return whether one of the values at `path` compares so."""
        found = list(_values(resource, self.path))
        if self.operator == "pr":
            return any(value not in (None, "", [], {}) for value in found)
        if self.operator == "ne":
            return not Compare(self.path, "eq", self.value).fits(resource)
        if self.value is None:
            return self.operator == "eq" and not found
        exact = self.path.rpartition(".")[2].casefold() in _EXACT
        return any(_compares(value, self.operator, self.value, exact=exact) for value in found)


@dataclass(frozen=True, slots=True)
class Within:
    """`path[inner]`: one of the values at `path` fits `inner` by itself."""

    path: str
    inner: Filter

    def fits(self, resource: Resource) -> bool:
        """Return whether one does."""
        return any(
            self.inner.fits(each) for each in _at(resource, self.path.split(".")) if isinstance(each, Mapping)
        )


@dataclass(frozen=True, slots=True)
class Both:
    """`one and other`."""

    one: Filter
    other: Filter

    def fits(self, resource: Resource) -> bool:
        """Return whether both fit."""
        return self.one.fits(resource) and self.other.fits(resource)


@dataclass(frozen=True, slots=True)
class Either:
    """`one or other`."""

    one: Filter
    other: Filter

    def fits(self, resource: Resource) -> bool:
        """Return whether one of them fits."""
        return self.one.fits(resource) or self.other.fits(resource)


@dataclass(frozen=True, slots=True)
class Not:
    """`not (inner)`."""

    inner: Filter

    def fits(self, resource: Resource) -> bool:
        """Return whether `inner` does not fit."""
        return not self.inner.fits(resource)


Filter = Compare | Within | Both | Either | Not


def parse(text: str) -> Filter:
    """Return the filter that `text` is; raises `BadInput` (place "filter") and never shows the text."""
    if len(text) > LONGEST:
        raise _wrong("it is too long")
    reader = _Reader(_tokens(text))
    found = reader.either(0)
    if reader.next is not None:
        raise _wrong("something follows its end")
    return found


def plain_name(path: str) -> str:
    """Return an attribute path without the name of its schema."""
    return _PREFIX.sub("", path)


class _Reader:
    """Reads tokens from left to right; "and" binds closer than "or"."""

    def __init__(self, tokens: Iterator[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.next = next(tokens, None)

    def either(self, depth: int) -> Filter:
        found = self.both(depth)
        while self.takes_word("or"):
            found = Either(found, self.both(depth))
        return found

    def both(self, depth: int) -> Filter:
        found = self.one(depth)
        while self.takes_word("and"):
            found = Both(found, self.one(depth))
        return found

    def one(self, depth: int) -> Filter:
        if depth > DEEPEST:
            raise _wrong("it is nested too deeply")
        if self.takes_word("not"):
            self.needs("(")
            return Not(self.closed(depth, ")"))
        if self.takes("(") is not None:
            return self.closed(depth, ")")
        path = plain_name(self.word())
        if self.takes("[") is not None:
            return Within(path, self.closed(depth, "]"))
        operator = self.word().lower()
        if operator == "pr":
            return Compare(path, "pr")
        if operator not in _OPERATORS:
            raise _wrong("it has an operator that is none")
        return Compare(path, operator, self.value())

    def closed(self, depth: int, mark: str) -> Filter:
        found = self.either(depth + 1)
        self.needs(mark)
        return found

    def value(self) -> Any:
        kind, text = self.next or ("", "")
        self.step()
        if kind == "word" and text.lower() in _CONSTANTS:
            return _CONSTANTS[text.lower()]
        if kind in {"text", "number"}:
            return _read(text)
        raise _wrong("a value is missing")

    def word(self) -> str:
        kind, text = self.next or ("", "")
        if kind != "word":
            raise _wrong("a word is missing")
        self.step()
        return text

    def takes_word(self, word: str) -> bool:
        if self.next is not None and self.next[0] == "word" and self.next[1].lower() == word:
            self.step()
            return True
        return False

    def takes(self, mark: str) -> str | None:
        if self.next == ("mark", mark):
            self.step()
            return mark
        return None

    def needs(self, mark: str) -> None:
        if self.takes(mark) is None:
            raise _wrong(f"a {mark} is missing")

    def step(self) -> None:
        self.next = next(self.tokens, None)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place, end = 0, len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None:
            raise _wrong("it cannot be read")
        place = found.end()
        yield str(found.lastgroup), found[str(found.lastgroup)]


def _read(text: str) -> Any:
    try:
        found = json.loads(text)
        str(found).encode()
    except ValueError:  # half a character of two is one, too
        raise _wrong("a value in it cannot be read") from None
    if "\0" in str(found):
        raise _wrong("a value in it cannot be read")
    return found


def _wrong(why: str) -> BadInput:
    return BadInput(f"That is no filter: {why}.", place="filter")


def _values(resource: Resource, path: str) -> Iterator[Any]:
    """Yield the values at a path; of a complex one its "value" (RFC 7644 section 3.4.2.2)."""
    for value in _at(resource, path.split(".")):
        if isinstance(value, Mapping):
            yield from _at(value, ["value"])
        else:
            yield value


def _at(value: Any, names: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for each in value:
            yield from _at(each, names)
    elif not names:
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name.casefold() == names[0].casefold():
                yield from _at(inner, names[1:])


def _compares(value: Any, operator: str, wanted: Any, *, exact: bool) -> bool:
    if isinstance(value, bool):
        return operator == "eq" and str(value).lower() == str(wanted).lower()
    if not isinstance(value, str) or not isinstance(wanted, str):
        return operator == "eq" and type(value) is type(wanted) and bool(value == wanted)
    one, other = (value, wanted) if exact else (value.casefold(), wanted.casefold())
    if operator in {"gt", "ge", "lt", "le"}:
        return _ordered(value, wanted, operator) if _moment(value) else _by(one, other, operator)
    return {
        "eq": one == other,
        "co": other in one,
        "sw": one.startswith(other),
        "ew": one.endswith(other),
    }[operator]


def _ordered(value: str, wanted: str, operator: str) -> bool:
    one, other = _moment(value), _moment(wanted)
    return other is not None and _by(one, other, operator)


def _by(one: Any, other: Any, operator: str) -> bool:
    return bool(
        {"gt": one.__gt__, "ge": one.__ge__, "lt": one.__lt__, "le": one.__le__}[operator](other) is True
    )


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
