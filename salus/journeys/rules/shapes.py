"""Lists, tables and objects in a journey's document: made of forms, and forms themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from typing import Any

from salus.journeys.rules.forms import Form, Schema, closed, obj, perhaps
from salus.kernel.errors import BadInput


@dataclass(frozen=True)
class Listing:
    """A list of `least` to `most` values; a tuple when it is read."""

    form: Form
    most: int
    least: int = 0

    def read(self, given: Any, place: str) -> tuple[Any, ...]:
        """Return the values."""
        if not isinstance(given, list | tuple):
            raise BadInput("is not a list", place=place)
        if not self.least <= len(given) <= self.most:
            raise BadInput(f"is not a list of {self.least} to {self.most:,}", place=place)
        return tuple(self.form.read(one, f"{place}[{index}]") for index, one in enumerate(given))

    def write(self, value: Iterable[Any]) -> list[Any]:
        """Return the values as JSON."""
        return [self.form.write(one) for one in value]

    def schema(self) -> Schema:
        """Return an array's schema."""
        least = {"minItems": self.least} if self.least else {}
        return {"type": "array", "items": self.form.schema(), **least, "maxItems": self.most}


@dataclass(frozen=True)
class Table:
    """An object of at most `most` keys that match `pattern` as a whole, with values of one form."""

    form: Form
    most: int
    pattern: str
    looks: str

    def read(self, given: Any, place: str) -> dict[str, Any]:
        """Return the values by key."""
        if len(obj(given, place)) > self.most:
            raise BadInput(f"has more than {self.most:,} entries", place=place)
        for key in given:
            if not isinstance(key, str) or not re.fullmatch(self.pattern, key):
                raise BadInput(f"has a key that is not {self.looks}", place=place)
        return {key: self.form.read(one, f"{place}.{key}") for key, one in given.items()}

    def write(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values as JSON."""
        return {key: self.form.write(one) for key, one in value.items()}

    def schema(self) -> Schema:
        """Return the schema of an object with any keys."""
        return {
            "type": "object",
            "propertyNames": {"pattern": self.pattern},
            "additionalProperties": self.form.schema(),
            "maxProperties": self.most,
        }


@dataclass(frozen=True)
class Part:
    """One field of an object: its form, and what it is for, for whoever edits it."""

    form: Form
    says: str


@dataclass(frozen=True)
class Shape:
    """A closed object that stands for a dataclass; a field that has a default there may be left out.

    `fixed` are fields of the dataclass that are the same for all of this shape, told by the word that it
    goes by; `must` are fields that may not be left out though they have a default.
    """

    makes: Callable[..., Any]
    says: str
    parts: Mapping[str, Part]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    must: tuple[str, ...] = ()

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """Return what stands for each field that is left out; a field that is not here is needed."""
        found = {}
        for one in fields(self.makes):  # type: ignore[arg-type]
            if one.default is not MISSING:
                found[one.name] = one.default
            elif one.default_factory is not MISSING:
                found[one.name] = one.default_factory()
        return {
            name: default for name, default in found.items() if name in self.parts and name not in self.must
        }

    @property
    def needed(self) -> tuple[str, ...]:
        """Return the fields that may not be left out."""
        return tuple(name for name in self.parts if name not in self.defaults)

    def read(self, given: Any, place: str, *, beside: Iterable[str] = ()) -> Any:
        """Return what the object stands for; `beside` are keys in it that somebody else reads."""
        only(obj(given, place), place, (*beside, *self.parts), self.needed)
        found = {
            name: part.form.read(given[name], f"{place}.{name}")
            for name, part in self.parts.items()
            if name in given
        }
        return self.makes(**self.fixed, **found)

    def write(self, value: Any) -> dict[str, Any]:
        """Return the object; what is as by default is left out."""
        return {
            name: part.form.write(getattr(value, name))
            for name, part in self.parts.items()
            if name in self.needed or getattr(value, name) != self.defaults[name]
        }

    def schema(self) -> Schema:
        """Return a closed object's schema, with what each field is for."""
        return {"description": self.says, **closed(self.properties(), self.needed)}

    def properties(self) -> dict[str, Schema]:
        """Return the schema of each field, with its default."""
        return {name: self._property(name, part) for name, part in self.parts.items()}

    def _property(self, name: str, part: Part) -> Schema:
        default = {"default": part.form.write(self.defaults[name])} if name in self.defaults else {}
        return {**part.form.schema(), "description": part.says, **default}


@dataclass(frozen=True)
class Tagged:
    """An object whose field `tag` says which of the shapes it has."""

    tag: str
    shapes: Mapping[str, Shape]

    def read(self, given: Any, place: str) -> Any:
        """Return what the object stands for."""
        return self.shape_of(given, place).read(given, place, beside=(self.tag,))

    def shape_of(self, given: Any, place: str) -> Shape:
        """Return the shape that the object says it has; raises `BadInput`."""
        word = obj(given, place).get(self.tag)
        if self.tag not in given:
            raise BadInput(f"does not say {self.tag}", place=place)
        if not isinstance(word, str) or word not in self.shapes:
            hint = perhaps(word, self.shapes)
            raise BadInput("is not a known word", place=f"{place}.{self.tag}", next_step=hint)
        return self.shapes[word]

    def write(self, value: Any) -> dict[str, Any]:
        """Return the object."""
        word = str(getattr(value, self.tag))
        return {self.tag: word, **self.shapes[word].write(value)}

    def schema(self, beside: Mapping[str, Schema] | None = None) -> Schema:
        """Return one closed object for each word; `beside` are properties that each of them has too."""
        return {"oneOf": [self._one(word, shape, beside or {}) for word, shape in self.shapes.items()]}

    def _one(self, word: str, shape: Shape, beside: Mapping[str, Schema]) -> Schema:
        properties = {self.tag: {"const": word}, **beside, **shape.properties()}
        return {"title": word, "description": shape.says, **closed(properties, [self.tag, *shape.needed])}


def only(given: Mapping[str, Any], place: str, may: Iterable[str], must: Iterable[str]) -> None:
    """Raise `BadInput` unless `given` has no keys but `may`, and all of `must`."""
    known = list(may)
    for name in given:
        if name not in known:
            raise BadInput("says something that is not understood here", place=place,
                           next_step=perhaps(name, known))  # fmt: skip
    for name in must:
        if name not in given:
            raise BadInput(f"does not say {name}", place=place)
