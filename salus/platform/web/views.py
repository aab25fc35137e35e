"""The page of all parts: what a page may be built from, to look at and to test."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from salus.platform.web.shell import Who


class SampleForm(forms.Form):
    """One field of each sort, one of them wrong."""

    name = forms.CharField(
        label="Name of the segment",
        initial="Diabetes, A1c overdue",
        help_text="Staff see it. It is never sent to anyone.",
    )
    subject = forms.CharField(label="Subject")
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    purpose = forms.ChoiceField(label="What for?", choices=[("t", "Treatment"), ("p", "The patient asked")])
    when = forms.ChoiceField(
        label="Send",
        choices=[("at", "At a time"), ("now", "Now"), ("days", "Over days")],
        widget=forms.RadioSelect,
    )
    zone = forms.BooleanField(
        label="In each person’s own time zone", required=False, help_text="Never between 21:00 and 8:00"
    )

    def clean_subject(self) -> str:
        """Refuse it always: the page shows what a refusal looks like."""
        raise forms.ValidationError("“A1c” tells a condition. A subject travels in the open: say “check-up”.")


@require_safe
def parts(request: HttpRequest) -> HttpResponse:
    """Show every part; only on loopback, because it is for the people who build pages."""
    if not settings.SALUS_LOOPBACK:
        raise Http404
    form = SampleForm(
        {
            "name": "Diabetes, A1c overdue",
            "subject": "Your A1c check is due",
            "when": "at",
            "purpose": "t",
            "zone": "on",
        }
    )
    if getattr(request, "who", None) is None:
        request.who = Who("Cedar Row Clinic", "Marisol Ibarra", "Marketer")  # type: ignore[attr-defined]
    outcome = [("clear", 1248), ("portal", 158), ("refuse", 436)]
    return render(request, "salus/parts_page.html", {"form": form, "outcome": outcome})
