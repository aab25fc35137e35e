"""One person's sign-ins: what an access request gets; an erasure takes all and ends their sessions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from salus.contacts import api as contacts
from salus.kernel.leaving import Left
from salus.patients.models import AccessRow, PasskeyRow, SessionRow


def export_person(contact_id: UUID) -> dict[str, Any]:
    """Return when a person was signed in to the portal, how they proved who they are, and their passkeys."""
    return {
        "portal_sessions": [
            {"proof": row.proof, "from": row.started_at.isoformat(), "until": row.seen_at.isoformat()}
            for row in SessionRow.objects.filter(contact_id__in=contacts.whole(contact_id)).order_by(
                "started_at"
            )
        ]
    }


def erase_person(contact_id: UUID) -> Left:
    """End a person's sessions and forget codes, tries and passkeys. Safe to repeat."""
    sessions, _ = SessionRow.objects.filter(contact_id=contact_id).delete()
    passkeys, _ = PasskeyRow.objects.filter(contact_id=contact_id).delete()
    AccessRow.objects.filter(contact_id=contact_id).delete()
    return Left({"sessions": sessions, "passkeys": passkeys})
