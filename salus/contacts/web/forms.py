"""Forms of the contacts pages: the search, and the request to see protected values."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms

PURPOSES: Mapping[str, str] = {
    "treatment": "Treatment",
    "payment": "Payment",
    "operations": "Health care operations",
    "patient_request": "The patient asked",
}
"""Why somebody may look: the word in the log, and what the page says."""

GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "who": ("Name and birth date", ("given_name", "family_name", "birth_date", "gender")),
    "reach": ("E-mail, phone and record numbers", ("email", "phone", "identifiers", "city", "postal_code")),
    "care": (
        "Conditions, medicines, labs and visits",
        (
            "conditions",
            "medications",
            "labs",
            "procedures",
            "vaccinations",
            "allergies",
            "hospitalizations",
            "encounters",
            "appointments",
            "treatment_plans",
            "risk_factors",
            "lifestyle_risks",
            "pregnant",
            "due_date",
        ),
    ),
    "life": (
        "Insurance, work and family",
        (
            "insurance_type",
            "insurance_payer",
            "coverages",
            "employment_status",
            "education_level",
            "income",
            "marital_status",
            "family_status",
            "race",
            "ethnicity",
            "religion",
            "department",
            "physician",
        ),
    ),
}
"""What can be revealed together: the label, and the fields."""


class Search(forms.Form):
    """Finds one person by what only they have; sent by POST, so that it stands in no address or log."""

    q = forms.CharField(
        label="Find a person",
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Write a whole e-mail address, phone number or record number."},
    )


class Reveal(forms.Form):
    """What to see of one person, and what for."""

    purpose = forms.ChoiceField(
        label="What for?",
        choices=[("", "Choose a purpose"), *PURPOSES.items()],
        error_messages={"required": "Say what for. The patient can see it."},
    )
    groups = forms.MultipleChoiceField(
        label="What",
        choices=[(key, label) for key, (label, _) in GROUPS.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )


def fields_of(groups: list[str]) -> list[str]:
    """Return the fields of the chosen groups."""
    return [name for key in groups if key in GROUPS for name in GROUPS[key][1]]
