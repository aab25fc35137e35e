"""The JSON Schema of a file of facts, made from the same types that read it."""

from __future__ import annotations

from dataclasses import is_dataclass
from datetime import date, datetime
from enum import Enum
from inspect import getdoc
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from salus.gate.contracts import MessageFacts, PersonFacts
from salus.gate.facts_shapes import defaults_of
from salus.kernel.phi import Phi

_TEXTS: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    UUID: {"type": "string", "format": "uuid"},
    bytes: {"type": "string", "pattern": "^([0-9a-fA-F]{2})*$"},
}


def schema() -> dict[str, Any]:
    """Return the schema: one case, or a list of cases."""
    definitions: dict[str, Any] = {}
    message, person = _of(MessageFacts, definitions), _of(PersonFacts, definitions)
    definitions["Case"] = {
        "type": "object",
        "description": "One message, the people it is meant for, and the moment to decide for (now, if left out).",
        "properties": {
            "at": _TEXTS[datetime],
            "message": message,
            "persons": {"type": "array", "items": person},
        },
        "required": ["message", "persons"],
        "additionalProperties": False,
    }
    case = {"$ref": "#/$defs/Case"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Facts for the gate",
        "anyOf": [case, {"type": "array", "items": case}],
        "$defs": definitions,
    }


def _of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; named types go into `definitions`."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return {"anyOf": [{"type": "null"} if one is NoneType else _of(one, definitions) for one in inner]}
    if origin in {tuple, frozenset}:
        return {"type": "array", "items": _of(inner[0], definitions)}
    if origin is Phi:
        return _TEXTS[str]
    if kind in _TEXTS:
        return _TEXTS[kind]
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}
        definitions[kind.__name__] = _object(kind, definitions) if is_dataclass(kind) else _words(kind)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _object(shape: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(shape)
    defaults = defaults_of(shape)
    return {
        "type": "object",
        "description": _first_sentence(shape),
        "properties": {name: _of(hints[name], definitions) for name in defaults},
        "required": [name for name, default in defaults.items() if default is None],
        "additionalProperties": False,
    }


def _words(kind: type[Enum]) -> dict[str, Any]:
    return {"description": _first_sentence(kind), "enum": [one.value for one in kind]}


def _first_sentence(kind: type) -> str:
    return (getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")
