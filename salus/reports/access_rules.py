"""Pure decisions of an access review: what stands out, and which time nobody has signed for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import median

DAY = (6, 20)
"""From which hour to before which hour looks are no surprise."""
MANY, TIMES_MEDIAN = 20, 3
ODD, OFTEN, FAILED, REFUSED, NETWORKS = 5, 10, 5, 5, 4
LONGEST = 366
SIGN_EVERY = 31
"""Days whose gaps are shown. The Security Rule says "regularly"; a month is ours (45 CFR 164.308(a)(1)(ii)(D))."""


class Why(StrEnum):
    """Why somebody stands out."""

    MANY_PATIENTS = "many_patients"
    ODD_HOURS = "odd_hours"
    SAME_PATIENT = "same_patient"
    EXPORTS = "exports"
    FAILED_SIGN_INS = "failed_sign_ins"
    LOCKED_OUT = "locked_out"
    NETWORKS = "networks"
    REFUSED = "refused"

    @property
    def words(self) -> str:
        """Return the reason as the page says it."""
        return _WORDS[self]


_WORDS = {
    Why.MANY_PATIENTS: f"{TIMES_MEDIAN} times as many people as is usual here, or more",
    Why.ODD_HOURS: f"half of the looks or more between {DAY[1]}:00 and {DAY[0]}:00",
    Why.SAME_PATIENT: f"looked at one person {OFTEN} times or more",
    Why.EXPORTS: "took people out as a file",
    Why.FAILED_SIGN_INS: f"{FAILED} failed sign-ins or more",
    Why.LOCKED_OUT: "was locked out",
    Why.NETWORKS: f"signed in from {NETWORKS} addresses or more",
    Why.REFUSED: f"asked for {REFUSED} closed pages or more",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """What is weighed of one person."""

    looks: int = 0
    patients: int = 0
    at_odd_hours: int = 0
    exports: int = 0
    failed_sign_ins: int = 0
    lock_outs: int = 0
    networks: int = 0
    refusals: int = 0
    repeats: int = 0


def usual(patients: Iterable[int]) -> float:
    """Return how many people somebody looks at who looks at any: the median."""
    some = [each for each in patients if each]
    return float(median(some)) if some else 0.0


def stands_out(counts: Counts, usually: float) -> tuple[Why, ...]:
    """Return why somebody stands out; none: nothing does.

    `usually` is `usual` of the others. These are hints where to look, no proof of anything.
    """
    odd = counts.at_odd_hours >= ODD and 2 * counts.at_odd_hours >= counts.looks
    found = {
        Why.MANY_PATIENTS: counts.patients >= MANY and counts.patients >= TIMES_MEDIAN * usually,
        Why.ODD_HOURS: odd,
        Why.SAME_PATIENT: counts.repeats > 0,
        Why.EXPORTS: counts.exports > 0,
        Why.FAILED_SIGN_INS: counts.failed_sign_ins >= FAILED,
        Why.LOCKED_OUT: counts.lock_outs > 0,
        Why.NETWORKS: counts.networks >= NETWORKS,
        Why.REFUSED: counts.refusals >= REFUSED,
    }
    return tuple(why for why in Why if found[why])


def unsigned(signed: Sequence[tuple[date, date]], first: date, last: date) -> tuple[tuple[date, date], ...]:
    """Return the spans of days from `first` to `last` (both included) that no pair in `signed` covers."""
    gaps, day = [], first
    for since, until in sorted(signed):
        if since > day:
            gaps.append((day, min(since - timedelta(days=1), last)))
        day = max(day, until + timedelta(days=1))
        if day > last:
            return tuple(gaps)
    return (*gaps, (day, last)) if day <= last else tuple(gaps)
