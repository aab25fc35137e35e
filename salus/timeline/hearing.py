"""Reads one event as others tell it: whose it is, what happened, when, and the key that makes it idempotent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from salus.contacts import api as contacts
from salus.kernel.errors import BadInput
from salus.timeline import shapes
from salus.timeline.contracts import EventKind

LONGEST_KEY, LONGEST_CALL = 180, 255
AHEAD = timedelta(hours=1)
"""How far ahead of ours another clock may be."""
PERSON = ("contact_id", "identifier", "email")
PARTS = frozenset({*PERSON, "kind", "at", "key", "details"})
_SYSTEM = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Heard:
    """One event that reads well; exactly one of the first three says whose it is."""

    contact_id: UUID | None
    identifier: tuple[str, str] | None
    email: str | None
    kind: EventKind
    at: datetime
    key: str
    details: Mapping[str, Any]


def hear(given: Any, *, now: datetime, call: str, place: int) -> Heard:
    """Return the event that `given` tells; raises `BadInput` whose place is the part at fault.

    An event without a key of its own has that of its `call` and its `place` in it.
    """
    if not isinstance(given, Mapping):
        raise BadInput("is not an object", place="event")
    if not PARTS.issuperset(given):
        raise BadInput(f"has a part that is not known: there are {', '.join(sorted(PARTS))}", place="event")
    named = [name for name in PERSON if given.get(name) is not None]
    if len(named) != 1:
        raise BadInput(f"needs exactly one of: {', '.join(PERSON)}", place="contact_id")
    kind = _at("kind", shapes.kind_of, given.get("kind"))
    return Heard(
        _at("contact_id", _contact_id, given.get("contact_id")),
        _at("identifier", _identifier, given.get("identifier")),
        _at("email", _email, given.get("email")),
        kind,
        _happened(given.get("at"), now),
        _key(given.get("key"), call, place),
        shapes.details_of(kind, given.get("details") or {}),
    )


def _at(place: str, read: Any, given: Any) -> Any:
    """Return what `read` makes of a part; a person's part that is not given stays None."""
    if given is None and place in PERSON:
        return None
    try:
        return read(given)
    except BadInput as fault:
        raise BadInput(fault.what, place=place) from None


def _contact_id(given: Any) -> UUID:
    try:
        return UUID(given)
    except (ValueError, TypeError, AttributeError):
        raise BadInput("is not the id of a contact") from None


def _identifier(given: Any) -> tuple[str, str]:
    if not isinstance(given, Mapping) or set(given) != {"system", "value"}:
        raise BadInput('is not {"system": "mrn", "value": "..."}')
    system, value = given["system"], given["value"]
    if not isinstance(system, str) or not _SYSTEM.fullmatch(system) or not isinstance(value, str):
        raise BadInput("is not the name of an identifier with its value")
    return system, contacts.identifier_value(value)


def _email(given: Any) -> str:
    if not isinstance(given, str):
        raise BadInput("is not an e-mail address")
    return contacts.normalize_email(given)


def _happened(given: Any, now: datetime) -> datetime:
    found: datetime = _at("at", shapes.moment, given)
    if found > now + AHEAD:
        raise BadInput("is in the future: tell what has happened", place="at")
    return found


def _key(given: Any, call: str, place: int) -> str:
    if given is None:
        if not call:
            raise BadInput("is needed, or an Idempotency-Key for the call", place="key")
        return f"call:{call}:{place}"
    if not isinstance(given, str) or not 0 < len(given) <= LONGEST_KEY:
        raise BadInput(f"is not a text of 1 to {LONGEST_KEY} characters", place="key")
    return f"told:{given}"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of one event."""
    return {"oneOf": [_schema_of(kind) for kind in shapes.SHAPES]}


def _schema_of(kind: EventKind) -> dict[str, Any]:
    details = shapes.schema(kind)
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "title": kind.value,
        "properties": {
            "kind": {"const": kind.value},
            "contact_id": {"type": "string", "format": "uuid"},
            "identifier": {
                "type": "object",
                "properties": {"system": text | {"pattern": f"^{_SYSTEM.pattern}$"}, "value": text},
                "required": ["system", "value"],
                "additionalProperties": False,
            },
            "email": {"type": "string", "format": "email"},
            "at": {"type": "string", "format": "date-time"},
            "key": text | {"maxLength": LONGEST_KEY},
            "details": details,
        },
        "required": ["kind", "at", *(["details"] if {"required", "anyOf"} & set(details) else [])],
        "oneOf": [{"required": [name]} for name in PERSON],
        "additionalProperties": False,
    }
