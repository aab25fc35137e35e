"""The page of an access review: a period, who signed in and who looked at whom, outliers, and the signature."""

from __future__ import annotations

from datetime import date, timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from salus.identity import api as identity
from salus.identity.api import requires
from salus.identity.contracts import Finding, Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict
from salus.reports import api


class Period(forms.Form):
    """From which day to which."""

    since = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To, that day too", widget=forms.DateInput(attrs={"type": "date"}))


class Signing(forms.Form):
    """What was found."""

    finding = forms.ChoiceField(
        label="What did you find?",
        choices=[(each.value, each.words) for each in Finding],
        widget=forms.RadioSelect,
        error_messages={"required": "Say what you found."},
    )
    note = forms.CharField(
        label="What you looked into",
        required=False,
        max_length=1_000,
        help_text="Needed when somebody stands out, or something was followed up. It is kept sealed.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@requires(Permission.AUDIT_ACCESS_REVIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest) -> HttpResponse:
    """Show a period; keep the signature of who examined it."""
    asked = "since" in request.GET or "until" in request.GET
    usual = dict(zip(("since", "until"), api.usual_access_period(), strict=True))
    period = Period(request.GET if asked else {name: day.isoformat() for name, day in usual.items()})
    given = period.cleaned_data if period.is_valid() else usual
    signing = Signing(request.POST or None)
    if request.method == "POST" and period.is_valid() and signing.is_valid():
        said = signing.cleaned_data
        try:
            api.sign_access(
                given["since"], given["until"], said["finding"], said["note"], actor=_actor(request)
            )
        except (BadInput, Conflict) as fault:
            text = " ".join(part for part in (fault.what, fault.next_step) if part)
            signing.add_error(fault.place if fault.place in signing.fields else None, text)
        else:
            identity.toast(request, "Signed. The numbers and the log's state are in the log with it.")
            return redirect(f"{reverse('reports:access')}?since={given['since']}&until={given['until']}")
    return _page(request, period, given, usual, signing)


def _page(
    request: HttpRequest, period: Period, given: dict[str, date], usual: dict[str, date], signing: Signing
) -> HttpResponse:
    try:
        found = api.access_review(given["since"], given["until"], actor=_actor(request))
    except BadInput as fault:
        period.add_error(fault.place, fault.what)
        found = api.access_review(usual["since"], usual["until"], actor=_actor(request))
    totals = {
        name: sum(getattr(each.activity, name) for each in found.lookers)
        for name in ("sign_ins", "failed_sign_ins", "looks", "reveals")
    }
    context = {
        "review": found,
        "day_after": found.until + timedelta(days=1),
        "totals": totals,
        "most": max((each.activity.patients for each in found.lookers), default=0),
        "outstanding": [each for each in found.lookers if each.reasons],
        "period": period,
        "form": signing,
    }
    return render(request, "reports/access.html", context)


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
