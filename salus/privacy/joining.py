"""A merge in the privacy office: not while one of the two is to be erased; all else is asked of the whole person."""

from __future__ import annotations

from typing import Any

from salus.kernel.errors import Conflict
from salus.kernel.joining import Pair
from salus.privacy.contracts import Kind, Status
from salus.privacy.models import RequestRow


def join_person(pair: Pair) -> dict[str, Any]:
    """Raise `Conflict` when an erasure of either was asked for and is not decided, or not done yet."""
    part_person(pair)
    return {}


def part_person(pair: Pair) -> None:
    """Raise `Conflict` as a merge does."""
    asked = RequestRow.objects.filter(
        contact_id__in=(pair.kept_id, pair.gone_id),
        kind=Kind.ERASURE,
        status__in=(Status.OPEN, Status.APPROVED),
    )
    if asked.exists():
        raise Conflict(
            "An erasure of one of these records was asked for. Nothing was changed.",
            next_step="Answer that request first.",
        )
