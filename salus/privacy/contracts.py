"""What others may know of the privacy office: the facts that a look at the posture needs, and what it finds."""

from __future__ import annotations

from salus.privacy.posture import (
    Backups,
    Facts,
    Finding,
    Found,
    Machine,
    Office,
    Passed,
    Record,
    Report,
    Ruleset,
    Severity,
)

__all__ = [
    "Backups",
    "Facts",
    "Finding",
    "Found",
    "Machine",
    "Office",
    "Passed",
    "Record",
    "Report",
    "Ruleset",
    "Severity",
]
