"""Reads one test of a segment tree, such as {"within_last": {"days": 30}}, or says where it is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from salus.audiences.nodes import Kind, Op, Span, Test
from salus.contacts.contracts import AttributeType
from salus.kernel.errors import BadInput

MOST_VALUES = 5_000
LONGEST_TEXT = 500
LARGEST_NUMBER = 1e15
LONGEST_SPAN = {"hours": 876_000, "days": 36_500, "weeks": 5_200, "months": 1_200, "years": 100}
LONGEST_ANNIVERSARY = 366

_PRESENCE = frozenset({Op.EXISTS})
_ORDERED = frozenset({Op.EQUAL, Op.IN, Op.BETWEEN, Op.ABOVE, Op.BELOW, Op.AT_LEAST, Op.AT_MOST})
_RELATIVE = frozenset({Op.WITHIN_LAST, Op.WITHIN_NEXT, Op.OLDER_THAN, Op.LATER_THAN})
OPERATORS: Mapping[Kind, frozenset[Op]] = {
    Kind.TEXT: _PRESENCE | {Op.EQUAL, Op.IN, Op.CONTAINS, Op.STARTS_WITH},
    Kind.CODE: _PRESENCE | {Op.EQUAL, Op.IN, Op.HAS},
    Kind.CODES: _PRESENCE | {Op.HAS},
    Kind.NUMBER: _PRESENCE | _ORDERED,
    Kind.DATE: _PRESENCE
    | _RELATIVE
    | {Op.EQUAL, Op.IN, Op.BETWEEN, Op.BEFORE, Op.AFTER, Op.ANNIVERSARY_WITHIN},
    Kind.BOOL: _PRESENCE | {Op.EQUAL},
    Kind.INSTANT: frozenset({Op.BETWEEN, Op.BEFORE, Op.AFTER, Op.WITHIN_LAST, Op.OLDER_THAN}),
    Kind.PRESENCE: _PRESENCE,
}
"""Which operators a kind of value takes."""

KIND_OF = {
    AttributeType.TEXT: Kind.TEXT,
    AttributeType.NUMBER: Kind.NUMBER,
    AttributeType.DATE: Kind.DATE,
    AttributeType.BOOL: Kind.BOOL,
    AttributeType.CODE: Kind.CODE,
    AttributeType.CODES: Kind.CODES,
    AttributeType.RECORDS: Kind.PRESENCE,
}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_test(kind: Kind, given: Mapping[str, Any], place: str) -> Test:
    """Return the test that `given`, an object with exactly one operator, describes."""
    if len(given) != 1:
        raise BadInput("give exactly one operator here", place=place, next_step=f"One of: {_words(kind)}.")
    word, operand = next(iter(given.items()))
    here = f"{place}.{word}" if isinstance(word, str) and word.isidentifier() else place
    if word not in OPERATORS[kind]:
        raise BadInput(
            f"is not an operator for this kind of value ({kind.value})",
            place=here,
            next_step=f"One of: {_words(kind)}.",
        )
    op = Op(word)
    return Test(kind, op, _operand(kind, op, operand, here))


def _words(kind: Kind) -> str:
    return ", ".join(op.value for op in Op if op in OPERATORS[kind])


def _operand(kind: Kind, op: Op, given: Any, place: str) -> Any:
    if op is Op.EXISTS:
        return truth(given, place)
    if op is Op.IN:
        return tuple(scalar(kind, one, f"{place}[{i}]") for i, one in enumerate(values(given, place)))
    if op is Op.HAS:
        return codes(given, place)
    if op is Op.BETWEEN:
        return _between(kind, given, place)
    if op is Op.ANNIVERSARY_WITHIN:
        found = span(given, place, ("days",))
        if found.count > LONGEST_ANNIVERSARY:
            raise BadInput(f"is more than {LONGEST_ANNIVERSARY} days", place=place)
        return found
    if op in _RELATIVE:
        units = ("hours", "days", "weeks") if kind is Kind.INSTANT else ("days", "weeks", "months", "years")
        return span(given, place, units)
    return scalar(kind, given, place)


def _between(kind: Kind, given: Any, place: str) -> tuple[Any, Any]:
    if not isinstance(given, Mapping) or set(given) != {"from", "to"}:
        raise BadInput('is not an object with "from" and "to"', place=place)
    low = scalar(kind, given["from"], f"{place}.from")
    high = scalar(kind, given["to"], f"{place}.to")
    if _as_moment(low) > _as_moment(high):
        raise BadInput("begins after it ends", place=place)
    return low, high


def _as_moment(value: Any) -> Any:
    """Return something that can be compared: a date in a pair with a moment counts from its midnight."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def scalar(kind: Kind, given: Any, place: str) -> Any:
    """Return one operand of `kind`, normalized; raises `BadInput`."""
    return _SCALARS[kind](given, place)


