"""The checks of the key that seals data, and of the audit log."""

from __future__ import annotations

from datetime import timedelta

from salus.privacy.checks.check import Check
from salus.privacy.posture import Facts, Severity

KEY_OLD = timedelta(days=366)
LOG_SILENT = timedelta(hours=24)
"""The worker verifies the log much more often: a day without means that nobody looks."""


def _data_key(facts: Facts) -> str | None:
    made = facts.office.data_key_made
    if made is None or facts.at - made <= KEY_OLD:
        return None
    return f"The key that seals patients' data is {(facts.at - made).days} days old."


def _log_verified(facts: Facts) -> str | None:
    office = facts.office
    if office.log_verified is None or facts.at - office.log_verified > LOG_SILENT:
        return "Nobody has verified the audit log for a day."
    return None


def _log_sound(facts: Facts) -> str | None:
    if facts.office.log_verified is None or facts.office.log_sound:
        return None
    return "The audit log does not match its signed checkpoints: someone changed it outside Salus."


def _log_apart(facts: Facts) -> str | None:
    if facts.machine.log_copies_apart:
        return None
    return (
        "The copies of the log's roots are on the disk of the database: who can rewrite one can rewrite both."
    )


def _log_outside(facts: Facts) -> str | None:
    failing = facts.office.copies_failing
    if not failing:
        return None
    said = "; ".join(f"{word} ({number})" for word, number in sorted(failing.items()))
    return f"Copies of the audit log do not get to those who keep them outside: {said}."


_H, _M, _L = Severity.HIGH, Severity.MEDIUM, Severity.LOW

CHECKS = (
    Check(
        "data-key", "The key that seals data is not older than a year", _L, "45 CFR 164.312(a)(2)(iv)",
        "Run salus keys rotate data.", _data_key,
    ),
    Check(
        "log-sound", "The audit log is as it was signed", _H, "45 CFR 164.312(b), (c)(1)",
        "Tell your security officer now; salus audit verify names each place.", _log_sound,
    ),
    Check(
        "log-verified", "The audit log is verified every day", _H, "45 CFR 164.312(b), 164.308(a)(1)(ii)(D)",
        "Look at the log of the worker; run salus audit verify.", _log_verified,
    ),
    Check(
        "log-copies", "Copies of the log's roots are kept apart", _M, "45 CFR 164.312(c)(1)",
        "Put the witness folder on another disk (SALUS_WITNESS), or let another machine collect it.", _log_apart,
    ),
    Check(
        "log-outside", "Witnesses and log servers get their copies of the log", _M, "45 CFR 164.312(b), (c)(1)",
        "The page of the log says which; mend it, or switch the service off in the vendor register.", _log_outside,
    ),
)  # fmt: skip
