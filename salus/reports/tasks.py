"""Background work of reports: the regular verification of the log, and copies of it for those outside."""

from __future__ import annotations

from uuid import UUID

from salus.platform.jobs import job
from salus.reports import api


@job(queue="log", attempts=1)
def verify_log(*, organization_id: str) -> None:
    """Verify one organization's log; the next round asks again when this one fails."""
    api.verify_regularly(UUID(organization_id))


@job(queue="log", attempts=1)
def send_copies(*, organization_id: str) -> None:
    """Send copies of one organization's log that are due; the next round asks again when this one fails."""
    api.send_copies(UUID(organization_id))
