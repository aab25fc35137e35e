"""Checks a value against its attribute, and reads one from text: pure, and quick enough for millions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache, partial
from typing import Any

from salus.contacts import places
from salus.contacts.code_lists import CODE_LISTS
from salus.contacts.codes import SYSTEMS, normal_code
from salus.contacts.contracts import RECORD_FIELDS, Attribute, AttributeType
from salus.contacts.dictionary import DICTIONARY
from salus.kernel.errors import BadInput

LONGEST_TEXT = 500
LONGEST_RECORD_TEXT = 1000
MOST_CODES = 100
EARLIEST_YEAR = 1870

_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ].*)?")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
_POSTAL = re.compile(r"[0-9]{5}(?:-?[0-9]{4})?|[A-Z0-9][A-Z0-9 -]{1,9}", re.IGNORECASE)
_WORD_CODE = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")
_TRUE = frozenset({"true", "yes", "y", "1", "t", "sí", "si"})
_FALSE = frozenset({"false", "no", "n", "0", "f"})


def clean_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return `text` with inner white space made single spaces; raises `BadInput`."""
    if text.isalnum() and len(text) <= longest:
        return text
    if not text.isprintable() or "  " in text:
        text = " ".join(text.split())
        if not text.isprintable():
            raise BadInput("holds characters that cannot be shown")
    if len(text) > longest:
        raise BadInput(f"is longer than {longest} characters")
    return text


@lru_cache(maxsize=131072)
def iso_date(text: str) -> str:
    """Return the calendar date in `text` ("YYYY-MM-DD", a time after it is dropped); raises `BadInput`."""
    match = _ISO_DATE.fullmatch(text)
    if match is None:
        raise BadInput("is not a date like 2024-12-31")
    return _calendar_date(int(match[1]), int(match[2]), int(match[3]))


def _calendar_date(year: int, month: int, day: int) -> str:
    try:
        found = date(year, month, day)
    except ValueError:
        raise BadInput("is not a day of the calendar") from None
    if found.year < EARLIEST_YEAR:
        raise BadInput(f"is before {EARLIEST_YEAR}")
    return found.isoformat()


@lru_cache(maxsize=64)
def _date_pattern(form: str) -> re.Pattern[str]:
    tokens = {"YYYY": r"(?P<y>[0-9]{4})", "MM": r"(?P<m>[0-9]{1,2})", "DD": r"(?P<d>[0-9]{1,2})"}
    pattern = re.escape(form)
    for token, part in tokens.items():
        if form.count(token) != 1:
            raise BadInput(f"a date format needs YYYY, MM and DD once each, for example MM/DD/YYYY: {form}")
        pattern = pattern.replace(token, part)
    return re.compile(pattern)


@lru_cache(maxsize=131072)
def date_in(text: str, form: str) -> str:
    """Return the date in `text`, written as `form` ("MM/DD/YYYY") says; raises `BadInput`."""
    match = _date_pattern(form).fullmatch(text)
    if match is None:
        raise BadInput(f"is not a date written as {form}")
    return _calendar_date(int(match["y"]), int(match["m"]), int(match["d"]))


def check_date_format(form: str) -> None:
    """Raise `BadInput` unless `form` is a date format that `date_in` understands."""
    _date_pattern(form)


@lru_cache(maxsize=8192)
def coded(key: str, text: str) -> str:
    """Return the code of attribute `key` that `text` means; raises `BadInput`."""
    if key in CODE_LISTS:
        code = CODE_LISTS[key].code_of(text)
        if code is None:
            raise BadInput(f"is none of: {', '.join(CODE_LISTS[key].labels)}")
        return code
    if key in _PLACES:
        code = _PLACES[key](text)
        if code is None:
            raise BadInput(_PLACE_FAULTS[key])
        return code
    word = "_".join(text.strip().lower().split())
    if not _WORD_CODE.fullmatch(word):
        raise BadInput("is not a code of small letters, digits and _ . : -")
    return word


_PLACES: Mapping[str, Callable[[str], str | None]] = {
    "state": places.state_code,
    "care_state": places.state_code,
    "country": places.country_code,
    "language": places.language_code,
    "spoken_languages": places.language_code,
    "time_zone": places.time_zone,
}
_PLACE_FAULTS = {
    "state": "is not a state of the USA",
    "care_state": "is not a state of the USA",
    "country": "is not a country code like US",
    "language": "is not a language code like en or es",
    "spoken_languages": "is not a language code like en or es",
    "time_zone": "is not a time zone like America/Chicago",
}


def number(text: str) -> float | int:
    """Return the number in `text` ("1,234.5" and "$90" too); raises `BadInput`."""
    bare = text.strip().removeprefix("$").replace(",", "")
    try:
        found = float(bare)
    except ValueError:
        raise BadInput("is not a number") from None
    if not -1e15 < found < 1e15:
        raise BadInput("is not a number of usable size")
    return int(found) if found.is_integer() else found


