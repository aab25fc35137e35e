"""What the pages show of a contact: masked rows, opened values with their labels, records as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from salus.contacts.code_lists import CODE_LISTS
from salus.contacts.contracts import AttributeType, Opened
from salus.contacts.dictionary import DICTIONARY
from salus.contacts.places import LANGUAGES, STATES
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel
from salus.platform.web.given import number_given

ROW_FIELDS = ("relation", "language", "state")
"""What a row of a list tells without a reveal: nothing that names a person or their health."""


@dataclass(frozen=True, slots=True)
class Line:
    """One fact on a page: its label and what is known, each still protected."""

    label: str
    values: tuple[Phi[str], ...]


def row_of(opened: Opened) -> dict[str, str]:
    """Return the words for a masked row."""
    values = {name: phi.reveal() for name, phi in opened.values.items()}
    relation = CODE_LISTS["relation"].labels.get(values.get("relation", ""), ("", ""))[0]
    language = LANGUAGES.get(values.get("language", ""), (values.get("language", ""), ""))[0]
    return {"relation": relation, "language": language, "state": STATES.get(values.get("state", ""), "")}


def lines_of(opened: Opened, fields: Sequence[str]) -> Iterator[Line]:
    """Yield the facts of `fields` that are known, in the order asked for."""
    for name in fields:
        if name in {"email", "phone"}:
            channel = Channel.EMAIL if name == "email" else Channel.SMS
            found = tuple(one.value for one in opened.addresses if one.channel is channel)
            if found:
                yield Line("E-mail" if name == "email" else "Phone", found)
        elif name == "identifiers" and name in opened.values:
            numbers = opened.values[name].reveal()
            yield Line("Record numbers", tuple(Phi(f"{one['value']} ({one['system']})") for one in numbers))
        elif name in opened.values:
            yield Line(DICTIONARY[name].label, _values(name, opened.values[name].reveal()))


def _values(name: str, value: Any) -> tuple[Phi[str], ...]:
    kind = DICTIONARY[name].type
    if kind is AttributeType.RECORDS:
        return tuple(Phi(_record(one)) for one in reversed(value))
    if kind is AttributeType.CODES:
        return tuple(Phi(_code(name, one)) for one in value)
    if kind is AttributeType.CODE:
        return (Phi(_code(name, value)),)
    if kind is AttributeType.BOOL:
        return (Phi("Yes" if value else "No"),)
    return (Phi(f"{value:,}" if kind is AttributeType.NUMBER else str(value)),)


def _code(name: str, code: str) -> str:
    if name in CODE_LISTS and code in CODE_LISTS[name].labels:
        return CODE_LISTS[name].labels[code][0]
    return LANGUAGES[code][0] if name in {"language", "spoken_languages"} and code in LANGUAGES else code


def _record(record: Mapping[str, Any]) -> str:
    """Return a dated record as one line: "2026-10-04 Hemoglobin A1c 9.1 % (4548-4)"."""
    words = record.get("text") or record.get("code", "")
    value = f"{record['value']:g} {record.get('unit', '')}".strip() if "value" in record else ""
    code = f"({record['code']})" if record.get("code") and record.get("text") else ""
    return " ".join(part for part in (record.get("date", ""), words, value, code) if part)


def parse_number(text: str) -> int | None:
    """Return the number that a person typed ("C-004 218", "4218"), or None when it is none."""
    bare = text.strip().upper().removeprefix("C-").replace(" ", "").replace("\u00a0", "")
    return number_given(bare, most_digits=12)
