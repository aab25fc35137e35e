"""Jobs of the privacy office: ids in, one call of the door."""

from __future__ import annotations

from uuid import UUID

from salus.kernel.acting import system
from salus.kernel.time import SystemClock
from salus.platform.jobs import job
from salus.platform.tenancy import acting_for
from salus.privacy import api


@job()
def export(*, organization_id: str, request_id: str) -> None:
    """Make the copy of an approved request."""
    organization = UUID(organization_id)
    with acting_for(organization):
        api.make_copy(UUID(request_id), actor=system(organization, "worker"), at=SystemClock().now())


@job()
def erase(*, organization_id: str, request_id: str) -> None:
    """Erase the person of an approved request; one that was killed goes on at the package that it did not end."""
    organization = UUID(organization_id)
    api.erase(organization, UUID(request_id), actor=system(organization, "worker"), clock=SystemClock())
