"""A merge and a split in journeys: the ways of the merged record go on as the person's, and never twice in one journey."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from salus.journeys.contracts import Fate
from salus.journeys.leaving import take_out
from salus.journeys.models import EnrolmentRow, WrittenRow
from salus.kernel.acting import Actor
from salus.kernel.joining import Pair

MERGED = "merged"


def join_person(pair: Pair, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """Hang the ways of the merged record on the person who goes on; return which they were.

    Where both are inside, the kept record's way goes on and the other ends with the reason "merged". A way
    that both were let in to by the same occasion stays where it is: nobody does it again.
    """
    both = (pair.kept_id, pair.gone_id)
    rows = list(EnrolmentRow.objects.select_for_update().filter(contact_id__in=both).order_by("id"))
    mine: defaultdict[UUID, list[EnrolmentRow]] = defaultdict(list)
    for row in rows:
        if row.contact_id == pair.kept_id:
            mine[row.journey_id].append(row)
    moved, ended = [], []
    for row in sorted(rows, key=lambda row: (row.journey_id, row.entry)):
        if row.contact_id == pair.kept_id:
            continue
        here = mine[row.journey_id]
        same = any(bytes(row.occurrence) == bytes(each.occurrence) for each in here)
        if row.fate == Fate.WAITING and (same or any(each.fate == Fate.WAITING for each in here)):
            take_out(row, MERGED, actor=actor, at=at)
            ended.append(str(row.id))
            row.refresh_from_db()
        if same:
            continue
        moved.append([str(row.id), row.entry])
        row.contact_id, row.contact_number = pair.kept_id, pair.kept_number
        row.entry = max((each.entry for each in here), default=-1) + 1
        row.save(update_fields=["contact_id", "contact_number", "entry"])
        here.append(row)
    _count_last(pair)
    return {"ways": moved, "ended": ended}


def _count_last(pair: Pair) -> None:
    """Let the later of the two days on which journeys wrote to either count for the person."""
    days = {
        row.contact_id: row for row in WrittenRow.objects.filter(contact_id__in=(pair.kept_id, pair.gone_id))
    }
    mine, theirs = days.get(pair.kept_id), days.get(pair.gone_id)
    if theirs and (mine is None or mine.day < theirs.day):
        WrittenRow.objects.bulk_create(
            [WrittenRow(contact_id=pair.kept_id, day=theirs.day, priority=theirs.priority)],
            update_conflicts=True,
            unique_fields=["organization_id", "contact_id"],
            update_fields=["day", "priority"],
        )


def part_person(pair: Pair, moved: dict[str, Any]) -> None:
    """Give the other record its ways back, wherever they stand by now; what the merge ended stays ended."""
    for id, entry in moved["ways"]:
        EnrolmentRow.objects.filter(id=id, contact_id=pair.kept_id).update(
            contact_id=pair.gone_id, contact_number=pair.gone_number, entry=entry
        )
    numbered: defaultdict[UUID, int] = defaultdict(int)
    for row in EnrolmentRow.objects.filter(contact_id=pair.kept_id).order_by("journey_id", "entry"):
        lower = row.entry - numbered[row.journey_id]  # the next one is numbered by how many there are
        if lower:
            EnrolmentRow.objects.filter(id=row.id).update(entry=F("entry") - lower)
        numbered[row.journey_id] += 1
