"""Rows that imports refused, until their time is over."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from salus.intake.leaving import naming, words_of
from salus.intake.models import Import, RejectRow
from salus.kernel.aging import Old, Walked


def count_rejects(old: Old) -> int:
    """Return how many refused rows are of imports that ended long ago; those that name spared people among them."""
    return _due(old).count()


def empty_rejects(old: Old, after: UUID | None, limit: int) -> Walked:
    """Erase up to `limit` of them, but those that hold an address, a number or the name of somebody spared."""
    rows = _due(old)
    if after is not None:
        rows = rows.filter(id__gt=after)
    looked_at = list(rows.order_by("id")[:limit])
    words = words_of(old.spared, "legal_hold", old.actor) if looked_at and old.spared else []
    kept = set(naming(looked_at, words)) if words else set[UUID]()
    gone = [row.id for row in looked_at if row.id not in kept]
    RejectRow.objects.filter(id__in=gone).delete()
    return Walked(len(gone), looked_at[-1].id if len(looked_at) == limit else None)


def _due(old: Old) -> QuerySet[RejectRow]:
    ended = Import.objects.filter(finished_at__lt=old.before)
    return RejectRow.objects.filter(import_id__in=ended.values("id"))
