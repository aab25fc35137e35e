"""One person's tasks: what an access request gets; an erasure takes their words and closes what is open."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.inbox import conversations, operations, rules
from salus.inbox.models import TaskRow
from salus.inbox.queries import binding, opened
from salus.kernel.acting import Actor
from salus.kernel.leaving import Kept, Left
from salus.kernel.time import Clock, SystemClock
from salus.keys import api as keys

_CLOCK = SystemClock()
GONE = "Erased"
"""The title of a task whose words were erased."""


def export_person(contact_id: UUID, *, purpose: str, actor: Actor) -> dict[str, Any]:
    """Return what staff had to do about a person as JSON values, oldest first; the look is recorded."""
    audit.record(Action.TASK_READ, actor=actor, object_kind="contact", patient_id=contact_id, purpose=purpose)
    rows = TaskRow.objects.filter(contact_id=contact_id).order_by("created_at", "id")
    return {
        "tasks": [
            {
                "title": task.title.reveal(),
                "instructions": task.instructions.reveal(),
                "note": task.note.reveal(),
                "status": task.status.value,
                "created_at": task.created_at.isoformat(),
                "ended_at": task.ended_at.isoformat() if task.ended_at else None,
            }
            for task in map(opened, rows)
        ],
        "conversations": conversations.told_about(contact_id),
    }


def erase_person(contact_id: UUID, *, actor: Actor, clock: Clock = _CLOCK) -> Left:
    """Withdraw what is open about a person and erase all words, theirs too; of tasks ids, roles and times stay.

    Safe to repeat.
    """
    rows = list(TaskRow.objects.select_for_update().filter(contact_id=contact_id).order_by("id"))
    operations.withdraw([row.key for row in rows if row.status in rules.OPEN], actor=actor, at=clock.now())
    sealer, blank = keys.sealer(), orjson.dumps({"title": GONE, "instructions": ""})
    for row in rows:
        row.sealed, row.sealed_note = sealer.seal(blank, binding(row.id)), None
    TaskRow.objects.bulk_update(rows, ["sealed", "sealed_note"], batch_size=500)
    conversations_gone = conversations.erase(contact_id)
    return Left(
        {"tasks": len(rows), "conversations": conversations_gone},
        (Kept("tasks without their words", len(rows), "counts of work; ids and times only"),) if rows else (),
    )
