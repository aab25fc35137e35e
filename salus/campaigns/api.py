"""The door of campaigns. Unless said otherwise, call it inside the organization's context."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from salus.audiences import api as audiences
from salus.campaigns import operations, rules
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
from salus.campaigns.rules import SIGNERS
from salus.campaigns.telling import behind, floors, running, tell, tell_plan
from salus.delivery import api as delivery
from salus.delivery.contracts import Origin, Progress
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.time import Clock, SystemClock
from salus.platform import jobs
from salus.platform.tenancy import acting_for

__all__ = [
    "SIGNERS",
    "approve",
    "behind",
    "campaign",
    "campaigns",
    "cancel",
    "change",
    "create",
    "floors",
    "help_plan",
    "in_status",
    "launch",
    "launch_due",
    "make_plan",
    "of_plans",
    "pause",
    "plan",
    "progress",
    "resume",
    "running",
    "send_back",
    "sign_off",
    "stop_planning",
    "tell",
    "tell_plan",
]


def plan(campaign_id: UUID, *, actor: Actor, clock: Clock) -> Campaign:
    """Freeze the audience and let a worker plan: who may receive it, who not, and why."""
    started = operations.start_plan(campaign_id, actor=actor, clock=clock)
    jobs.defer("salus.campaigns.tasks.make_plan", campaign_id=str(campaign_id))
    if started.plan_id and started.planned_people:
        for first, last in rules.shares(started.planned_people, delivery.CHUNK):
            _defer_help(campaign_id, started.plan_id, first, last)
    return started


def stop_planning(campaign_id: UUID, *, actor: Actor, at: datetime) -> Campaign:
    """Give up a plan that is being made; the campaign is a draft again."""
    return operations.stop_planning(campaign_id, actor=actor, at=at)


def make_plan(
    organization_id: UUID,
    campaign_id: UUID,
    *,
    clock: Clock | None = None,
    report: Callable[[int], None] = lambda _: None,
) -> None:
    """Plan to the end, one transaction a chunk; call it outside any organization's context.

    `report` is told how many people each chunk held. Run twice, or killed in the middle, nothing
    doubles and nobody is missed. A plan that cannot be made stops with its reason on the campaign.
    """
    clock = clock or SystemClock()
    actor = system(organization_id, "worker")
    with acting_for(organization_id):
        found = campaign(campaign_id)
        plan_id, frozen_id = found.plan_id, found.frozen_id
    if plan_id is None or frozen_id is None:
        return
    try:
        _plan_chunks(organization_id, campaign_id, plan_id, frozen_id, actor, clock, report)
    except (BadInput, Conflict, NotFound) as fault:
        with acting_for(organization_id):
            operations.stop_planning(
                campaign_id, actor=actor, at=clock.now(), plan_id=plan_id, fault=str(fault)
            )


def _plan_chunks(
    organization_id: UUID,
    campaign_id: UUID,
    plan_id: UUID,
    frozen_id: UUID,
    actor: Actor,
    clock: Clock,
    report: Callable[[int], None],
) -> None:
    with acting_for(organization_id):
        frozen = audiences.frozen(frozen_id)
    for chunk in audiences.numbers(frozen, delivery.CHUNK):
        with acting_for(organization_id):
            if operations.plan_some(campaign_id, plan_id, chunk, actor=actor, at=clock.now()) is None:
                return
        report(len(chunk))
    with acting_for(organization_id):
        operations.end_plan(campaign_id, plan_id, actor=actor, at=clock.now())


def help_plan(
    organization_id: UUID,
    campaign_id: UUID,
    plan_id: UUID,
    first: int,
    last: int,
    *,
    clock: Clock | None = None,
) -> None:
    """Plan for the chunks from `last` down to `first`, a few, and defer the rest; call it outside any context.

    It only makes a plan sooner: `make_plan` goes through all chunks from the first one on, and ends it. Where
    both meet, or anything is wrong, it does nothing more.
    """
    clock = clock or SystemClock()
    actor = system(organization_id, "worker")
    try:
        with acting_for(organization_id):
            found = campaign(campaign_id)
            if found.plan_id != plan_id or found.frozen_id is None:
                return
            chunks = [*audiences.numbers(audiences.frozen(found.frozen_id), delivery.CHUNK)]
        down_to = max(first, last - rules.HELPED + 1)
        for chunk in reversed(chunks[down_to : last + 1]):
            with acting_for(organization_id):
                if not operations.plan_some(campaign_id, plan_id, chunk, actor=actor, at=clock.now()):
                    return
    except (BadInput, Conflict, NotFound):
        return  # who makes the plan meets the same, and says so
    if down_to > first:
        with acting_for(organization_id):
            _defer_help(campaign_id, plan_id, first, down_to - 1)


def _defer_help(campaign_id: UUID, plan_id: UUID, first: int, last: int) -> None:
    task = "salus.campaigns.tasks.help_plan"
    jobs.defer(task, campaign_id=str(campaign_id), plan_id=str(plan_id), first=first, last=last)


def progress(campaign_id: UUID) -> Progress | None:
    """Return where the campaign's messages are; None before there is a plan."""
    plan_id = campaign(campaign_id).plan_id
    return delivery.progress(Origin(CAMPAIGN, plan_id)) if plan_id else None
