"""The checks of the virus scanner that attached files pass through."""

from __future__ import annotations

from datetime import timedelta

from salus.privacy.checks.check import Check
from salus.privacy.posture import Facts, Severity

SIGNATURES_OLD = timedelta(days=7)
"""ClamAV has new ones every day, and warns of its own after a week."""
MALICIOUS = "45 CFR 164.308(a)(5)(ii)(B)"
"""Protection from malicious software: to guard against it, to detect it, to report it."""


def _set(facts: Facts) -> str | None:
    if facts.demo or facts.machine.scanner:
        return None
    return (
        "No virus scanner is set: Salus refuses files that hold programs, and knows no virus in the others."
    )


def _answers(facts: Facts) -> str | None:
    scanner = facts.machine.scanner
    if scanner is None or scanner.answers:
        return None
    return "The virus scanner does not answer: no attached file is taken."


def _signatures(facts: Facts) -> str | None:
    scanner = facts.machine.scanner
    if scanner is None or not scanner.answers:
        return None
    if scanner.signatures is None:
        return "The virus scanner does not say of when its signatures are: ClamAV's daily ones are not there."
    age = facts.at - scanner.signatures
    return f"The virus scanner's signatures are {age.days} days old." if age > SIGNATURES_OLD else None


CHECKS = (
    Check(
        "virus-scanner-answers", "A virus scanner that is set answers", Severity.HIGH, MALICIOUS,
        "Start clamd, and let the user who runs Salus reach the socket that SALUS_CLAMD names.", _answers,
    ),
    Check(
        "virus-signatures", "Signatures of a virus scanner that is set are of the last week", Severity.MEDIUM, MALICIOUS,
        "Let freshclam run beside clamd and look at its log; where clamd does not see new ones by itself, restart it.", _signatures,
    ),
    Check(
        "virus-scanner", "Attached files pass a virus scanner", Severity.LOW, MALICIOUS,
        "Install ClamAV (clamav-daemon) and name its socket to Salus in SALUS_CLAMD: docs/portal.md, A virus scanner.", _set,
    ),
)  # fmt: skip
