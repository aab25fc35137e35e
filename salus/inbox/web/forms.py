"""Forms of the inbox: how a task went, and a letter to a patient."""

from __future__ import annotations

from typing import Any

from django import forms

from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Special

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


SENSITIVE = {
    Special.MENTAL_HEALTH: "Mental health",
    Special.PART2_SUD: "Treatment for alcohol or drugs",
    Special.HIV: "HIV",
    Special.REPRODUCTIVE: "Pregnancy and reproductive health",
    Special.GENETIC: "Genetic tests",
}
"""What law protects more, as people say it."""


class LetterForm(forms.Form):
    """A letter to one patient, kept in the portal."""

    subject = forms.CharField(
        label="Subject", max_length=120, help_text="It is shown in the portal only, never in a mail."
    )
    text = forms.CharField(
        label="Message", max_length=10_000, widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "true"})
    )
    tells = forms.MultipleChoiceField(
        label="Does it, or a file, tell of any of these?",
        choices=[(each.value, words) for each, words in SENSITIVE.items()],
        required=False,
        help_text="Then its reader needs a passkey, or a code that you hand out.",
        widget=forms.CheckboxSelectMultiple,
    )
    view_only = forms.BooleanField(
        label="Only to be looked at",
        required=False,
        help_text="With a mark across it, and nothing to download or print. It hinders copies; it cannot prevent "
        "a photograph of the screen.",
    )
    days = forms.IntegerField(
        label="Days that it can be read",
        required=False,
        min_value=1,
        max_value=365,
        help_text="Empty: as your organization's rule says.",
    )
    attachments = forms.Field(label="Files", required=False)
    """Taken by the upload's handler; here only what is wrong with them is said."""
    once = forms.CharField(
        max_length=64, required=False, widget=forms.HiddenInput, initial=lambda: new_id().hex
    )
    """Names the letter: the form sent twice is one letter."""

    def renew(self) -> None:
        """Let the form, shown again with what was typed, name another letter: the one of before has its answer."""
        given: Any = self.data
        data = given.copy()
        data["once"] = new_id().hex
        self.data = data
