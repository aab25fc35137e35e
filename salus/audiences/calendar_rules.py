"""What relative dates mean: every test of a date or moment as ranges of constants, leap days included.

Both ends of a range are inside it. A missing end is the first or last day there is. The rules:

- Within the last N days: from N days ago to today. Older than N days: before N days ago.
- A month or year back or ahead keeps the day of the month where there is one, else takes the last.
- An age goes up on the birthday; someone born on February 29 has it on March 1 in common years.
- An anniversary is a whole number of years, one or more, after the date; it follows the same rule.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from salus.audiences.nodes import Moment, Op, Span, Test

FIRST_DAY, LAST_DAY = date.min, date.max
ONE_DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
LAST_MOMENT = datetime.max.replace(tzinfo=UTC)

T = TypeVar("T")
Range = tuple[T, T]


@cache
def known_zones() -> frozenset[str]:
    """Return the time zones that count; any other name means that the zone is not known.

    The library reads the disk for it each time: 7 ms.
    """
    return frozenset(available_timezones())


@cache
def zone_named(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name, read from the disk once (the library itself keeps only eight)."""
    return ZoneInfo(name)


def today(moment: Moment, zone: str) -> date:
    """Return the civil date at `moment` in the time zone `zone` (an IANA name that exists)."""
    return moment.at.astimezone(zone_named(zone)).date()


def shift(day: date, span: Span, sign: int) -> date:
    """Return `day` moved by `span` forward (`sign` 1) or back (-1), held inside the calendar."""
    if span.unit in ("days", "weeks"):
        try:
            return day + timedelta(**{span.unit: sign * span.count})
        except OverflowError:
            return LAST_DAY if sign > 0 else FIRST_DAY
    months = span.count * (12 if span.unit == "years" else 1)
    year, month = divmod(day.year * 12 + day.month - 1 + sign * months, 12)
    if not date.min.year <= year <= date.max.year:
        return LAST_DAY if sign > 0 else FIRST_DAY
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def day_ranges(test: Test, now: date) -> list[Range[date]]:
    """Return the ranges of dates that pass a date test on the day `now` (not for anniversaries)."""
    op, operand = test.op, test.operand
    match op:
        case Op.EQUAL:
            return [(operand, operand)]
        case Op.IN:
            return [(one, one) for one in operand]
        case Op.BETWEEN:
            return [operand]
        case Op.BEFORE:
            return [] if operand == FIRST_DAY else [(FIRST_DAY, operand - ONE_DAY)]
        case Op.AFTER:
            return [] if operand == LAST_DAY else [(operand + ONE_DAY, LAST_DAY)]
        case Op.WITHIN_LAST:
            return [(shift(now, operand, -1), now)]
        case Op.WITHIN_NEXT:
            return [(now, shift(now, operand, 1))]
        case Op.OLDER_THAN:
            edge = shift(now, operand, -1)
            return [] if edge == FIRST_DAY else [(FIRST_DAY, edge - ONE_DAY)]
        case Op.LATER_THAN:
            edge = shift(now, operand, 1)
            return [] if edge == LAST_DAY else [(edge + ONE_DAY, LAST_DAY)]
        case _:
            raise ValueError(f"{op} is no range of dates")


def anniversary_ranges(span: Span, now: date) -> list[tuple[int, int, int]]:
    """Return (first, last, year) of the anniversaries from `now` to `span` days after it.

    A date has its anniversary there when month * 100 + day is from `first` to `last` and it lies in an
    earlier year than `year`. February 29 counts as 229 in leap years and as 301 in others: then the
    range that holds 301 begins at or before 229.
    """
    last = shift(now, span, 1)
    found = []
    for year in range(now.year, last.year + 1):
        low, high = max(now, date(year, 1, 1)), min(last, date(year, 12, 31))
        first, end = low.month * 100 + low.day, high.month * 100 + high.day
        if not calendar.isleap(year):
            if first <= 301 <= end:
                found.append((229, 229, year))
            found.extend((*part, year) for part in _without_leap_day(first, end))
        else:
            found.append((first, end, year))
    return found


def _without_leap_day(first: int, end: int) -> Iterable[tuple[int, int]]:
    """Cut 229 out of a range: in a common year that day is not where it stands, but on March 1."""
    if first < 229 < end:
        return [(first, 228), (301, end)]
    return [(first, end)]


