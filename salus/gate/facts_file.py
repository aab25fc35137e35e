"""Reads a file of facts (messages and people, as JSON) and writes decisions; every fault names its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass, replace
from datetime import date, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID
from zoneinfo import available_timezones

from salus.contacts import api as contacts
from salus.gate.catalogue import CODES
from salus.gate.contracts import Decision, Explained, MessageFacts, PersonFacts
from salus.gate.facts_shapes import Context, defaults_of
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi

MOST_PERSONS = 100_000
EARLIEST, LATEST = 1990, 2199
"""Years for which there can be a decision."""
EARLIEST_DAY = 1870
"""The first year in which somebody can be born, as in contacts."""


@dataclass(frozen=True, slots=True)
class FactsCase:
    """One message with the people it is meant for, and the moment to decide for."""

    at: datetime
    message: MessageFacts
    persons: tuple[PersonFacts, ...]


def read(document: object, default_at: datetime) -> list[FactsCase]:
    """Read one case or a list of cases; raises `BadInput` whose place is the JSON path of the first fault."""
    if isinstance(document, list):
        return [_case(one, f"$[{index}]", default_at) for index, one in enumerate(document)]
    return [_case(document, "$", default_at)]


def _case(value: object, path: str, default_at: datetime) -> FactsCase:
    given = _object(value, path)
    _no_others(given, {"at", "message", "persons"}, path)
    at = _value(datetime, given["at"], Context(f"{path}.at", default_at)) if "at" in given else default_at
    for name in ("message", "persons"):
        if name not in given:
            raise BadInput("is missing", place=f"{path}.{name}")
    if not EARLIEST <= at.year <= LATEST:
        raise BadInput(f"must be between {EARLIEST} and {LATEST}", place=f"{path}.at")
    message = _message(given["message"], Context(f"{path}.message", at))
    people = given["persons"]
    if not isinstance(people, list) or len(people) > MOST_PERSONS:
        raise BadInput(f"must be a list of at most {MOST_PERSONS:,} people", place=f"{path}.persons")
    persons = tuple(_person(one, Context(f"{path}.persons[{index}]", at)) for index, one in enumerate(people))
    return FactsCase(at, message, persons)


def _message(value: object, context: Context) -> MessageFacts:
    message: MessageFacts = _shape(MessageFacts, value, context)
    for index, code in enumerate(message.conditions):
        _known_code("conditions", code, f"{context.path}.conditions[{index}]")
    for index, read in enumerate(message.reads):
        if read.code is not None:
            _known_code(read.field, read.code, f"{context.path}.reads[{index}].code")
    return message


def _known_code(field: str, code: str, path: str) -> None:
    try:
        CODES.specials_of(field, code)
        CODES.covers(code, code)
    except BadInput as fault:
        raise BadInput(fault.what, place=path) from None


def _person(value: object, context: Context) -> PersonFacts:
    """Read a person; a standing that is left out permits nothing and forbids nothing."""
    given = dict(_object(value, context.path))
    if given.get("standing") is None:
        given["standing"] = {}
    person: PersonFacts = _shape(PersonFacts, given, context)
    _check_places(person, context.path)
    if person.address is not None and "address_source" not in given:
        person = replace(person, address_source=person.address.source)
    if "contact_id" not in _object(given["standing"], f"{context.path}.standing"):
        person = replace(person, standing=replace(person.standing, contact_id=person.contact_id))
    return person


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _check_places(person: PersonFacts, path: str) -> None:
    """Refuse a state or zone that nobody knows: its law and its hours would be missed without a word."""
    for state in sorted(person.states):
        if state not in contacts.STATES:
            raise BadInput("must be two-letter codes of states", place=f"{path}.states")
    if person.time_zone and person.time_zone not in _zones():
        raise BadInput('must be a time zone like "America/Chicago"', place=f"{path}.time_zone")


def _shape(shape: type, value: object, context: Context) -> Any:
    """Read an object into a dataclass."""
    given = _object(value, context.path)
    defaults = defaults_of(shape)
    _no_others(given, set(defaults), context.path)
    hints, read = get_type_hints(shape), {}
    for name, default in defaults.items():
        inner = Context(f"{context.path}.{name}", context.at)
        if name in given:
            read[name] = _value(hints[name], given[name], inner)
        elif default is None:
            raise BadInput("is missing", place=inner.path)
        else:
            read[name] = default(context)
    return shape(**read)


def _value(kind: Any, value: object, context: Context) -> Any:
    """Read one value of a declared type."""
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        if value is None and NoneType in get_args(kind):
            return None
        return _value(next(one for one in get_args(kind) if one is not NoneType), value, context)
    if origin in {tuple, frozenset}:
        if not isinstance(value, list):
            raise BadInput("must be a list", place=context.path)
        inner = get_args(kind)[0]
        return origin(
            _value(inner, one, Context(f"{context.path}[{index}]", context.at))
            for index, one in enumerate(value)
        )
    if origin is Phi:
        return Phi(_plain(str, value, context.path))
    if is_dataclass(kind):
        return _shape(kind, value, context)  # type: ignore[arg-type]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _word(kind, value, context.path)
    return _plain(kind, value, context.path)


def _word(kind: type[Enum], value: object, path: str) -> Enum:
    for one in kind:
        if one.value == value:
            return one
    raise BadInput(f"must be one of: {', '.join(str(one.value) for one in kind)}", place=path)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not EARLIEST_DAY <= moment.year < LATEST:
        raise ValueError(text)
    return moment


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if not EARLIEST_DAY <= day.year <= LATEST:
        raise ValueError(text)
    return day


_TEXTS: Mapping[type, tuple[Callable[[str], object], str]] = {
    str: (str, "a text"),
    date: (_day, 'a date like "2026-11-24"'),
    datetime: (_moment, 'a moment with its zone, like "2026-11-24T17:00:00Z"'),
    UUID: (UUID, "a UUID"),
    bytes: (bytes.fromhex, "bytes in hexadecimal"),
}


def _plain(kind: Any, value: object, path: str) -> Any:
    """Read a text, number or truth; the fault does not repeat the value, which may be PHI."""
    if kind in {bool, int}:
        if type(value) is not kind:
            raise BadInput("must be true or false" if kind is bool else "must be a whole number", place=path)
        return value
    convert, words = _TEXTS[kind]
    try:
        if isinstance(value, str):
            return convert(value)
    except ValueError:
        pass
    raise BadInput(f"must be {words}", place=path)


def _object(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadInput("must be an object", place=path)
    return value


def _no_others(given: Mapping[str, Any], known: set[str], path: str) -> None:
    for name in given:
        if name not in known:
            raise BadInput(
                f"is not known here; known are: {', '.join(sorted(known))}", place=f"{path}.{name}"
            )


def write_decision(decision: Decision, reason: Explained | None) -> dict[str, Any]:
    """Return a decision as JSON values; `explanation` is there for a refusal."""
    return {
        "contact_id": str(decision.contact_id),
        "allowed": decision.allowed,
        "reason": decision.reason,
        "explanation": _explained(reason) if reason else None,
        "rules": list(decision.rule_ids),
        "gates": [
            {
                "gate": result.gate,
                "rule": result.rule_id,
                "citation": result.citation,
                "satisfied": result.satisfied,
                "evidence_id": str(result.evidence_id) if result.evidence_id else None,
                "detail": result.detail,
            }
            for result in decision.results
        ],
        "footer": decision.footer,
        "elements": list(decision.elements),
        "floor": decision.floor.name.lower(),
        "valid_until": decision.valid_until.isoformat(),
        "disclosed": list(decision.disclosed),
        "profile": decision.profile,
        "rules_version": decision.rules_version,
    }


def _explained(found: Explained) -> dict[str, Any]:
    return {"sentence": found.sentence, "citations": list(found.citations), "next_step": found.next_step}
