"""What people do to a campaign from its page; an act that is not possible is said there, and nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from salus.campaigns import api
from salus.campaigns.contracts import SignOff, Status
from salus.campaigns.web.forms import Approval, Launch, SendingBack
from salus.campaigns.web.showing import CLOCK, actor_of, clock, show
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.errors import BadInput, Conflict, NotFound, Unavailable
from salus.platform.web.errors import status_of
from salus.platform.web.templatetags.salus import moment, number


@requires(Permission.CAMPAIGNS_CAMPAIGN_EDIT)
@require_POST
def plan(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Freeze the audience and let a worker ask the gate for everybody in it."""
    return _do(request, campaign_id, lambda: api.plan(campaign_id, actor=actor_of(request), clock=CLOCK))


@requires(Permission.CAMPAIGNS_CAMPAIGN_EDIT)
@require_POST
def stop_planning(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Give the plan up."""
    return _do(
        request,
        campaign_id,
        lambda: api.stop_planning(campaign_id, actor=actor_of(request), at=clock()),
        "Stopped. It is a draft again.",
    )


@requires(Permission.CAMPAIGNS_CAMPAIGN_APPROVE)
@require_POST
def approve(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Approve the plan that was seen."""
    form = Approval(request.POST)
    if not form.is_valid():
        return show(request, api.tell(campaign_id), status=400, approval=form)
    cleared = _cleared(campaign_id)
    return _do(
        request,
        campaign_id,
        lambda: api.approve(
            campaign_id, actor=actor_of(request), at=clock(), plan_id=form.cleaned_data["plan"]
        ),
        f"Approved for {number(cleared)} people. It waits to be launched.",
    )


@requires(Permission.CAMPAIGNS_CAMPAIGN_APPROVE)
@require_POST
def send_back(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Give it back to its author with a note."""
    form = SendingBack(request.POST)
    if not form.is_valid():
        return show(request, api.tell(campaign_id), status=400, sending_back=form)
    return _do(
        request,
        campaign_id,
        lambda: api.send_back(campaign_id, form.cleaned_data["note"], actor=actor_of(request), at=clock()),
        "Sent back with your note.",
    )


@requires(Permission.CAMPAIGNS_CAMPAIGN_READ)
@require_POST
def sign_off(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Give a sign-off; the api knows who may give which."""
    try:
        what = SignOff(request.POST.get("what", ""))
    except ValueError:
        raise NotFound from None
    return _do(
        request,
        campaign_id,
        lambda: api.sign_off(campaign_id, what, actor=actor_of(request), at=clock()),
        "Signed off. It counts from the next plan on.",
    )


@requires(Permission.CAMPAIGNS_CAMPAIGN_LAUNCH)
@require_POST
def launch(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Let it go now, or at a time."""
    form = Launch(request.POST)
    if not form.is_valid():
        return show(request, api.tell(campaign_id), status=400, launch=form)
    not_before = form.not_before()
    done = f"It goes out on {moment(not_before)}." if not_before else "It goes out now."
    return _do(
        request,
        campaign_id,
        lambda: api.launch(campaign_id, actor=actor_of(request), at=clock(), not_before=not_before),
        done,
    )


@requires(Permission.CAMPAIGNS_CAMPAIGN_LAUNCH)
@require_http_methods(["GET", "HEAD", "POST"])
def pause(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Ask first, then hold back what no sender has taken yet."""
    if request.method != "POST":
        return _confirm(request, campaign_id, "pause")
    return _do(
        request,
        campaign_id,
        lambda: api.pause(campaign_id, actor=actor_of(request), at=clock()),
        "Paused. What was being handed over still arrives.",
    )


@requires(Permission.CAMPAIGNS_CAMPAIGN_LAUNCH)
@require_POST
def resume(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Let it go on."""
    return _do(
        request,
        campaign_id,
        lambda: api.resume(campaign_id, actor=actor_of(request), at=clock()),
        "It goes on.",
    )


@requires(Permission.CAMPAIGNS_CAMPAIGN_LAUNCH)
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Ask first, then stop for good what was not handed over."""
    if request.method != "POST":
        return _confirm(request, campaign_id, "cancel")
    return _do(
        request,
        campaign_id,
        lambda: api.cancel(campaign_id, actor=actor_of(request), at=clock()),
        "Cancelled.",
    )


def _do(request: HttpRequest, campaign_id: UUID, act: Callable[[], object], done: str = "") -> HttpResponse:
    """Do it and go back to the campaign; what stands in the way is said on its page."""
    try:
        with transaction.atomic():
            act()
    except (BadInput, Conflict, Unavailable) as fault:
        return show(request, api.tell(campaign_id), fault=fault, status=status_of(fault)[0])
    if done:
        toast(request, done)
    response = redirect("campaigns:show", campaign_id)
    response.status_code = 303
    return response


def _confirm(request: HttpRequest, campaign_id: UUID, act: str) -> HttpResponse:
    """Show what the act means, in numbers, with the safe button first."""
    campaign = api.campaign(campaign_id)
    possible = {"pause": {Status.SENDING}, "cancel": set(Status) - {Status.DONE, Status.CANCELLED}}
    if campaign.status not in possible[act]:
        return redirect("campaigns:show", campaign_id)
    now = api.running(campaign, clock())
    outcomes = now.outcomes if now else {}
    context = {
        "campaign": campaign,
        "act": act,
        "waiting": outcomes.get("queued", 0),
        "has_it": sum(outcomes.get(word, 0) for word in ("accepted", "portal", "portal_unnotified")),
        "is_running": campaign.status in {Status.SENDING, Status.PAUSED},
    }
    return render(request, "campaigns/confirm.html", context)


def _cleared(campaign_id: UUID) -> int:
    planned = api.campaign(campaign_id).planned
    return planned.cleared if planned else 0
