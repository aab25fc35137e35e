"""The door of campaigns. Unless said otherwise, call it inside the organization's context."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from salus.audiences import api as audiences
from salus.campaigns import operations
from salus.campaigns.contracts import CAMPAIGN, Campaign
from salus.campaigns.operations import (
    approve,
    cancel,
    change,
    create,
    launch,
    launch_due,
    pause,
    resume,
    send_back,
    sign_off,
)
from salus.campaigns.queries import campaign, campaigns, in_status, of_plans
from salus.delivery import api as delivery
from salus.delivery.contracts import Origin, Progress
from salus.kernel.acting import Actor, system
from salus.kernel.time import Clock, SystemClock
from salus.platform import jobs
from salus.platform.tenancy import acting_for

__all__ = [
    "approve",
    "campaign",
    "campaigns",
    "cancel",
    "change",
    "create",
    "in_status",
    "launch",
    "launch_due",
    "make_plan",
    "of_plans",
    "pause",
    "plan",
    "progress",
    "resume",
    "send_back",
    "sign_off",
]


def plan(campaign_id: UUID, *, actor: Actor, clock: Clock) -> Campaign:
    """Freeze the audience and let a worker plan: who may receive it, who not, and why."""
    from salus.campaigns.tasks import make_plan as task

    started = operations.start_plan(campaign_id, actor=actor, clock=clock)
    jobs.defer(task, campaign_id=str(campaign_id))
    return started


def make_plan(
    organization_id: UUID,
    campaign_id: UUID,
    *,
    clock: Clock | None = None,
    report: Callable[[int], None] = lambda _: None,
) -> None:
    """Plan to the end, one transaction a chunk; call it outside any organization's context.

    `report` is told how many people each chunk held. Run twice, or killed in the middle, nothing
    doubles and nobody is missed.
    """
    clock = clock or SystemClock()
    actor = system(organization_id, "worker")
    with acting_for(organization_id):
        frozen_id = campaign(campaign_id).frozen_id
        chunks = list(audiences.numbers(audiences.frozen(frozen_id))) if frozen_id else []
    for chunk in chunks:
        with acting_for(organization_id):
            operations.plan_some(campaign_id, list(chunk), actor=actor, at=clock.now())
        report(len(chunk))
    with acting_for(organization_id):
        operations.end_plan(campaign_id, actor=actor, at=clock.now())


def progress(campaign_id: UUID) -> Progress | None:
    """Return where the campaign's messages are; None before there is a plan."""
    plan_id = campaign(campaign_id).plan_id
    return delivery.progress(Origin(CAMPAIGN, plan_id)) if plan_id else None
