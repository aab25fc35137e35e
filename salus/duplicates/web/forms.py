"""Forms of duplicates: two numbers, what is kept and why, whose word was given since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from salus.contacts import api as contacts
from salus.contacts.contracts import Compared
from salus.duplicates.api import LONGEST_WHY
from salus.kernel.joining import GivenBy
from salus.platform.web.given import number_given

ADDRESSES = {"email": "E-mail", "phone": "Phone"}
GIVEN_BY = {
    GivenBy.NOBODY: "Nobody can tell: nothing of it permits anything, and both are asked again",
    GivenBy.KEPT: "The person of the record that was kept",
    GivenBy.GONE: "The person of the other record",
}


def label_of(field: str) -> str:
    """Return how pages call a field of the comparison."""
    if field in ADDRESSES:
        return ADDRESSES[field]
    return "Record numbers" if field == "identifiers" else contacts.dictionary()[field].label


def _why(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_WHY,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept sealed with the merge. The log says who and when.",
        error_messages={"required": "Say why in a few words."},
    )


class Numbers(forms.Form):
    """Two contact numbers to compare."""

    first = forms.CharField(label="One contact number", max_length=20)
    second = forms.CharField(label="The other", max_length=20)

    def clean(self) -> dict[str, Any]:
        """Find both."""
        data = super().clean() or {}
        for name in ("first", "second"):
            text = str(data.get(name, "")).strip().upper().removeprefix("C-")
            number = number_given(text.replace(" ", "").replace("\u00a0", ""), most_digits=12)
            found = contacts.find_by_number(number) if number is not None else None
            if name in data and found is None:
                self.add_error(name, "Nobody here has this number.")
            data[f"{name}_id"] = found
        if not self.errors and data["first_id"] == data["second_id"]:
            self.add_error("second", "These are the same record. Write two numbers.")
        return data


class Merging(forms.Form):
    """Which record goes on, whose word counts where they differ, and why."""

    def __init__(self, data: Any, *, compared: Compared, numbers: Sequence[str]) -> None:
        super().__init__(data)
        keep = [("0", f"Keep {numbers[0]}"), ("1", f"Keep {numbers[1]}")]
        self.fields["keep"] = forms.ChoiceField(
            label="Which record goes on?",
            choices=keep,
            initial="0",
            widget=forms.RadioSelect,
            help_text="The other number leads to it from then on.",
        )
        for field in compared.differing:
            own = [("0", numbers[0]), ("1", numbers[1])]
            if field in ADDRESSES:
                own.append(("both", "Both"))
            self.fields[f"of_{field}"] = forms.ChoiceField(
                label=f"{label_of(field)}: whose?", choices=own, initial="0", widget=forms.RadioSelect
            )
        self.fields["why"] = _why("Why are they one person?")
        self._compared = compared

    def told(self) -> tuple[int, Mapping[str, Any], str]:
        """Return the place of the record to keep, the choices by field, and why."""
        kept = int(self.cleaned_data["keep"])
        choices = {}
        for field in self._compared.differing:
            chosen = self.cleaned_data[f"of_{field}"]
            choices[field] = chosen if chosen == "both" else "kept" if int(chosen) == kept else "gone"
        return kept, choices, self.cleaned_data["why"]


class Splitting(forms.Form):
    """Whose word was given since the merge, and why it was wrong."""

    given_by = forms.ChoiceField(
        label="Who gave the consents since the merge?",
        choices=[(each.value, said) for each, said in GIVEN_BY.items()],
        initial=GivenBy.NOBODY.value,
        widget=forms.RadioSelect,
        help_text="What somebody forbade since then holds for both, whoever it was.",
    )
    why = _why("Why were they not one person?")
