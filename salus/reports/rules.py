"""Pure decisions of reports: who is behind a figure, what counts as sent, when to verify the log again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from salus.delivery.contracts import By, Engaged, Sending, State
from salus.reports.contracts import Day, Figure, Wanted, Week

CLEARED = frozenset(State) - {State.REFUSED}

STATES: Mapping[Figure, frozenset[State]] = {
    Figure.ALL: frozenset(),
    Figure.CLEARED: CLEARED,
    Figure.REFUSED: frozenset({State.REFUSED}),
    Figure.ACCEPTED: frozenset({State.ACCEPTED}),
    Figure.PORTAL: frozenset({State.PORTAL, State.OPENED, State.EXPIRED, State.RECALLED}),
    Figure.UNNOTIFIED: frozenset({State.PORTAL_UNNOTIFIED}),
    Figure.BOUNCED: frozenset({State.BOUNCED}),
    Figure.GAVE_UP: frozenset({State.GAVE_UP}),
    Figure.CANCELLED: frozenset({State.CANCELLED}),
    Figure.QUEUED: frozenset({State.CLEARED, State.LEASED, State.DEFERRED}),
    Figure.OPENED: frozenset(),
    Figure.CLICKED: frozenset(),
    Figure.READ: frozenset(),
    Figure.UNCERTAIN: frozenset(),
}
"""The states behind each figure; an empty set does not narrow."""

ENGAGED = {
    Figure.OPENED: (Engaged.OPENED, By.PERSON),
    Figure.CLICKED: (Engaged.CLICKED, By.PERSON),
    Figure.READ: (Engaged.READ, By.PERSON),
}

DAYS = 7
VERIFY_AFTER = timedelta(minutes=5)
VERIFY_SHARE = 60
"""A verification that takes a second is made again after a minute at the earliest: it is 1/60 of the work."""
LONG_VERIFICATION = 10.0
"""Seconds beyond which nobody waits in front of a page for the log to be verified."""
KEY_ENDS_WITHIN = timedelta(days=14)
AGREEMENT_ENDS_WITHIN = timedelta(days=30)
"""Long enough to have another one signed."""


def narrowed(wanted: Wanted) -> dict[str, Any]:
    """Return the arguments of `delivery.api.recipients` for the people behind a figure."""
    return {
        "states": STATES[wanted.figure],
        "reason": wanted.reason,
        "engaged": ENGAGED.get(wanted.figure),
        "uncertain": wanted.figure is Figure.UNCERTAIN,
    }


def verification_due(at: datetime, last: datetime | None, seconds: float) -> bool:
    """Return whether the log should be verified again: every five minutes, and at most 1/60 of the time."""
    if last is None:
        return True
    return at - last >= max(VERIFY_AFTER, timedelta(seconds=seconds * VERIFY_SHARE))


def begin_of_week(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment of the seven days that end with today, as the organization's clock has them."""
    today = at.astimezone(zone)
    return (today - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)


def week(sendings: Iterable[Sending], at: datetime, zone: ZoneInfo) -> Week:
    """Return the sums of the last seven days, each sending on the day of its release."""
    today = at.astimezone(zone).date()
    days = {
        today - timedelta(days=back): dict.fromkeys(("mail", "portal", "refused", "other"), 0)
        for back in reversed(range(DAYS))
    }
    readers = bounced = waiting = 0
    for sending in sendings:
        sums = days.get(sending.released_at.astimezone(zone).date())
        if sums is None:
            continue
        readers += sending.readers
        for state, count in sending.states.items():
            sums[_kind(State(state))] += count
            bounced += count if state == State.BOUNCED else 0
            waiting += count if state in STATES[Figure.QUEUED] else 0
    made = tuple(_day(day, sums) for day, sums in days.items())
    return Week(
        days=made,
        sent=sum(each.mail + each.portal for each in made),
        readers=readers,
        refused=sum(each.refused for each in made),
        bounced=bounced,
        waiting=waiting,
        planned=sum(each.planned for each in made),
    )


def _day(day: date, sums: Mapping[str, int]) -> Day:
    return Day(day, sums["mail"], sums["portal"], sums["refused"], sums["other"])


def _kind(state: State) -> str:
    if state is State.ACCEPTED:
        return "mail"
    if state in STATES[Figure.PORTAL] | STATES[Figure.UNNOTIFIED]:
        return "portal"
    return "refused" if state is State.REFUSED else "other"


def safe_cell(text: object) -> str:
    """Return a cell of a CSV that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    plain = str(text)
    return f"'{plain}" if plain.startswith(("=", "+", "-", "@", "\t", "\r")) else plain
