"""Forms of reports: why names are opened, and which entries of the log to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from salus.audit.contracts import Action, Filters
from salus.reports.contracts import Figure, LogForm, Reveal
from salus.reports.web.words import FIGURES, REVEALS

WHICH = [(figure.value, FIGURES[figure].label) for figure in Figure]
PURPOSES = [("", "Choose a purpose"), *((each.value, words) for each, words in REVEALS.items())]


class Purpose(forms.Form):
    """What names and addresses are opened for."""

    purpose = forms.ChoiceField(
        label="What for?",
        choices=PURPOSES,
        error_messages={"required": "Say what for. It is written into the log under your name."},
    )


class Export(forms.Form):
    """Which people go into the file, and whether it says who they are."""

    figure = forms.ChoiceField(label="Which people", choices=WHICH, initial=Figure.ALL.value)
    names = forms.BooleanField(
        label="With names and addresses",
        required=False,
        help_text="The file is then PHI: keep it where PHI is kept.",
    )
    purpose = forms.ChoiceField(label="What the names are for", choices=PURPOSES, required=False)

    def __init__(self, *args: Any, may_reveal: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_reveal:
            del self.fields["names"], self.fields["purpose"]

    def clean(self) -> dict[str, Any]:
        """Want a purpose where names are wanted."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("names") and not given.get("purpose"):
            self.add_error("purpose", "Say what for. It is written into the log under your name.")
        return given

    def reveal(self) -> Reveal | None:
        """Return the purpose, None when the file is to stay masked."""
        given = self.cleaned_data
        return Reveal(given["purpose"]) if given.get("names") else None


def areas() -> list[tuple[str, str]]:
    """Return the areas of the log's vocabulary, and in each its words."""
    found = sorted({action.partition(":")[0] for action in Action})
    return [(f"{area}:", area.capitalize()) for area in found]


class Entries(forms.Form):
    """Which entries of the log to show; empty fields do not narrow."""

    action = forms.ChoiceField(label="What", required=False)
    actor = forms.CharField(
        label="Who acted",
        max_length=200,
        required=False,
        help_text="Part of a name or e-mail address, or an id.",
    )
    object = forms.UUIDField(
        label="Of what (id)", required=False, error_messages={"invalid": "That is not an id."}
    )
    patient = forms.UUIDField(
        label="Which patient (id)", required=False, error_messages={"invalid": "That is not an id."}
    )
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(
        label="To, that day too", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    outcome = forms.ChoiceField(
        label="Outcome",
        required=False,
        choices=[("", "Any"), ("ok", "Done"), ("refused", "Refused"), ("failed", "Failed")],
    )

    def __init__(self, *args: Any, find: Callable[[str], Sequence[tuple[UUID, str]]], **kwargs: Any) -> None:
        """`find` returns the id and name of up to two people of the staff whose name or address has a text."""
        super().__init__(*args, **kwargs)
        self._find = find
        actions = [(action.value, action.value.replace(":", " › ").replace("_", " ")) for action in Action]
        self.fields["action"].choices = [  # type: ignore[attr-defined]
            ("", "Everything"),
            *(
                (
                    words,
                    [
                        (area, f"All of {words.lower()}"),
                        *(each for each in actions if each[0].startswith(area)),
                    ],
                )
                for area, words in areas()
            ),
        ]

    def clean_actor(self) -> UUID | None:
        """Return the id of the one who is meant."""
        text = self.cleaned_data["actor"].strip()
        if not text:
            return None
        try:
            return UUID(text)
        except ValueError:
            found = self._find(text)
        if len(found) == 1:
            return found[0][0]
        if found:
            raise forms.ValidationError("More than one person has this in their name. Write more of it.")
        raise forms.ValidationError("Nobody of the staff has this in their name.")

    def filters(self) -> Filters:
        """Return what to show; faulty fields do not narrow, the page says that they are faulty."""
        given = self.cleaned_data
        return Filters(
            action=given.get("action") or "",
            actor_id=given.get("actor"),
            patient_id=given.get("patient"),
            object_id=given.get("object"),
            outcome=given.get("outcome") or "",
            since=_midnight(given.get("since")),
            until=_midnight(given.get("until"), days=1),
        )


def _midnight(day: Any, days: int = 0) -> datetime | None:
    """Return the first moment of a day (or of one `days` later) in the organization's time zone."""
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=days), time.min))


class LogExport(forms.Form):
    """What a file with entries of the log is made of."""

    form = forms.ChoiceField(
        label="As",
        choices=[
            (LogForm.CSV.value, "CSV, for a spreadsheet"),
            (LogForm.JSON.value, "JSON lines, for a program"),
            (LogForm.SYSLOG.value, "Syslog (RFC 5424), for a collector of logs"),
        ],
    )


class CopyHours(forms.Form):
    """How often a witness of the log is written to."""

    hours = forms.TypedChoiceField(
        label="Write to it",
        coerce=int,
        choices=[
            (1, "Every hour at most"),
            (6, "Every 6 hours at most"),
            (24, "Once a day at most"),
            (0, "Only when asked"),
        ],
    )
