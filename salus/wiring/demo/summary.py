"""The demo's summary: one JSON object whose numbers add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from salus.delivery import api as delivery
from salus.delivery.contracts import Progress
from salus.journeys.contracts import Counts
from salus.reports.contracts import Verified

WAYS = ("completed", "exited", "refused", "waiting")
"""Where those are who came into a journey: the numbers add up to how many entered."""


@dataclass
class Summary:
    """What the job did, filled in phase by phase."""

    patients: int = 0
    imported: int = 0
    rejected: int = 0
    audience: int = 0
    planned: int = 0
    cleared: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    accepted: int = 0
    portal: int = 0
    portal_unnotified: int = 0
    bounced: int = 0
    gave_up: int = 0
    cancelled: int = 0
    queued: int = 0
    uncertain: int = 0
    unaccounted: int = 0
    by_protection: dict[str, int] = field(default_factory=dict)
    journeys: dict[str, dict[str, int]] = field(default_factory=dict)
    audit: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def take_progress(self, progress: Progress) -> None:
        """Take over where every message is, and count who is nowhere: that must be nobody."""
        self.planned = progress.planned
        self.refused = dict(sorted(progress.refused.items()))
        self.cleared = self.planned - sum(self.refused.values())
        words: Mapping[str, int] = delivery.accounted(dict(progress.states))
        for word, count in words.items():
            setattr(self, word, count)
        self.uncertain = progress.uncertain
        self.by_protection = dict(sorted(progress.by_protection.items()))
        self.unaccounted = self.audience - sum(self.refused.values()) - sum(words.values())

    def take_journey(self, name: str, counts: Counts) -> None:
        """Take over how many came into a journey, and where they are."""
        self.journeys[name] = {word: getattr(counts, word) for word in ("entered", *WAYS)}

    def take_verdict(self, verdict: Verified) -> None:
        """Take over what verifying the log found."""
        self.audit = {"entries": verdict.entries, "verified": verdict.verified, "root": verdict.root}

    @property
    def is_consistent(self) -> bool:
        """Return whether every number adds up and the log holds."""
        words = (
            self.accepted,
            self.portal,
            self.portal_unnotified,
            self.bounced,
            self.gave_up,
            self.cancelled,
            self.queued,
        )
        return (
            self.unaccounted == 0
            and self.planned == self.audience == self.cleared + sum(self.refused.values())
            and self.cleared == sum(words)
            and all(each["entered"] == sum(each[way] for way in WAYS) for each in self.journeys.values())
            and bool(self.audit.get("verified"))
        )
