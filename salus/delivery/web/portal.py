"""The page of the portal's rule: how long messages wait there, and how long they are kept after it."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from salus.delivery import api
from salus.delivery.contracts import PortalRule
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.errors import BadInput


class RuleForm(forms.Form):
    """Two numbers of days."""

    days = forms.IntegerField(
        label="Days that a message can be read", help_text="From 1 to 365. A letter may have its own."
    )
    kept_days = forms.IntegerField(
        label="Days until its words and files are erased after that",
        help_text="From 0 to 2,190. Until then staff can examine what was sent; its receipt stays.",
    )


@requires(Permission.ORGANIZATION_SETTINGS_READ)
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest) -> HttpResponse:
    """Show the rule; set it."""
    present = api.portal_rule()
    form = RuleForm(initial={"days": present.days, "kept_days": present.kept_days})
    if request.method == "POST":
        form = RuleForm(request.POST)
        if form.is_valid():
            try:
                api.set_portal_rule(PortalRule(**form.cleaned_data), actor=request.actor)  # type: ignore[attr-defined]
            except BadInput as fault:
                form.add_error(fault.place, fault.what)
            else:
                toast(request, "Saved. It holds for messages that get to the portal from now on.")
                return redirect("delivery:portal")
    context = {"rule": present, "form": form}
    return render(request, "delivery/portal.html", context, status=422 if form.is_bound else 200)
