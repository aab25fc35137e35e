"""When a date brings somebody in, and when a schedule comes round: by the calendar of the organization."""

from __future__ import annotations

import calendar as calendars
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from salus.journeys.contracts import Enter, Tree
from salus.journeys.rules.calendar import DAY, moment, zone_named

MORNING = time(9)
"""When people come in for whom no time of day is said."""
CAUGHT_UP = timedelta(days=7)
"""After a longer standstill, dates and schedules before that are passed over."""


@dataclass(frozen=True, slots=True)
class Window:
    """The dates, from the first to the last, whose people come in now: several days after a standstill."""

    first: date
    last: date

    def tree(self, way: Enter) -> Tree:
        """Return the expression of people who may have such a date; for anniversaries ask it at `asked_at`."""
        key, _, part = way.attribute.partition(".")
        if way.yearly:
            test: Mapping[str, object] = {"anniversary_within": {"days": (self.last - self.first).days + 2}}
        else:
            test = {"between": {"from": self.first.isoformat(), "to": self.last.isoformat()}}
        rule = {**way.where, "record": key, part: test} if part else {"field": key, **test}
        return {"version": 1, "where": rule}

    def asked_at(self, zone: str) -> datetime:
        """Return the moment at which anniversaries are asked for: a day early, for people of every time zone."""
        return moment(self.first - DAY, time(12), zone)

    def occasions(self, way: Enter, found: date) -> Iterator[date]:
        """Yield on which days of the window a date brings its person in."""
        if not way.yearly:
            if self.first <= found <= self.last:
                yield found
            return
        for year in range(max(self.first.year, found.year + 1), self.last.year + 1):
            leapling = (found.month, found.day) == (2, 29) and not calendars.isleap(year)
            anniversary = date(year, 3, 1) if leapling else found.replace(year=year)
            if self.first <= anniversary <= self.last:
                yield anniversary

    def as_json(self) -> dict[str, str]:
        """Return it as JSON values."""
        return {"first": self.first.isoformat(), "last": self.last.isoformat()}


def window_of(given: Mapping[str, str]) -> Window:
    """Return the window that `as_json` wrote."""
    return Window(date.fromisoformat(given["first"]), date.fromisoformat(given["last"]))


def window(way: Enter, since: datetime, at: datetime, zone: str) -> Window | None:
    """Return whose dates bring them in by `way` after `since` and not after `at`, None when it is nobody's hour."""
    since = max(since, at - CAUGHT_UP)
    clock = way.at or MORNING
    first, last = _local(since, zone), _local(at, zone)
    first += DAY if moment(first, clock, zone) <= since else timedelta()
    last -= DAY if moment(last, clock, zone) > at else timedelta()
    shift = timedelta(days=way.offset.days)
    return Window(first - shift, last - shift) if first <= last else None


def moments(way: Enter, found: date, since: datetime, until: datetime, zone: str) -> list[datetime]:
    """Return when a date brings its person in by `way`, from `since` to `until`."""
    shift = timedelta(days=way.offset.days)
    reach = Window(_local(since, zone) - shift, _local(until, zone) - shift)
    came = (moment(day + shift, way.at or MORNING, zone) for day in reach.occasions(way, found))
    return [each for each in came if since <= each <= until]


def last_scheduled(way: Enter, since: datetime, at: datetime, zone: str) -> datetime | None:
    """Return the last moment of a schedule after `since` and not after `at`, None when there is none."""
    since = max(since, at - CAUGHT_UP)
    day = _local(at, zone)
    while day >= _local(since, zone):
        found = moment(day, way.at or MORNING, zone)
        if since < found <= at and _falls_on(way, day):
            return found
        day -= DAY
    return None


def _falls_on(way: Enter, day: date) -> bool:
    if way.every == "month":
        return day.day == way.on
    return way.every == "day" or day.weekday() == way.on


def _local(at: datetime, zone: str) -> date:
    return at.astimezone(zone_named(zone)).date()
