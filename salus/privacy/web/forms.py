"""Forms of the privacy office: a request, the reason of a decision, a disclosure."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from salus.kernel.errors import SalusError
from salus.kernel.phi import Phi
from salus.privacy.contracts import Disclosure, Ground, Kind, Suspension

KINDS = {
    Kind.ACCESS: "A copy of the record",
    Kind.ERASURE: "Erasure of the record",
    Kind.ACCOUNTING: "An accounting of disclosures",
}

GROUNDS = {
    Ground.REQUIRED_BY_LAW: "Required by law (45 CFR 164.512(a))",
    Ground.PUBLIC_HEALTH: "Public health (164.512(b))",
    Ground.ABUSE: "Abuse, neglect or violence (164.512(c))",
    Ground.OVERSIGHT: "Health oversight (164.512(d))",
    Ground.COURT: "A court or a lawyer's order (164.512(e))",
    Ground.LAW_ENFORCEMENT: "Law enforcement (164.512(f))",
    Ground.DECEDENTS: "About somebody who has died (164.512(g))",
    Ground.RESEARCH: "Research without an authorization (164.512(i))",
    Ground.THREAT: "A serious threat (164.512(j))",
    Ground.WORKERS_COMPENSATION: "Workers' compensation (164.512(l))",
    Ground.NOT_PERMITTED: "Not permitted: a breach, a wrong address",
    Ground.TREATMENT_PAYMENT_OPERATIONS: "Treatment, payment, operations: not listed (164.528(a)(1)(i))",
    Ground.TO_THE_PERSON: "To the person: not listed (164.528(a)(1)(ii))",
    Ground.INCIDENT_TO: "Incident to a permitted use: not listed (164.528(a)(1)(iii))",
    Ground.AUTHORIZATION: "With an authorization: not listed (164.528(a)(1)(iv))",
    Ground.DIRECTORY: "Directory, or people in their care: not listed (164.528(a)(1)(v))",
    Ground.NATIONAL_SECURITY: "National security: not listed (164.528(a)(1)(vi))",
    Ground.CUSTODY: "Correctional institution or custody: not listed (164.528(a)(1)(vii))",
    Ground.LIMITED_DATA_SET: "Limited data set: not listed (164.528(a)(1)(viii))",
}
"""Why a disclosure was made, as staff choose it: what is told first."""


def _day(label: str, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Write the day like 2026-12-01."},
    )


class Asked(forms.Form):
    """What a person asked for, and when it came in."""

    kind = forms.ChoiceField(
        label="What did they ask for?",
        choices=[(each.value, said) for each, said in KINDS.items()],
        widget=forms.RadioSelect,
    )
    received_at = _day("Received on", "The time to answer runs from this day.")
    note = forms.CharField(
        label="Note",
        max_length=2000,
        required=False,
        help_text="How they asked, and how you know that it is them.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def facts(self) -> dict[str, Any]:
        """Return the arguments of `api.receive`."""
        cleaned = self.cleaned_data
        return {
            "kind": Kind(cleaned["kind"]),
            "note": cleaned["note"],
            "received_at": _moment(cleaned["received_at"]),
        }


class Reason(forms.Form):
    """Why a request is extended or refused, in the words that the person gets."""

    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        help_text="The person is told this in writing.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class DisclosureForm(forms.Form):
    """A disclosure as 45 CFR 164.528(b)(2) asks for it."""

    at = _day("Made on")
    recipient = forms.CharField(label="To whom", max_length=500)
    address = forms.CharField(label="Their address", max_length=500, required=False)
    what = forms.CharField(
        label="What was disclosed", max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    purpose = forms.CharField(
        label="What for",
        max_length=500,
        help_text="So that the person understands it; or which written request asked for it.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    ground = forms.ChoiceField(
        label="On which ground", choices=[(each.value, said) for each, said in GROUNDS.items()]
    )

    def facts(self) -> Disclosure:
        """Return the disclosure."""
        cleaned = self.cleaned_data
        text = {name: Phi(cleaned[name]) for name in ("recipient", "address", "what", "purpose")}
        return Disclosure(_moment(cleaned["at"]), ground=Ground(cleaned["ground"]), **text)


class SuspensionForm(forms.Form):
    """What an agency stated, so that a disclosure to it is not told for a time (45 CFR 164.528(a)(2))."""

    by = forms.CharField(
        label="Who asks for it",
        max_length=500,
        help_text="The agency and its official; the law has you keep their names.",
    )
    in_writing = forms.ChoiceField(
        label="How they stated it",
        choices=[
            ("yes", "In writing: telling would impede their work, and for how long"),
            ("no", "Aloud: it holds for 30 days at most"),
        ],
        widget=forms.RadioSelect,
    )
    until = _day("Ends on", "From this day on it is told again, by itself.")

    def facts(self) -> Suspension:
        """Return the suspension."""
        cleaned = self.cleaned_data
        return Suspension(Phi(cleaned["by"]), _moment(cleaned["until"]), cleaned["in_writing"] == "yes")


def say(form: forms.Form, fault: SalusError) -> None:
    """Say on the form what stands in the way, at the field it is about."""
    said = " ".join(part for part in (fault.what, fault.next_step) if part)
    form.add_error(fault.place if fault.place in form.fields else None, said)


def _moment(day: date) -> datetime:
    """Return the beginning of a day of the organization."""
    return timezone.make_aware(datetime.combine(day, time.min))
