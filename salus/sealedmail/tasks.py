"""Jobs of sealed mail: ids in, one call of the door."""

from __future__ import annotations

from uuid import UUID

from salus.kernel.acting import system
from salus.kernel.time import SystemClock
from salus.platform.jobs import job
from salus.sealedmail import api


@job(attempts=3)
def look_up(*, organization_id: str, contact_id: str) -> None:
    """Ask the directory of a person's domain for their key."""
    organization = UUID(organization_id)
    actor, at = system(organization, "worker"), SystemClock().now()
    api.look_up(organization, UUID(contact_id), actor=actor, at=at)
