"""A person's export as a PDF to read: tagged for screen readers (PDF/UA-1), in English or Spanish."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from importlib import resources
from typing import Any, Final, Literal

import typst
from django.utils import translation
from django.utils.formats import date_format

from salus.contacts import api as contacts
from salus.contacts.contracts import Attribute, AttributeType
from salus.kernel.errors import Unavailable
from salus.privacy.fhir import Export

_DAY: Final = {"en": "F j, Y", "es": r"j \d\e F \d\e Y"}
_IDS: Final = frozenset({"id", "number_id", "record", "address_blind"})
Rows = list[list[str]]


@functools.cache
def words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return what the paper says: by "say" or "codes", key and language."""
    found: Mapping[str, Mapping[str, Mapping[str, str]]] = json.loads(_data("paper.json"))
    return found


def printed(export: Export, house: str, zone: tzinfo) -> bytes:
    """Return the PDF of an export; `house` is the organization's name, moments are told in `zone`.

    Where the fonts of this machine lack letters of the record, the paper says so and is tagged, but no PDF/UA.
    Raises `Unavailable` when it cannot be set at all.
    """
    page = Paper(export, house, zone)
    try:
        return _set(page.content(), "ua-1")
    except typst.TypstError:  # PDF/UA wants every letter shown
        pass
    try:
        return _set(page.content(page.say("missing_letters")), "1.7")
    except typst.TypstError:
        # Its words may quote the record: they go nowhere.
        raise Unavailable("The PDF cannot be made.", next_step="Give the person the JSON copy.") from None


def _set(content: Mapping[str, Any], standard: Literal["ua-1", "1.7"]) -> bytes:
    pdf: bytes = typst.compile(
        _data("record.typ"),
        format="pdf",
        sys_inputs={"record": json.dumps(content)},
        pdf_standards=[standard],
    )
    return pdf


def _data(name: str) -> bytes:
    return resources.files("salus.privacy").joinpath("data", name).read_bytes()


