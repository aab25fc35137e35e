"""The page of how long what is kept: what holds, what the law says, and a change that says first what it empties."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.time import SystemClock
from salus.retention import api
from salus.retention.contracts import Kind
from salus.retention.web import wording
from salus.retention.web.holds import actor_of

CLOCK = SystemClock()


class Change(forms.Form):
    """Another time for one kind; `sure` is set by the page that says what it empties."""

    kind = forms.ChoiceField(
        label="What", choices=[(kind.value, name) for kind, (name, _) in wording.KINDS.items()]
    )
    days = forms.IntegerField(
        label="Keep it for, days",
        required=False,
        help_text="Empty: until its person is erased. 2192 days are six years.",
        error_messages={"invalid": "Write a whole number of days."},
    )
    sure = forms.BooleanField(required=False, widget=forms.HiddenInput)


@requires(Permission.ORGANIZATION_SETTINGS_READ)
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Show how long what is kept; change one kind, after a look at what a shorter time would empty."""
    actor, form = actor_of(request), Change(request.POST or None)
    if request.method == "POST" and not api.may_set(actor):
        raise NotFound
    if request.method == "POST" and form.is_valid():
        kind, days = Kind(form.cleaned_data["kind"]), form.cleaned_data["days"]
        try:
            with transaction.atomic():
                if not form.cleaned_data["sure"] and _is_shorter(kind, days):
                    return _ask_first(request, kind, days)
                api.set_rule(kind, days, actor=actor)
        except BadInput as fault:
            form.add_error("days", fault.what)
        else:
            toast(request, f"{wording.KINDS[kind][0]}: {wording.days(days).lower()}.")
            return redirect("retention:rules")
    context = {
        "rows": _rows(),
        "always": api.ALWAYS.values(),
        "form": form,
        "may_set": api.may_set(actor),
        "on_all": api.spared().everybody,
    }
    return render(request, "retention/rules.html", context, status=400 if form.errors else 200)


def _ask_first(request: HttpRequest, kind: Kind, days: int) -> HttpResponse:
    now = CLOCK.now()
    context = {
        "name": wording.KINDS[kind][0],
        "goes": wording.KINDS[kind][1],
        "count": api.would_empty(kind, days, actor=actor_of(request), at=now),
        "before": api.before(days, now),
        "time": wording.days(days),
        "form": Change(initial={"kind": kind.value, "days": days, "sure": True}),
    }
    return render(request, "retention/shorten.html", context)


def _is_shorter(kind: Kind, days: int | None) -> bool:
    return api.is_shorter(days, api.days_of(kind))


def _rows() -> list[dict[str, Any]]:
    rows = []
    for rule in api.all_rules():
        bounds = api.BOUNDS[rule.kind]
        most = f", at most {wording.days(bounds.most)}" if bounds.most else ""
        rows.append(
            {
                "rule": rule,
                "name": wording.KINDS[rule.kind][0],
                "goes": wording.KINDS[rule.kind][1],
                "time": wording.days(rule.days),
                "bounds": f"At least {wording.days(bounds.least)}{most}.",
                "why": bounds.why,
                "citation": bounds.citation,
            }
        )
    return rows
