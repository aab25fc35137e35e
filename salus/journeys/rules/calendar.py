"""Moments in a person's own time zone: the next weekday and hour, dates with an offset, quiet hours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MOST_HOLIDAYS = 30
"""No run of public holidays is longer: a message is never put off for ever."""


@cache
def zone_named(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name, read from the disk once."""
    return ZoneInfo(name)


def moment(day: date, at: time, zone: str) -> datetime:
    """Return the instant at which clocks in `zone` show `at` on `day`; one that is skipped comes an hour later."""
    return datetime.combine(day, at, zone_named(zone)).astimezone(UTC)


def next_weekday(since: datetime, weekday: int | None, at: time | None, zone: str) -> datetime:
    """Return the first instant from `since` on at this weekday (None: any) and time (None: all day)."""
    local = since.astimezone(zone_named(zone))
    day = local.date()
    if weekday is not None:
        day += (weekday - day.weekday()) % 7 * DAY
    if at is None:
        return max(since, moment(day, time.min, zone))
    found = moment(day, at, zone)
    return found if found >= since else moment(day + (DAY if weekday is None else 7 * DAY), at, zone)


def with_offset(day: date, at: time | None, offset: timedelta, clock: time | None, zone: str) -> datetime:
    """Return `offset` after a date (and time of day) in `zone`; with `clock`, at that time of the day it falls on."""
    civil = datetime.combine(day, at or time.min) + offset
    return moment(civil.date(), clock or civil.time(), zone)


def send_time(
    at: datetime,
    quiet_from: time | None,
    quiet_until: time | None,
    zone: str,
    holiday: Callable[[date], bool],
) -> datetime:
    """Return the first instant from `at` on that is neither in the quiet hours of `zone` nor on a holiday.

    Quiet hours may go over midnight; without them a holiday ends at midnight.
    """
    found = _after_quiet(at, quiet_from, quiet_until, zone)
    for _ in range(MOST_HOLIDAYS):
        day = found.astimezone(zone_named(zone)).date()
        if not holiday(day):
            break
        found = _after_quiet(moment(day + DAY, time.min, zone), quiet_from, quiet_until, zone)
    return found


def _after_quiet(at: datetime, quiet_from: time | None, quiet_until: time | None, zone: str) -> datetime:
    if quiet_from is None or quiet_until is None or quiet_from == quiet_until:
        return at
    local = at.astimezone(zone_named(zone))
    now, day = local.time(), local.date()
    if quiet_from < quiet_until:
        return moment(day, quiet_until, zone) if quiet_from <= now < quiet_until else at
    if now >= quiet_from:
        return moment(day + DAY, quiet_until, zone)
    return moment(day, quiet_until, zone) if now < quiet_until else at