def boolean(text: str) -> bool:
    """Return the truth in `text` ("yes", "0"...); raises `BadInput`."""
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise BadInput("is neither yes nor no")


def _check_text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadInput("is not text")
    return _postal_code(value.strip()) if key == "postal_code" else clean_text(value.strip())


@lru_cache(maxsize=65536)
def _postal_code(text: str) -> str:
    if not _POSTAL.fullmatch(text):
        raise BadInput("is not a ZIP code")
    return clean_text(text)


def _check_codes(key: str, value: Any) -> list[str]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MOST_CODES:
        raise BadInput(f"is not a list of at most {MOST_CODES} codes")
    found = dict.fromkeys(coded(key, one) for one in value if isinstance(one, str) and one.strip())
    if not found:
        raise BadInput("holds no code")
    return list(found)


def _check_number(key: str, value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput("is not a number")
    return number(str(value))


def _check_bool(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadInput("is neither true nor false")
    return value


def _check_date(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput("is not a date like 2024-12-31")
    return iso_date(value)


def _check_code(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput("is not a code")
    return coded(key, value)


def _check_time(value: Any) -> str:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise BadInput("is not a time of day like 14:30")
    return value[:5]


_CHECKS: Mapping[AttributeType, Callable[[str, Any], Any]] = {
    AttributeType.TEXT: _check_text,
    AttributeType.NUMBER: _check_number,
    AttributeType.DATE: _check_date,
    AttributeType.BOOL: _check_bool,
    AttributeType.CODE: _check_code,
    AttributeType.CODES: _check_codes,
}
_CHECK_OF = {key: _CHECKS[one.type] for key, one in DICTIONARY.items() if one.type in _CHECKS}


def check_value(key: str, value: Any) -> Any:
    """Return `value` in the normal form of attribute `key`; raises `BadInput` naming the attribute."""
    check = _CHECK_OF.get(key)
    if check is None:
        raise BadInput("is not an attribute that holds one value", place=key)
    try:
        return check(key, value)
    except BadInput as fault:
        raise BadInput(fault.what, place=key) from None


def check_record(key: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return one dated record in normal form, without empty fields; raises `BadInput`."""
    attribute = DICTIONARY.get(key)
    if attribute is None or attribute.type is not AttributeType.RECORDS:
        raise BadInput("is not an attribute that holds records", place=key)
    found: dict[str, Any] = {}
    for name, value in record.items():
        if value is None or value == "":
            continue
        if name not in RECORD_FIELDS:
            raise BadInput("is not a field of a record", place=f"{key}.{name}")
        try:
            found[name] = _record_field(name, value)
        except BadInput as fault:
            raise BadInput(fault.what, place=f"{key}.{name}") from None
    if "id" not in found:
        raise BadInput("a record needs an id that is stable in its source", place=key)
    if "code" in found:
        code = normal_code(found.get("system", ""), found["code"])
        if code is None:
            raise BadInput("is not a code of its system", place=f"{key}.code")
        found["code"] = code
    return found


def _record_field(name: str, value: Any) -> Any:
    if name in {"date", "end"}:
        return _check_date(name, value)
    if name == "time":
        return _check_time(value)
    if name == "value":
        return _check_number(name, value)
    if not isinstance(value, str):
        raise BadInput("is not text")
    if name == "system" and value not in SYSTEMS:
        raise BadInput(f"is none of: {', '.join(SYSTEMS)}")
    return clean_text(value.strip(), LONGEST_RECORD_TEXT)


def reader(key: str, *, date_format: str = "", separator: str = ";") -> Callable[[str], Any]:
    """Return the function that reads attribute `key` from a cell of text; it raises `BadInput`.

    It wants text without outer spaces, and gives the normal form that `check_value` would give.
    `date_format` is for dates ("MM/DD/YYYY", default ISO); `separator` cuts a cell of several codes.
    Raises `BadInput` when there is no such attribute or it holds records.
    """
    attribute: Attribute | None = DICTIONARY.get(key)
    if attribute is None or attribute.type is AttributeType.RECORDS:
        raise BadInput("is not an attribute that a cell can hold", place=key)
    if attribute.type is AttributeType.DATE:
        if not date_format:
            return iso_date
        check_date_format(date_format)
        return lambda text: date_in(text, date_format)
    if attribute.type is AttributeType.CODE:
        return partial(coded, key)
    if attribute.type is AttributeType.CODES:
        return lambda text: _check_codes(key, text.split(separator))
    plain: Mapping[AttributeType, Callable[[str], Any]] = {
        AttributeType.NUMBER: number,
        AttributeType.BOOL: boolean,
        AttributeType.TEXT: _postal_code if key == "postal_code" else clean_text,
    }
    return plain[attribute.type]
