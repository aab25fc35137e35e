"""Pure decisions of delivery: legal moves between states, when to try again, what a change means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from salus.content.contracts import Classification
from salus.delivery.contracts import Cap, Priority, State
from salus.gate.contracts import MessageFacts
from salus.kernel.vocabulary import Promotes, Purpose, Remuneration

LEGAL_MOVES: dict[State, frozenset[State]] = {
    State.CLEARED: frozenset(
        {
            State.LEASED,
            State.CANCELLED,
            State.DEFERRED,  # held back by the frequency cap before any attempt
        }
    ),
    State.LEASED: frozenset(
        {
            State.CLEARED,  # given back before its attempt began
            State.ACCEPTED,
            State.DEFERRED,
            State.BOUNCED,
            State.GAVE_UP,
            State.PORTAL,
            State.PORTAL_UNNOTIFIED,
            State.CANCELLED,
        }
    ),
    State.DEFERRED: frozenset({State.LEASED, State.CANCELLED, State.GAVE_UP}),
    State.PORTAL: frozenset({State.OPENED, State.EXPIRED, State.RECALLED, State.PORTAL_UNNOTIFIED}),
    State.PORTAL_UNNOTIFIED: frozenset({State.OPENED, State.EXPIRED, State.RECALLED, State.PORTAL}),
    State.OPENED: frozenset({State.EXPIRED, State.RECALLED}),
    State.ACCEPTED: frozenset({State.BOUNCED}),  # a delivery status notification came back later
    State.BOUNCED: frozenset(),
    State.GAVE_UP: frozenset(),
    State.EXPIRED: frozenset(),
    State.RECALLED: frozenset(),
    State.REFUSED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""Where a message may go from each state; a database trigger made from this table refuses the rest."""

WAITING = frozenset({State.CLEARED, State.LEASED, State.DEFERRED})
"""States in which the message has not been handed over and may still be stopped."""

IN_PORTAL = frozenset({State.PORTAL, State.PORTAL_UNNOTIFIED, State.OPENED, State.EXPIRED, State.RECALLED})

CANCELLED_BY_STAFF, PERSON_IS_GONE = "cancelled_by_staff", "person_is_gone"
MERGED = "merged"
"""Cleared for a record that was merged into another: nothing says that it fits the person they are now."""
"""Why a message is not sent that the gate would let go."""

HELD_AT_MOST = timedelta(days=7)
"""Whoever cannot be written to within so long is not written to any more: it would be old news."""

RANK = {Priority.TRANSACTIONAL: 0, Priority.JOURNEY: 1, Priority.CAMPAIGN: 2}
"""Smaller goes first."""

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=5)
"""Like Postfix's `maximal_queue_lifetime`."""

RECHECK_AFTER = timedelta(seconds=3)
"""Age of the last check beyond which every version is compared again before MAIL FROM."""

LONGEST_IN_PORTAL, LONGEST_KEPT = 365, 2190
"""Days: a notice's link works for 13 months at most; six years is what documentation is kept
(45 CFR 164.530(j)(2))."""
LINK_AFTER = timedelta(days=30)
"""How long a notice's link says kindly that the message is gone."""


_ABOUT_THEIR_OWN = frozenset(
    {
        Purpose.APPOINTMENT,
        Purpose.LAB_NOTICE,
        Purpose.REFILL,
        Purpose.CARE_INSTRUCTIONS,
        Purpose.PROVIDER_TREATMENT,
        Purpose.PAYMENT,
        Purpose.TRANSACTIONAL,
        Purpose.BREACH_NOTICE,
        Purpose.PUBLIC_HEALTH_ALERT,
    }
)


def priority_of(what: Classification | MessageFacts) -> Priority:
    """Return how urgent a message is that a journey sends, from what it is for.

    Transactional is what a person's own care, account or safety waits for: rows D01 to D07, D30, D33 and
    D38 of the table (15 USC 7702(17); 16 CFR 316.3(c)). It never counts for a frequency cap, nor is it held
    back. What promotes the product of others or non-health products, or is paid for above cost (row D04),
    is not transactional whatever it is called.
    """
    promotes = what.promotes in {Promotes.THIRD_PARTY, Promotes.OWN_NON_HEALTH}
    if what.purpose in _ABOUT_THEIR_OWN and not promotes and what.remuneration is not Remuneration.ABOVE_COST:
        return Priority.TRANSACTIONAL
    return Priority.JOURNEY


