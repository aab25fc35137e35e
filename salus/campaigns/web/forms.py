"""Forms of campaigns: what it is, its approval, its launch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from salus.audiences.contracts import Segment
from salus.campaigns.contracts import Campaign
from salus.content.contracts import TemplateSummary, TemplateVersion
from salus.platform.web.templatetags.salus import words

LANGUAGES = {"en": "English", "es": "Spanish"}
"""Languages that a template may be written in, as staff say them."""


class Draft(forms.Form):
    """What a campaign is: its name, who gets it, and the template version for each language."""

    name = forms.CharField(
        label="Name",
        max_length=120,
        help_text="Only staff see it. It is never sent to anyone.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    segment = forms.ChoiceField(label="Who gets it", help_text="The gate then decides for each of them.")

    def offer(
        self,
        segments: Sequence[Segment],
        templates: Sequence[TemplateSummary],
        present: Sequence[TemplateVersion] = (),
    ) -> None:
        """Offer these segments and the newest version of each template, and those that are chosen already."""
        segment = self.fields["segment"]
        assert isinstance(segment, forms.ChoiceField)
        segment.choices = [
            ("", "Choose a segment"),
            *((str(one.id), one.name.reveal()) for one in segments),
        ]
        newest = [version for summary in templates for version in summary.newest.values()]
        names = {summary.id: summary.name for summary in templates}
        every = {version.id: version for version in (*present, *newest)}
        spoken = sorted(
            {version.language for version in every.values()}, key=lambda word: (word != "en", word)
        )
        for language in spoken:
            mine = [version for version in every.values() if version.language == language]
            self.fields[f"version_{language}"] = forms.ChoiceField(
                label=f"Template in {LANGUAGES.get(language, language)}",
                required=False,
                choices=[
                    ("", f"No message in {LANGUAGES.get(language, language)}"),
                    *((str(one.id), _said(one, names.get(one.template_id, one.name))) for one in mine),
                ],
            )

    def versions(self) -> dict[str, UUID]:
        """Return the chosen template versions by language."""
        return {
            name.removeprefix("version_"): UUID(value)
            for name, value in self.cleaned_data.items()
            if name.startswith("version_") and value
        }

    def clean(self) -> dict[str, Any]:
        """Ask for at least one language."""
        cleaned = super().clean() or {}
        offered = [name for name in self.fields if name.startswith("version_")]
        if offered and not any(cleaned.get(name) for name in offered):
            self.add_error(offered[0], "Choose a template in at least one language.")
        return cleaned


def draft_of(campaign: Campaign) -> dict[str, Any]:
    """Return what the form shows at first for a campaign."""
    chosen = {f"version_{language}": str(id) for language, id in campaign.versions.items()}
    return {"name": campaign.name.reveal(), "segment": str(campaign.segment_id), **chosen}


class Approval(forms.Form):
    """A person says that they read the plan that they see."""

    plan = forms.UUIDField(widget=forms.HiddenInput)
    read = forms.BooleanField(
        label="I have read who receives it, what it discloses and why that is allowed.",
        error_messages={"required": "Please read the plan first, then say so here."},
    )


class SendingBack(forms.Form):
    """A note to the author."""

    note = forms.CharField(
        label="What should change?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say what should change, so that the author can do it."},
    )


class Launch(forms.Form):
    """Now, or at a time of the organization's clock."""

    when = forms.ChoiceField(
        label="When",
        choices=[("now", "Now"), ("later", "At a time")],
        initial="now",
        widget=forms.RadioSelect,
    )
    at = forms.DateTimeField(
        label="Day and time",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"],
        error_messages={"invalid": "Write the day and the time like 2026-12-01 10:00."},
    )

    def clean(self) -> dict[str, Any]:
        """Ask for a time that lies ahead, for "at a time"."""
        cleaned = super().clean() or {}
        if cleaned.get("when") == "later" and "at" not in self.errors:
            at = cleaned.get("at")
            if at is None:
                self.add_error("at", "Say when.")
            elif at <= timezone.now():
                self.add_error("at", "This time has passed. Choose a later one, or launch it now.")
        return cleaned

    def not_before(self) -> datetime | None:
        """Return the chosen time, None for now."""
        at: datetime | None = self.cleaned_data["at"]
        return at if self.cleaned_data["when"] == "later" else None


def _said(version: TemplateVersion, name: str) -> str:
    """Return a version as the list says it: name, number, what it is for, and whether that is confirmed."""
    about = version.classification
    purpose = "not classified yet" if about is None else words(about.purpose).lower()
    state = "" if about is None or about.confirmed_by else ", not confirmed"
    return f"{name}, version {version.number}: {purpose}{state}"
