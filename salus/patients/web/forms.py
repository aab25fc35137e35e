"""Forms for staff who help a patient sign in."""

from __future__ import annotations

from django import forms


class Find(forms.Form):
    """Which patient is on the phone."""

    record_number = forms.CharField(
        label="Record number",
        max_length=80,
        help_text="The person on the phone or at the desk can read it from a letter of yours.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class Issue(forms.Form):
    """Staff say that they checked who it is."""

    contact_id = forms.UUIDField(widget=forms.HiddenInput)
    checked = forms.BooleanField(
        label="I asked for the name and the birth date, and both match",
        error_messages={"required": "Ask the person for both first. The code opens their messages."},
    )
