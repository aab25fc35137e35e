"""Pages of campaigns: the list, the form, one campaign, who is behind a figure, the message itself."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from salus.audiences import api as audiences
from salus.campaigns import api
from salus.campaigns.contracts import Behind, Campaign
from salus.campaigns.web.forms import Draft, draft_of
from salus.campaigns.web.showing import TAGS, actor_of, clock, named, part, show
from salus.content import api as content
from salus.gate import api as gate
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.vocabulary import Protection
from salus.platform.web.given import number_given

PAGE, PEOPLE = 50, 100


@requires(Permission.CAMPAIGNS_CAMPAIGN_READ)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show the campaigns, newest first."""
    before = request.GET.get("before", "")
    found = api.campaigns(before=_moment(before), limit=PAGE + 1)
    shown = found[:PAGE]
    names = {segment.id: segment.name for segment in audiences.segments()}
    rows = [(each, TAGS[each.status], names.get(each.segment_id)) for each in shown]
    more = f"?before={shown[-1].created_at.isoformat()}".replace("+", "%2B") if len(found) > PAGE else ""
    return render(
        request,
        "campaigns/list.html",
        {"rows": rows, "first_url": "?" if before else "", "next_url": more},
    )


@requires(Permission.CAMPAIGNS_CAMPAIGN_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Begin a campaign."""
    form = Draft(request.POST or None)
    form.offer(audiences.segments(), content.templates())
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                made = api.create(
                    name=form.cleaned_data["name"],
                    segment_id=UUID(form.cleaned_data["segment"]),
                    versions=form.versions(),
                    actor=actor_of(request),
                    at=clock(),
                )
        except (BadInput, NotFound) as fault:
            form.add_error(None, str(fault))
        else:
            toast(request, "Saved as a draft. Nothing is sent yet.")
            return redirect("campaigns:show", made.id)
    return _form(request, form, None)


@requires(Permission.CAMPAIGNS_CAMPAIGN_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Change a draft; a plan that was made of it is void then."""
    campaign = api.campaign(campaign_id)
    form = Draft(request.POST or None, initial=draft_of(campaign))
    present = [content.version(id) for id in campaign.versions.values()]
    form.offer(audiences.segments(), content.templates(), present)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                api.change(
                    campaign_id,
                    name=form.cleaned_data["name"],
                    segment_id=UUID(form.cleaned_data["segment"]),
                    versions=form.versions(),
                    actor=actor_of(request),
                    at=clock(),
                )
        except (BadInput, Conflict, NotFound) as fault:
            form.add_error(None, str(fault))
        else:
            toast(request, "Saved.")
            return redirect("campaigns:show", campaign_id)
    return _form(request, form, campaign)


@requires(Permission.CAMPAIGNS_CAMPAIGN_READ)
@require_safe
def one(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Show a campaign as far as it is."""
    return show(request, api.tell(campaign_id))


@requires(Permission.CAMPAIGNS_CAMPAIGN_READ)
@require_safe
def now(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Return the part that moves; when the campaign has come further, the whole page is loaded anew."""
    campaign = api.campaign(campaign_id)
    if request.GET.get("seen") != campaign.status:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return part(request, campaign)


@requires(Permission.CAMPAIGNS_RECIPIENTS_READ)
@require_safe
def people(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Show who is behind a figure of the plan, by contact number; that somebody looked is recorded."""
    campaign = api.campaign(campaign_id)
    figure = _figure(request)
    after = number_given(request.GET.get("after", "")) or 0
    found = api.behind(
        campaign_id,
        figure,
        actor=actor_of(request),
        after=after,
        limit=PEOPLE + 1,
    )
    shown = found[:PEOPLE]
    query = request.GET.copy()
    query.pop("after", None)
    first = f"?{query.urlencode()}" if after else ""
    if len(found) > PEOPLE:
        query["after"] = str(shown[-1].contact_number)
    context = {
        "campaign": campaign,
        "people": shown,
        "figure": figure,
        "told": gate.explain(figure.code) if figure.code else None,
        "first_url": first,
        "next_url": f"?{query.urlencode()}" if len(found) > PEOPLE else "",
        "names_url": _names_url(campaign, figure),
    }
    return render(request, "campaigns/people.html", context)


def _form(request: HttpRequest, form: Draft, campaign: Campaign | None) -> HttpResponse:
    has_templates = any(name.startswith("version_") for name in form.fields)
    context = {"form": form, "campaign": campaign, "has_templates": has_templates}
    return render(request, "campaigns/form.html", context)


def _names_url(campaign: Campaign, figure: Behind) -> str:
    """Return where names are opened for a purpose, "" when there is no such page."""
    address = named("reports:who", campaign.id)
    if not address:
        return ""
    query = {"figure": "refused" if figure.refused else "cleared"}
    if figure.refused and figure.code:
        query["reason"] = figure.code
    return f"{address}?{urlencode(query)}"


def _figure(request: HttpRequest) -> Behind:
    code, floor = request.GET.get("code", ""), request.GET.get("floor", "").upper()
    if code:
        gate.explain(code)
    if floor and floor not in Protection.__members__:
        raise NotFound
    return Behind(refused="refused" in request.GET, code=code, floor=Protection[floor] if floor else None)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
