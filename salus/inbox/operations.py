"""What is done to tasks, each in one transaction: make many, take, give back, end, expire, withdraw."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import orjson
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action, NewEntry
from salus.inbox import rules
from salus.inbox.contracts import NewTask, Status, Task
from salus.inbox.models import TaskRow
from salus.inbox.queries import binding, opened, roles, visible
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict
from salus.keys import api as keys
from salus.platform import bulk, feed
from salus.platform.tenancy import current_organization

FEED = "inbox-tasks"
EXPIRED_AT_ONCE = 1000

_COLUMNS = (
    ("id", "uuid"),
    ("key", "text"),
    ("contact_id", "uuid"),
    ("role", "text"),
    ("deputy", "text"),
    ("sealed", "bytea"),
    ("due_at", "timestamptz"),
)
_INSERT = sql.SQL(
    "INSERT INTO inbox_task (organization_id, id, key, contact_id, role, deputy, sealed, status, created_at, due_at) "
    "SELECT %s, id, key, contact_id, role, deputy, sealed, %s, %s, due_at FROM {} "
    "ON CONFLICT (organization_id, key) DO NOTHING RETURNING id"
)
_EXPIRE = sql.SQL(
    "UPDATE inbox_task t SET status = %s, ended_at = %s, number = e.number "
    "FROM unnest(%s::uuid[], %s::int8[]) AS e(id, number) WHERE t.id = e.id"
)


def create_tasks(tasks: Sequence[NewTask], *, actor: Actor, at: datetime) -> dict[str, UUID]:
    """Store tasks in the caller's transaction; return their ids by key.

    Idempotent by key: a task that is stored already stays as it is and keeps its id. Raises `BadInput`
    with the place for one that will not do; then none is stored.
    """
    doers = roles()
    for each in tasks:
        rules.check(each, doers)
    ids = {each.key: uuid5(current_organization(), f"task:{each.key}") for each in tasks}
    known = set(TaskRow.objects.filter(id__in=list(ids.values())).values_list("id", flat=True))
    fresh = {ids[each.key]: each for each in tasks if ids[each.key] not in known}
    if fresh:
        table = bulk.copy_rows(_COLUMNS, [_row(id, each) for id, each in fresh.items()])
        stored = bulk.execute(_INSERT.format(table), [current_organization(), Status.OPEN, at])
        audit.record_many(
            [
                NewEntry(
                    Action.TASK_CREATE,
                    actor,
                    object_kind="task",
                    object_id=id,
                    patient_id=fresh[id].contact_id,
                    details={"role": str(fresh[id].role)},
                )
                for (id,) in stored
            ]
        )
    return ids


def take(task_id: UUID, *, actor: Actor, at: datetime) -> Task:
    """Say that `actor` does it; raises `NotFound`, and `Conflict` when somebody else took it or it ended."""
    row = _moved(task_id, "take", actor)
    row.status, row.taken_by, row.taken_at = Status.TAKEN, actor.id, at
    row.save(update_fields=["status", "taken_by", "taken_at"])
    _record(Action.TASK_TAKE, row, actor, outcome="taken")
    return opened(row)


def give_back(task_id: UUID, *, actor: Actor, at: datetime) -> Task:
    """Put a taken task back for others of the role; raises `NotFound`, `Conflict`."""
    row = _moved(task_id, "give_back", actor)
    row.status, row.taken_by, row.taken_at = Status.OPEN, None, None
    row.save(update_fields=["status", "taken_by", "taken_at"])
    _record(Action.TASK_TAKE, row, actor, outcome="given_back")
    return opened(row)


def end(task_id: UUID, *, done: bool, note: str = "", actor: Actor, at: datetime) -> Task:
    """Say that a task was done, or that it will not be, with a note; raises `NotFound`, `Conflict`, `BadInput`.

    What is not done needs its reason. Anybody who sees the task may end it, also one that a colleague took.
    """
    kept = rules.check_note(note)
    if not done and not kept:
        raise BadInput("Say why it is not done.", place="note")
    row = _moved(task_id, "end", actor)
    row.status = Status.DONE if done else Status.NOT_DONE
    row.ended_by, row.ended_at = actor.id, at
    row.sealed_note = keys.sealer().seal(kept.encode(), binding(row.id)) if kept else None
    _record(Action.TASK_DONE, row, actor, outcome=row.status)
    row.number = feed.next_numbers(FEED, 1)
    row.save(update_fields=["status", "ended_by", "ended_at", "sealed_note", "number"])
    return opened(row)


def expire(*, actor: Actor, at: datetime) -> int:
    """End tasks whose time is over; return how many (at most a thousand: call it again)."""
    due = TaskRow.objects.select_for_update(skip_locked=True).filter(status__in=rules.OPEN, due_at__lte=at)
    rows = list(due.defer("sealed", "sealed_note").order_by("due_at", "id")[:EXPIRED_AT_ONCE])
    if not rows:
        return 0
    audit.record_many([_entry(Action.TASK_EXPIRE, row, actor, "expired") for row in rows])
    first = feed.next_numbers(FEED, len(rows))
    numbers = list(range(first, first + len(rows)))
    bulk.execute(_EXPIRE, [Status.EXPIRED, at, [row.id for row in rows], numbers])
    return len(rows)


def withdraw(task_keys: Collection[str], *, actor: Actor, at: datetime) -> int:
    """Take back tasks that are not needed any more, by key; those that have ended stay. Return how many."""
    rows = list(
        TaskRow.objects.select_for_update()
        .filter(key__in=list(task_keys), status__in=rules.OPEN)
        .defer("sealed", "sealed_note")
        .order_by("id")
    )
    audit.record_many([_entry(Action.TASK_EXPIRE, row, actor, "withdrawn") for row in rows])
    TaskRow.objects.filter(id__in=[row.id for row in rows]).update(status=Status.WITHDRAWN, ended_at=at)
    return len(rows)


def _row(id: UUID, task: NewTask) -> tuple[Any, ...]:
    text = {"title": task.title.strip(), "instructions": task.instructions.strip()}
    sealed = keys.sealer().seal(orjson.dumps(text), binding(id))
    return id, task.key, task.contact_id, task.role.value, task.deputy or "", sealed, task.due_at


def _moved(task_id: UUID, act: str, actor: Actor) -> TaskRow:
    row = visible(TaskRow.objects.select_for_update().filter(id=task_id), actor)
    if Status(row.status) in rules.MOVES[act]:
        return row
    raise Conflict(rules.STANDS[Status(row.status)])


def _record(action: Action, row: TaskRow, actor: Actor, *, outcome: str) -> None:
    audit.record_many([_entry(action, row, actor, outcome)])


def _entry(action: Action, row: TaskRow, actor: Actor, outcome: str) -> NewEntry:
    return NewEntry(
        action,
        actor,
        object_kind="task",
        object_id=row.id,
        patient_id=row.contact_id,
        outcome=str(outcome),
        details={"role": row.role},
    )
