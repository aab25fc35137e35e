"""What others may tell of an event: the closed shape of the details of each kind, as a check and as JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from salus.contacts import api as contacts
from salus.kernel.errors import BadInput
from salus.timeline.contracts import EventKind

LONGEST_WORDS, LONGEST_ID, LONGEST_PATH, MOST_FIELDS = 200, 128, 500, 50
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_PATH = re.compile(r"/[^\s?#]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One detail: `check` returns its normal form or raises `BadInput` without a place."""

    check: Callable[[Any], Any]
    schema: Schema


@dataclass(frozen=True, slots=True)
class Shape:
    """The details of one kind: which there may be, which there must be, and of which at least one."""

    parts: Mapping[str, Part]
    must: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()


def moment(given: Any) -> datetime:
    """Return the moment that an ISO 8601 text with its zone names; raises `BadInput`."""
    try:
        found = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise BadInput("is not a moment like 2026-12-01T10:00:00-08:00") from None
    if found.utcoffset() is None:
        raise BadInput("needs its offset from UTC, like 2026-12-01T10:00:00-08:00")
    if not EARLIEST <= found < LATEST:
        raise BadInput("is not a moment of our time")
    return found


def words(longest: int = LONGEST_WORDS) -> Callable[[Any], str]:
    """Return the check of a text of at most `longest` characters."""

    def check(given: Any) -> str:
        if not isinstance(given, str) or not given.strip():
            raise BadInput("is not text")
        return contacts.clean_text(given.strip(), longest)

    return check


def _path(given: Any) -> str:
    text = words(LONGEST_PATH)(given)
    if not _PATH.fullmatch(text):
        raise BadInput('is not a path like "/services/cardiology", without "?" and what follows')
    return text


def _system(given: Any) -> str:
    if given not in contacts.SYSTEMS:
        raise BadInput(f"is none of: {', '.join(contacts.SYSTEMS)}")
    return str(given)


def _quantity(given: Any) -> float | int:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < 1e12:
        raise BadInput("is not a number from 0 up")
    return given


def _fields(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping) or len(given) > MOST_FIELDS:
        raise BadInput(f"is not an object of at most {MOST_FIELDS} fields")
    return {_name(name): _answer(value) for name, value in given.items()}


def _name(given: Any) -> str:
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        raise BadInput("has a field whose name is not letters, digits and _")
    return given


def _answer(given: Any) -> Any:
    if given is None or isinstance(given, bool):
        return given
    if isinstance(given, int | float) and abs(given) < 1e15:
        return given
    if isinstance(given, str) and not given.strip():
        return ""
    if isinstance(given, str):
        return words(1_000)(given)
    raise BadInput("has an answer that is neither text, a number nor yes or no")


