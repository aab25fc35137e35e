"""Forms of the register: a vendor, an agreement with its checklist, a service."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django import forms

from salus.kernel.errors import SalusError
from salus.kernel.vocabulary import PhiClass, Special
from salus.vendors import api
from salus.vendors.contracts import (
    Agreement,
    Clause,
    Control,
    Duty,
    Kind,
    Owner,
    Relation,
    Responsibility,
    Service,
    Subcontractor,
)
from salus.vendors.web.showing import KINDS, label_words


class Checklist(forms.MultipleChoiceField):
    """Any number of ticks, also none, and for that not called optional."""

    widget = forms.CheckboxSelectMultiple

    def validate(self, value: list[str]) -> None:
        """Refuse a tick that was not offered."""
        if value:
            super().validate(value)


class About(forms.Form):
    """A vendor's name, what it is to us, and a note."""

    name = forms.CharField(label="Name", max_length=120)
    relation = forms.ChoiceField(
        label="What is it to us?",
        choices=[(each.value, f"{asked.words} ({asked.citation})") for each, asked in api.RELATIONS.items()],
        initial=Relation.ASSOCIATE.value,
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label="Note",
        max_length=2000,
        required=False,
        help_text="Whom to call, where the contract is kept.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def facts(self) -> dict[str, Any]:
        """Return the arguments of `api.create_vendor` and `api.change_vendor`."""
        cleaned = self.cleaned_data
        return {"name": cleaned["name"], "note": cleaned["note"], "relation": Relation(cleaned["relation"])}


def _day(label: str, help_text: str, *, required: bool = False) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
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
    agency = forms.CharField(
        label="Who signed off that it is independent",
        max_length=2000,
        required=False,
        help_text="Counsel's name, the day and the reason. Only then our time begins when the vendor tells us.",
        widget=forms.Textarea(attrs={"rows": 2}),
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
            "agency": cleaned["agency"],
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
        "agency": agreement.agency.reveal(),
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
        help_text="It begins with https://; a mail relay's with smtp:// or smtps://, a log server's with syslog+tls://.",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocapitalize": "none", "spellcheck": "false"}),
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
            "address": cleaned["address"],
            "may_carry": [*cleaned["classes"], *cleaned["specials"]],
        }

    def fix(self) -> None:
        """Ask only what can change."""
        del self.fields["kind"]


class VerificationForm(forms.Form):
    """That somebody looked whether a vendor keeps its agreement."""

    by = forms.CharField(label="Who looked", max_length=120, help_text="A name, and what they do.")
    evidence = forms.CharField(
        label="What was seen",
        max_length=2000,
        help_text="An expert's analysis and the vendor's certificate would be asked for by the proposed rule.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    verified_on = _day("Looked on", "", required=True)
    next_on = _day("Look again by", "A year later at most.", required=True)


class SubcontractorForm(forms.Form):
    """Who works for a vendor with our data, and the proof that was seen."""

    name = forms.CharField(label="Name", max_length=120)
    does = forms.CharField(
        label="What it does with our data", max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    proof = forms.CharField(
        label="Proof that it agreed to the same restrictions",
        max_length=2000,
        required=False,
        help_text="Which paper you saw, and where it is kept. Leave it empty if you saw none: it is on the calendar then.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    seen_on = _day("Seen on", "")
    next_on = _day("Look again by", "A year later at most.")


class DutiesForm(forms.Form):
    """Who has each duty about a vendor's services: two fields for each."""

    NOBODY = "nobody"
    OWNERS = ((NOBODY, "Nobody yet"), ("we", "We"), ("vendor", "The vendor"), ("both", "Both"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for duty, asked in api.DUTIES.items():
            self.fields[f"{duty}_owner"] = forms.ChoiceField(label=asked.words, choices=self.OWNERS)
            self.fields[f"{duty}_who"] = forms.CharField(
                label="Who at our side", max_length=120, required=False
            )

    def rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """Return citation, owner and person of each duty, for the page."""
        return [
            (asked.citation, self[f"{duty}_owner"], self[f"{duty}_who"]) for duty, asked in api.DUTIES.items()
        ]

    def facts(self) -> dict[Duty, tuple[Owner | None, str]]:
        """Return the argument of `api.assign`."""
        cleaned = self.cleaned_data
        return {
            duty: (
                None if (owner := cleaned[f"{duty}_owner"]) == self.NOBODY else Owner(owner),
                cleaned[f"{duty}_who"],
            )
            for duty in api.DUTIES
        }


class AttestationForm(forms.Form):
    """What somebody attests of a service, and what was seen for it."""

    controls = Checklist(
        label="What is attested",
        choices=[(each.value, f"{asked.words} ({asked.citation})") for each, asked in api.CONTROLS.items()],
        help_text="One paper may say several things, for example a security report or a filled-in questionnaire.",
    )
    by = forms.CharField(label="Who attests it", max_length=120, help_text="A name, and what they do there.")
    evidence = forms.CharField(
        label="What was seen",
        max_length=2000,
        help_text="Which paper, of which date, and where it is kept; or which setting you looked at yourself.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    attested_on = _day("Attested on", "", required=True)
    expires_on = _day(
        "Look again by",
        "A year later at most. From the day after, nothing goes to the service.",
        required=True,
    )

    def facts(self) -> dict[str, Any]:
        """Return the arguments of `api.attest`."""
        cleaned = self.cleaned_data
        return {**cleaned, "controls": frozenset(map(Control, cleaned["controls"]))}


def shown_of(service: Service) -> dict[str, Any]:
    """Return what the form shows of a service at first."""
    return {
        "kind": Kind(service.kind).value,
        "name": service.name.reveal(),
        "address": service.address,
        "classes": _words(service.may_carry, PhiClass),
        "specials": _words(service.may_carry, Special),
    }


def shown_subcontractor(each: Subcontractor) -> dict[str, Any]:
    """Return what the form shows of a subcontractor at first."""
    text = {"name": each.name.reveal(), "does": each.does.reveal(), "proof": each.proof.reveal()}
    return {**text, "seen_on": each.seen_on, "next_on": each.next_on}


def shown_duties(responsibilities: Mapping[Duty, Responsibility]) -> dict[str, str]:
    """Return what the form of duties shows at first."""
    owners = {f"{duty}_owner": each.owner.value for duty, each in responsibilities.items()}
    return owners | {f"{duty}_who": each.who.reveal() for duty, each in responsibilities.items()}


def to_attest(service: Service) -> dict[str, Any]:
    """Return what the form of an attestation shows at first: everything that nobody attests now."""
    holds = {each.control for each in service.attestations if each.holds}
    return {"controls": [each.value for each in api.controls(service.kind) if each not in holds]}


def say(form: forms.Form, fault: SalusError) -> None:
    """Say on the form what stands in the way, at the field it is about."""
    place = {"may_carry": "classes"}.get(fault.place, fault.place)
    place = f"{place}_who" if f"{place}_who" in form.fields else place
    said = " ".join(part for part in (fault.what, fault.next_step) if part)
    form.add_error(place if place in form.fields else None, said)


def _words(labels: Collection[PhiClass | Special], kind: type[PhiClass | Special]) -> list[str]:
    return [each.value for each in labels if isinstance(each, kind)]
