"""What a sending belongs to, for the receipt of a message: the campaign, or the journey, and who approved it."""

from __future__ import annotations

from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.campaigns import api as campaigns
from salus.campaigns.contracts import CAMPAIGN
from salus.delivery.contracts import Origin, OriginFacts
from salus.journeys import api as journeys
from salus.journeys.contracts import JOURNEY


def describe(origin: Origin) -> OriginFacts | None:
    """Return what a receipt says of its campaign or journey: its name, and who approved it; else None."""
    if origin.kind == CAMPAIGN:
        return _campaign(origin.id)
    return _journey(origin.id) if origin.kind == JOURNEY else None


def journey_of(origin_id: UUID) -> UUID | None:
    """Return the journey whose step sent the messages of this origin; None when none did."""
    version = journeys.version_of_sending(origin_id)
    return version.journey_id if version else None


def _campaign(plan_id: UUID) -> OriginFacts | None:
    campaign = campaigns.of_plans([plan_id]).get(plan_id)
    if campaign is None:
        return None
    approvals = audit.entries(Filters(action=Action.CAMPAIGN_APPROVE, object_id=campaign.id), limit=1)
    return OriginFacts(
        name=campaign.name,
        approved_by=campaign.approved_by,
        approved_at=approvals[0].at if approvals and campaign.approved_by else None,
        approved_for=campaign.planned.cleared if campaign.planned else None,
    )


def _journey(origin_id: UUID) -> OriginFacts | None:
    version = journeys.version_of_sending(origin_id)
    if version is None:
        return None
    name = journeys.journey(version.journey_id).name
    return OriginFacts(name, approved_by=version.approved_by, approved_at=version.approved_at)
