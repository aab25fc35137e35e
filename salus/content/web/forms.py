"""What people type on the template pages."""

from __future__ import annotations

from typing import Any

from django import forms

from salus.content import api
from salus.content.contracts import Classification, Draft
from salus.kernel.vocabulary import Promotes, Purpose, Remuneration

EMPTY = ""
NOTHING = "nothing"
"""Begin with an empty page."""
PURPOSES = [
    (one.value, one.value.replace("_", " ").capitalize())
    for one in Purpose
    if one is not Purpose.UNCLASSIFIED
]
PROMOTES = [
    (Promotes.NOTHING.value, "Nothing"),
    (Promotes.OWN_HEALTH.value, "Our own care"),
    (Promotes.OWN_NON_HEALTH.value, "Something of ours that is no care"),
    (Promotes.THIRD_PARTY.value, "Somebody else’s product"),
]
REMUNERATION = [
    (Remuneration.NONE.value, "Nothing"),
    (Remuneration.IN_KIND.value, "Something in kind"),
    (Remuneration.COST_ONLY.value, "No more than our cost"),
    (Remuneration.ABOVE_COST.value, "More than our cost"),
]


class Needed(forms.CharField):
    """Something that must be there, about which the analysis of the draft speaks better than a form."""

    def validate(self, value: Any) -> None:
        """Leave the judgement to the analysis."""


class NewTemplate(forms.Form):
    """A name, and what to begin with."""

    name = forms.CharField(
        label="Name", max_length=120, help_text="For you and your colleagues; readers never see it."
    )
    start = forms.ChoiceField(label="Begin with", widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        starters = [(one.key, one.name) for one in api.starters()]
        self.fields["start"].choices = [(NOTHING, "An empty page"), *starters]  # type: ignore[attr-defined]


class DraftForm(forms.Form):
    """The five things that make a version."""

    subject = Needed(
        label="Subject",
        help_text="Travels in the open: nothing about a person, no word that tells a condition.",
    )
    preheader = forms.CharField(
        label="Preheader", required=False, help_text="The line that mail programs show beside the subject."
    )
    mjml = Needed(
        label="MJML",
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 26, "class": "mono is-code", "spellcheck": "false", "wrap": "off"}
        ),
    )
    text = forms.CharField(
        label="Plain text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono is-code", "spellcheck": "false"}),
        help_text="Leave it empty and it is made from the MJML.",
    )

    def draft(self, language: str) -> Draft:
        """Return what was typed."""
        given = self.cleaned_data
        return Draft(language, given["subject"], given["preheader"], given["mjml"], given["text"])


class ClassificationForm(forms.Form):
    """What the gate must know of a message; nothing is guessed."""

    purpose = forms.ChoiceField(label="What is it for?", choices=[(EMPTY, "Choose"), *PURPOSES])
    topic = forms.CharField(
        label="Topic",
        max_length=60,
        help_text="Readers opt out by topic, like “newsletter” or “preventive care”.",
    )
    conditions = forms.CharField(
        label="Conditions it is about",
        required=False,
        max_length=300,
        help_text="Codes with commas between them, like E11, or vs:diabetes. Who is not in treatment for one may need to sign.",
    )
    promotes = forms.ChoiceField(label="What does it promote?", choices=PROMOTES, widget=forms.RadioSelect)
    remuneration = forms.ChoiceField(
        label="What do we get for sending it?", choices=REMUNERATION, widget=forms.RadioSelect
    )
    payer = forms.CharField(label="Who pays", required=False, max_length=120)
    payer_is_promoted_party = forms.BooleanField(label="The payer’s product is promoted", required=False)

    def classification(self) -> Classification:
        """Return what was chosen."""
        given = self.cleaned_data
        conditions = tuple(code.strip() for code in given["conditions"].split(",") if code.strip())
        return Classification(
            purpose=Purpose(given["purpose"]),
            promotes=Promotes(given["promotes"]),
            remuneration=Remuneration(given["remuneration"]),
            topic=given["topic"].strip().lower(),
            payer=given["payer"].strip(),
            payer_is_promoted_party=given["payer_is_promoted_party"],
            conditions=conditions,
        )


def classification_initial(classification: Classification | None) -> dict[str, Any]:
    """Return how the form begins: with what stands, or with the common answers."""
    if classification is None:
        return {"promotes": Promotes.NOTHING.value, "remuneration": Remuneration.NONE.value}
    return {
        "purpose": classification.purpose.value,
        "promotes": classification.promotes.value,
        "remuneration": classification.remuneration.value,
        "topic": classification.topic,
        "payer": classification.payer,
        "payer_is_promoted_party": classification.payer_is_promoted_party,
        "conditions": ", ".join(classification.conditions),
    }


class DomainForm(forms.Form):
    """A domain of the organization's own."""

    domain = forms.CharField(
        label="Domain", max_length=253, help_text="Like clinic.example.org; what lies below it is included."
    )