def text(given: Any, place: str) -> str:
    """Return `given` if it is usable text; raises `BadInput`."""
    if not isinstance(given, str) or not given:
        raise BadInput("is not text", place=place)
    if len(given) > LONGEST_TEXT:
        raise BadInput(f"is longer than {LONGEST_TEXT} characters", place=place)
    if "\0" in given or not _encodable(given):
        raise BadInput("holds characters that no text can hold", place=place)
    return given


def _encodable(given: str) -> bool:
    try:
        given.encode()
    except UnicodeEncodeError:
        return False
    return True


def number(given: Any, place: str) -> float:
    """Return `given` as a number of usable size; raises `BadInput`."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise BadInput("is not a number", place=place)
    if not math.isfinite(given) or abs(given) > LARGEST_NUMBER:
        raise BadInput("is not a number of usable size", place=place)
    return float(given)


def whole(given: Any, place: str, most: int) -> int:
    """Return `given` if it is a whole number from 1 to `most`; raises `BadInput`."""
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:
        raise BadInput(f"is not a whole number from 1 to {most}", place=place)
    return given


def truth(given: Any, place: str) -> bool:
    """Return `given` if it is true or false; raises `BadInput`."""
    if not isinstance(given, bool):
        raise BadInput("is neither true nor false", place=place)
    return given


def day(given: Any, place: str) -> date:
    """Return the date in "YYYY-MM-DD"; raises `BadInput`."""
    if isinstance(given, str) and _DATE.fullmatch(given):
        try:
            return date.fromisoformat(given)
        except ValueError:
            pass
    raise BadInput("is not a date like 2024-12-31", place=place)


def instant(given: Any, place: str) -> date | datetime:
    """Return a date, or a moment with its offset from UTC; raises `BadInput`."""
    if isinstance(given, str) and _DATE.fullmatch(given):
        return day(given, place)
    if isinstance(given, str) and len(given) <= 40 and "T" in given:
        try:
            found = datetime.fromisoformat(given)
            if found.tzinfo is not None and timedelta(1) < found - _FIRST and timedelta(1) < _LAST - found:
                return found.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise BadInput(
        "is neither a date like 2024-12-31 nor a moment like 2024-12-31T17:00:00-06:00", place=place
    )


_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)

_SCALARS: Mapping[Kind, Callable[[Any, str], Any]] = {
    Kind.TEXT: text,
    Kind.CODE: text,
    Kind.NUMBER: number,
    Kind.DATE: day,
    Kind.BOOL: truth,
    Kind.INSTANT: instant,
}


def values(given: Any, place: str) -> list[Any]:
    """Return `given` if it is a list that is not empty and not huge; raises `BadInput`."""
    if not isinstance(given, list | tuple) or not given:
        raise BadInput("is not a list with at least one value", place=place)
    if len(given) > MOST_VALUES:
        raise BadInput(f"has more than {MOST_VALUES} values", place=place)
    return list(given)


def codes(given: Any, place: str) -> tuple[str, ...]:
    """Return one code or a list of codes as a tuple; raises `BadInput`."""
    if isinstance(given, str):
        return (text(given, place),)
    return tuple(text(one, f"{place}[{i}]") for i, one in enumerate(values(given, place)))


def span(given: Any, place: str, units: tuple[str, ...]) -> Span:
    """Return the length of time in {"days": 30}; raises `BadInput`."""
    if not isinstance(given, Mapping) or len(given) != 1 or next(iter(given)) not in units:
        raise BadInput(f"is not a length of time in {' or '.join(units)}", place=place)
    unit, count = next(iter(given.items()))
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= LONGEST_SPAN[unit]:
        raise BadInput(f"is not a whole number from 0 to {LONGEST_SPAN[unit]}", place=f"{place}.{unit}")
    return Span(count, unit)
