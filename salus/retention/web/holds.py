"""Pages of legal holds: the list, a new one on a person or on everybody, one with the way to lift it; a panel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_safe

from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.time import SystemClock
from salus.platform.web.templatetags.salus import contact_number
from salus.retention import api
from salus.retention.contracts import Hold

CLOCK = SystemClock()
DO = Permission.PRIVACY_REQUEST_DO


class NewHold(forms.Form):
    """Why a hold is put, and what it belongs to."""

    reason = forms.CharField(
        label="Reason",
        max_length=api.LONGEST,
        help_text="Kept sealed. The log says that there is a hold, never why.",
        error_messages={"required": "Say why. A hold without a reason is not put."},
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    reference = forms.CharField(
        label="Reference",
        max_length=api.LONGEST_REFERENCE,
        required=False,
        help_text="Case number, or the letter that asked for it. Kept sealed too.",
    )


class Lifting(forms.Form):
    """Why a hold is lifted."""

    reason = forms.CharField(
        label="Reason",
        max_length=api.LONGEST,
        help_text="Kept sealed, with the hold.",
        error_messages={"required": "Say why. Without a reason the hold stands."},
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


@requires(DO)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show every hold: those that stand first."""
    found = api.holds(actor=actor_of(request))
    names = identity.staff_names({each.put_by for each in found if each.put_by})
    rows = [
        {"hold": each, "on": _on(each), "by": names.get(each.put_by, "") if each.put_by else ""}
        for each in found
    ]
    context = {"rows": rows, "on_all": any(each.everybody and not each.lifted_at for each in found)}
    return render(request, "retention/holds.html", context)


@requires(DO)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, contact_id: UUID | None = None) -> HttpResponse:
    """Put a hold on a person, or on the whole organization."""
    number = _living(contact_id) if contact_id else ""
    form = NewHold(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                made = api.put(contact_id, **form.cleaned_data, actor=actor_of(request), at=CLOCK.now())
        except BadInput as fault:
            form.add_error(fault.place, fault.what)
        else:
            toast(request, "The hold stands. Nothing is erased under it.")
            return redirect("retention:hold", made)
    context = {"form": form, "contact_id": contact_id, "number": number}
    return render(request, "retention/new_hold.html", context, status=400 if form.errors else 200)


@requires(DO)
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """Show one hold, and lift it."""
    found, form = api.hold(hold_id, actor=actor_of(request)), Lifting(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                api.lift(hold_id, **form.cleaned_data, actor=actor_of(request), at=CLOCK.now())
        except BadInput as fault:
            form.add_error(fault.place, fault.what)
        else:
            toast(request, "Lifted. What waits for it can be carried out now.")
            return redirect("retention:hold", hold_id)
    names = identity.staff_names({each for each in (found.put_by, found.lifted_by) if each})
    context = {
        "hold": found,
        "on": _on(found),
        "by": names.get(found.put_by, "") if found.put_by else "",
        "lifted_by": names.get(found.lifted_by, "") if found.lifted_by else "",
        "form": form,
    }
    return render(request, "retention/hold.html", context, status=400 if form.errors else 200)


def hold_panel(request: HttpRequest, contact_id: UUID) -> SafeString | None:
    """Return the panel of a contact's page, for those who put holds."""
    if DO not in actor_of(request).permissions:
        return None
    found = api.holds(actor=actor_of(request), contact_id=contact_id)
    names = identity.staff_names({who for each in found for who in (each.put_by, each.lifted_by) if who})
    rows = [
        {
            "hold": each,
            "by": names.get(each.put_by, "") if each.put_by else "",
            "lifted_by": names.get(each.lifted_by, "") if each.lifted_by else "",
        }
        for each in found
    ]
    stands = sum(not each.lifted_at for each in found)
    context = {"contact_id": contact_id, "rows": rows, "stands": stands}
    return render_to_string("retention/panel.html", context, request)


def _living(contact_id: UUID) -> str:
    number = contacts.numbers_of([contact_id]).get(contact_id)
    if number is None:
        raise NotFound
    return contact_number(number)


def _on(hold: Hold) -> list[dict[str, Any]]:
    """Return the people of a hold who are still here, each with their page; one that was merged is one with another."""
    numbers = contacts.numbers_of(hold.contact_ids)
    return [{"id": id, "number": contact_number(numbers[id])} for id in hold.contact_ids if id in numbers]
