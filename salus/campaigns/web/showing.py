"""What the page of a campaign shows of it, by how far it is and by what its reader may do."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse

from salus.campaigns import api
from salus.campaigns.contracts import Campaign, Running, SignOff, Status, Told, ToldPlan
from salus.campaigns.web.forms import LANGUAGES, Approval, Launch, SendingBack
from salus.delivery import api as delivery
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import SalusError
from salus.kernel.time import SystemClock
from salus.kernel.vocabulary import Protection
from salus.platform.web.errors import status_of
from salus.vendors import api as vendors
from salus.vendors.contracts import Why

CLOCK = SystemClock()
P = Permission

STEPS = ("Draft", "Plan", "Approve", "Send", "Report")
_STEP = {
    Status.DRAFT: 0,
    Status.PLANNING: 1,
    Status.PLANNED: 2,
    Status.APPROVED: 3,
    Status.SCHEDULED: 3,
    Status.SENDING: 3,
    Status.PAUSED: 3,
    Status.DONE: 4,
    Status.CANCELLED: 0,
}
LAUNCHED = frozenset({Status.SENDING, Status.PAUSED, Status.DONE})
TAGS = {
    Status.DRAFT: ("", "Draft"),
    Status.PLANNING: ("wait", "Asking the gate"),
    Status.PLANNED: ("wait", "Needs approval"),
    Status.APPROVED: ("clear", "Approved"),
    Status.SCHEDULED: ("clear", "Scheduled"),
    Status.SENDING: ("clear", "Sending"),
    Status.PAUSED: ("wait", "Paused"),
    Status.DONE: ("clear", "Sent"),
    Status.CANCELLED: ("", "Cancelled"),
}
"""How a status is shown: the kind of its tag, and its words."""

FLOORS = {
    Protection.NAMED: ("clear", "TLS"),
    Protection.VERIFIED: ("clear", "TLS, verified"),
    Protection.KEY: ("clear", "Their own key"),
    Protection.PORTAL: ("portal", "Portal"),
}
SIGN_OFFS = {
    SignOff.CLINICIAN_SIGN_OFF: "A clinician recommends it",
    SignOff.SAFETY_FLAG: "It is a matter of safety",
    SignOff.WAIVER_ID: "An IRB or privacy board gave a waiver",
    SignOff.COMPLIANCE_APPROVAL: "Compliance approved its use of sensitive facts",
}


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def show(
    request: HttpRequest, told: Told, *, fault: SalusError | None = None, status: int = 200, **forms: Any
) -> HttpResponse:
    """Return the page of a campaign; `fault` is said on it, `forms` stand in for fresh ones."""
    campaign, actor = told.campaign, actor_of(request)
    plan = api.tell_plan(campaign)
    now = api.running(campaign, CLOCK.now()) if campaign.status in LAUNCHED else None
    context = {
        "told": told,
        "campaign": campaign,
        "plan": plan,
        "gate": _gate(campaign, plan, actor) if plan else None,
        "now": now,
        "live": _live(campaign, now) if now else None,
        "steps": _steps(campaign),
        "tag": TAGS[campaign.status],
        "letters": [
            (LANGUAGES.get(each.language, each.language), each, named("content:version", each.version.id))
            for each in told.letters
        ],
        "sign_offs": _sign_offs(told, actor),
        "may": _may(campaign, actor),
        "planning": _planning(campaign),
        "report_url": named("reports:campaign", campaign.id),
        "fault": fault,
        "approval": Approval(initial={"plan": campaign.plan_id}),
        "sending_back": SendingBack(),
        "launch": Launch(initial={"when": "later", "at": campaign.launch_at} if campaign.launch_at else None),
        **forms,
    }
    if fault is not None:
        status = status_of(fault)[0]
    return render(request, "campaigns/show.html", context, status=status)


def part(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Return only what moves: the bar of a plan being made, or of a campaign being sent."""
    now = api.running(campaign, CLOCK.now()) if campaign.status in LAUNCHED else None
    context = {
        "campaign": campaign,
        "now": now,
        "live": _live(campaign, now) if now else None,
        "planning": _planning(campaign),
        "may": _may(campaign, actor_of(request)),
    }
    name = "planning" if campaign.status is Status.PLANNING else "live"
    return render(request, f"campaigns/parts/{name}.html", context)


def named(name: str, id: UUID) -> str:
    """Return the address of a page of another package, "" when it is not mounted."""
    try:
        return reverse(name, args=[id])
    except NoReverseMatch:
        return ""


def _steps(campaign: Campaign) -> list[tuple[str, str]]:
    """Return (name, "done" | "here" | "") for each step."""
    here = _STEP[campaign.status]
    found = [
        (name, "done" if place < here else "here" if place == here else "")
        for place, name in enumerate(STEPS)
    ]
    return [(name, "") for name in STEPS] if campaign.status is Status.CANCELLED else found


