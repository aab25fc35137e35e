"""One person's wish: what an access request gets, and what an erasure takes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from salus.kernel.leaving import Left
from salus.kernel.vocabulary import Protection
from salus.safeguards.models import WishRow


def export_person(contact_id: UUID) -> dict[str, Any]:
    """Return what a person asked for, as JSON values."""
    row = WishRow.objects.filter(contact_id=contact_id).first()
    if row is None:
        return {}
    return {"protection": {"at_least": Protection(row.level).name.lower(), "since": row.since.isoformat()}}


def erase_person(contact_id: UUID) -> Left:
    """Erase a person's wish. Safe to repeat."""
    gone, _ = WishRow.objects.filter(contact_id=contact_id).delete()
    return Left({"protection_wishes": gone} if gone else {})
