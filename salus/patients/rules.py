"""Pure decisions of sign-in: tries, lockout, how often a code is sent, when a session ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

CODE_DIGITS = 6
CODE_LIFETIME = timedelta(minutes=10)
TRIES = 5
LOCKOUT = timedelta(minutes=30)
LONGEST_LOCKOUT = timedelta(days=1)
"""Each lockout in a row lasts twice as long as the one before: whoever reads the patient's mail, and so
gets every code, could else try 240 birth dates a day (NIST SP 800-63B, 5.2.2: at most 100 in a row)."""
IDLE = timedelta(minutes=15)
"""45 CFR 164.312(a)(2)(iii), automatic logoff."""
ABSOLUTE = timedelta(hours=2)
KEPT = timedelta(days=7)
"""How long the row of a session is kept after its last use."""
BETWEEN_CODES = timedelta(seconds=45)
CODES_AN_HOUR = 5


@dataclass(frozen=True, slots=True)
class Tries:
    """How a person's sign-in stands: failures in a row, over lockouts too, and until when nobody may try."""

    failures: int = 0
    locked_until: datetime | None = None

    def locked(self, at: datetime) -> bool:
        """Return whether tries are refused at `at`, right or wrong."""
        return self.locked_until is not None and at < self.locked_until

    @property
    def left(self) -> int:
        """Return how many tries are left before the lockout."""
        return TRIES - self.failures % TRIES


def after(tries: Tries, *, right: bool, at: datetime) -> Tries:
    """Return how it stands after one try at `at`, which must not be during a lockout."""
    if right:
        return Tries()
    failures = min(tries.failures + 1, _MOST_COUNTED)
    if failures % TRIES:
        return Tries(failures)
    before = failures // TRIES - 1
    return Tries(failures, at + min(LOCKOUT * 2 ** min(before, 10), LONGEST_LOCKOUT))


_MOST_COUNTED = 1000 * TRIES


@dataclass(frozen=True, slots=True)
class Sends:
    """How many codes were sent by e-mail since `since`, and when the last one was."""

    count: int = 0
    since: datetime | None = None
    last: datetime | None = None


def send_another(sends: Sends, at: datetime) -> Sends | None:
    """Return the count with one more code sent at `at`, or None when that is too soon or too many.

    Whoever holds a link can ask for codes: this keeps a mailbox from being flooded.
    """
    if sends.last is not None and at < sends.last + BETWEEN_CODES:
        return None
    if sends.since is None or at >= sends.since + timedelta(hours=1):
        return Sends(1, at, at)
    return replace(sends, count=sends.count + 1, last=at) if sends.count < CODES_AN_HOUR else None


def session_over(started: datetime, seen: datetime, at: datetime) -> bool:
    """Return whether a session that began at `started` and was last used at `seen` is over."""
    return at >= seen + IDLE or at >= started + ABSOLUTE


def birth_date(year: str, month: str, day: str) -> date | None:
    """Return the date that a person typed, None when there is no such day."""
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def code_of(text: str) -> str:
    """Return the digits that a person typed, without the spaces and dashes that people put in."""
    return "".join(character for character in text if character.isascii() and character.isdigit())[
        :CODE_DIGITS
    ]


def masked(address: str) -> str:
    """Return an e-mail address of which a stranger learns the domain and one letter."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"
