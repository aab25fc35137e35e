"""Pure decisions of calls: what an answer means, when to try again, what a call may be made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from salus.delivery.contracts import CallSpec
from salus.kernel.errors import BadInput

TOPIC = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_ABOUT_KEY = re.compile(r"[a-z][a-z0-9_]{0,40}")
_ABOUT = re.compile(r"[A-Za-z0-9_.:-]{1,80}")
LONGEST = timedelta(days=30)
GONE = 410
"""The receiver asks never to be called at this address again (Standard Webhooks, "Delivery retries")."""

_WAITS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
)


def check(spec: CallSpec) -> None:
    """Raise `BadInput` for a topic that is none, or a time that is not above 0 and at most 30 days."""
    if len(spec.topic) > 80 or not TOPIC.fullmatch(spec.topic):
        raise BadInput("A topic is lower-case words with dots between them.", place="topic")
    if not timedelta(0) < spec.at_most <= LONGEST:
        raise BadInput("A call may take up to 30 days.", place="at_most")


def check_about(about: Mapping[str, str]) -> None:
    """Raise `BadInput` unless `about` holds short ids and codes only: words could say anything."""
    for key, value in about.items():
        if not _ABOUT_KEY.fullmatch(key) or not _ABOUT.fullmatch(value):
            raise BadInput("What a call is about is told by ids and codes.", place="about")


def taken(status: int) -> bool:
    """Tell whether the receiver took the call: 2xx and nothing else."""
    return 200 <= status <= 299


def reason_of(status: int | None, word: str) -> str:
    """Return why a call was not taken, as a code: the word for an attempt without a status, else by status."""
    if status is None:
        return word
    if status == GONE:
        return "gone"
    return "redirected" if 300 <= status <= 399 else f"status_{status}"


def next_attempt(attempts: int, at: datetime, jitter: float) -> datetime:
    """Return when to try again after `attempts` attempts: 5 s rising to 2 h, with `jitter` 0..1.

    The jitter spreads the wait between 75% and 125%.
    """
    return at + _WAITS[min(max(attempts, 1), len(_WAITS)) - 1] * (0.75 + 0.5 * jitter)


def rest(failures: int) -> timedelta:
    """Return how long a service rests after so many failures in a row: 1 s doubling to a minute."""
    doubled: int = 2 ** min(max(failures - 1, 0), 6)
    return min(timedelta(seconds=doubled), timedelta(minutes=1))
