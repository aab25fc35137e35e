"""What a check of the posture is: what it looks at, why (which law), how bad it is, how it is mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from salus.privacy.posture import Facts, Severity

ENDS_SOON = timedelta(days=30)

Look = Callable[[Facts], str | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `look` returns what is wrong, in a sentence without PHI, or None."""

    name: str
    title: str
    """What holds when nothing is found."""
    severity: Severity
    citation: str
    mend: str
    look: Look
    proposed: bool = False
