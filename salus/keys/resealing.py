"""Takes the walks after a rotation step by step: each batch and its place are committed together."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.keys import walking
from salus.keys.contracts import Progress
from salus.keys.models import Kind, WalkRow
from salus.platform.jobs import defer
from salus.platform.tenancy import current_organization

TASK = "salus.keys.tasks.reseal"


class Stepped(Enum):
    """What a step came to."""

    ON = "there is more to do"
    AGAIN = "one walk ended, and rows that were written meanwhile are left: it begins anew"
    BUSY = "others are at what is left"
    OVER = "nothing is left"


def begin(kind: Kind, version: int, at: datetime) -> None:
    """Write down what is to be walked after a rotation of `kind`, and let a worker begin."""
    for walk in walking.walks(kind):
        total = walk.total()
        values = {
            "version": version,
            "cursor": None,
            "done": 0,
            "total": total,
            "started_at": at,
            "finished_at": None if total else at,
        }
        WalkRow.objects.update_or_create(
            organization_id=current_organization(), kind=kind, name=walk.name, defaults=values
        )
    if walking.walks(kind):
        defer(TASK, once="reseal")


def step(actor: Actor, at: datetime) -> Stepped:
    """Do one batch of whatever nobody else is at; the caller's transaction commits it with its place."""
    unfinished = WalkRow.objects.filter(finished_at=None).order_by("kind", "name")
    row = unfinished.select_for_update(skip_locked=True).first()
    if row is None:
        return Stepped.BUSY if unfinished.exists() else Stepped.OVER
    walk = next((each for each in walking.walks(row.kind) if each.name == row.name), None)
    if walk is None:  # a table of an older version of the program
        row.delete()
        return Stepped.ON
    row.cursor, changed = walk.step(row.cursor)
    row.done += changed
    result = Stepped.ON
    if row.cursor is None:
        result = _end(row, walk.left(), at)
    row.save()
    if row.finished_at is not None and not unfinished.filter(kind=row.kind).exists():
        _record(row.kind, row.version, actor, at)
    return result


def _end(row: WalkRow, left: int, at: datetime) -> Stepped:
    row.total = row.done + left
    if left:
        return Stepped.AGAIN
    row.finished_at = at
    return Stepped.ON


def walk_again(kind: Kind, at: datetime) -> int:
    """Count everything that is not under the present key, and have what is left walked again; return how many."""
    found = 0
    for walk in walking.walks(kind):
        left = walk.left()
        if left:
            WalkRow.objects.filter(kind=kind, name=walk.name).update(
                cursor=None, finished_at=None, total=left, done=0, started_at=at
            )
            found += left
    if found:
        defer(TASK, once="reseal")
    return found


def progress() -> tuple[Progress, ...]:
    """Return how far every walk of the current organization has got."""
    return tuple(
        Progress(row.kind, row.name, row.version, row.done, row.total, row.started_at, row.finished_at)
        for row in WalkRow.objects.order_by("kind", "name")
    )


def _record(kind: str, version: int, actor: Actor, at: datetime) -> None:
    done = sum(each.done for each in progress() if each.kind == kind)
    audit.record(
        Action.KEYS_RESEAL_FINISH,
        actor=actor,
        object_kind="key",
        details={"kind": kind, "version": version, "rows": done},
        at=at,
    )
