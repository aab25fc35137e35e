"""The kinds of single value in a journey's document: each one reads, writes and describes itself."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from enum import Enum
from typing import Any, ClassVar, Protocol
from uuid import UUID

from salus.kernel.errors import BadInput

Schema = dict[str, Any]

LONGEST = timedelta(days=3650)
DEEPEST = 80
"""How deep an expression may be nested; what it says is read by `audiences`, which allows less."""
UNITS = {
    "weeks": timedelta(weeks=1),
    "days": timedelta(days=1),
    "hours": timedelta(hours=1),
    "minutes": timedelta(minutes=1),
}


class Form(Protocol):
    """One kind of value in a JSON document."""

    def read(self, given: Any, place: str) -> Any:
        """Return what `given`, a JSON value, stands for; raises `BadInput` with the JSON path of the fault."""
        ...

    def write(self, value: Any) -> Any:
        """Return `value` as JSON."""
        ...

    def schema(self) -> Schema:
        """Return the JSON Schema of what `read` takes."""
        ...


@dataclass(frozen=True)
class Text:
    """A text of `least` to `most` characters."""

    most: int
    least: int = 0

    def read(self, given: Any, place: str) -> str:
        """Return the text."""
        if not isinstance(given, str):
            raise BadInput("is not text", place=place)
        if not self.least <= len(given) <= self.most:
            size = f"{self.least} to {self.most:,}" if self.least else f"at most {self.most:,}"
            raise BadInput(f"is not text of {size} characters", place=place)
        if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in given):
            raise BadInput("holds characters that no text can hold", place=place)
        return given

    def write(self, value: str) -> str:
        """Return the text."""
        return value

    def schema(self) -> Schema:
        """Return a string's schema."""
        least = {"minLength": self.least} if self.least else {}
        return {"type": "string", **least, "maxLength": self.most, "pattern": r"^[^\u0000\ud800-\udfff]*$"}


@dataclass(frozen=True)
class Named:
    """A text that matches a pattern as a whole; `looks` says what it looks like."""

    pattern: str
    looks: str

    def read(self, given: Any, place: str) -> str:
        """Return the text."""
        if not isinstance(given, str) or not re.fullmatch(self.pattern, given):
            raise BadInput(f"is not {self.looks}", place=place)
        return given

    def write(self, value: str) -> str:
        """Return the text."""
        return value

    def schema(self) -> Schema:
        """Return a string's schema."""
        return {"type": "string", "pattern": self.pattern}


