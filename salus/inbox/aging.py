"""What staff and patients wrote long ago: conversations go whole, tasks lose their words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from salus.files import api as files
from salus.files.contracts import Of, Owner
from salus.inbox import rules
from salus.inbox.models import ConversationRow, EntryRow, TaskRow
from salus.inbox.queries import EMPTIED
from salus.kernel.aging import Old, Walked


def count_conversations(old: Old) -> int:
    """Return how many conversations are due: nobody waits in them, and the last word is old."""
    return _conversations(old).count()


def empty_conversations(old: Old, after: UUID | None, limit: int) -> Walked:
    """Erase up to `limit` of them, with their files; the letters of staff are messages, with a time of their own."""
    ids = _next(_conversations(old), after, limit)
    entries = EntryRow.objects.filter(conversation_id__in=ids)
    files.erase([Owner(Of.ENTRY, id) for id in entries.values_list("id", flat=True)], actor=old.actor)
    entries.delete()
    ConversationRow.objects.filter(id__in=ids).delete()
    return _walked(ids, limit)


def count_tasks(old: Old) -> int:
    """Return how many tasks that ended long ago still have words."""
    return _tasks(old).count()


def empty_tasks(old: Old, after: UUID | None, limit: int) -> Walked:
    """Take the words of up to `limit` of them away; ids, roles and times stay for counts."""
    ids = _next(_tasks(old), after, limit)
    TaskRow.objects.filter(id__in=ids).update(sealed=EMPTIED, sealed_note=None)
    return _walked(ids, limit)


def _conversations(old: Old) -> QuerySet[ConversationRow]:
    rows = ConversationRow.objects.filter(waiting=False, last_at__lt=old.before)
    return rows.exclude(contact_id__in=old.spared)


def _tasks(old: Old) -> QuerySet[TaskRow]:
    rows = TaskRow.objects.filter(ended_at__lt=old.before).exclude(status__in=rules.OPEN)
    return rows.exclude(sealed=EMPTIED).exclude(contact_id__in=old.spared)


def _next(rows: QuerySet[Any], after: UUID | None, limit: int) -> list[UUID]:
    if after is not None:
        rows = rows.filter(id__gt=after)
    return list(rows.select_for_update(of=("self",)).order_by("id").values_list("id", flat=True)[:limit])


def _walked(ids: list[UUID], limit: int) -> Walked:
    return Walked(len(ids), ids[-1] if len(ids) == limit else None)
