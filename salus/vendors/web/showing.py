"""How the register's words are shown: standings, reasons, kinds, classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from salus.kernel.acting import Actor
from salus.kernel.vocabulary import Special
from salus.platform.web.templatetags.salus import words
from salus.vendors import api
from salus.vendors.contracts import Agreement, Kind, Label, Service, Standing, Vendor, Waiting, Why

STANDINGS = {
    Standing.IN_FORCE: ("clear", "In force"),
    Standing.NOT_SIGNED: ("wait", "Not signed"),
    Standing.INCOMPLETE: ("refuse", "Clauses missing"),
    Standing.EXPIRED: ("broke", "Expired"),
    Standing.ENDED: ("", "Ended"),
}
"""How an agreement's standing is shown: the kind of its tag, and its words."""

KINDS = {
    Kind.WEBHOOK: "Webhook",
    Kind.SMTP_ROUTE: "Mail relay",
    Kind.SMS: "Text messages",
    Kind.KMS: "Key management",
    Kind.BACKUP: "Backup",
    Kind.IDENTITY_PROVIDER: "Sign-in",
}

SHORT = {
    Why.SWITCHED_OFF: "Switched off",
    Why.NO_AGREEMENT: "No agreement",
    Why.NOT_SIGNED: "Agreement not signed",
    Why.INCOMPLETE: "Agreement lacks clauses",
    Why.EXPIRED: "Agreement expired",
    Why.ENDED: "Agreement ended",
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
        "tag": STANDINGS[agreement.standing] if agreement else ("refuse", "No agreement"),
        "services": len(vendor.services),
        "usable": usable,
    }


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
