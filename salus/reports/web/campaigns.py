"""Pages of campaign reports: the list, one report, who exactly, and the file of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salus.identity.api import requires
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound
from salus.platform.web.given import number_given
from salus.reports import api
from salus.reports.contracts import OUTCOMES, CampaignReport, Counted, Figure, Reveal, Wanted
from salus.reports.web import forms, words
from salus.reports.web.live import bar_of

FILE = "recipients.csv"
"""A file's name is no place for a campaign's."""


@requires(Permission.CAMPAIGNS_REPORT_READ)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show campaigns that have something to report."""
    before = _moment(request.GET.get("before", ""))
    found = api.reported_campaigns(before=before)
    context = {"campaigns": found, "before": before, "last": found[-1].created_at if found else None}
    return render(request, "reports/list.html", context)


@requires(Permission.CAMPAIGNS_REPORT_READ)
@require_safe
def report(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Show what became of a campaign."""
    found = api.campaign_report(campaign_id, actor=_actor(request))
    return render(request, "reports/campaign.html", _shown(request, found))


@requires(Permission.CAMPAIGNS_REPORT_READ)
@require_safe
def sending(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """Lead from a sending (a receipt names it) to its journey, or to its campaign's report."""
    journey_id = api.journey_of_sending(plan_id)
    if journey_id is not None:
        return redirect("journeys:show", journey_id)
    return redirect("reports:campaign", api.campaign_report(plan_id).campaign_id)


@requires(Permission.CAMPAIGNS_RECIPIENTS_READ)
@require_http_methods(["GET", "HEAD", "POST"])
def who(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Show who is behind a figure, masked; with a purpose, and only on this one page, by name."""
    wanted, after = _wanted(request), number_given(request.GET.get("after", "")) or 0
    form = forms.Purpose(request.POST or None)
    purpose = None
    if request.method == "POST" and form.is_valid():
        purpose = Reveal(form.cleaned_data["purpose"])
    people = api.who_exactly(campaign_id, wanted, actor=_actor(request), after=after, purpose=purpose)
    here = reverse("reports:who", args=[campaign_id])
    narrowed = {"figure": wanted.figure.value, **({"reason": wanted.reason} if wanted.reason else {})}
    more = {**narrowed, "after": people[-1].contact_number} if len(people) == PAGE else None
    context = {
        "campaign_id": campaign_id,
        "report": api.campaign_report(campaign_id),
        "people": [(each, *words.STATES[each.state], words.plain(each.reason)) for each in people],
        "wanted": wanted,
        "called": words.FIGURES[wanted.figure],
        "figures": [(each.value, words.FIGURES[each].label) for each in Figure],
        "form": form,
        "purpose": words.REVEALS[purpose] if purpose else "",
        "first_url": f"{here}?{urlencode(narrowed)}" if after else "",
        "next_url": f"{here}?{urlencode(more)}" if more else "",
    }
    return render(request, "reports/who.html", context)


@requires(Permission.CAMPAIGNS_RECIPIENTS_READ)
@require_safe
def to_tell(request: HttpRequest) -> HttpResponse:
    """Show people who must be told another way that a message waits for them in the portal."""
    people = api.people_to_tell(actor=_actor(request))
    context = {"people": [(each, words.plain(each.reason)) for each in people]}
    return render(request, "reports/to_tell.html", context)


@requires(Permission.CAMPAIGNS_RECIPIENTS_READ)
@require_POST
def export(request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
    """Answer with the people behind a figure as a CSV, made while it is read."""
    actor = _actor(request)
    form = forms.Export(request.POST, may_reveal=_may_reveal(actor))
    if not form.is_valid():
        found = api.campaign_report(campaign_id)
        return render(request, "reports/campaign.html", _shown(request, found, form), status=400)
    wanted = Wanted(Figure(form.cleaned_data["figure"]))
    lines = api.export_recipients(campaign_id, wanted, actor=actor, purpose=form.reveal())
    return StreamingHttpResponse(
        (line.encode() for line in lines),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{FILE}"'},
    )


PAGE = 50


def _shown(request: HttpRequest, found: CampaignReport, form: forms.Export | None = None) -> dict[str, Any]:
    actor = _actor(request)
    knows_who = Permission.CAMPAIGNS_RECIPIENTS_READ in actor.permissions
    engagement = found.engagement
    funnel = [
        ("Planned for", found.planned, "ink", Figure.ALL),
        ("Allowed", found.cleared, "clear", Figure.CLEARED),
        ("Sent or in the portal", found.sent, "clear", None),
        ("Read", engagement.readers, "clear", None),
        ("Clicked", engagement.clicked.get(words.PERSON, 0), "clear", Figure.CLICKED),
    ]
    return {
        "report": found,
        "knows_who": knows_who,
        "bar": bar_of(found.outcomes, found.refused),
        "outcomes": [(figure, words.FIGURES[figure], found.outcomes[figure]) for figure in OUTCOMES],
        "protection": [
            (words.PROTECTIONS[level], found.protection[level])
            for level in words.PROTECTIONS
            if found.protection.get(level)
        ],
        "detours": _plain(found.detours),
        "failures": _plain(found.failures),
        "stopped": _plain(found.stopped),
        "funnel": funnel,
        "opened": _by(engagement.opened),
        "clicked": _by(engagement.clicked),
        "most_refused": max((each.count for each in found.refusals), default=0),
        "most_allowed": max((each.count for each in found.allowances), default=0),
        "form": form or (forms.Export(may_reveal=_may_reveal(actor)) if knows_who else None),
        "figures": Figure.__members__,
    }


def _by(counts: Any) -> list[tuple[str, int]]:
    return [(words.FETCHERS[by], counts.get(by, 0)) for by in words.FETCHERS]


def _plain(counts: tuple[Counted, ...]) -> list[tuple[Counted, str]]:
    return [(each, each.told.sentence if each.told else words.plain(each.code)) for each in counts]


def _wanted(request: HttpRequest) -> Wanted:
    try:
        figure = Figure(request.GET.get("figure", Figure.ALL.value))
    except ValueError:
        raise NotFound from None
    return Wanted(figure, request.GET.get("reason", "")[:60])


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _may_reveal(actor: Actor) -> bool:
    return Permission.CONTACTS_PHI_REVEAL in actor.permissions


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
