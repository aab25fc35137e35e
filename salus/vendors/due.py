"""What comes up with vendors, and when; and what stands in the way now: one calendar and one list of findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from types import MappingProxyType
from uuid import UUID

from salus.kernel.phi import Phi
from salus.vendors.contracts import (
    Clause,
    Due,
    DueKind,
    Finding,
    Relation,
    Reminder,
    Service,
    Severity,
    Vendor,
    Why,
)
from salus.vendors.duties import gaps
from salus.vendors.rules import WORDS as REFUSALS
from salus.vendors.rules import controls

SOON = timedelta(days=30)
"""How long before its day something is told to people, and found."""
REMINDERS = "vendor:"
"""How the keys of reminders begin."""
PROPOSED = "90 FR 898, 164.308(b)(1)(ii), proposed, not law"
ATTESTING = "45 CFR 164.312"
ASSURANCES = "45 CFR 164.308(b)(2), 164.502(e)(1)(ii)"
CONTRACT = "45 CFR 164.502(e), 164.504(e)"

WORDS: Mapping[DueKind, tuple[str, str]] = MappingProxyType(
    {
        DueKind.AGREEMENT_ENDS: ("The agreement ends", CONTRACT),
        DueKind.AGREEMENT_MISSING: ("An agreement is missing", CONTRACT),
        DueKind.ATTESTATION: ("The set-up of a service has to be attested", ATTESTING),
        DueKind.SUBCONTRACTOR: ("Proof of a subcontractor's agreement is due", ASSURANCES),
        DueKind.VERIFICATION: ("Verify that the vendor keeps its agreement", PROPOSED),
    }
)
"""What is to be done, and which law asks for it."""


def calendar(vendors: Iterable[Vendor], today: date) -> list[Due]:
    """Return what is due for these vendors, the first due first; what is missing altogether is due `today`."""
    found = [due for vendor in vendors for due in _of(vendor, today)]
    return sorted(found, key=lambda each: (each.on, each.vendor.reveal().casefold(), each.kind))


def _of(vendor: Vendor, today: date) -> Iterator[Due]:
    in_use = [each for each in vendor.services if each.active]
    if vendor.relation is Relation.ASSOCIATE and in_use:
        yield from _of_agreement(vendor, today)
        verified = vendor.verification
        yield _due(
            vendor, DueKind.VERIFICATION, verified.next_on if verified else today, vendor.id, vendor.name
        )
    for service in in_use:
        on = attested_until(service) or today
        if on < date.max:
            yield _due(vendor, DueKind.ATTESTATION, on, service.id, service.name)
    for each in vendor.subcontractors:
        yield _due(vendor, DueKind.SUBCONTRACTOR, each.next_on or today, each.id, each.name)


def _of_agreement(vendor: Vendor, today: date) -> Iterator[Due]:
    if vendor.in_force is None:
        yield _due(vendor, DueKind.AGREEMENT_MISSING, today, vendor.id, vendor.name)
    elif until := vendor.covered_until:
        yield _due(vendor, DueKind.AGREEMENT_ENDS, until, vendor.in_force.id, vendor.name)


def reminders(dues: Iterable[Due], at: datetime, zone: tzinfo) -> list[Reminder]:
    """Return the tasks that are to be done at `at`: each `SOON` before its day, what is overdue anew every week."""
    today = at.astimezone(zone).date()
    return [_reminder(each, today, zone) for each in dues if each.on - today <= SOON]


def _reminder(due: Due, today: date, zone: tzinfo) -> Reminder:
    year, week, _ = today.isocalendar()
    late = due.on <= today
    by = today + timedelta(days=7 - today.isoweekday() % 7) if late else due.on
    when = f"{year}W{week}" if late else due.on.isoformat()
    return Reminder(
        key=f"{REMINDERS}{due.kind}:{due.subject_id}:{when}",
        title=due.words if late else f"{due.words}: {due.on:%-d %b %Y}",
        instructions=f"{due.citation}\n\nThe calendar of vendors says which one it is, and leads to it.",
        due_at=datetime.combine(by, time.max, zone),
    )


def attested_until(service: Service) -> date | None:
    """Return the last day on which everything is attested that has to be; None: something is not now.

    `date.max` where nothing has to be.
    """
    wanted = controls(service.kind)
    ends = [each.expires_on for each in service.attestations if each.control in wanted and each.holds]
    return min(ends, default=date.max) if len(ends) == len(wanted) else None


def _due(vendor: Vendor, kind: DueKind, on: date, subject_id: UUID, subject: Phi[str]) -> Due:
    words, citation = WORDS[kind]
    return Due(kind, on, vendor.id, subject_id, vendor.name, subject, words, citation)


def findings(vendors: Iterable[Vendor], today: date) -> tuple[Finding, ...]:
    """Return what stands in the way, or soon will, errors first; the words name no vendor."""
    found = [finding for vendor in vendors for finding in _found(vendor, today)]
    return tuple(sorted(found, key=lambda each: list(Severity).index(each.severity)))


def _found(vendor: Vendor, today: date) -> Iterator[Finding]:
    for service in vendor.services:
        why = service.why_not
        if why is not None and why is not Why.SWITCHED_OFF:
            what, next_step = REFUSALS[why]
            citation = ATTESTING if why is Why.NOT_ATTESTED else CONTRACT
            yield Finding(why, Severity.ERROR, vendor.id, service.id, what, next_step, citation)
        elif service.active and (on := attested_until(service)) and on - today <= SOON:
            yield _soon("attestation_ends_soon", vendor, service.id, DueKind.ATTESTATION)
    agreement = vendor.in_force
    if agreement and (until := vendor.covered_until) and until - today <= SOON:
        yield _soon("agreement_ends_soon", vendor, agreement.id, DueKind.AGREEMENT_ENDS)
    if agreement and not agreement.agent and not agreement.agency.reveal():
        yield Finding(
            "independence_not_signed_off",
            Severity.WARNING,
            vendor.id,
            agreement.id,
            "A vendor counts as independent, and nobody signed off on that.",
            "Record an agreement that says who did, or count it as our agent.",
            "45 CFR 164.404(a)(2)",
        )
    yield from _of_subcontractors(vendor)
    yield from _of_assurance(vendor, today)


def _of_subcontractors(vendor: Vendor) -> Iterator[Finding]:
    promised = vendor.in_force is not None and Clause.SUBCONTRACTOR_PROOF in vendor.in_force.clauses
    for each in vendor.subcontractors:
        if not each.holds:
            severity = Severity.WARNING if promised else Severity.NOTE
            what = "Nobody has seen lately that a vendor's subcontractor agreed to the same restrictions."
            step = "Ask the vendor for the agreement, and record what you saw."
            yield Finding("subcontractor_unproven", severity, vendor.id, each.id, what, step, ASSURANCES)


def _of_assurance(vendor: Vendor, today: date) -> Iterator[Finding]:
    if vendor.relation is not Relation.ASSOCIATE or not any(each.active for each in vendor.services):
        return
    if vendor.verification is None or vendor.verification.next_on < today:
        what = "Nobody has verified within a year that a vendor keeps its agreement."
        step = "Look, and record what you saw."
        yield Finding("not_verified", Severity.NOTE, vendor.id, vendor.id, what, step, PROPOSED)
    if open_ := gaps(vendor.responsibilities):
        count = f"{len(open_)} duties about" if len(open_) > 1 else "A duty about"
        what = f"{count} a vendor's services {'have' if len(open_) > 1 else 'has'} no owner."
        step = "Say who has each in the table of who does what."
        yield Finding(
            "duty_without_owner", Severity.NOTE, vendor.id, vendor.id, what, step, "45 CFR 164.308(a)(2)"
        )


def _soon(code: str, vendor: Vendor, subject_id: UUID, kind: DueKind) -> Finding:
    words, citation = WORDS[kind]
    step = "Renew it in the vendor register; the day after, what goes there waits."
    return Finding(code, Severity.WARNING, vendor.id, subject_id, f"{words} within 30 days.", step, citation)
