"""Forms of the inbox: how a task went."""

from __future__ import annotations

from typing import Any

from django import forms

DONE, NOT_DONE = "done", "not_done"


class Ending(forms.Form):
    """Done or not done, and a note about it; what is not done needs its reason."""

    outcome = forms.ChoiceField(
        label="How did it go?",
        choices=[(DONE, "Done"), (NOT_DONE, "Not done")],
        initial=DONE,
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label="Note",
        max_length=2000,
        required=False,
        help_text="Colleagues who see the task can read it. Say why, if it is not done.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for the reason of what is not done."""
        cleaned = super().clean() or {}
        if cleaned.get("outcome") == NOT_DONE and not cleaned.get("note", "").strip():
            self.add_error("note", "Say why it is not done, so that a colleague can go on from there.")
        return cleaned
