"""Takes the walks after a rotation batch by batch, for any number of processes at once.

A batch is read and its end written down in one transaction, and brought to the present key in another. Whoever
dies between the two leaves a batch behind: the sweep at the end finds it, and the walk begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.keys import walking
from salus.keys.contracts import Progress, Walk
from salus.keys.models import Kind, WalkRow
from salus.platform.jobs import defer
from salus.platform.tenancy import current_organization

TASK = "salus.keys.tasks.reseal"


END: dict[str, int] = {}
"""The cursor of a walk that has read everything; "left" is what the sweep has found since."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What was read of one walk; without `walk` nothing was, and it `waits` when others may be at what is left."""

    row: tuple[str, str]
    walk: Walk | None = None
    rows: Any = None
    waits: bool = False


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


def take(actor: Actor, at: datetime) -> Batch | None:
    """Read the next batch; None when nothing is left anywhere. Others wait for their turn meanwhile."""
    row = WalkRow.objects.select_for_update().filter(finished_at=None).order_by("kind", "name").first()
    if row is None:
        return None
    key = (row.kind, row.name)
    walk = next((each for each in walking.walks(row.kind) if each.name == row.name), None)
    if walk is None:  # a table of an older version of the program
        row.delete()
        return Batch(key)
    if isinstance(row.cursor, dict):
        left = walk.left()
        _end(row, left, row.cursor.get("left"), actor, at)
        return Batch(key, waits=bool(left))
    cursor, rows = walk.take(row.cursor)
    row.cursor = END if cursor is None else cursor
    row.save(update_fields=["cursor"])
    return Batch(key, walk, rows)


def bring(batch: Batch) -> int:
    """Bring a batch to the present key and count it; return how many changed."""
    assert batch.walk is not None
    changed = batch.walk.bring(batch.rows)
    kind, name = batch.row
    WalkRow.objects.filter(kind=kind, name=name).update(done=F("done") + changed)
    return changed


def _end(row: WalkRow, left: int, before: int | None, actor: Actor, at: datetime) -> None:
    """End a walk that has left nothing behind; let it begin anew when what is left does not become less."""
    row.total = row.done + left
    if left:
        row.cursor = None if left == before else {"left": left}
        row.save(update_fields=["total", "cursor"])
        return
    row.finished_at = at
    row.save(update_fields=["total", "finished_at"])
    if not WalkRow.objects.filter(finished_at=None, kind=row.kind).exists():
        _record(row.kind, row.version, actor, at)


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