def birth_ranges(test: Test, now: date) -> list[Range[date]]:
    """Return the ranges of birth dates whose age on the day `now` passes a number test.

    Nobody who is not yet born has an age.
    """
    op, operand = test.op, test.operand
    if op is Op.EXISTS:
        ages = [(0.0, math.inf)]
    elif op in (Op.EQUAL, Op.IN):
        ages = [(one, one) for one in (operand if op is Op.IN else (operand,))]
    elif op is Op.BETWEEN:
        ages = [operand]
    elif op in (Op.ABOVE, Op.AT_LEAST):
        ages = [(math.nextafter(operand, math.inf) if op is Op.ABOVE else operand, math.inf)]
    else:
        ages = [(0.0, math.nextafter(operand, -math.inf) if op is Op.BELOW else operand)]
    found = []
    for low, high in ages:
        youngest, oldest = max(math.ceil(low), 0), high
        oldest_age = math.floor(oldest) if math.isfinite(oldest) else None
        if oldest_age is not None and oldest_age < youngest:
            continue
        last = _born_by(now, youngest)
        first = FIRST_DAY if oldest_age is None else _day_after(_born_by(now, oldest_age + 1))
        if last is not None and first is not None and first <= last:
            found.append((first, last))
    return found


def born_between(youngest: int, oldest: int | None, now: date) -> Range[date]:
    """Return the first and last birth date of people from `youngest` to `oldest` (None: any age) years."""
    first = FIRST_DAY if oldest is None else _day_after(_born_by(now, oldest + 1))
    return first or LAST_DAY, _born_by(now, youngest) or FIRST_DAY


def _born_by(now: date, age: int) -> date | None:
    """Return the latest birth date of somebody who is at least `age` on the day `now`, None before year 1."""
    year = now.year - age
    if year < date.min.year:
        return None
    if (now.month, now.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 2, 28)
    return date(year, now.month, now.day)


def _day_after(day: date | None) -> date | None:
    if day is None:
        return FIRST_DAY
    return None if day == LAST_DAY else day + ONE_DAY


def age_on(born: date, now: date) -> int | None:
    """Return the age in whole years on the day `now`, None before birth."""
    if born > now:
        return None
    return now.year - born.year - ((now.month, now.day) < (born.month, born.day))


def has_anniversary(day: date, now: date, days: int) -> bool:
    """Return whether an anniversary of `day` falls from `now` to `days` days after it."""
    last = shift(now, Span(days, "days"), 1)
    for year in range(max(now.year, day.year + 1), last.year + 1):
        leapling = (day.month, day.day) == (2, 29) and not calendar.isleap(year)
        if now <= (date(year, 3, 1) if leapling else date(year, day.month, day.day)) <= last:
            return True
    return False


def moment_range(test: Test, moment: Moment) -> Range[datetime]:
    """Return the range of instants that pass a test of a moment; a date means that day in `moment.zone`."""
    zone, op, operand = zone_named(moment.zone), test.op, test.operand
    match op:
        case Op.BETWEEN:
            return _start(operand[0], zone), _end(operand[1], zone)
        case Op.BEFORE:
            return FIRST_MOMENT, _back(_start(operand, zone))
        case Op.AFTER:
            return _ahead(_end(operand, zone)), LAST_MOMENT
        case Op.WITHIN_LAST:
            return _ago(moment.at, operand), moment.at
        case Op.OLDER_THAN:
            return FIRST_MOMENT, _back(_ago(moment.at, operand))
        case _:
            raise ValueError(f"{op} is no range of moments")


def _ago(at: datetime, span: Span) -> datetime:
    try:
        return at.astimezone(UTC) - timedelta(**{span.unit: span.count})
    except OverflowError:
        return FIRST_MOMENT


def _back(at: datetime) -> datetime:
    return at if at == FIRST_MOMENT else at - TICK


def _ahead(at: datetime) -> datetime:
    return at if at == LAST_MOMENT else at + TICK


def _start(given: Any, zone: ZoneInfo) -> datetime:
    if isinstance(given, datetime):
        return given
    return _utc(datetime.combine(given, time.min), zone, FIRST_MOMENT)


def _end(given: Any, zone: ZoneInfo) -> datetime:
    if isinstance(given, datetime):
        return given
    if given == LAST_DAY:
        return LAST_MOMENT
    return _back(_utc(datetime.combine(given + ONE_DAY, time.min), zone, LAST_MOMENT))


def _utc(civil: datetime, zone: ZoneInfo, otherwise: datetime) -> datetime:
    try:
        return civil.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return otherwise
