"""The published JSON Schema of the segment language (draft 2020-12), made from the words it knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from salus.audiences import operands
from salus.audiences.columns import SYSTEMS
from salus.audiences.contracts import LISTED
from salus.audiences.lexicon import Lexicon
from salus.audiences.nodes import Consent, Kind, Op
from salus.audiences.parse import AGE, CONSENT_WORDS, MOST_NODES, MOST_RECORDS, RECORD_TESTS, VERSION
from salus.contacts.contracts import AttributeType
from salus.kernel.vocabulary import Channel, PhiClass, Purpose, Special
from salus.timeline.contracts import EventKind

Schema = dict[str, Any]
IDENTITY = "https://salus.example/schema/segment-1.json"

_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": operands.LONGEST_TEXT}
_NUMBER: Schema = {
    "type": "number",
    "minimum": -operands.LARGEST_NUMBER,
    "maximum": operands.LARGEST_NUMBER,
}
_DAY: Schema = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_INSTANT: Schema = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.{2,30}(Z|[+-][0-9]{2}:?[0-9]{2}))?$",
}
_SCALAR: Mapping[Kind, Schema] = {
    Kind.TEXT: _TEXT,
    Kind.CODE: _TEXT,
    Kind.NUMBER: _NUMBER,
    Kind.DATE: _DAY,
    Kind.BOOL: {"type": "boolean"},
    Kind.INSTANT: _INSTANT,
}


def _list(items: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "maxItems": operands.MOST_VALUES, "items": items}


def _closed(properties: Mapping[str, Any], required: Iterable[str]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _span(units: Iterable[str], most: Mapping[str, int] = operands.LONGEST_SPAN) -> Schema:
    return {
        "oneOf": [
            _closed({unit: {"type": "integer", "minimum": 0, "maximum": most[unit]}}, [unit])
            for unit in units
        ]
    }


_CODES: Schema = {
    "description": 'A code, the beginning of an ICD-10 code ("E11" covers E11.9), or a value set ("vs:diabetes").',
    "oneOf": [_TEXT, _list(_TEXT)],
}


def _operand(kind: Kind, op: Op) -> Schema:
    if op is Op.EXISTS:
        return {"type": "boolean"}
    if op is Op.HAS:
        return {"$ref": "#/$defs/codes"}
    if op is Op.ANNIVERSARY_WITHIN:
        return _span(["days"], {"days": operands.LONGEST_ANNIVERSARY})
    if op in (Op.WITHIN_LAST, Op.WITHIN_NEXT, Op.OLDER_THAN, Op.LATER_THAN):
        return {"$ref": "#/$defs/short_span" if kind is Kind.INSTANT else "#/$defs/span"}
    if op is Op.IN:
        return _list(_SCALAR[kind])
    if op is Op.BETWEEN:
        return _closed({"from": _SCALAR[kind], "to": _SCALAR[kind]}, ["from", "to"])
    return _SCALAR[kind]


def _tests(kind: Kind) -> list[Schema]:
    """Return one closed object for each operator that a value of `kind` takes."""
    return [
        _closed({op.value: _operand(kind, op)}, [op.value]) for op in Op if op in operands.OPERATORS[kind]
    ]


def _field(keys: list[str], kind: Kind) -> list[Schema]:
    head: Schema = {"enum": sorted(keys)}
    return [
        _closed({"field": head, op.value: _operand(kind, op)}, ["field", op.value])
        for op in Op
        if op in operands.OPERATORS[kind]
    ]


def schema(lexicon: Lexicon) -> Schema:
    """Return the JSON Schema of a whole segment tree."""
    keys: dict[Kind, list[str]] = {}
    for one in lexicon.attributes.values():
        keys.setdefault(operands.KIND_OF[one.type], []).append(one.key)
    keys.setdefault(Kind.NUMBER, []).append(AGE)
    keys.setdefault(Kind.PRESENCE, []).extend(lexicon.addresses)
    records = {
        "enum": sorted(one.key for one in lexicon.attributes.values() if one.type is AttributeType.RECORDS)
    }
    match = {
        "code": {"$ref": "#/$defs/codes"},
        "system": {"enum": list(SYSTEMS)},
        "status": {"$ref": "#/$defs/codes"},
    }
    tests = {name: {"$ref": f"#/$defs/{kind.value}_test"} for name, kind in RECORD_TESTS.items()}
    least = {"type": "integer", "minimum": 1, "maximum": MOST_RECORDS}
    kinds = {"enum": [one.value for one in EventKind]}
    when = {
        "at_least": least,
        "at": {"$ref": "#/$defs/instant_test"},
        "where": {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$"},
            "additionalProperties": {"$ref": "#/$defs/detail_test"},
        },
    }
    events = {"oneOf": [kinds, _list(kinds)]}
    stages = {"enum": sorted(lexicon.stages)}
    node = {"$ref": "#/$defs/node"}
    nodes: list[Schema] = [
        _closed({"all": {"type": "array", "items": node}}, ["all"]),
        _closed({"any": {"type": "array", "items": node}}, ["any"]),
        _closed({"not": node}, ["not"]),
        *(one for kind, some in sorted(keys.items()) for one in _field(some, kind)),
        _closed({"record": records, "at_least": least} | match | tests, ["record"]),
        _closed({"latest": records} | match | tests, ["latest"])
        | {"anyOf": [{"required": [name]} for name in RECORD_TESTS]},
        _closed({"did": events} | when, ["did"]),
        _closed({"did_not": events} | when, ["did_not"]),
        _closed({"stage": {"oneOf": [stages, _list(stages)]}}, ["stage"]),
        _closed({"segment": {"type": "string", "format": "uuid"}}, ["segment"]),
        _closed(
            {
                LISTED: {"type": "string", "format": "uuid"},
                "tells": _list({"enum": [one.value for one in PhiClass]}),
                "special": _list({"enum": [one.value for one in Special]}),
            },
            [LISTED, "tells"],
        )
        | {"description": "The only rule of a static segment. Elsewhere name that segment by `segment`."},
        *(_consent(one) for one in Consent),
        *(_near(unit) for unit in ("miles", "kilometers")),
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": IDENTITY,
        "title": "A segment: a set of people, by rules",
        "description": (
            f"At most {MOST_NODES} rules. A rule is true of a person or it is not: what is missing does not "
            "match, and `not` is everybody of whom its rule is not true."
        ),
        **_closed({"version": {"const": VERSION}, "where": node}, ["version", "where"]),
        "$defs": {
            "node": {"oneOf": nodes},
            "codes": _CODES,
            "span": _span(["days", "weeks", "months", "years"]),
            "short_span": _span(["hours", "days", "weeks"]),
            **{
                f"{kind.value}_test": {"oneOf": _tests(kind)}
                for kind in (Kind.DATE, Kind.NUMBER, Kind.TEXT, Kind.INSTANT)
            },
            "detail_test": {
                "anyOf": [one for kind in (Kind.TEXT, Kind.NUMBER, Kind.BOOL) for one in _tests(kind)]
            },
        },
    }


def _consent(consent: Consent) -> Schema:
    need, may = CONSENT_WORDS[consent]
    values: dict[str, Schema] = {
        "topic": _TEXT,
        "channel": {"enum": [one.value for one in Channel]},
        "confirmed": {"type": "boolean"},
        "purpose": {"enum": [one.value for one in Purpose]},
        "special": {"enum": [one.value for one in Special]},
    }
    named = {name: values[name] for name in values if name in need | may}
    return _closed({"consent": {"const": consent.value}} | named, ["consent", *sorted(need)])


def _near(unit: str) -> Schema:
    point = {
        "oneOf": [
            _closed(
                {
                    "latitude": {"type": "number", "minimum": -90, "maximum": 90},
                    "longitude": {"type": "number", "minimum": -180, "maximum": 180},
                },
                ["latitude", "longitude"],
            ),
            _closed({"postal_code": _TEXT}, ["postal_code"]),
        ]
    }
    return _closed({"near": point, unit: {"type": "number", "exclusiveMinimum": 0}}, ["near", unit])
