"""Forms of journeys: a name, an approval, a note, and the people who are put in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from salus.journeys.web.uploading import LARGEST

MOST_LINES = 20_000


class Name(forms.Form):
    """What a new journey is called."""

    name = forms.CharField(
        label="Name", max_length=120, help_text="Only staff see it. It is never sent to anyone."
    )


class Approval(forms.Form):
    """A person says that they read the version that they see."""

    seen = forms.DateTimeField(widget=forms.HiddenInput)
    read = forms.BooleanField(
        label="I have read its steps, what it sends and what the checks say.",
        error_messages={"required": "Please read it first, then say so here."},
    )


class SendingBack(forms.Form):
    """A note to whoever drew it."""

    note = forms.CharField(
        label="What should change?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say what should change, so that the author can do it."},
    )


class Enrolment(forms.Form):
    """Who is put in: record or contact numbers, written or in a file, one a line."""

    numbers = forms.CharField(
        label="Numbers",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Record numbers as your health record has them, or contact numbers like C-004 218.",
    )
    file = forms.FileField(
        label="Or a file",
        required=False,
        help_text="A text file with one number a line. Only the first column of a CSV is read.",
    )

    def clean_file(self) -> list[str]:
        """Return the lines of the file."""
        file: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if not file:
            return []
        if file.size is None or file.size > LARGEST:
            raise forms.ValidationError("The file is larger than 1 MiB. Divide it.")
        try:
            text = file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise forms.ValidationError("The file is no text in UTF-8. Save it as UTF-8.") from None
        return [line.partition(",")[0].strip().strip('"') for line in text.splitlines()]

    def clean(self) -> dict[str, Any]:
        """Ask for somebody."""
        cleaned = super().clean() or {}
        lines = [*cleaned.get("numbers", "").splitlines(), *cleaned.get("file", ())]
        cleaned["lines"] = [line.strip() for line in lines if line.strip()]
        if not self.errors and not cleaned["lines"]:
            self.add_error("numbers", "Write at least one number, or choose a file.")
        if len(cleaned["lines"]) > MOST_LINES:
            self.add_error(None, f"These are more than {MOST_LINES:,} people. Divide them.")
        return cleaned
