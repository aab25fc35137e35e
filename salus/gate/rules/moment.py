"""The moment of a decision with the days that follow from it, worked out once for many people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from salus.kernel.time import FAR

TREATMENT_MONTHS = 12
"""Care within so many months counts as active treatment (`law.md` X1)."""

LAPSED_DAYS = 90
"""A prescription that lapsed at most so long ago counts as current (HHS FAQ, D03)."""

_LAST_YEAR = 9000
"""Records say "9999-12-31" for what has no end; beyond this the calendar itself would end."""

_WEST = timedelta(hours=12)
"""The last place on earth to begin a day: until it is a birthday there too, a minor stays one."""


@dataclass(frozen=True, slots=True)
class Moment:
    """`at`, and the borders that dates are compared with."""

    at: datetime
    today: date
    treated_since: date
    lapsed_since: date
    adult_if_born_by: date
    over_12_if_born_by: date

    @classmethod
    def of(cls, at: datetime) -> Moment:
        """Return the moment `at`, which must be aware.

        Days are counted in UTC, which is ahead of all states but one: a treatment window never
        ends later than it does where the person is.
        """
        if at.tzinfo is None:
            raise ValueError("the moment of a decision must know its time zone")
        utc = at.astimezone(UTC)
        west = (utc - _WEST).date()
        return cls(
            utc,
            utc.date(),
            _treated_since(utc.date()),
            utc.date() - timedelta(days=LAPSED_DAYS),
            add_months(west, -18 * 12),
            add_months(west, -13 * 12),
        )


def _treated_since(today: date) -> date:
    """Return the first day of care that still counts today, so that it agrees with `treated_until`."""
    day = add_months(today, -TREATMENT_MONTHS)
    return day if add_months(day, TREATMENT_MONTHS) >= today else day + timedelta(days=1)


def add_months(day: date, months: int) -> date:
    """Return the day `months` later; where that month is too short, its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def midnight(day: date) -> datetime:
    """Return the first moment of `day` in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@lru_cache(maxsize=8192)
def birthday(born: date, age: int) -> datetime:
    """Return when a person is `age` years old everywhere in the United States."""
    if born.year > _LAST_YEAR:
        return FAR
    day = add_months(born, age * 12)
    if day.day != born.day:  # born on 29 February: of age on 1 March
        day += timedelta(days=1)
    return midnight(day) + _WEST


@lru_cache(maxsize=8192)
def treated_until(last_care: date) -> datetime:
    """Return when care on `last_care` stops counting as active treatment."""
    return midnight(add_months(last_care, TREATMENT_MONTHS) + timedelta(days=1))


@lru_cache(maxsize=8192)
def prescribed_until(supply_ends: date) -> datetime:
    """Return when a supply that ends on `supply_ends` stops counting as current."""
    if supply_ends.year > _LAST_YEAR:
        return FAR
    return midnight(supply_ends + timedelta(days=LAPSED_DAYS + 1))
