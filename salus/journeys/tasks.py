"""Background work of journeys: moving people on, letting people in."""

from __future__ import annotations

from uuid import UUID

from salus.journeys import api
from salus.platform.jobs import job


@job(queue="journeys")
def move(*, organization_id: str, journey_id: str) -> None:
    """Move on whoever is due in a journey; killed in the middle, nothing was half done."""
    api.move(UUID(organization_id), UUID(journey_id))


@job(queue="journeys")
def enter(*, organization_id: str, journey_id: str) -> None:
    """Let in whoever is coming into a journey; killed in the middle, it goes on from there."""
    api.enter(UUID(organization_id), UUID(journey_id))
