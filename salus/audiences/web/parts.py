"""The tests inside a rule as form fields: operators by kind of value, and what each operator needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from salus.contacts import api as contacts
from salus.contacts.contracts import AttributeType
from salus.kernel.errors import BadInput

Rule = dict[str, Any]
_UNITS = [(one, one) for one in ("days", "weeks", "months", "years")]
_EVENT_UNITS = [(one, one) for one in ("hours", "days", "weeks")]
_KNOWN = [("known", "is known"), ("unknown", "is not known")]
_TEXT_OPS = [("in", "is any of"), ("contains", "contains"), ("starts_with", "starts with"), *_KNOWN]
_NUMBER_OPS = [
    ("at_least", "is at least"), ("at_most", "is at most"), ("above", "is above"), ("below", "is below"),
    ("equal", "is"), ("between", "is from … to"), *_KNOWN,
]  # fmt: skip
_DATE_OPS = [
    ("within_last", "is within the last"), ("within_next", "is within the next"), ("older_than", "is longer ago than"),
    ("later_than", "is further ahead than"), ("anniversary_within", "has its anniversary within the next"),
    ("equal", "is"), ("before", "is before"), ("after", "is after"), ("between", "is from … to"), *_KNOWN,
]  # fmt: skip
_SPANS = frozenset({"within_last", "within_next", "older_than", "later_than", "anniversary_within"})
_BARE = frozenset({"known", "unknown", "", "yes", "no"})


@dataclass(frozen=True, slots=True)
class Part:
    """One test inside a rule: its operators and the fields that an operator needs."""

    name: str
    label: str
    operators: list[tuple[str, str]]
    kind: str
    optional: bool = False
    units: tuple[tuple[str, str], ...] = tuple(_UNITS)

    def fields(self, operator: str, choices: list[tuple[str, str]] | None = None) -> dict[str, forms.Field]:
        """Return the fields for `operator`, the operator's own first."""
        listed = [("", "any"), *self.operators] if self.optional else self.operators
        found: dict[str, forms.Field] = {
            f"{self.name}_op": forms.ChoiceField(label=self.label, choices=listed, required=not self.optional)
        }
        if operator in _BARE:
            return found
        if operator in _SPANS:
            most = 366 if operator == "anniversary_within" else 100_000
            found[f"{self.name}_count"] = forms.IntegerField(label="How many", min_value=0, max_value=most)
            if operator != "anniversary_within":
                found[f"{self.name}_unit"] = forms.ChoiceField(label="Of what", choices=list(self.units))
        elif operator == "between":
            found[f"{self.name}_from"] = self._value("From")
            found[f"{self.name}_to"] = self._value("To")
        elif operator == "in" and choices:
            found[f"{self.name}_value"] = forms.MultipleChoiceField(
                label="Which", choices=choices, widget=forms.CheckboxSelectMultiple
            )
        else:
            found[f"{self.name}_value"] = self._value(
                "Several with a semicolon between" if operator == "in" else "Value"
            )
        return found

    def _value(self, label: str) -> forms.Field:
        if self.kind == "number":
            return forms.FloatField(label=label)
        if self.kind == "date":
            return forms.DateField(label=label, widget=forms.DateInput({"type": "date"}))
        return forms.CharField(label=label, max_length=500)

    def test(self, cleaned: Mapping[str, Any]) -> Rule | None:
        """Return the test that was typed, None for "any"."""
        operator = cleaned[f"{self.name}_op"]
        value = cleaned.get(f"{self.name}_value")
        if operator in ("known", "unknown"):
            return {"exists": operator == "known"}
        if operator in ("yes", "no"):
            return {"equal": operator == "yes"}
        if operator in _SPANS:
            return {operator: {cleaned.get(f"{self.name}_unit") or "days": cleaned[f"{self.name}_count"]}}
        if operator == "between":
            low, high = cleaned[f"{self.name}_from"], cleaned[f"{self.name}_to"]
            return {"between": {"from": plain(low), "to": plain(high)}}
        if operator == "in":
            return {"in": value if isinstance(value, list) else listed(str(value))}
        return {operator: plain(value)} if operator else None

    def initial(self, test: Any) -> Rule | None:
        """Return the fields' values for a test, None when the form cannot show it."""
        if not isinstance(test, Mapping) or len(test) != 1:
            return None
        operator, operand = next(iter(test.items()))
        op, known = f"{self.name}_op", {word for word, _ in self.operators}
        if operator == "exists":
            return {op: "known" if operand else "unknown"} if "known" in known else None
        if self.kind == "bool":
            return {op: "yes" if operand else "no"} if operator == "equal" else None
        if self.kind in ("text", "code") and operator == "equal":
            operator, operand = "in", [operand]
        if operator not in known:
            return None
        if operator in _SPANS:
            unit, count = next(iter(operand.items()))
            return {op: operator, f"{self.name}_count": count, f"{self.name}_unit": unit}
        if operator == "between":
            return {op: operator, f"{self.name}_from": operand["from"], f"{self.name}_to": operand["to"]}
        if operator == "in":
            if not all(isinstance(one, str) and ";" not in one for one in operand):
                return None
            shown = operand if self.kind == "code" else "; ".join(operand)
            return {op: operator, f"{self.name}_value": shown}
        return {op: operator, f"{self.name}_value": operand}


def plain(value: Any) -> Any:
    """Return a form's value as JSON holds it."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def listed(text: str) -> list[str]:
    """Return the words of a list typed with semicolons; raises `BadInput` when there is none."""
    found = list(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))
    if not found:
        raise BadInput("give at least one value", place="value")
    return found


WHEN = Part("date", "Date", _DATE_OPS[:4] + _DATE_OPS[5:], "date", optional=True)
VALUE = Part("value", "Value", _NUMBER_OPS, "number", optional=True)
AT = Part("at", "When", [("within_last", "within the last"), ("older_than", "longer ago than")], "date",
          optional=True, units=tuple(_EVENT_UNITS))  # fmt: skip


def part_of(key: str) -> Part | None:
    """Return the test that a scalar attribute takes, None for one that holds codes."""
    attribute = contacts.dictionary().get(key)
    if key == "age":
        return Part("is", "Age", _NUMBER_OPS, "number")
    if attribute is None:
        return Part("is", key, list(_KNOWN), "presence")
    label = attribute.label
    return {
        AttributeType.TEXT: Part("is", label, _TEXT_OPS, "text"),
        AttributeType.CODE: Part("is", label, [("in", "is any of"), *_KNOWN], "code"),
        AttributeType.NUMBER: Part("is", label, _NUMBER_OPS, "number"),
        AttributeType.DATE: Part("is", label, _DATE_OPS, "date"),
        AttributeType.BOOL: Part("is", label, [("yes", "is yes"), ("no", "is no"), *_KNOWN], "bool"),
    }.get(attribute.type)


def codes_of(key: str) -> list[tuple[str, str]] | None:
    """Return the codes of an attribute with their labels, None when there is no closed list."""
    found = contacts.CODE_LISTS.get(key)
    if found is not None:
        return [(code, pair[0]) for code, pair in found.labels.items()]
    if key == "language":
        return [(code, pair[0]) for code, pair in contacts.LANGUAGES.items()]
    return sorted(contacts.STATES.items()) if key in ("state", "care_state") else None
