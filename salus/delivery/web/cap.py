"""The page of the frequency cap: how often one person may be written to, at most."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from salus.delivery import api
from salus.delivery.contracts import Cap
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.errors import BadInput
from salus.kernel.time import SystemClock

CLOCK = SystemClock()


class CapForm(forms.Form):
    """Two whole numbers."""

    at_most = forms.IntegerField(label="Messages, at most", help_text="To one person, from 1 to 100.")
    days = forms.IntegerField(label="In so many days", help_text="Any days in a row, from 1 to 90.")


@requires(Permission.ORGANIZATION_SETTINGS_READ)
@require_http_methods(["GET", "HEAD", "POST"])
def cap(request: HttpRequest) -> HttpResponse:
    """Show the frequency cap; set it, or take it away."""
    present = api.cap()
    form = CapForm(initial={"at_most": present.at_most, "days": present.days} if present else None)
    if request.method == "POST":
        new = None
        if "none" not in request.POST:
            form = CapForm(request.POST)
            new = Cap(**form.cleaned_data) if form.is_valid() else None
        if new or not form.is_bound:
            try:
                api.set_cap(new, actor=request.actor, at=CLOCK.now())  # type: ignore[attr-defined]
            except BadInput as fault:
                form.add_error(fault.place, fault.what)
            else:
                toast(request, "Saved. What was held back asks again now.")
                return redirect("delivery:cap")
    return render(
        request,
        "delivery/cap.html",
        {"cap": present, "form": form},
        status=422 if form.is_bound else 200,
    )
