"""Who gathers the facts of the posture: wiring gives it, because they come from every storey and from the machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from salus.kernel.errors import Unavailable
from salus.privacy import posture_rules
from salus.privacy.posture import Facts, Report, Ruleset

Gather = Callable[[datetime], Facts]
"""Returns the facts of the organization in context and of this machine."""

_gather: Gather | None = None


def use_facts(gather: Gather) -> None:
    """Set who gathers the facts, for this process."""
    global _gather
    _gather = gather


def posture(at: datetime, ruleset: Ruleset) -> Report:
    """Return how the organization in context and this machine stand now."""
    if _gather is None:
        raise Unavailable(
            "Nobody gathers the facts of the posture.", next_step="Start Salus through its command line."
        )
    return posture_rules.judge(_gather(at), ruleset)
