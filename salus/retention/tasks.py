"""The job of retention: one call of the door."""

from __future__ import annotations

from uuid import UUID

from salus.kernel.acting import system
from salus.kernel.time import SystemClock
from salus.platform.jobs import job
from salus.retention import api


@job()
def empty(*, organization_id: str) -> None:
    """Empty all that is due; one that was killed goes on where it was."""
    organization = UUID(organization_id)
    api.empty_due(organization, actor=system(organization, "worker"), clock=SystemClock())
