"""A merge and a split in delivery: what waits for the merged record is stopped; what was sent stays as it was proven.

Messages, letters, receipts and what came back keep the id that they were written under. Readers ask for the
whole person, so both records' messages are shown, counted and accounted for.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from salus.delivery.leaving import stop_waiting
from salus.delivery.models import MessageRow, WrittenRow
from salus.delivery.rules import MERGED
from salus.kernel.acting import Actor
from salus.kernel.joining import Pair


def join_person(pair: Pair, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """Cancel what waits for the merged record, and count what it was written for the frequency cap of the person.

    A clearance was given for a record that is nobody of its own any more. What waits for the one that goes on
    is judged anew, because its versions move. Raises `Conflict` while a message is being handed over.
    """
    stopped = stop_waiting(pair.gone_id, MERGED, actor=actor, at=at)
    WrittenRow.objects.filter(contact_id=pair.gone_id).update(contact_id=pair.kept_id)
    return {"stopped": stopped}


def part_person(pair: Pair) -> None:
    """Count for each record again what was written to it; what was stopped stays stopped."""
    theirs = MessageRow.objects.filter(contact_id=pair.gone_id)
    WrittenRow.objects.filter(contact_id=pair.kept_id, message_id__in=theirs.values("id")).update(
        contact_id=pair.gone_id
    )
