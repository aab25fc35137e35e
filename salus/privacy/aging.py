"""Copies and documents of the privacy office, until their time is over."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from salus.kernel.aging import Old, Walked
from salus.privacy.contracts import Kind, Status
from salus.privacy.models import CopyRow, DisclosureRow, RequestRow


def count_copies(old: Old) -> int:
    """Return how many copies were made long ago."""
    return _copies(old).count()


def empty_copies(old: Old, after: UUID | None, limit: int) -> Walked:
    """Erase up to `limit` of them."""
    return _erase(_copies(old), after, limit)


def count_documents(old: Old) -> int:
    """Return how many requests were answered, and disclosures entered, long ago."""
    return _requests(old).count() + _disclosures(old).count()


def empty_documents(old: Old, after: tuple[str, UUID | None] | None, limit: int) -> Walked:
    """Erase up to `limit` of them: requests first, then disclosures.

    The row of an erasure that was done stays: its completion record is what the log speaks of, and its words
    go with the rest of what it had to keep.
    """
    sort, place = after or ("requests", None)
    walked = _erase(_requests(old) if sort == "requests" else _disclosures(old), place, limit)
    if walked.last is not None:
        return Walked(walked.count, (sort, walked.last))
    return Walked(walked.count, ("disclosures", None) if sort == "requests" else None)


def _copies(old: Old) -> QuerySet[CopyRow]:
    return CopyRow.objects.filter(made_at__lt=old.before).exclude(contact_id__in=old.spared)


def _requests(old: Old) -> QuerySet[RequestRow]:
    rows = RequestRow.objects.filter(status__in=(Status.DONE, Status.REFUSED))
    rows = rows.exclude(kind=Kind.ERASURE, status=Status.DONE).exclude(contact_id__in=old.spared)
    return rows.annotate(last=Coalesce("done_at", "decided_at", "received_at")).filter(last__lt=old.before)


def _disclosures(old: Old) -> QuerySet[DisclosureRow]:
    over = Q(suspended_until=None) | Q(suspended_until__lt=old.before)
    rows = DisclosureRow.objects.filter(over, at__lt=old.before, id__lt=_first_id(old.before))
    return rows.exclude(contact_id__in=old.spared)


def _first_id(moment: datetime) -> UUID:
    """Return the lowest id that is made at a moment: a disclosure is often entered long after it was made."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _erase(rows: QuerySet[Any], after: UUID | None, limit: int) -> Walked:
    if after is not None:
        rows = rows.filter(pk__gt=after)
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
    rows.model.objects.filter(pk__in=ids).delete()
    return Walked(len(ids), ids[-1] if len(ids) == limit else None)
