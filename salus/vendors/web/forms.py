"""Forms of the register: a vendor, an agreement with its checklist, a service."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from django import forms

from salus.kernel.errors import SalusError
from salus.kernel.vocabulary import PhiClass, Special
from salus.vendors import api
from salus.vendors.contracts import Agreement, Clause, Kind, Service
from salus.vendors.web.showing import KINDS, label_words


class Checklist(forms.MultipleChoiceField):
    """Any number of ticks, also none, and for that not called optional."""

    widget = forms.CheckboxSelectMultiple

    def validate(self, value: list[str]) -> None:
        """Refuse a tick that was not offered."""
        if value:
            super().validate(value)


class About(forms.Form):
    """A vendor's name and a note."""

    name = forms.CharField(label="Name", max_length=120)
    note = forms.CharField(
        label="Note",
        max_length=2000,
        required=False,
        help_text="Whom to call, where the contract is kept.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def _day(label: str, help_text: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Write the day like 2026-12-01."},
    )


class AgreementForm(forms.Form):
    """One agreement, and which clauses it has."""

    signed_on = _day(
        "Signed on", "Leave it empty while it is not signed: nothing may go to the vendor until then."
    )
    valid_until = _day("Valid until", "Its last day. Leave it empty if it holds until somebody ends it.")
    agent = forms.ChoiceField(
        label="What is the vendor to us?",
        choices=[("yes", "Our agent"), ("no", "Independent")],
        initial="yes",
        help_text="What our agent discovers, we have discovered: the clock for a breach begins with it (45 CFR 164.404(a)(2)).",
        widget=forms.RadioSelect,
    )
    report_hours = forms.IntegerField(
        label="Reports within, hours",
        initial=24,
        help_text="How soon after a discovery it must tell us. The law's limit is 1,440 hours (60 days).",
        error_messages={"invalid": "Write a number of hours."},
    )
    required = Checklist(
        label="Clauses that the law asks for",
        choices=[
            (clause.value, f"{asked.words} ({asked.citation})")
            for clause, asked in api.CLAUSES.items()
            if asked.required
        ],
        help_text="Tick what you found in the text. If one is missing, the agreement does not hold.",
    )
    further = Checklist(
        label="Further clauses",
        choices=[(clause.value, asked.words) for clause, asked in api.CLAUSES.items() if not asked.required],
    )
    note = forms.CharField(
        label="Note", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def facts(self) -> dict[str, Any]:
        """Return the arguments of `api.record_agreement`."""
        cleaned = self.cleaned_data
        signed_on: date | None = cleaned["signed_on"]
        return {
            "signed_on": signed_on,
            "valid_until": cleaned["valid_until"],
            "agent": cleaned["agent"] == "yes",
            "report_hours": cleaned["report_hours"],
            "clauses": frozenset(map(Clause, [*cleaned["required"], *cleaned["further"]])),
            "note": cleaned["note"],
        }


def initial_of(agreement: Agreement) -> dict[str, Any]:
    """Return what the form shows of an agreement at first."""
    return {
        "signed_on": agreement.signed_on,
        "valid_until": agreement.valid_until,
        "agent": "yes" if agreement.agent else "no",
        "report_hours": agreement.report_hours,
        "required": [clause.value for clause in agreement.clauses & api.REQUIRED],
        "further": [clause.value for clause in agreement.clauses - api.REQUIRED],
        "note": agreement.note.reveal(),
    }


class ServiceForm(forms.Form):
    """One service: what it does, where it is, what it may carry."""

    kind = forms.ChoiceField(
        label="What it does", choices=[(kind.value, said) for kind, said in KINDS.items()]
    )
    name = forms.CharField(label="Name", max_length=120)
    address = forms.CharField(
        label="Address",
        max_length=500,
        required=False,
        help_text="Of a webhook: it begins with https:// and is on the public internet.",
        widget=forms.URLInput(attrs={"inputmode": "url", "autocapitalize": "none", "spellcheck": "false"}),
    )
    classes = Checklist(
        label="What it may carry",
        choices=[(each.value, label_words(each)) for each in PhiClass],
        help_text="Only what the agreement covers and the service needs. Anything else is refused.",
    )
    specials = Checklist(
        label="Specially protected categories",
        choices=[(each.value, label_words(each)) for each in Special if each not in api.NEVER],
        help_text="Records of a substance use program (Part 2) need a clause of their own in the agreement.",
    )

    def facts(self) -> dict[str, Any]:
        """Return the arguments of `api.create_service` and `api.change_service`, but for the kind."""
        cleaned = self.cleaned_data
        return {
            "name": cleaned["name"],
            "address": cleaned.get("address", ""),
            "may_carry": [*cleaned["classes"], *cleaned["specials"]],
        }

    def fix(self, kind: Kind) -> None:
        """Ask only what can change for a service of this kind."""
        del self.fields["kind"]
        if kind is Kind.WEBHOOK:
            self.fields["address"].required = True
        else:
            del self.fields["address"]


def shown_of(service: Service) -> dict[str, Any]:
    """Return what the form shows of a service at first."""
    return {
        "kind": Kind(service.kind).value,
        "name": service.name.reveal(),
        "address": service.address,
        "classes": _words(service.may_carry, PhiClass),
        "specials": _words(service.may_carry, Special),
    }


def say(form: forms.Form, fault: SalusError) -> None:
    """Say on the form what stands in the way, at the field it is about."""
    place = "classes" if fault.place == "may_carry" else fault.place
    said = " ".join(part for part in (fault.what, fault.next_step) if part)
    form.add_error(place if place in form.fields else None, said)


def _words(labels: Collection[PhiClass | Special], kind: type[PhiClass | Special]) -> list[str]:
    return [each.value for each in labels if isinstance(each, kind)]
