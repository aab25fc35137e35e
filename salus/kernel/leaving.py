"""What an erasure of one person comes to in one package: how much went, what stays, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """One sort of thing that was not erased; all of it words and counts without PHI."""

    what: str
    count: int
    why: str
    citation: str = ""
    until: datetime | None = None
    """When the reason ends, as far as it is known: erase again after it."""


@dataclass(frozen=True, slots=True)
class Left:
    """What one package did: how many things of each sort it erased, and what it keeps."""

    erased: Mapping[str, int] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()


def six_years_after(moment: datetime) -> datetime:
    """Return the end of the time for which required documentation is kept (45 CFR 164.316(b)(2)(i), 164.530(j)(2))."""
    try:
        return moment.replace(year=moment.year + 6)
    except ValueError:  # the 29th of February
        return moment.replace(year=moment.year + 6, month=3, day=1)
