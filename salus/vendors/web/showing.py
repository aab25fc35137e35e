"""How the register's words are shown: standings, reasons, kinds, classes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from salus.kernel.acting import Actor
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Special
from salus.platform.web.templatetags.salus import words
from salus.vendors import api
from salus.vendors.contracts import (
    Agreement,
    Due,
    DueKind,
    Finding,
    Kind,
    Label,
    Relation,
    Service,
    Severity,
    Standing,
    Subcontractor,
    Vendor,
    Waiting,
    Why,
)

STANDINGS = {
    Standing.IN_FORCE: ("clear", "In force"),
    Standing.NOT_SIGNED: ("wait", "Not signed"),
    Standing.INCOMPLETE: ("refuse", "Clauses missing"),
    Standing.EXPIRED: ("broke", "Expired"),
    Standing.ENDED: ("", "Ended"),
}
"""How an agreement's standing is shown: the kind of its tag, and its words."""

RELATIONS = {
    Relation.ASSOCIATE: ("", "Business associate"),
    Relation.OURS: ("", "Run by us"),
    Relation.NO_PHI: ("", "No PHI"),
}
"""What a vendor is to us, in as many words as a tag has room for."""

KINDS = {
    Kind.WEBHOOK: "Webhook",
    Kind.SMTP_ROUTE: "Mail relay",
    Kind.SMS: "Text messages",
    Kind.KMS: "Key management",
    Kind.BACKUP: "Backup",
    Kind.IDENTITY_PROVIDER: "Sign-in",
    Kind.SYSLOG: "Log server",
    Kind.WITNESS: "Witness of the log",
    Kind.TLS_REPORTS: "Reports about TLS",
}

SHORT = {
    Why.SWITCHED_OFF: "Switched off",
    Why.NO_AGREEMENT: "No agreement",
    Why.NOT_SIGNED: "Agreement not signed",
    Why.INCOMPLETE: "Agreement lacks clauses",
    Why.EXPIRED: "Agreement expired",
    Why.ENDED: "Agreement ended",
    Why.NOT_ATTESTED: "Set-up not attested",
}
"""Why nothing at all may go to a service, in as many words as a table has room for."""


SPECIALS = {
    Special.PART2_SUD: "Substance use program (Part 2)",
    Special.HIV: "HIV",
    Special.REPRODUCTIVE: "Reproductive care",
    Special.GENETIC: "Genetic information",
    Special.MENTAL_HEALTH: "Mental health",
    Special.SENSITIVE_DEMOGRAPHIC: "Ethnicity, religion, income, family",
}
"""Special categories as people say them."""


def label_words(label: Label) -> str:
    """Return a PHI class or a special category as people say it."""
    return SPECIALS[label] if isinstance(label, Special) else words(label)


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def vendor_row(vendor: Vendor) -> dict[str, Any]:
    """Return what the list shows of a vendor."""
    agreement = vendor.in_force or next(iter(vendor.agreements), None)
    usable = sum(service.why_not is None for service in vendor.services)
    return {
        "vendor": vendor,
        "agreement": agreement,
        "tag": _vendor_tag(vendor, agreement),
        "services": len(vendor.services),
        "usable": usable,
    }


def _vendor_tag(vendor: Vendor, agreement: Agreement | None) -> tuple[str, str]:
    if vendor.relation is not Relation.ASSOCIATE:
        return RELATIONS[vendor.relation]
    return STANDINGS[agreement.standing] if agreement else ("refuse", "No agreement")


def control_rows(service: Service, names: Mapping[UUID, str]) -> list[dict[str, Any]]:
    """Return what a service's page shows of each control that has to be attested."""
    known = {each.control: each for each in service.attestations}
    rows = []
    for control in api.controls(service.kind):
        found = known.get(control)
        tag = (
            ("clear", "Attested")
            if found and found.holds
            else ("broke", "Out of date")
            if found
            else ("refuse", "Missing")
        )
        by = names.get(found.recorded_by, "") if found and found.recorded_by else ""
        rows.append({"asked": api.CONTROLS[control], "found": found, "tag": tag, "recorded_by": by})
    return rows


def due_row(due: Due, today: date) -> dict[str, Any]:
    """Return what the calendar shows of something that is due: its place in time, and where to go for it."""
    days = (due.on - today).days
    tag = ("broke", "Overdue") if days < 0 else ("wait", "Now" if days == 0 else "Soon")
    return {
        "due": due,
        "tag": tag if days <= api.SOON.days else ("", "Later"),
        "subject": due.subject if due.kind in (DueKind.ATTESTATION, DueKind.SUBCONTRACTOR) else None,
        "url": reverse("vendors:show", args=[due.vendor_id]),
    }


SEVERITIES = {
    Severity.ERROR: ("refuse", "Stopped"),
    Severity.WARNING: ("wait", "Soon"),
    Severity.NOTE: ("", "To know"),
}


def finding_row(finding: Finding, names: Mapping[UUID, Phi[str]]) -> dict[str, Any]:
    """Return what the list shows of a finding."""
    return {"finding": finding, "vendor": names[finding.vendor_id], "tag": SEVERITIES[finding.severity]}


def subcontractor_row(each: Subcontractor) -> dict[str, Any]:
    """Return what a vendor's page shows of a subcontractor."""
    tag = (
        ("clear", "Proven")
        if each.holds
        else ("wait", "Look again")
        if each.proof.reveal()
        else ("refuse", "No proof")
    )
    return {"subcontractor": each, "tag": tag}


def agreement_row(agreement: Agreement, names: Mapping[UUID, str]) -> dict[str, Any]:
    """Return what a vendor's page shows of an agreement."""
    return {
        "agreement": agreement,
        "tag": STANDINGS[agreement.standing],
        "has": len(api.REQUIRED) - len(agreement.missing),
        "whole": len(api.REQUIRED),
        "missing": [api.CLAUSES[clause] for clause in agreement.missing],
        "optional": [
            asked
            for clause, asked in api.CLAUSES.items()
            if clause in agreement.clauses and not asked.required
        ],
        "by": names.get(agreement.recorded_by, "") if agreement.recorded_by else "",
        "may_change": agreement.signed_on is None and agreement.ended_on is None,
        "may_end": agreement.ended_on is None,
    }


def service_row(service: Service, waiting: Mapping[UUID, Waiting]) -> dict[str, Any]:
    """Return what a page shows of a service: in use or not, why not, and what waits for it."""
    waits = waiting.get(service.id, Waiting(0))
    why = service.why_not
    return {
        "service": service,
        "kind": KINDS[service.kind],
        "tag": ("refuse", SHORT[why]) if why else ("clear", "In use"),
        "words": api.WORDS[why] if why else None,
        "labels": [label_words(label) for label in sorted(service.may_carry)],
        "waiting": waits.count,
        "paused": api.WORDS[Why(waits.paused)][0] if waits.paused else "",
    }


now = timezone.now
