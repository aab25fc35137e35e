"""One person's events: what an access request gets; an erasure takes them all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.kernel.leaving import Left
from salus.platform.schema import erasing
from salus.timeline import queries
from salus.timeline.models import EventRow

ALL = 2**31 - 1


def export_person(contact_id: UUID, *, purpose: str, actor: Actor) -> dict[str, Any]:
    """Return a person's events as JSON values, oldest first; the look is recorded."""
    audit.record(
        Action.TIMELINE_READ, actor=actor, object_kind="contact", patient_id=contact_id, purpose=purpose
    )
    return {
        "events": [
            {"kind": event.kind.value, "at": event.at.isoformat(), "details": dict(event.details)}
            for event in reversed(queries.of_contact(contact_id, ALL))
        ]
    }


def erase_person(contact_id: UUID) -> Left:
    """Erase all that happened to a person; whoever runs the erasure records it. Safe to repeat."""
    with erasing(contact_id):
        gone, _ = EventRow.objects.filter(contact_id=contact_id).delete()
    return Left({"events": gone})
