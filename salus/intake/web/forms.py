"""Forms of the import pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms

from salus.contacts import api as contacts
from salus.contacts.contracts import AttributeType
from salus.intake.contracts import Column, CsvMapping, Declaration
from salus.kernel.vocabulary import AddressSource

SOURCES = {
    AddressSource.CLINICAL_ENCOUNTER: "A visit or treatment here",
    AddressSource.PLAN_ENROLLMENT: "Enrollment in a health plan",
    AddressSource.WEBSITE_SIGNUP: "A sign-up on our website",
    AddressSource.EVENT_OR_SCREENING: "An event or a screening",
    AddressSource.REFERRAL: "A referral",
    AddressSource.PURCHASED: "A list that we bought",
    AddressSource.UNKNOWN: "Nobody knows",
}
"""Where addresses come from, in plain words."""

DATE_FORMATS = {
    "": "2024-12-31",
    "MM/DD/YYYY": "12/31/2024",
    "DD/MM/YYYY": "31/12/2024",
    "DD.MM.YYYY": "31.12.2024",
    "YYYYMMDD": "20241231",
    "MM-DD-YYYY": "12-31-2024",
}
CODE_SYSTEMS = {"icd10": "ICD-10", "snomed": "SNOMED CT", "rxnorm": "RxNorm", "cvx": "CVX", "cpt": "CPT"}
LEFT_OUT = "Not imported"


class Declare(forms.Form):
    """Where the addresses of an import come from."""

    source = forms.ChoiceField(
        label="Where do these addresses come from?",
        choices=[("", "Choose"), *((source.value, words) for source, words in SOURCES.items())],
        help_text="The law treats an address from a visit differently from one that was bought.",
        error_messages={"required": "Say where the addresses come from."},
    )
    evidence = forms.CharField(
        label="How do you know?",
        max_length=200,
        help_text="For example: registration desk, form R-2.",
        error_messages={"required": "Say how that is known. A paper, a form, a person."},
    )
    obtained = forms.DateField(
        label="Since when?",
        widget=forms.DateInput(attrs={"type": "date", "class": "is-short"}),
        help_text="The day they were obtained; the last one when they came over time.",
        error_messages={"required": "Give the day.", "invalid": "Write the day as 2024-12-31."},
    )

    def clean_obtained(self) -> date:
        """Refuse a day that has not come."""
        day: date = self.cleaned_data["obtained"]
        if day > date.today():  # noqa: DTZ011 - the day where the person sits, which may be ahead of UTC
            raise forms.ValidationError("That day has not come yet.")
        return day

    def declaration(self) -> Declaration:
        """Return what was declared; raises `BadInput`."""
        given = self.cleaned_data
        return Declaration(AddressSource(given["source"]), given["evidence"], given["obtained"])


class Columns(forms.Form):
    """Where each column of a CSV of people goes."""

    date = forms.ChoiceField(
        label="How are dates written in this file?", choices=list(DATE_FORMATS.items()), required=False
    )
    existing_only = forms.BooleanField(
        label="Only add to people who are here already",
        required=False,
        help_text="A row of somebody unknown is rejected then.",
    )

    def __init__(self, headings: Sequence[str], mapping: CsvMapping, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headings = headings
        chosen = {column.heading: _choice_of(column) for column in mapping.columns}
        self.initial.setdefault("date", mapping.date)
        self.initial.setdefault("existing_only", mapping.existing_only)
        for index, heading in enumerate(headings):
            self.fields[f"column_{index}"] = forms.ChoiceField(
                label=heading or f"Column {index + 1}",
                choices=targets(),
                required=False,
                initial=chosen.get(heading, ""),
            )

    def mapping(self) -> CsvMapping:
        """Return the mapping that was chosen."""
        columns = tuple(
            _column_of(heading, self.cleaned_data[f"column_{index}"])
            for index, heading in enumerate(self.headings)
            if self.cleaned_data.get(f"column_{index}")
        )
        return CsvMapping(
            columns, date=self.cleaned_data["date"], existing_only=self.cleaned_data["existing_only"]
        )


def targets() -> list[tuple[str, Any]]:
    """Return what a column can be, in groups."""
    groups: dict[str, list[tuple[str, str]]] = {
        "Who it is": [
            ("identifier:mrn", "Record number"),
            ("identifier:member", "Member number"),
            ("address:email", "E-mail"),
            ("address:phone", "Phone"),
        ],
        "What we know": [],
        "Codes (several with ; between)": [],
    }
    for key, attribute in contacts.dictionary().items():
        if attribute.type is not AttributeType.RECORDS:
            groups["What we know"].append((f"attribute:{key}", attribute.label))
    for key, system in (
        ("conditions", "icd10"),
        ("conditions", "snomed"),
        ("medications", "rxnorm"),
        ("procedures", "cpt"),
        ("vaccinations", "cvx"),
    ):
        label = f"{contacts.dictionary()[key].label}: {CODE_SYSTEMS[system]} codes"
        groups["Codes (several with ; between)"].append((f"record:{key}:{system}", label))
    return [("", LEFT_OUT), *groups.items()]


def _choice_of(column: Column) -> str:
    system = column.constants.get("system", "")
    return f"{column.target}:{system}" if column.target.startswith("record:") else column.target


def _column_of(heading: str, choice: str) -> Column:
    if not choice.startswith("record:"):
        return Column(heading, choice)
    target, _, system = choice.rpartition(":")
    return Column(heading, target, constants={"system": system})
