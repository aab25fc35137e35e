"""A rule as the values of its form, or as JSON when the form cannot show all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from salus.audiences.web.parts import AT, VALUE, WHEN, Rule, codes_of, part_of
from salus.contacts import api as contacts
from salus.contacts.contracts import Attribute, AttributeType

JSON = "json"


def describe(rule: Rule) -> tuple[str, Rule]:
    """Return what a rule is about and the values of its form; as JSON when the form cannot show all of it."""
    head = next((word for word in _INITIALS if word in rule), None)
    shown = _INITIALS[head](rule) if head is not None else None
    return shown or (JSON, {"json": json.dumps(rule, indent=2, ensure_ascii=False)})


def _field_initial(rule: Rule) -> tuple[str, Rule] | None:
    key = rule["field"]
    test = {word: value for word, value in rule.items() if word != "field"}
    known = key == "age" or key in contacts.dictionary() or key in ("email", "phone")
    attribute: Attribute | None = contacts.dictionary().get(key)
    if not known or (attribute is not None and attribute.type is AttributeType.RECORDS):
        return None
    part = part_of(key)
    if part is None:
        if test == {"exists": True}:
            return f"field:{key}", {"codes": ""}
        return (f"field:{key}", {"codes": _shown(test["has"])}) if set(test) == {"has"} else None
    initial = part.initial(test)
    if initial is None or (part.kind == "code" and not _all_listed(key, initial)):
        return None
    return f"field:{key}", initial


def _all_listed(key: str, initial: Rule) -> bool:
    choices, value = codes_of(key), initial.get("is_value")
    if choices is None:
        if isinstance(value, list):
            initial["is_value"] = "; ".join(value)
        return True
    return value is None or set(value) <= {code for code, _ in choices}


def _shown(codes: Any) -> str:
    return codes if isinstance(codes, str) else "; ".join(codes)


def _record_initial(head: str) -> Callable[[Rule], tuple[str, Rule] | None]:
    def describe_it(rule: Rule) -> tuple[str, Rule] | None:
        if set(rule) - {head, "code", "status", "date", "value", "at_least"}:
            return None
        initial: Rule = {
            "codes": _shown(rule.get("code", "")),
            "status": _shown(rule.get("status", "")),
            "at_least": rule.get("at_least", 1),
        }
        for part in (WHEN, VALUE):
            if part.name in rule:
                shown = part.initial(rule[part.name])
                if shown is None:
                    return None
                initial |= shown
        return f"{head}:{rule[head]}", initial

    return describe_it


def _event_initial(head: str) -> Callable[[Rule], tuple[str, Rule] | None]:
    def describe_it(rule: Rule) -> tuple[str, Rule] | None:
        shown = AT.initial(rule["at"]) if "at" in rule else {}
        if shown is None or rule.get("where") or set(rule) - {head, "at_least", "at", "where"}:
            return None
        kinds = [rule[head]] if isinstance(rule[head], str) else rule[head]
        return head, {"kinds": kinds, "at_least": rule.get("at_least", 1), **shown}

    return describe_it


def _stage_initial(rule: Rule) -> tuple[str, Rule]:
    return "stage", {"stages": [rule["stage"]] if isinstance(rule["stage"], str) else rule["stage"]}


def _consent_initial(rule: Rule) -> tuple[str, Rule] | None:
    return None if set(rule) - {"consent", "topic", "channel"} else ("consent", dict(rule))


def _near_initial(rule: Rule) -> tuple[str, Rule] | None:
    point = rule["near"]
    if "miles" not in rule or not isinstance(point, Mapping) or set(point) != {"postal_code"}:
        return None
    return "near", {"postal_code": point["postal_code"], "miles": rule["miles"]}


_INITIALS: Mapping[str, Callable[[Rule], tuple[str, Rule] | None]] = {
    "field": _field_initial,
    "record": _record_initial("record"),
    "latest": _record_initial("latest"),
    "did": _event_initial("did"),
    "did_not": _event_initial("did_not"),
    "stage": _stage_initial,
    "segment": lambda rule: ("segment", {"segment": rule["segment"]}),
    "consent": _consent_initial,
    "near": _near_initial,
}
