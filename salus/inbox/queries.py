"""Reads of the inbox: what a person of some roles sees, one task, how tasks ended."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import orjson
from django.db.models import Q
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import api as identity
from salus.identity.contracts import Permission, Role
from salus.inbox import rules
from salus.inbox.contracts import SettledTask, Status, Task
from salus.inbox.models import TaskRow
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import NotFound
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.tenancy import current_organization

PAGE = 50
MANY = 100
"""Open tasks are counted so far and no farther: the count is on every page."""
_NEARLY = sql.SQL(
    "SELECT role FROM inbox_task WHERE status IN ({}) AND (role = ANY(%s) OR deputy = ANY(%s)) LIMIT %s"
).format(sql.SQL(", ").join(sql.Literal(status.value) for status in rules.OPEN))
EMPTIED, NO_LONGER_KEPT = b"", "No longer kept"
"""What stands in place of the words of a task whose time is over, and its title then."""


def roles() -> frozenset[Role]:
    """Return the roles whose people may do tasks."""
    return frozenset(role for role in Role if Permission.INBOX_TASK_DO in identity.permissions_of([role]))


def absent_roles() -> frozenset[Role]:
    """Return the roles whose tasks no active staff member does: their deputies see what waits for them."""
    return frozenset(Role) - identity.staffed_roles()


def tasks(actor: Actor, *, ended: bool = False, after: UUID | None = None, limit: int = PAGE) -> list[Task]:
    """Return tasks that `actor` may see: open ones, the first due first, or ended ones, the newest first.

    `after` is the id of the last one that was seen.
    """
    rows = TaskRow.objects.filter(_seen_by(actor))
    last = rows.filter(id=after).first() if after else None
    if ended:
        rows = rows.exclude(status__in=rules.OPEN).order_by("-ended_at", "-id")
        if last is not None and last.ended_at is not None:
            rows = rows.filter(Q(ended_at__lt=last.ended_at) | Q(ended_at=last.ended_at, id__lt=last.id))
    else:
        rows = rows.filter(status__in=rules.OPEN).order_by("due_at", "id")
        if last is not None:
            rows = rows.filter(Q(due_at__gt=last.due_at) | Q(due_at=last.due_at, id__gt=last.id))
    return [opened(row) for row in rows[:limit]]


def count_open(actor: Actor) -> int:
    """Return how many open tasks `actor` sees, `MANY` at most."""
    if actor.kind is ActorKind.STAFF:
        held = list(identity.task_roles(actor))
        found = bulk.read(_NEARLY, [held, held, MANY])
        # Who stands in for nobody has their number by one statement: it is on every page.
        if all(role in held for (role,) in found):
            return len(found)
    open_now = TaskRow.objects.filter(status__in=rules.OPEN)
    return open_now.filter(_seen_by(actor))[:MANY].count()


def open_keys(prefix: str) -> frozenset[str]:
    """Return the keys of open tasks that begin with `prefix`, for whoever asked for them."""
    rows = TaskRow.objects.filter(key__startswith=prefix, status__in=rules.OPEN)
    return frozenset(rows.values_list("key", flat=True))


def task(task_id: UUID, *, actor: Actor) -> Task:
    """Return one task that `actor` may see, and record that they looked; raises `NotFound`."""
    found = opened(visible(TaskRow.objects.filter(id=task_id), actor))
    audit.record(
        Action.TASK_READ,
        actor=actor,
        object_kind="task",
        object_id=task_id,
        patient_id=found.contact_id,
    )
    return found


def settled(after: int, limit: int) -> tuple[SettledTask, ...]:
    """Return up to `limit` tasks that ended after number `after`, in order; none smaller appears later."""
    rows = TaskRow.objects.filter(number__gt=after).order_by("number").defer("sealed", "sealed_note")[:limit]
    return tuple(
        SettledTask(
            number=row.number or 0,
            task_id=row.id,
            key=row.key,
            contact_id=row.contact_id,
            status=Status(row.status),
            at=row.ended_at or row.created_at,
        )
        for row in rows
    )


def visible(rows: Iterable[TaskRow], actor: Actor) -> TaskRow:
    """Return the one row there is, if `actor` may see it; raises `NotFound`."""
    row = next(iter(rows), None)
    if row is None:
        raise NotFound
    deputy = Role(row.deputy) if row.deputy else None
    if actor.kind is ActorKind.STAFF and not rules.sees(
        Role(row.role), deputy, identity.task_roles(actor), absent_roles()
    ):
        raise NotFound
    return row


def opened(row: TaskRow) -> Task:
    """Return a row as the value that others see."""
    sealer = keys.sealer()
    text = (
        orjson.loads(sealer.open(bytes(row.sealed), binding(row.id)))
        if row.sealed
        else {"title": NO_LONGER_KEPT, "instructions": ""}
    )
    note = sealer.open(bytes(row.sealed_note), binding(row.id)).decode() if row.sealed_note else ""
    return Task(
        id=row.id,
        key=row.key,
        contact_id=row.contact_id,
        role=Role(row.role),
        deputy=Role(row.deputy) if row.deputy else None,
        title=Phi(text["title"]),
        instructions=Phi(text["instructions"]),
        note=Phi(note),
        status=Status(row.status),
        created_at=row.created_at,
        due_at=row.due_at,
        taken_by=row.taken_by,
        taken_at=row.taken_at,
        ended_by=row.ended_by,
        ended_at=row.ended_at,
    )


def binding(task_id: UUID) -> bytes:
    """Return the associated data of a task's sealed text."""
    return keys.binding(current_organization(), "inbox_task", task_id)


def _seen_by(actor: Actor) -> Q:
    """Return the condition of what `actor` sees: staff by their roles, a program with the scope everything."""
    if actor.kind is not ActorKind.STAFF:
        return Q()
    held = identity.task_roles(actor)
    own, stands_in = Q(role__in=held), Q(deputy__in=held)
    if not TaskRow.objects.filter(stands_in).exists():  # who works here need not be looked up
        return own
    return own | (stands_in & Q(role__in=absent_roles()))
