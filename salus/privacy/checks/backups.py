"""The checks of backups, by the law and by what was proposed."""

from __future__ import annotations

from datetime import timedelta

from salus.privacy.checks.check import Check, Look
from salus.privacy.posture import Facts, Severity

PROPOSED = "90 FR 898 (6 January 2025)"
BACKUP_OLD, BACKUP_OLD_PROPOSED = timedelta(days=7), timedelta(hours=48)
DRILL_OLD, DRILL_OLD_PROPOSED = timedelta(days=366), timedelta(days=31)


def _backup(limit: timedelta) -> Look:
    def look(facts: Facts) -> str | None:
        if facts.backups is None:
            return None
        if facts.backups.last is None:
            return "There is no backup."
        age = facts.at - facts.backups.last
        return f"The last backup is {_hours(age)} old." if age > limit else None

    return look


def _drill(limit: timedelta) -> Look:
    def look(facts: Facts) -> str | None:
        if facts.backups is None:
            return None
        if facts.backups.drilled is None:
            return "Nobody has tried to restore a backup."
        if not facts.backups.drill_passed:
            return "The last trial of a restore failed."
        age = facts.at - facts.backups.drilled
        return f"The last trial of a restore is {age.days} days ago." if age > limit else None

    return look


def _hours(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours} hours" if hours < 96 else f"{age.days} days"


_H, _M, _L = Severity.HIGH, Severity.MEDIUM, Severity.LOW

CHECKS = (
    Check(
        "backup", "There is a backup of the last week", _H, "45 CFR 164.308(a)(7)(ii)(A)",
        "Run salus backup, and have it run every day.", _backup(BACKUP_OLD),
    ),
    Check(
        "restore-drill", "A restore was tried within a year", _M, "45 CFR 164.308(a)(7)(ii)(B), (D)",
        "Run the drill of salus backup; it restores beside the live system.", _drill(DRILL_OLD),
    ),
    Check(
        "backup-48h", "There is a backup of the last 48 hours", _M, PROPOSED,
        "Have salus backup run every day.", _backup(BACKUP_OLD_PROPOSED), proposed=True,
    ),
    Check(
        "drill-month", "A restore was tried within a month", _L, PROPOSED,
        "Have the drill run every month.", _drill(DRILL_OLD_PROPOSED), proposed=True,
    ),
)  # fmt: skip
