"""Who is told how TLS to their domain went: who asked for it, and of nobody whom few people's mail would give away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from salus.domains.rules.dmarc import tags_of

FEW: Final = 11
"""CMS' rule for cells (no count from 1 to 10 is shown): to fewer people than that no report says anything (ADR 143)."""
DELAY, PATIENCE = timedelta(hours=1), timedelta(days=1, hours=12)
"""After the day ended reports wait a little, and are given up after a while (RFC 8460, 4.1, 5.5)."""
MOST_PLACES = 2


def is_due(day: date, at: datetime) -> bool:
    """Tell whether a day is over for long enough to tell of it."""
    return at >= _end(day) + DELAY


def is_late(day: date, at: datetime) -> bool:
    """Tell whether a day is too long over to try again."""
    return at >= _end(day) + PATIENCE


def _end(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def begin(day: date) -> datetime:
    """Return the first moment of a day."""
    return _end(day) - timedelta(days=1)


def places(texts: Sequence[str]) -> tuple[str, ...]:
    """Return where a domain wants its reports (RFC 8460, 3): mailto: and https: addresses of its one record."""
    found = [tags_of(each) for each in texts if each.replace(" ", "").startswith("v=TLSRPTv1")]
    if len(found) != 1:
        return ()
    named = found[0].get("rua", "").split(",")
    good = [each for each in named if each.lower().startswith(("mailto:", "https:")) and len(each) <= 500]
    return tuple(good[:MOST_PLACES])
