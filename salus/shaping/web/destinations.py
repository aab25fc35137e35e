"""Views of destinations: what is in force and why, lifting it, our own addresses, what each destination gets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.time import SystemClock
from salus.shaping import api
from salus.shaping.contracts import Act, ToldMeasure
from salus.shaping.web import wording

CLOCK = SystemClock()
KINDS = {
    Act.SUSPEND: ("refuse", "Suspended"),
    Act.THROTTLE: ("wait", "Slowed down"),
    Act.SWITCH: ("", "Other address"),
}


@requires(Permission.ORGANIZATION_SETTINGS_READ)
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Show what is in force, what ended lately, our own addresses, and what each destination gets."""
    now = CLOCK.now()
    rows = [_row(each) for each in api.measures(now)]
    context: dict[str, Any] = {
        "present": [each for each in rows if each["told"].stands(now)],
        "past": [each for each in rows if not each["told"].stands(now)][:20],
        "may_lift": _may_lift(request),
        "file": api.FILE,
    }
    try:
        slug = identity.organization().slug
        plan = api.plan(api.documents(settings.SALUS_HOME), slug)
    except BadInput as fault:
        context["fault"] = str(fault)
    else:
        context |= {
            "pools": api.pools_of(plan, slug),
            "volumes": [
                {"volume": each, "site": wording.destination(each.site), "today": wording.today(each)}
                for each in api.volumes(plan, now)
            ],
            "sites": [
                {"name": wording.destination(site.name), "gets": wording.gets(site.limits)}
                for site in plan.sites.values()
            ],
            "others": wording.gets(plan.default.limits),
        }
    return render(request, "shaping/destinations.html", context)


@requires(Permission.ORGANIZATION_SETTINGS_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def lift(request: HttpRequest, measure_id: UUID) -> HttpResponse:
    """Show what a measure rests on, and end it."""
    now = CLOCK.now()
    told = api.measure(measure_id)
    status = 200
    if request.method == "POST":
        try:
            with transaction.atomic():
                api.lift(measure_id, actor=_actor(request), at=now)
        except Conflict:
            status = 409
        else:
            toast(
                request,
                "Lifted. Senders know it within a second; what waits goes within a quarter of an hour.",
            )
            return redirect("shaping:destinations")
    return render(request, "shaping/lift.html", {**_row(told), "stands": told.stands(now)}, status=status)


def _row(told: ToldMeasure) -> dict[str, Any]:
    kind, state = ("wait", "By a relay") if told.measure.relay else KINDS[told.measure.act]
    return {
        "told": told,
        "name": wording.destination(told.destination),
        "what": wording.what(told.measure),
        "whose": wording.whose(told.measure),
        "kind": kind,
        "state": state,
    }


def _may_lift(request: HttpRequest) -> bool:
    return Permission.ORGANIZATION_SETTINGS_EDIT in _actor(request).permissions


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
