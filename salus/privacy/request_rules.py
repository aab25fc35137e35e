"""Deadlines of requests, and which disclosures an accounting tells. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from salus.privacy.contracts import Accounting, Disclosed, Ground, Kind, Sent, To

DUE: Mapping[Kind, tuple[timedelta, str]] = {
    Kind.ACCESS: (timedelta(days=30), "45 CFR 164.524(b)(2)(i)"),
    Kind.ERASURE: (timedelta(days=30), "the organization's own rule; no federal right"),
    Kind.ACCOUNTING: (timedelta(days=60), "45 CFR 164.528(c)(1)(i)"),
}
"""How long after it was received a request has to be answered, and why."""
EXTENSION = timedelta(days=30)
"""Once only, with its reason in writing before the first time is over (164.524(b)(2)(ii), 164.528(c)(1)(ii))."""

EXEMPT: Mapping[Ground, str] = {
    Ground.TREATMENT_PAYMENT_OPERATIONS: "45 CFR 164.528(a)(1)(i)",
    Ground.TO_THE_PERSON: "45 CFR 164.528(a)(1)(ii)",
    Ground.INCIDENT_TO: "45 CFR 164.528(a)(1)(iii)",
    Ground.AUTHORIZATION: "45 CFR 164.528(a)(1)(iv)",
    Ground.DIRECTORY: "45 CFR 164.528(a)(1)(v)",
    Ground.NATIONAL_SECURITY: "45 CFR 164.528(a)(1)(vi)",
    Ground.CUSTODY: "45 CFR 164.528(a)(1)(vii)",
    Ground.LIMITED_DATA_SET: "45 CFR 164.528(a)(1)(viii)",
}
"""What is not told in an accounting."""
SUSPENDING = frozenset({Ground.OVERSIGHT, Ground.LAW_ENFORCEMENT})
"""Agencies that may have an accounting of what they got suspended (164.528(a)(2)(i))."""
ORAL_AT_MOST = timedelta(days=30)
"""A statement that was not made in writing suspends no longer (164.528(a)(2)(ii)(C))."""
YEARS = 6


def due(kind: Kind, received_at: datetime, *, extended: bool = False) -> datetime:
    """Return until when a request has to be answered."""
    return received_at + DUE[kind][0] + (EXTENSION if extended else timedelta())


def years_before(moment: datetime) -> datetime:
    """Return the start of the longest period of an accounting (164.528(a)(1)): six years."""
    try:
        return moment.replace(year=moment.year - YEARS)
    except ValueError:  # the 29th of February
        return moment.replace(year=moment.year - YEARS, day=28)


def account(
    found: Iterable[Disclosed], since: datetime, until: datetime, sent: Iterable[Sent] = ()
) -> Accounting:
    """Return what of `found` and `sent` is told at `until`: what is exempt, suspended or outside the period is not.

    What went to a vendor or a representative is told: the law asks for less, the person wants to know.
    """
    start = max(since, years_before(until))
    told, exempt, suspended = [], dict[Ground, int](), list[Disclosed]()
    for one in sorted(found, key=lambda one: (one.facts.at, one.id)):
        ground = one.facts.ground
        if not start <= one.facts.at <= until:
            continue
        if ground in EXEMPT:
            exempt[ground] = exempt.get(ground, 0) + 1
        elif ground in SUSPENDING and one.suspension and one.suspension.until > until:
            suspended.append(one)
        else:
            told.append(one)
    made = sorted((each for each in sent if start <= each.at <= until), key=lambda each: (each.at, each.id))
    others = tuple(each for each in made if each.to is not To.PERSON)
    if len(made) > len(others):
        own = Ground.TO_THE_PERSON
        exempt[own] = exempt.get(own, 0) + len(made) - len(others)
    return Accounting(start, until, tuple(told), others, exempt, tuple(suspended))
