"""Background work of domains."""

from __future__ import annotations

from uuid import UUID

from salus.domains import api
from salus.platform.jobs import job


@job(queue="log", attempts=1)
def send_tls_reports(*, organization_id: str) -> None:
    """Send one organization's reports about TLS that are due; the next round asks again when this one fails."""
    api.send_tls_reports(UUID(organization_id))
