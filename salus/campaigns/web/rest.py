"""For programs: make, plan and launch campaigns, and follow them. Approving is for people only."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from salus.campaigns import api
from salus.campaigns.contracts import Campaign
from salus.identity.api import api_key_auth
from salus.identity.contracts import Idempotency, Permission
from salus.kernel.acting import Actor
from salus.kernel.time import SystemClock, in_utc

router = Router(tags=["campaigns"])
CLOCK = SystemClock()
P = Permission
PAGE = 100


class Plan(Schema):
    """What the gate said of everybody: planned = cleared + all refused."""

    planned: int
    cleared: int
    refused: dict[str, int]
    by_rule: dict[str, int]
    by_protection: dict[str, int]
    rules_version: str
    at: datetime | None


class Progress(Schema):
    """Where the cleared messages are: `cleared` is the sum of the seven figures after it.

    `held` of those queued wait because their person was written to often enough lately.
    """

    cleared: int
    accepted: int
    portal: int
    portal_unnotified: int
    bounced: int
    gave_up: int
    cancelled: int
    queued: int
    uncertain: int
    held: int
    by_protection: dict[str, int]
    a_minute: int
    ends_at: datetime | None


class Shown(Schema):
    """A campaign; `fault` says why planning stopped. `name` is free text of staff: treat it as PHI."""

    id: UUID
    name: str
    status: str
    segment_id: UUID
    versions: dict[str, UUID]
    created_at: datetime
    changed_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None
    launch_at: datetime | None
    fault: str
    plan: Plan | None


class Followed(Shown):
    """A campaign with its progress, which is there as soon as there is a plan."""

    progress: Progress | None


class Listed(Schema):
    """Some campaigns, newest first; `before` is for the next ones, null at the end."""

    campaigns: list[Shown]
    before: datetime | None


class New(Schema):
    """What a campaign is: `versions` are template versions by language ("en", "es")."""

    name: str = Field(min_length=1, max_length=120)
    segment_id: UUID
    versions: dict[str, UUID] = Field(min_length=1)


class When(Schema):
    """When it goes out; null is now."""

    not_before: datetime | None = None


@router.get("/campaigns", response=Listed, auth=api_key_auth(P.CAMPAIGNS_CAMPAIGN_READ))
def listing(request: HttpRequest, before: datetime | None = None, limit: int = 50) -> Listed:
    """List campaigns, newest first, those made before `before`."""
    most = max(1, min(limit, PAGE))
    found = api.campaigns(before=in_utc(before, place="before") if before else None, limit=most + 1)
    shown = [_shown(each) for each in found[:most]]
    return Listed(campaigns=shown, before=shown[-1].created_at if len(found) > most else None)


@router.get("/campaigns/{campaign_id}", response=Followed, auth=api_key_auth(P.CAMPAIGNS_CAMPAIGN_READ))
def one(request: HttpRequest, campaign_id: UUID) -> Followed:
    """Return a campaign with its plan and its progress."""
    return _followed(api.campaign(campaign_id))


@router.post("/campaigns", response={201: Shown}, auth=api_key_auth(P.CAMPAIGNS_CAMPAIGN_EDIT))
def create(request: HttpRequest, body: New) -> Status[Shown]:
    """Make a draft."""
    made = api.create(
        name=body.name,
        segment_id=body.segment_id,
        versions=body.versions,
        actor=_actor(request),
        at=CLOCK.now(),
    )
    return Status(201, _shown(made))


@router.post(
    "/campaigns/{campaign_id}/plan", response={202: Shown}, auth=api_key_auth(P.CAMPAIGNS_CAMPAIGN_EDIT)
)
def plan(request: HttpRequest, campaign_id: UUID) -> Status[Shown]:
    """Freeze the audience and ask the gate for everybody in it; follow it until its status is "planned".

    A person approves the plan, in the console.
    """
    started = api.plan(campaign_id, actor=_actor(request), clock=CLOCK)
    return Status(202, _shown(started))


@router.post(
    "/campaigns/{campaign_id}/launch",
    response=Followed,
    auth=api_key_auth(P.CAMPAIGNS_CAMPAIGN_LAUNCH, idempotency=Idempotency.REQUIRED),
)
def launch(request: HttpRequest, campaign_id: UUID, body: When) -> Followed:
    """Let an approved campaign go, now or at a time."""
    launched = api.launch(
        campaign_id,
        actor=_actor(request),
        at=CLOCK.now(),
        not_before=in_utc(body.not_before, place="not_before") if body.not_before else None,
    )
    return _followed(launched)


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _facts(campaign: Campaign) -> dict[str, object]:
    planned = campaign.planned
    return {
        "id": campaign.id,
        "name": campaign.name.reveal(),
        "status": campaign.status.value,
        "segment_id": campaign.segment_id,
        "versions": dict(campaign.versions),
        "created_at": campaign.created_at,
        "changed_at": campaign.changed_at,
        "approved_by": campaign.approved_by,
        "approved_at": campaign.approved_at,
        "launch_at": campaign.launch_at,
        "fault": campaign.fault,
        "plan": Plan(
            planned=planned.planned,
            cleared=planned.cleared,
            refused=dict(planned.refused),
            by_rule=dict(planned.by_rule),
            by_protection=dict(planned.by_floor),
            rules_version=campaign.rules_version,
            at=campaign.planned_at,
        )
        if planned
        else None,
    }


def _shown(campaign: Campaign) -> Shown:
    return Shown.model_validate(_facts(campaign))


def _followed(campaign: Campaign) -> Followed:
    now = api.running(campaign, CLOCK.now())
    progress = (
        Progress(
            cleared=now.cleared,
            uncertain=now.progress.uncertain,
            held=now.held,
            by_protection=dict(now.progress.by_protection),
            a_minute=now.a_minute,
            ends_at=now.ends_at,
            **now.outcomes,
        )
        if now
        else None
    )
    return Followed.model_validate({**_facts(campaign), "progress": progress})
