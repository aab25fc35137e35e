"""Where a person lives, as far as clocks and calendars go: their time zone, and their public holidays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from typing import Any
from zoneinfo import available_timezones

import holidays

from salus.contacts import api as contacts

HOME = "US"
"""The country of people of whom none is known."""
ZONE_FIELDS, PLACE_FIELDS = ("time_zone", "state"), ("country", "state")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_of(document: Mapping[str, Any], otherwise: str) -> str:
    """Return a person's own time zone, or that of a state which lies in one, or `otherwise`."""
    own = document.get("time_zone")
    if own in _zones():
        return str(own)
    return contacts.zone_of_state(document.get("state") or "") or otherwise


def is_holiday(document: Mapping[str, Any], day: date) -> bool:
    """Return whether `day` is a public holiday where the person lives; of their country, if the state has none of its own."""
    country, state = document.get("country") or HOME, document.get("state") or ""
    return day in _holidays(country, state, day.year)


@lru_cache(maxsize=500)
def _holidays(country: str, state: str, year: int) -> frozenset[date]:
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        return frozenset()
    found = holidays.country_holidays(country, subdiv=state if state in known[country] else None, years=year)
    return frozenset(found)
