"""Reports of strangers about our domain, until their time is over."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from salus.domains.models import ReportRow
from salus.kernel.aging import Old, Walked


def count_reports(old: Old) -> int:
    """Return how many reports came long ago. They tell of servers, so a hold on a person spares none."""
    return _due(old).count()


def empty_reports(old: Old, after: UUID | None, limit: int) -> Walked:
    """Erase up to `limit` of them."""
    rows = _due(old)
    if after is not None:
        rows = rows.filter(id__gt=after)
    ids = list(rows.order_by("id").values_list("id", flat=True)[:limit])
    ReportRow.objects.filter(id__in=ids).delete()
    return Walked(len(ids), ids[-1] if len(ids) == limit else None)


def _due(old: Old) -> QuerySet[ReportRow]:
    return ReportRow.objects.filter(came_at__lt=old.before)
