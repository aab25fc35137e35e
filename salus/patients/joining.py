"""A merge and a split at the portal's door: everybody signs in anew, and a lock holds for both."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from salus.kernel.joining import Pair
from salus.patients.models import AccessRow, SessionRow


def join_person(pair: Pair, *, at: datetime) -> dict[str, Any]:
    """End the sessions of both, void their codes and begun passkeys, and keep the longer lock: what is behind the door has changed."""
    return {"sessions": _shut(pair, at)}


def part_person(pair: Pair, *, at: datetime) -> None:
    """Do the same again: nobody goes on reading what is the other's."""
    _shut(pair, at)


def _shut(pair: Pair, at: datetime) -> int:
    both = (pair.kept_id, pair.gone_id)
    rows = list(AccessRow.objects.select_for_update().filter(contact_id__in=both).order_by("contact_id"))
    tries = max((row.failures for row in rows), default=0)
    locked = max((row.locked_until for row in rows if row.locked_until), default=None)
    for row in rows:
        row.failures, row.locked_until = tries, locked
        row.code = row.code_until = row.challenge = row.challenge_until = None
        row.save()
    if rows and locked:
        missing = [AccessRow(contact_id=one, failures=tries, locked_until=locked) for one in both]
        AccessRow.objects.bulk_create(missing, ignore_conflicts=True)
    return SessionRow.objects.filter(contact_id__in=both, ended_at=None).update(ended_at=at)
