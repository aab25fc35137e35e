"""For programs: which tasks wait, and that one was done or was not."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from salus.identity.api import api_key_auth
from salus.identity.contracts import Permission, Role
from salus.inbox import api
from salus.inbox.contracts import Status, Task
from salus.kernel.acting import Actor
from salus.kernel.time import SystemClock

router = Router(tags=["tasks"])
CLOCK = SystemClock()
P = Permission
PAGE = 100


class Shown(Schema):
    """A task; `contact_id` is null where it is about the organization. `title`, `instructions` and `note` are free text of staff: treat them as PHI."""

    id: UUID
    key: str
    contact_id: UUID | None
    role: Role
    deputy: Role | None
    title: str
    instructions: str
    note: str
    status: Status
    created_at: datetime
    due_at: datetime
    taken_by: UUID | None
    ended_by: UUID | None
    ended_at: datetime | None


class Listed(Schema):
    """Some tasks; `after` is for the next ones, null at the end."""

    tasks: list[Shown]
    after: UUID | None


class Ending(Schema):
    """How it went; what is not done needs a note."""

    done: bool
    note: str = Field(default="", max_length=2000)


@router.get("/tasks", response=Listed, auth=api_key_auth(P.INBOX_TASK_READ))
def listing(request: HttpRequest, ended: bool = False, after: UUID | None = None, limit: int = 50) -> Listed:
    """List open tasks of every role, the first due first; or those that ended, newest first."""
    most = max(1, min(limit, PAGE))
    found = api.tasks(_actor(request), ended=ended, after=after, limit=most + 1)
    shown = [_shown(each) for each in found[:most]]
    return Listed(tasks=shown, after=shown[-1].id if len(found) > most else None)


@router.get("/tasks/{task_id}", response=Shown, auth=api_key_auth(P.INBOX_TASK_READ))
def one(request: HttpRequest, task_id: UUID) -> Shown:
    """Return a task."""
    return _shown(api.task(task_id, actor=_actor(request)))


@router.post("/tasks/{task_id}/end", response=Shown, auth=api_key_auth(P.INBOX_TASK_DO))
def end(request: HttpRequest, task_id: UUID, body: Ending) -> Shown:
    """Say that a task was done, or that it is not going to be; ended already, it is a conflict (409)."""
    return _shown(api.end(task_id, done=body.done, note=body.note, actor=_actor(request), at=CLOCK.now()))


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _shown(task: Task) -> Shown:
    return Shown(
        id=task.id,
        key=task.key,
        contact_id=task.contact_id,
        role=task.role,
        deputy=task.deputy,
        title=task.title.reveal(),
        instructions=task.instructions.reveal(),
        note=task.note.reveal(),
        status=task.status,
        created_at=task.created_at,
        due_at=task.due_at,
        taken_by=task.taken_by,
        ended_by=task.ended_by,
        ended_at=task.ended_at,
    )
