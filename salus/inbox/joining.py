"""A merge and a split in the inbox: tasks about the merged record are about the person who goes on, and back again."""

from __future__ import annotations

from typing import Any

from salus.inbox.models import TaskRow
from salus.kernel.joining import Pair


def join_person(pair: Pair) -> dict[str, Any]:
    """Hang the tasks of the merged record on the one that goes on; return which they were."""
    rows = TaskRow.objects.select_for_update().filter(contact_id=pair.gone_id).order_by("id")
    ids = list(rows.values_list("id", flat=True))
    TaskRow.objects.filter(id__in=ids).update(contact_id=pair.kept_id)
    return {"tasks": [str(each) for each in ids]}


def part_person(pair: Pair, moved: dict[str, Any]) -> None:
    """Give the other record its tasks back; those that came since stay."""
    TaskRow.objects.filter(id__in=moved["tasks"], contact_id=pair.kept_id).update(contact_id=pair.gone_id)
