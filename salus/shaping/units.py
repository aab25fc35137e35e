"""Pure: rates and times as people write them in a plan ("100/min", "2 h")."""

from __future__ import annotations

import re
from datetime import timedelta

from salus.kernel.errors import BadInput
from salus.shaping.contracts import Rate

_SECONDS = {"s": 1, "min": 60, "h": 3600, "day": 86400, "days": 86400}
_RATE = re.compile(r"([0-9]{1,9}) ?/ ?(s|min|h|day)")
_TIME = re.compile(r"([0-9]{1,6}) ?(s|min|h|days?)")
LONGEST = timedelta(days=31)


def rate(text: object, place: str) -> Rate:
    """Return the rate that "100/s", "100/min", "100/h" or "100/day" says. Raises `BadInput`."""
    found = _RATE.fullmatch(text) if isinstance(text, str) else None
    if not found or not int(found[1]):
        raise BadInput('Write a rate as "100/s", "100/min", "100/h" or "100/day".', place=place)
    return Rate(int(found[1]), float(_SECONDS[found[2]]))


def time(text: object, place: str) -> timedelta:
    """Return the time that "90 s", "30 min", "2 h" or "1 day" says, at most a month. Raises `BadInput`."""
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not seconds or seconds > LONGEST.total_seconds():
        raise BadInput('Write a time as "90 s", "30 min", "2 h" or "1 day", at most 31 days.', place=place)
    return timedelta(seconds=seconds)
