"""Pages of emergency access: take it and give it back; and for who reviews it, what was done with it."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salus.identity import api, break_glass, plainly
from salus.identity.access import requires, toast
from salus.identity.contracts import Finding, Glass, Permission
from salus.identity.ports import now
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict

ASK, REVIEW = Permission.IDENTITY_GLASS_BREAK, Permission.AUDIT_ACCESS_REVIEW


class Asked(forms.Form):
    """What for, why, and for how long."""

    permission = forms.ChoiceField(
        label="What do you need?", widget=forms.RadioSelect, error_messages={"required": "Choose one."}
    )
    reason = forms.CharField(
        label="Why?",
        max_length=break_glass.LONGEST,
        error_messages={"required": "Say why. The privacy office reads it."},
        help_text="The privacy office reads this. Say what happened and for whom.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    minutes = forms.TypedChoiceField(
        label="For how long?",
        coerce=int,
        choices=[(minutes, f"{minutes} minutes") for minutes in break_glass.MINUTES],
        initial=break_glass.MINUTES[0],
        widget=forms.RadioSelect,
    )

    def offer(self, permissions: tuple[Permission, ...]) -> None:
        """Offer these and no others."""
        field = self.fields["permission"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(word.value, plainly.WORDS[word]) for word in permissions]


class Looked(forms.Form):
    """What the review found."""

    finding = forms.ChoiceField(
        label="What did you find?",
        error_messages={"required": "Say what you found."},
        choices=[(each.value, each.words) for each in Finding],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=break_glass.LONGEST,
        help_text="Needed when something was followed up.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@requires(ASK)
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Take emergency access, or see what is open."""
    actor = _actor(request)
    form = Asked(request.POST or None)
    form.offer(break_glass.offered(actor))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            break_glass.open_glass(given["permission"], given["reason"], given["minutes"], actor=actor)
        except (BadInput, Conflict) as fault:
            form.add_error(fault.place if fault.place in form.fields else None, fault.what)
        else:
            toast(request, f"Emergency access is open for {given['minutes']} minutes.")
            return redirect("identity:glass")
    present = break_glass.own(actor)
    words = plainly.WORDS[present.permission] if present else ""
    return render(request, "identity/glass.html", {"form": form, "present": present, "words": words})


@requires(None)
@require_POST
def give_back(request: HttpRequest, glass_id: UUID) -> HttpResponse:
    """End emergency access early."""
    actor = _actor(request)
    break_glass.give_back(glass_id, actor=actor)
    toast(request, "Emergency access is over.")
    return redirect("identity:glass" if ASK in actor.permissions else "identity:glass_reviews")


@requires(REVIEW)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show what waits for a review, then what was reviewed."""
    found = break_glass.newest()
    names = api.staff_names(
        {each.staff_id for each in found} | {each.reviewed_by for each in found if each.reviewed_by}
    )
    rows = [_row(each, names) for each in found]
    return render(request, "identity/glass_reviews.html", {"rows": rows})


@requires(REVIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, glass_id: UUID) -> HttpResponse:
    """Show one emergency access with what was done in it, and keep what the review found."""
    glass, form = break_glass.get(glass_id), Looked(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            break_glass.review(glass_id, given["finding"], given["note"], actor=_actor(request))
        except (BadInput, Conflict) as fault:
            form.add_error(fault.place if fault.place in form.fields else None, fault.what)
        else:
            toast(request, "Reviewed.")
            return redirect("identity:glass_reviews")
    names = api.staff_names(filter(None, (glass.staff_id, glass.reviewed_by)))
    context = {
        **_row(glass, names),
        "form": form,
        "acts": break_glass.acts_in(glass),
        "is_own": glass.staff_id == _actor(request).id,
    }
    return render(request, "identity/glass_review.html", context)


def _row(glass: Glass, names: dict[UUID, str]) -> dict[str, object]:
    return {
        "glass": glass,
        "who_took": names.get(glass.staff_id, ""),
        "words": plainly.WORDS[glass.permission],
        "is_open": glass.until > now(),
        "reviewer": names.get(glass.reviewed_by, "") if glass.reviewed_by else "",
    }


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
