"""Jobs of keys: ids in, one call of the door."""

from __future__ import annotations

from uuid import UUID

from salus.kernel.acting import system
from salus.keys import api
from salus.platform.jobs import job


@job()
def reseal(*, organization_id: str) -> None:
    """Bring everything to the present keys; whoever died at it is followed by the next."""
    organization = UUID(organization_id)
    api.reseal(organization, actor=system(organization, "worker"))
