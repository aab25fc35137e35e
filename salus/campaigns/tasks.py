"""Background work of campaigns: making the plan, chunk by chunk."""

from __future__ import annotations

from uuid import UUID

from salus.campaigns import api
from salus.platform.jobs import job


@job(queue="plans")
def make_plan(*, organization_id: str, campaign_id: str) -> None:
    """Plan a campaign to its end; killed in the middle, it goes on from there."""
    api.make_plan(UUID(organization_id), UUID(campaign_id))


@job(queue="plans")
def help_plan(*, organization_id: str, campaign_id: str, plan_id: str, first: int, last: int) -> None:
    """Plan a few chunks of a large campaign beside `make_plan`, where another worker has time."""
    api.help_plan(UUID(organization_id), UUID(campaign_id), UUID(plan_id), first, last)