def _text(longest: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": longest}


_MOMENT: Schema = {"type": "string", "format": "date-time"}
_WORDS = Part(words(), _text(LONGEST_WORDS))
_ID = Part(words(LONGEST_ID), _text(LONGEST_ID))
_AT = Part(lambda given: moment(given).isoformat(), _MOMENT)
_NUMBER = Part(_quantity, {"type": "number", "minimum": 0})

_CODED = {
    "id": _ID,
    "code": Part(words(64), _text(64)),
    "system": Part(_system, {"enum": list(contacts.SYSTEMS)}),
    "text": _WORDS,
}
_CARE = _CODED | {"place": _WORDS, "department": _WORDS}
_APPOINTMENT = _CARE | {"starts_at": _AT, "ends_at": _AT}
_ORDER = {"number": _ID, "product": _WORDS, "quantity": _NUMBER, "amount": _NUMBER}

_KIND = EventKind
SHAPES: Mapping[EventKind, Shape] = MappingProxyType(
    {
        _KIND.VISIT: Shape(_CARE),
        _KIND.PROCEDURE_DONE: Shape(_CARE),
        _KIND.DISCHARGE: Shape(_CARE),
        _KIND.APPOINTMENT_BOOKED: Shape(_APPOINTMENT, ("id", "starts_at")),
        _KIND.APPOINTMENT_MOVED: Shape(_APPOINTMENT, ("id", "starts_at")),
        _KIND.APPOINTMENT_CANCELLED: Shape(_APPOINTMENT, ("id",)),
        _KIND.APPOINTMENT_ATTENDED: Shape(_APPOINTMENT, ("id",)),
        _KIND.APPOINTMENT_MISSED: Shape(_APPOINTMENT, ("id",)),
        _KIND.LAB_AVAILABLE: Shape(_CODED),
        _KIND.PRESCRIPTION_READY: Shape(_CODED | {"place": _WORDS}),
        _KIND.PURCHASE: Shape(_ORDER, (), ("number", "product")),
        _KIND.ORDER_PLACED: Shape(_ORDER, ("number",)),
        _KIND.ORDER_SHIPPED: Shape(_ORDER | {"carrier": _WORDS, "tracking": _ID}, ("number",)),
        _KIND.SIGNED_UP: Shape({"list": _WORDS, "event": _WORDS}, (), ("list", "event")),
        _KIND.DOWNLOADED: Shape({"resource": Part(words(LONGEST_PATH), _text(LONGEST_PATH))}, ("resource",)),
        _KIND.PAGE_VISITED: Shape(
            {"path": Part(_path, _text(LONGEST_PATH) | {"pattern": f"^{_PATH.pattern}$"})}, ("path",)
        ),
        _KIND.FORM_COMPLETED: Shape(
            {"form": _ID, "fields": Part(_fields, {"type": "object", "maxProperties": MOST_FIELDS})},
            ("form",),
        ),
    }
)
"""Every kind that others may tell of; the rest is what only Salus itself sees happen."""


def kind_of(given: Any) -> EventKind:
    """Return the kind that `given` names; raises `BadInput` for one that nobody else may tell."""
    try:
        kind = EventKind(given)
    except (ValueError, TypeError):
        raise BadInput("is not a kind of event that is known") from None
    if kind not in SHAPES:
        raise BadInput("is something that only Salus itself says")
    return kind


def details_of(kind: EventKind, given: Any) -> dict[str, Any]:
    """Return the details of an event of `kind` in normal form; raises `BadInput` with the place of the fault."""
    if not isinstance(given, Mapping):
        raise BadInput("is not an object", place="details")
    shape, found = SHAPES[kind], {}
    for name, value in given.items():
        part = shape.parts.get(name)
        if part is None:
            raise BadInput(
                f"has a part that this kind has not: it has {', '.join(shape.parts)}", place="details"
            )
        if value is None:
            continue
        try:
            found[name] = part.check(value)
        except BadInput as fault:
            raise BadInput(fault.what, place=f"details.{name}") from None
    for name in shape.must:
        if name not in found:
            raise BadInput("is missing", place=f"details.{name}")
    if shape.one_of and not any(name in found for name in shape.one_of):
        raise BadInput(f"needs one of: {', '.join(shape.one_of)}", place="details")
    if "code" in found:
        _spell_code(found)
    return found


def _spell_code(found: dict[str, Any]) -> None:
    code = contacts.normal_code(found["system"], found["code"]) if "system" in found else found["code"]
    if code is None:
        raise BadInput("is not a code of its system", place="details.code")
    found["code"] = code


def schema(kind: EventKind) -> Schema:
    """Return the JSON Schema of the details of `kind`."""
    shape = SHAPES[kind]
    found: Schema = {
        "type": "object",
        "properties": {name: part.schema for name, part in shape.parts.items()},
        "additionalProperties": False,
    }
    if shape.must:
        found["required"] = list(shape.must)
    if shape.one_of:
        found["anyOf"] = [{"required": [name]} for name in shape.one_of]
    return found
