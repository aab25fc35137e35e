"""A merge and a split in the inbox: tasks and conversations of the merged record are those of the person, and back again."""

from __future__ import annotations

from typing import Any

from salus.inbox.models import ConversationRow, EntryRow, TaskRow
from salus.kernel.joining import Pair


def join_person(pair: Pair) -> dict[str, Any]:
    """Hang tasks and conversations of the merged record on the one that goes on; return which they were."""
    moved: dict[str, Any] = {}
    for name, model in (("tasks", TaskRow), ("conversations", ConversationRow)):
        rows = model.objects.select_for_update().filter(contact_id=pair.gone_id).order_by("id")
        ids = list(rows.values_list("id", flat=True))
        model.objects.filter(id__in=ids).update(contact_id=pair.kept_id)
        moved[name] = [str(each) for each in ids]
    EntryRow.objects.filter(conversation_id__in=moved["conversations"]).update(contact_id=pair.kept_id)
    return moved


def part_person(pair: Pair, moved: dict[str, Any]) -> None:
    """Give the other record back what it had, a conversation whole; what was begun since stays."""
    for name, model in (("tasks", TaskRow), ("conversations", ConversationRow)):
        rows = model.objects.filter(id__in=moved[name], contact_id=pair.kept_id)
        rows.update(contact_id=pair.gone_id)
    EntryRow.objects.filter(conversation_id__in=moved["conversations"]).update(contact_id=pair.gone_id)