def full_until(written: Iterable[datetime], cap: Cap, at: datetime) -> datetime | None:
    """Return until when a person is full who was written to at these moments, None when they are not."""
    window = timedelta(days=cap.days)
    recent = sorted((each for each in written if each > at - window), reverse=True)
    return recent[cap.at_most - 1] + window if len(recent) >= cap.at_most else None


def may_move(old: State, new: State) -> bool:
    """Return whether a message may go from `old` to `new`."""
    return new in LEGAL_MOVES[old]


def may_have_become(old: State, new: State) -> bool:
    """Return whether a message that was once `old` can be `new` now, over any number of legal moves."""
    seen, ahead = {old}, [old]
    while ahead:
        for state in LEGAL_MOVES[ahead.pop()] - seen:
            seen.add(state)
            ahead.append(state)
    return new in seen


def next_attempt(attempts: int, at: datetime, jitter: float) -> datetime:
    """Return when to try again after `attempts` attempts: 5 min doubling to 4 h, with `jitter` 0..1.

    The jitter spreads the wait between 75% and 125%, so that a queue does not come back as one wave.
    """
    doubled: int = 2 ** max(0, min(attempts - 1, 10))
    wait = min(LONGEST_WAIT, FIRST_WAIT * doubled)
    return at + wait * (0.75 + 0.5 * jitter)


def has_given_up(first_attempt: datetime, at: datetime) -> bool:
    """Return whether the message has been tried for long enough."""
    return at - first_attempt >= GIVE_UP_AFTER


@dataclass(frozen=True, slots=True)
class Bound:
    """What a clearance is bound to, as stored with the row."""

    contact_version: int
    standing_version: int
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Present:
    """The same things as they are now; None when the contact is gone."""

    contact_version: int | None
    standing_version: int
    at: datetime


class Check(StrEnum):
    """What comparing a clearance with the present says."""

    STILL_GOOD = "still_good"
    ASK_AGAIN = "ask_again"


def check(bound: Bound, present: Present) -> Check:
    """Return whether a clearance still stands, or the gate must decide anew.

    Whoever changed anything about the person, for better or worse, makes the gate look again.
    """
    same = (bound.contact_version, bound.standing_version) == (
        present.contact_version,
        present.standing_version,
    )
    return Check.STILL_GOOD if same and present.at < bound.valid_until else Check.ASK_AGAIN


def accounted(states: dict[str, int]) -> dict[str, int]:
    """Return the summary's words for a count by state; every message falls into exactly one.

    `opened`, `expired` and `recalled` messages are in the portal; what waits is `queued`.
    """
    words = {
        "accepted": (State.ACCEPTED,),
        "portal": (State.PORTAL, State.OPENED, State.EXPIRED, State.RECALLED),
        "portal_unnotified": (State.PORTAL_UNNOTIFIED,),
        "bounced": (State.BOUNCED,),
        "gave_up": (State.GAVE_UP,),
        "cancelled": (State.CANCELLED,),
        "queued": tuple(WAITING),
    }
    return {word: sum(states.get(state, 0) for state in group) for word, group in words.items()}


OF_THE_ADDRESS = frozenset({"mailbox_full", "mailbox_trouble", "address_trouble", "ambiguous_address"})
"""Reasons of soft bounces that speak of the address; a busy or silent host may as well be our own network."""
SOFT_DAYS, SOFT_WITHIN = 3, timedelta(days=30)
"""An address is stopped whose messages bounced softly on so many different days within so long."""
BOUNCES_COUNT_FOR = timedelta(days=30)
"""A report that comes later than this after the hand-over changes nothing; a complaint always counts."""


def soft_enough(bounced: Iterable[datetime], at: datetime) -> bool:
    """Return whether an address that bounced softly at these moments (UTC) is to be stopped at `at`."""
    return len({each.date() for each in bounced if at - SOFT_WITHIN < each <= at}) >= SOFT_DAYS


def too_late(handed_over: datetime, at: datetime) -> bool:
    """Return whether a bounce that comes at `at` is too old to change anything."""
    return at - handed_over > BOUNCES_COUNT_FOR
