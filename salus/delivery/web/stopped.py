"""The page of stopped addresses: what rules stopped, why, and letting messages go there again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from salus.delivery import api
from salus.delivery.contracts import Sign, StoppedAddress
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.phi import Phi
from salus.kernel.time import SystemClock

CLOCK = SystemClock()
PAGE, SPAN = 50, timedelta(days=30)
BECAUSE = {
    "hard_bounce": "There is no such mailbox",
    "soft_bounces": "Mail bounced for days",
    "complaint": "The reader reported it as spam",
}
SIGNS = {
    Sign.HARD: ("broke", "No such mailbox"),
    Sign.SOFT: ("wait", "Full, busy or given up"),
    Sign.POLICY: ("refuse", "Refused by policy"),
    Sign.REPUTATION: ("refuse", "Refused for our reputation"),
    Sign.MESSAGE: ("", "This one message refused"),
    Sign.COMPLAINT: ("broke", "Reported as spam"),
}


class LiftForm(forms.Form):
    """Why messages may go there again."""

    why = forms.CharField(
        label="Why",
        max_length=300,
        help_text="What changed: they asked for it by phone, the mailbox was emptied. Kept in their record.",
    )


@requires(Permission.PERMISSIONS_ENTRY_READ)
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Show what rules stopped, newest first, and what came back in the last days."""
    now, before = CLOCK.now(), None
    if "before" in request.GET:
        try:
            before = UUID(request.GET["before"])
        except ValueError:
            raise NotFound from None
    found = api.stopped(PAGE + 1, now, before=before)
    shown, more = found[:PAGE], len(found) > PAGE
    address = reverse("delivery:stopped")
    counts = api.signs_since(now - SPAN)
    context = {
        "rows": [{"stopped": each, "because": BECAUSE[each.because]} for each in shown],
        "signs": [(*SIGNS[sign], count) for sign, count in counts.items()],
        "days": SPAN.days,
        "may_lift": Permission.PERMISSIONS_ENTRY_WRITE in _actor(request).permissions,
        "first_url": address if before else "",
        "next_url": f"{address}?before={shown[-1].entry_id}" if more else "",
    }
    return render(request, "delivery/stopped.html", context)


@requires(Permission.PERMISSIONS_ENTRY_WRITE)
@require_http_methods(["GET", "HEAD", "POST"])
def lift(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Show what an address was stopped for, and let messages go there again."""
    now = CLOCK.now()
    found = api.one_stopped(entry_id, now)
    form = LiftForm(request.POST) if request.method == "POST" else LiftForm()
    if form.is_bound and form.is_valid():
        try:
            api.lift(entry_id, Phi(form.cleaned_data["why"]), actor=_actor(request), at=now)
        except BadInput as fault:
            form.add_error(fault.place, fault.what)
        else:
            toast(request, "Lifted. Messages may go there again, as far as everything else allows it.")
            return redirect("delivery:stopped")
    context = {"stopped": found, "because": BECAUSE[found.because], "signs": _told(found), "form": form}
    return render(request, "delivery/lift.html", context, status=422 if form.is_bound else 200)


def _told(found: StoppedAddress) -> list[dict[str, object]]:
    return [
        {"evidence": each, "kind": SIGNS[each.sign][0], "what": SIGNS[each.sign][1]}
        for each in found.evidence
    ]


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
