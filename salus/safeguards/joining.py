"""A merge and a split of two people: the stricter wish holds for both."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from salus.kernel.joining import Pair
from salus.kernel.vocabulary import Protection
from salus.safeguards.models import WishRow


def join_person(pair: Pair, *, at: datetime) -> dict[str, Any]:
    """Let the stricter of two wishes hold for whoever goes on."""
    levels = [row.level for row in WishRow.objects.filter(contact_id__in=(pair.kept_id, pair.gone_id))]
    if levels:
        _set(pair.kept_id, max(levels), at)
    return {}


def part_person(pair: Pair, *, at: datetime) -> None:
    """Let the wish that held for both hold for each: nobody is protected less by a split."""
    row = WishRow.objects.filter(contact_id=pair.kept_id).first()
    mine = WishRow.objects.filter(contact_id=pair.gone_id).first()
    if row and (mine is None or Protection(mine.level) < Protection(row.level)):
        _set(pair.gone_id, row.level, at)


def _set(contact_id: UUID, level: int, at: datetime) -> None:
    WishRow.objects.bulk_create(
        [WishRow(contact_id=contact_id, level=level, since=at)],
        update_conflicts=True,
        unique_fields=["organization_id", "contact_id"],
        update_fields=["level", "since"],
    )
