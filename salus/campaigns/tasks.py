"""Background work of campaigns: making the plan, chunk by chunk."""

from __future__ import annotations

from uuid import UUID

from salus.campaigns import api
from salus.platform.jobs import job


@job(queue="plans")
def make_plan(*, organization_id: str, campaign_id: str) -> None:
    """Plan a campaign to its end; killed in the middle, it goes on from there."""
    api.make_plan(UUID(organization_id), UUID(campaign_id))
