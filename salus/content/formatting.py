"""Turns opened fields into the formatted strings that a version reads, and nothing beyond them.

What is left out here is never stored with a message: records that the template cannot show, parts of
records that it does not print, codes that it does not ask for (45 CFR 164.502(b), minimum necessary).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from salus.contacts.contracts import Attribute, AttributeType
from salus.content import wording
from salus.content.contracts import Need
from salus.content.fields import OPENS

Covers = Callable[[str, str], bool]
"""(asked code or value set, a record's code) -> does the record fall under it?"""

LabelOf = Callable[[str, str, str], str]
"""(field, code, language) -> the word for a code, or "" when there is none."""

MAX_RECORDS = 200
"""More of one kind than this are not told in one message; the newest are."""

DAYS = frozenset({"date", "end"})
SOONEST_FIRST = frozenset({"appointments"})
"""All other records come newest first."""


@dataclass(frozen=True, slots=True)
class Formatter:
    """Formats values by the dictionary; the two questions about codes are answered by `contacts`."""

    attributes: Mapping[str, Attribute]
    covers: Covers
    label_of: LabelOf

    def contact(
        self, needs: Mapping[str, Need], values: Mapping[str, Any], language: str, at: date
    ) -> dict[str, Any]:
        """Return the "contact" part of the values of one message; absent fields become empty.

        `values` are opened plain values by attribute key, with "email" and "phone" beside them; `at` is
        the day in whose light an age is told.
        """
        made: dict[str, Any] = {}
        for key, need in needs.items():
            value: Any = _derived(key, values, at) if key in OPENS else values.get(key)
            kind = self.attributes[key].type
            if kind is AttributeType.RECORDS:
                self._records(made, key, need, value or (), language, at)
            elif kind is AttributeType.CODES:
                self._codes(made, key, need, value or (), language)
            else:
                self._scalar(made, key, need, kind, value, language)
                if "upcoming" in need.forms:
                    made[f"{key}__upcoming"] = _upcoming(value, at)
        return made

    def _scalar(
        self, made: dict[str, Any], key: str, need: Need, kind: AttributeType, value: Any, language: str
    ) -> None:
        if "" in need.forms:
            made[key] = "" if value is None else self._shown(key, kind, value, language)
        if "raw" in need.forms:
            made[f"{key}__raw"] = "" if value is None else _raw(value, day=kind is AttributeType.DATE)

    def _shown(self, key: str, kind: AttributeType, value: Any, language: str) -> str:
        match kind:
            case AttributeType.DATE:
                return wording.when(str(value), language)
            case AttributeType.NUMBER:
                return wording.number(value, language)
            case AttributeType.BOOL:
                return wording.yes_no(bool(value), language)
            case AttributeType.CODE:
                return wording.clean(self.label_of(key, str(value), language) or value)
        return wording.clean(value)

    def _codes(self, made: dict[str, Any], key: str, need: Need, codes: Iterable[Any], language: str) -> None:
        found = [str(code) for code in codes]
        if "" in need.forms:
            words = [wording.clean(self.label_of(key, code, language) or code) for code in found]
            made[key] = wording.listed(words, language)
        if "raw" in need.forms:
            made[f"{key}__raw"] = _set(code for code in found if code in need.asked)
        if "within" in need.forms:
            made[f"{key}__within"] = self._within(need.asked, found)

    def _within(self, asked: Iterable[str], codes: list[str]) -> str:
        return _set(one for one in sorted(asked) if any(self.covers(one, code) for code in codes))

    def _records(
        self,
        made: dict[str, Any],
        key: str,
        need: Need,
        records: Iterable[Mapping[str, Any]],
        language: str,
        at: date,
    ) -> None:
        codes = [str(record.get("code", "")) for record in records]
        if "within" in need.forms:
            made[f"{key}__within"] = self._within(need.asked, codes)
        if "list" not in need.forms:
            return
        kept = [record for record, code in zip(records, codes, strict=True) if self._wanted(need, code)]
        kept.sort(key=_day, reverse=key not in SOONEST_FIRST)
        made[key] = [self._record(record, need, language, at) for record in kept[:MAX_RECORDS]]

    def _wanted(self, need: Need, code: str) -> bool:
        if need.codes is None:
            return True
        return any(
            one == code or (code and code.startswith(one)) or self.covers(one, code) for one in need.codes
        )

    def _record(self, record: Mapping[str, Any], need: Need, language: str, at: date) -> dict[str, str]:
        made: dict[str, str] = {}
        for form in need.forms - {"list"}:
            part, _, how = form.partition("__")
            value = record.get(part)
            if form == "within":
                made[form] = self._within(need.asked, [str(record.get("code", ""))])
            elif value is None:
                made[form] = ""
            elif how == "upcoming":
                made[form] = _upcoming(value, at)
            elif how:
                made[form] = _raw(value, day=part in DAYS)
            elif part in DAYS:
                made[form] = wording.when(_moment(record, part), language)
            elif part == "value":
                made[form] = wording.number(value, language)
            else:
                made[form] = wording.clean(value)
        return made


def _derived(key: str, values: Mapping[str, Any], at: date) -> int | None:
    born = values.get(OPENS[key])
    return wording.age_on(str(born), at) if born else None


def _raw(value: Any, *, day: bool = False) -> str:
    """Return what is compared: of a moment, its day."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(float(value))
    return wording.clean(value)[: 10 if day else None]


def _set(codes: Iterable[str]) -> str:
    joined = "|".join(dict.fromkeys(codes))
    return f"|{joined}|" if joined else ""


def _upcoming(value: Any, at: date) -> str:
    """Return "true" for a date of today or later, "false" for an earlier one, "" for none."""
    if not value:
        return ""
    return "true" if str(value)[:10] >= at.isoformat() else "false"


def _moment(record: Mapping[str, Any], part: str) -> str:
    """Return a date of a record with its time of day, where one is known."""
    time = record.get("time") if part == "date" else None
    return f"{record[part]}T{time}" if time else str(record[part])


def _day(record: Mapping[str, Any]) -> tuple[str, str]:
    return _moment(record, "date") if "date" in record else "", str(record.get("id", ""))