class Paper:
    """Tells one export in the person's language, section by section."""

    def __init__(self, export: Export, house: str, zone: tzinfo) -> None:
        self._export, self._house, self._zone = export, house, zone
        self._known: Mapping[str, Any] = export["contacts"]
        self.language = "es" if self._known.get("language") == "es" else "en"

    def say(self, key: str, **facts: str) -> str:
        """Return the words for `key` with facts put in."""
        return words()["say"][key][self.language].format(**facts)

    def content(self, notice: str = "") -> dict[str, Any]:
        """Return all words of the paper as `record.typ` wants them; empty sections are left out."""
        intro = self.say("intro", house=self._house, day=self._day(self._export["made_at"]))
        return {
            "title": self.say("title"),
            "house": self._house,
            "language": self.language,
            "intro": f"{intro} {notice}".strip(),
            "confidential": self.say("confidential"),
            "sections": [
                {
                    "name": name,
                    "columns": [self.say(column) for column in columns],
                    "widths": widths,
                    "rows": rows,
                }
                for name, columns, widths, rows in (*self._person(), *self._records(), *self._rest())
                if rows
            ],
        }

    def _person(self) -> Iterable[tuple[str, tuple[str, ...], list[int], Rows]]:
        known = [
            [self._label(one), self._value(one, self._known[one.key])]
            for one in contacts.dictionary().values()
            if one.key in self._known and one.type is not AttributeType.RECORDS
        ]
        yield self.say("about"), ("what", "value"), [2, 3], known
        addresses = [
            [self._code(one["channel"]), one["value"], self._code(one["source"])]
            for one in self._known.get("addresses", ())
        ]
        yield self.say("addresses"), ("channel", "value", "source"), [2, 4, 3], addresses
        numbers = [[one["system"].upper(), one["value"]] for one in self._known.get("identifiers", ())]
        yield self.say("identifiers"), ("system", "number"), [2, 3], numbers

    def _records(self) -> Iterable[tuple[str, tuple[str, ...], list[int], Rows]]:
        for one in contacts.dictionary().values():
            if one.type is AttributeType.RECORDS:
                rows = [self._record(record) for record in self._known.get(one.key, ())]
                yield self._label(one), ("date", "what", "value", "status"), [4, 6, 3, 3], rows

    def _record(self, one: Mapping[str, Any]) -> list[str]:
        span = [self._day(one[key]) for key in ("date", "end") if one.get(key)]
        what = one.get("text") or one.get("code", "")
        code = f" ({one['code']})" if one.get("code") and one.get("text") else ""
        value = " ".join(str(one[key]) for key in ("value", "unit") if key in one)
        days = " – ".join(dict.fromkeys(span)) + (f", {one['time']}" if one.get("time") else "")
        return [days, f"{what}{code}", value, self._code(one.get("status", ""))]

    def _rest(self) -> Iterable[tuple[str, tuple[str, ...], list[int], Rows]]:
        part = self._export
        yield (
            self.say("permissions"),
            ("date", "what", "details", "known", "stands"),
            [4, 5, 5, 4, 2],
            [self._entry(one) for one in part["permissions"]["permissions"]],
        )
        yield (
            self.say("messages"),
            ("date", "what", "channel", "status"),
            [4, 8, 3, 4],
            [
                [
                    self._moment(one["at"]),
                    "\n".join(text for text in (one["subject"], one["text"]) if text) or one["from"],
                    self._code(one["channel"]),
                    self._code(one["state"]),
                ]
                for one in part["delivery"]["messages"]
            ],
        )
        events = [
            [self._moment(one["at"]), self._code(one["kind"]), self._details(one["details"])]
            for one in part["timeline"]["events"]
        ]
        yield self.say("events"), ("date", "what", "details"), [3, 3, 4], events
        yield from self._work()

    def _work(self) -> Iterable[tuple[str, tuple[str, ...], list[int], Rows]]:
        part = self._export
        yield (
            self.say("tasks"),
            ("date", "what", "status"),
            [3, 6, 2],
            [
                [
                    self._moment(one["created_at"]),
                    "\n".join(text for text in (one["title"], one["instructions"], one["note"]) if text),
                    self._code(one["status"]),
                ]
                for one in part["inbox"]["tasks"]
            ],
        )
        journeys = [
            [
                one["name"],
                self._moment(one["entered_at"]),
                self._moment(one["ended_at"]),
                self._code(one["fate"]),
            ]
            for one in part["journeys"]["journeys"]
        ]
        yield self.say("journeys"), ("what", "from", "until", "status"), [4, 3, 3, 2], journeys
        yield self.say("lists"), ("what",), [1], [[name] for name in part["audiences"]["lists"]]
        sessions = [
            [self._moment(one["from"]), self._moment(one["until"])]
            for one in part["patients"]["portal_sessions"]
        ]
        yield self.say("portal_sessions"), ("from", "until"), [1, 1], sessions

    def _entry(self, one: Mapping[str, Any]) -> list[str]:
        until = [f"{self.say('until')}: {self._day(one['valid_until'])}"] if one["valid_until"] else []
        about = [self._code(one[key]) for key in ("topic", "channel") if one[key]]
        details = self._details(one["details"])
        return [
            self._moment(one["at"]),
            self._code(one["kind"]),
            "\n".join([*about, *until, *([details] if details else [])]),
            one["evidence"],
            self.say("yes" if one["stands"] else "no"),
        ]

    def _label(self, one: Attribute) -> str:
        return one.label_es if self.language == "es" else one.label

    def _value(self, one: Attribute, value: Any) -> str:
        match one.type:
            case AttributeType.BOOL:
                return self.say("yes" if value else "no")
            case AttributeType.DATE:
                return self._day(value)
            case AttributeType.CODE | AttributeType.CODES:
                codes = [value] if isinstance(value, str) else value
                return ", ".join(self._coded(one.key, code) for code in codes)
        return str(value)

    def _coded(self, key: str, code: str) -> str:
        pairs: Mapping[str, tuple[str, str]] = (
            contacts.CODE_LISTS[key].labels if key in contacts.CODE_LISTS else {}
        )
        if key in ("language", "spoken_languages"):
            pairs = contacts.LANGUAGES
        if code in pairs:
            return pairs[code][self.language == "es"]
        if key in ("state", "care_state"):
            return contacts.STATES.get(code, code)
        return code.replace("_", " ")

    def _code(self, code: str) -> str:
        found = words()["codes"].get(code)
        return found[self.language] if found else code.replace("_", " ")

    def _details(self, details: Mapping[str, Any]) -> str:
        """Return what details say, a line each; ids and how it was captured are in the JSON copy."""
        return "\n".join(
            f"{name.replace('_', ' ')}: {self._plain(value)}"
            for name, value in details.items()
            if name not in _IDS and not isinstance(value, Mapping)
        )

    def _plain(self, value: Any) -> str:
        if isinstance(value, bool):
            return self.say("yes" if value else "no")
        if isinstance(value, list | tuple):
            return ", ".join(map(self._plain, value))
        return self._code(value) if isinstance(value, str) and value.islower() else str(value)

    def _day(self, value: str | datetime) -> str:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        day: date = moment.astimezone(self._zone) if moment.tzinfo else moment
        with translation.override(self.language):
            return date_format(day, _DAY[self.language])

    def _moment(self, value: str | datetime | None) -> str:
        if value is None:
            return ""
        moment = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(self._zone)
        return self.say("at_time", day=self._day(moment), clock=f"{moment:%H:%M}")