@dataclass(frozen=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def read(self, given: Any, place: str) -> int:
        """Return the number; 3.0 is one too, as JSON Schema has it."""
        if not is_number(given) or not self.least <= given <= self.most or given != int(given):
            raise BadInput(f"is not a whole number from {self.least:,} to {self.most:,}", place=place)
        return int(given)

    def write(self, value: int) -> int:
        """Return the number."""
        return value

    def schema(self) -> Schema:
        """Return an integer's schema."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Number:
    """A number from -`most` to `most`."""

    most: float

    def read(self, given: Any, place: str) -> float:
        """Return the number."""
        if not is_number(given) or not -self.most <= given <= self.most:
            raise BadInput("is not a number of usable size", place=place)
        number: float = given
        return number

    def write(self, value: float) -> float:
        """Return the number."""
        return value

    def schema(self) -> Schema:
        """Return a number's schema."""
        return {"type": "number", "minimum": -self.most, "maximum": self.most}


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def read(self, given: Any, place: str) -> bool:
        """Return it."""
        if not isinstance(given, bool):
            raise BadInput("is neither true nor false", place=place)
        return given

    def write(self, value: bool) -> bool:
        """Return it."""
        return value

    def schema(self) -> Schema:
        """Return a boolean's schema."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class Word:
    """One word of a closed list: `words` maps each to what it stands for."""

    words: Mapping[str, Any]

    def read(self, given: Any, place: str) -> Any:
        """Return what the word stands for."""
        if not isinstance(given, str) or given not in self.words:
            raise BadInput("is not a known word", place=place, next_step=perhaps(given, self.words))
        return self.words[given]

    def write(self, value: Any) -> str:
        """Return the word."""
        return str(value)

    def schema(self) -> Schema:
        """Return the list of words."""
        return {"enum": list(self.words)}


def word_of(kind: type[Enum]) -> Word:
    """Return the form of the words of an enumeration of texts."""
    return Word({str(each.value): each for each in kind})


@dataclass(frozen=True)
class Id:
    """An id, written as 36 characters."""

    pattern: ClassVar = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"

    def read(self, given: Any, place: str) -> UUID:
        """Return the id."""
        return UUID(Named(self.pattern, "an id").read(given, place))

    def write(self, value: UUID) -> str:
        """Return its 36 characters."""
        return str(value)

    def schema(self) -> Schema:
        """Return an id's schema."""
        return {"type": "string", "pattern": self.pattern}


@dataclass(frozen=True)
class Clock:
    """A time of day, "08:00"."""

    pattern: ClassVar = "^([01][0-9]|2[0-3]):[0-5][0-9]$"

    def read(self, given: Any, place: str) -> time:
        """Return the time of day."""
        return time.fromisoformat(Named(self.pattern, 'a time of day like "08:00"').read(given, place))

    def write(self, value: time) -> str:
        """Return hours and minutes."""
        return value.strftime("%H:%M")

    def schema(self) -> Schema:
        """Return the schema of a time of day."""
        return {"type": "string", "pattern": self.pattern, "examples": ["08:00"]}


@dataclass(frozen=True)
class Span:
    """A length of time, an object with one unit: {"days": 3}; below zero only where it is `signed`."""

    signed: bool = False

    def read(self, given: Any, place: str) -> timedelta:
        """Return the length of time."""
        if not isinstance(given, Mapping) or len(given) != 1 or next(iter(given)) not in UNITS:
            raise BadInput('is not a length of time like {"days": 3}', place=place,
                           next_step=f"Give one of: {', '.join(UNITS)}.")  # fmt: skip
        unit, count = next(iter(given.items()))
        return UNITS[unit] * self._count(unit).read(count, f"{place}.{unit}")

    def write(self, value: timedelta) -> dict[str, int]:
        """Return it in the largest unit from days down that fits."""
        unit = next((unit for unit in ("days", "hours") if not value % UNITS[unit]), "minutes")
        return {unit: value // UNITS[unit]}

    def schema(self) -> Schema:
        """Return one closed object for each unit."""
        return {"oneOf": [closed({unit: self._count(unit).schema()}, [unit]) for unit in UNITS]}

    def _count(self, unit: str) -> Whole:
        most = LONGEST // UNITS[unit]
        return Whole(-most if self.signed else 0, most)


@dataclass(frozen=True)
class Expression:
    """An expression of the segment language, as an object; what it says is checked by `audiences`."""

    def read(self, given: Any, place: str) -> dict[str, Any]:
        """Return a copy."""
        copy: dict[str, Any] = _copy(obj(given, place), place, 0)
        return copy

    def write(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy."""
        return self.read(value, "$")

    def schema(self) -> Schema:
        """Return the schema of any object."""
        return {"type": "object"}


def _copy(given: Any, place: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise BadInput(f"is nested more than {DEEPEST} deep", place=place)
    if isinstance(given, Mapping):
        return {word: _copy(inner, place, depth + 1) for word, inner in given.items()}
    if isinstance(given, list | tuple):
        return [_copy(inner, place, depth + 1) for inner in given]
    return given


@dataclass(frozen=True)
class Plain:
    """A value for an attribute: text, a number, true or false, a list of texts, or null to clear it."""

    text: ClassVar = Text(2_000)
    number: ClassVar = Number(1e15)
    most: ClassVar = 100

    def read(self, given: Any, place: str) -> Any:
        """Return the value."""
        if given is None or isinstance(given, bool):
            return given
        if isinstance(given, list):
            if len(given) > self.most:
                raise BadInput(f"has more than {self.most} values", place=place)
            return [self.text.read(one, f"{place}[{index}]") for index, one in enumerate(given)]
        return self.number.read(given, place) if is_number(given) else self.text.read(given, place)

    def write(self, value: Any) -> Any:
        """Return the value."""
        return value

    def schema(self) -> Schema:
        """Return what it may be."""
        texts = {"type": "array", "items": self.text.schema(), "maxItems": self.most}
        return {"anyOf": [{"type": ["boolean", "null"]}, self.number.schema(), self.text.schema(), texts]}


@dataclass(frozen=True)
class Nullable:
    """A value, or null for none."""

    form: Form

    def read(self, given: Any, place: str) -> Any:
        """Return the value, or None."""
        return None if given is None else self.form.read(given, place)

    def write(self, value: Any) -> Any:
        """Return it as JSON."""
        return None if value is None else self.form.write(value)

    def schema(self) -> Schema:
        """Return what it is, or null."""
        return {"anyOf": [self.form.schema(), {"type": "null"}]}


def is_number(given: Any) -> bool:
    """Tell whether a JSON value is a number."""
    return isinstance(given, int | float) and not isinstance(given, bool)


def obj(given: Any, place: str) -> Mapping[str, Any]:
    """Return `given` if it is an object; raises `BadInput`."""
    if not isinstance(given, Mapping):
        raise BadInput("is not an object", place=place)
    return given


def closed(properties: Mapping[str, Any], required: Iterable[str]) -> Schema:
    """Return the schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def perhaps(given: Any, known: Iterable[str]) -> str:
    """Return a hint made of known words only: what was typed is not repeated, it may be PHI."""
    words = list(known)
    close = difflib.get_close_matches(given, words, 1) if isinstance(given, str) and len(given) < 100 else []
    return f"Perhaps: {close[0]}." if close else f"Known: {', '.join(words)}."