def _may(campaign: Campaign, actor: Actor) -> dict[str, bool]:
    """Return which acts are possible now and allowed to this person."""
    holds, status = actor.permissions, campaign.status
    wrote = actor.id in campaign.writers
    edit, launch = P.CAMPAIGNS_CAMPAIGN_EDIT in holds, P.CAMPAIGNS_CAMPAIGN_LAUNCH in holds
    approve = P.CAMPAIGNS_CAMPAIGN_APPROVE in holds
    return {
        "edit": edit and status in {Status.DRAFT, Status.PLANNED},
        "plan": edit and status in {Status.DRAFT, Status.PLANNED, Status.APPROVED},
        "stop_planning": edit and status is Status.PLANNING,
        "approve": approve and not wrote and status is Status.PLANNED,
        "wrote": wrote,
        "send_back": approve and status in {Status.PLANNED, Status.APPROVED, Status.SCHEDULED},
        "launch": launch and status in {Status.APPROVED, Status.SCHEDULED},
        "pause": launch and status is Status.SENDING,
        "resume": launch and status is Status.PAUSED,
        "cancel": launch and status not in {Status.DONE, Status.CANCELLED},
        "see_people": P.CAMPAIGNS_RECIPIENTS_READ in holds,
        "see_report": P.CAMPAIGNS_REPORT_READ in holds,
    }


def _gate(campaign: Campaign, plan: ToldPlan, actor: Actor) -> dict[str, Any]:
    """Return the two sums as a bar and its legend, each part with the address of who is behind it."""
    see = P.CAMPAIGNS_RECIPIENTS_READ in actor.permissions
    parts = [
        (*FLOORS[level], people, _people(campaign, see, floor=level.name.lower()))
        for level, people in api.floors(plan.counts.by_floor)
    ]
    said = ", ".join(f"{people:,} by {label}" for _, label, people, _ in parts)
    return {
        "parts": parts,
        "bar": [*((kind, people) for kind, _, people, _ in parts), ("refuse", plan.may_not)],
        "label": f"Of {plan.counts.planned:,} people: {said or 'nobody allowed'}, {plan.may_not:,} not allowed",
        "allowed": [(line, _people(campaign, see, code=line.code)) for line in plan.allowed],
        "refused": [(line, _people(campaign, see, code=line.code, refused="1")) for line in plan.refused],
        "most_allowed": plan.allowed[0].people if plan.allowed else 0,
        "most_refused": plan.refused[0].people if plan.refused else 0,
        "all_refused": _people(campaign, see, refused="1"),
    }


def _people(campaign: Campaign, see: bool, **query: str) -> str:
    return f"{reverse('campaigns:people', args=[campaign.id])}?{urlencode(query)}" if see else ""


def _live(campaign: Campaign, now: Running) -> dict[str, Any]:
    """Return the progress as a bar, its legend, and the protections that were reached."""
    outcomes = now.outcomes
    failed = outcomes["bounced"] + outcomes["gave_up"]
    legend = [
        ("clear", "Sent over TLS", outcomes["accepted"]),
        ("portal", "Portal", outcomes["portal"]),
        ("wait", "Portal, not told yet", outcomes["portal_unnotified"]),
        ("wait", "Trying again", now.later),
        ("wait", "Written to often enough lately", now.held),
        ("broke", "Bounced or given up", failed),
        ("refuse", "Stopped", outcomes["cancelled"]),
    ]
    shown = [row for row in legend if row[2] or row[1] in {"Sent over TLS", "Portal"}]
    waiting = outcomes["queued"] - now.later - now.held
    out = now.cleared - outcomes["queued"]
    said = ", ".join(f"{people:,} {label.lower()}" for _, label, people in shown)
    protections = [
        (FLOORS[level], now.progress.by_protection.get(level.name.lower(), 0))
        for level in Protection
        if now.progress.by_protection.get(level.name.lower())
    ]
    return {
        "bar": [(kind, people) for kind, _, people in legend],
        "legend": shown,
        "waiting": waiting,
        "out": out,
        "has_it": outcomes["accepted"] + outcomes["portal"] + outcomes["portal_unnotified"],
        "label": f"Of {now.cleared:,} people: {said}, {waiting:,} waiting",
        "protections": protections,
        "refused": sum(now.progress.refused.values()),
        "is_moving": campaign.status is Status.SENDING,
        "closed": vendors.WORDS[Why(why)] if waiting and (why := delivery.mail_paused()) else None,
    }


def _planning(campaign: Campaign) -> dict[str, int] | None:
    if campaign.status is not Status.PLANNING:
        return None
    found = api.progress(campaign.id)
    return {"done": found.planned if found else 0, "whole": campaign.planned_people or 0}


def _sign_offs(told: Told, actor: Actor) -> list[dict[str, Any]]:
    """Return the sign-offs that were given, and those that this person could give now."""
    campaign = told.campaign
    open_ = campaign.status in {Status.DRAFT, Status.PLANNED} and actor.id not in campaign.writers
    return [
        {"name": what.value, "label": label, "given": what in campaign.sign_offs, "may": may}
        for what, label in SIGN_OFFS.items()
        if (may := open_ and api.SIGNERS[what] in actor.permissions) or what in campaign.sign_offs
    ]


def clock() -> datetime:
    """Return the present moment."""
    return CLOCK.now()
