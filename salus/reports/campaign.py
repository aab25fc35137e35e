"""The report of one campaign: what became of everybody, why, and how it was protected."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.campaigns import api as campaigns
from salus.campaigns.contracts import CAMPAIGN, Campaign
from salus.delivery import api as delivery
from salus.delivery.contracts import Origin, State
from salus.gate import api as gate
from salus.gate.contracts import Explained
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound, SalusError
from salus.reports.contracts import OUTCOMES, CampaignReport, Counted, Figure

PORTAL_STATES = (State.PORTAL, State.PORTAL_UNNOTIFIED, State.OPENED, State.EXPIRED, State.RECALLED)


def find(id: UUID) -> Campaign:
    """Return the campaign with this id, or with a present plan of this id; raises `NotFound`."""
    try:
        return campaigns.campaign(id)
    except NotFound:
        found = campaigns.of_plans([id]).get(id)
    if found is None:
        raise NotFound
    return found


def origin_of(campaign: Campaign) -> Origin:
    """Return the sending of a campaign; raises `NotFound` before there is a plan."""
    if campaign.plan_id is None:
        raise NotFound
    return Origin(CAMPAIGN, campaign.plan_id)


def report(id: UUID, *, actor: Actor | None = None) -> CampaignReport:
    """Return the report of a campaign by its id or its plan's; raises `NotFound` before there is a plan."""
    campaign = find(id)
    origin = origin_of(campaign)
    found = delivery.progress(origin)
    if actor is not None:
        audit.record(
            Action.REPORT_READ,
            actor=actor,
            object_kind="campaign",
            object_id=campaign.id,
            details={"planned": found.planned},
        )
    sums = outcomes(found.states)
    reasons = found.reasons
    return CampaignReport(
        campaign_id=campaign.id,
        plan_id=origin.id,
        name=campaign.name,
        status=campaign.status,
        launched_at=campaign.launch_at,
        planned=found.planned,
        cleared=sum(found.by_rule.values()),
        refused=sum(found.refused.values()),
        outcomes=sums,
        protection=found.by_protection,
        refusals=_counted(found.refused),
        allowances=_counted(found.by_rule),
        stopped=_counted(reasons.get(State.CANCELLED, {})),
        detours=_counted(_merged(reasons, PORTAL_STATES)),
        failures=_counted(_merged(reasons, (State.BOUNCED, State.GAVE_UP))),
        engagement=delivery.engagement(origin),
        uncertain=found.uncertain,
    )


def outcomes(states: Mapping[str, int]) -> dict[Figure, int]:
    """Return how many cleared messages are in each outcome."""
    sums = delivery.accounted(dict(states))
    return {figure: sums[figure.value] for figure in OUTCOMES}


def _merged(reasons: Mapping[str, Mapping[str, int]], states: tuple[State, ...]) -> dict[str, int]:
    merged: dict[str, int] = {}
    for state in states:
        for code, count in reasons.get(state, {}).items():
            merged[code] = merged.get(code, 0) + count
    return merged


def _counted(counts: Mapping[str, int]) -> tuple[Counted, ...]:
    """Return counts by code, most first, each explained."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return tuple(Counted(code, count, told(code)) for code, count in ordered)


def told(code: str) -> Explained | None:
    """Return what the gate says of a rule or a reason; None for a word of the wire."""
    try:
        return gate.explain(code)
    except SalusError:
        return None
