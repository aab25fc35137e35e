"""The audit log as staff see it: its health, its entries, and what proves one of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action, Entry, Filters
from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import NotFound
from salus.platform.tenancy import acting_for
from salus.reports import log_lines, rules
from salus.reports.contracts import EntryProof, LogForm, LogHealth, LogPage, Verified
from salus.reports.models import LastVerification

PAGE = 50
CHUNK = 2_000
"""Entries of an export in memory at a time."""


def health() -> LogHealth:
    """Return how the log was found when it was last verified, and when it was signed last."""
    last = LastVerification.objects.first()
    signed = audit.latest_checkpoint()
    return LogHealth(
        verified_at=last.at if last else None,
        verified=last.verified if last else False,
        entries=last.entries if last else 0,
        faults=last.faults if last else 0,
        first_fault=last.first_fault if last else None,
        seconds=last.seconds if last else 0.0,
        signed_at=signed.at if signed else None,
        signed_size=signed.size if signed else 0,
    )


def verify(*, actor: Actor, at: datetime) -> Verified:
    """Verify the whole log and keep how it was found.

    A verification that somebody asked for is recorded; of the regular ones, those that find the log
    other than the last time.
    """
    began = time.perf_counter()
    verdict = audit.verify()
    seconds = time.perf_counter() - began
    before = LastVerification.objects.first()
    first = next((each.position for each in verdict.faults if each.position is not None), None)
    LastVerification.objects.update_or_create(
        defaults={
            "at": at,
            "verified": verdict.verified,
            "entries": verdict.entries,
            "faults": len(verdict.faults),
            "first_fault": first,
            "seconds": seconds,
        },
    )
    turned = before is None or before.verified != verdict.verified
    if actor.kind is not ActorKind.SYSTEM or turned:
        audit.record(
            Action.AUDIT_LOG_VERIFY,
            actor=actor,
            object_kind="log",
            outcome="ok" if verdict.verified else "failed",
            details={"entries": verdict.entries, "faults": len(verdict.faults)},
        )
    return Verified(
        at=at,
        entries=verdict.entries,
        checkpoints=verdict.checkpoints,
        pending=verdict.pending,
        root=verdict.root,
        verified=verdict.verified,
        faults=verdict.faults,
        remarks=verdict.remarks,
        seconds=seconds,
    )


def asked(*, actor: Actor) -> None:
    """Record that somebody asked for a verification that the workers will make."""
    audit.record(Action.AUDIT_LOG_VERIFY, actor=actor, object_kind="log", outcome="queued")


def is_due(at: datetime) -> bool:
    """Return whether the regular verification should be made."""
    last = LastVerification.objects.first()
    return rules.verification_due(at, last.at if last else None, last.seconds if last else 0.0)


def page(filters: Filters, *, actor: Actor, after: UUID | None = None) -> LogPage:
    """Return a page of entries, newest first; the look is recorded."""
    identity.require(actor, Permission.AUDIT_LOG_READ)
    found = audit.entries(filters, after=after, limit=PAGE + 1)
    _record_look(filters, len(found[:PAGE]), actor)
    return LogPage(tuple(found[:PAGE]), _names(found), len(found) > PAGE)


def looks_at(contact_id: UUID, *, actor: Actor, after: UUID | None = None) -> LogPage:
    """Return a page of who looked at one person's record, newest first; this look is recorded too.

    Raises `NotFound` for whoever may not read the log, and for nobody's id.
    """
    identity.require(actor, Permission.AUDIT_LOG_READ)
    if not contacts.numbers_of(contacts.whole(contact_id)[:1]):
        raise NotFound
    found = audit.entries(Filters(patient_id=contact_id, looks=True), after=after, limit=PAGE + 1)
    audit.record(
        Action.ACCESS_READ,
        actor=actor,
        object_kind="contact",
        object_id=contact_id,
        patient_id=contact_id,
        details={"entries": len(found[:PAGE])},
    )
    return LogPage(tuple(found[:PAGE]), _names(found), len(found) > PAGE)


def search(filters: Filters, limit: int, *, actor: Actor) -> list[Entry]:
    """Return up to `limit` entries, newest first; the look is recorded."""
    found = audit.entries(filters, limit=limit)
    _record_look(filters, len(found), actor)
    return found


def _record_look(filters: Filters, count: int, actor: Actor) -> None:
    audit.record(
        Action.AUDIT_LOG_READ,
        actor=actor,
        object_kind="log",
        patient_id=filters.patient_id,
        details={"entries": count},
    )


def export(filters: Filters, form: LogForm, host: str, *, actor: Actor) -> Iterator[str]:
    """Return entries as the lines of a file, oldest first; the export is recorded before the first line.

    The lines come chunk by chunk, each in a transaction of its own: read them outside of this one.
    """
    record_export(filters, form, actor)
    return _exported(filters, form, host, actor)


def record_export(filters: Filters, form: LogForm, actor: Actor) -> None:
    """Record that entries leave in this form, and by which filters."""
    named = ("action", "actor_id", "patient_id", "object_kind", "object_id", "outcome", "since", "until")
    audit.record(
        Action.AUDIT_LOG_EXPORT,
        actor=actor,
        object_kind="log",
        object_id=filters.object_id,
        patient_id=filters.patient_id,
        fields=tuple(name for name in named if getattr(filters, name)),
        reason=form,
    )


def _exported(filters: Filters, form: LogForm, host: str, actor: Actor) -> Iterator[str]:
    yield log_lines.head(form)
    for chunk in chunks(filters, actor.organization_id):
        yield "".join(log_lines.lines(chunk, form, host))


def chunks(filters: Filters, organization_id: UUID) -> Iterator[list[Entry]]:
    """Yield the entries that fit, oldest first, each chunk from a transaction of its own."""
    after = None
    while True:
        with acting_for(organization_id):
            found = audit.entries(filters, after=after, limit=CHUNK, oldest_first=True)
        if found:
            yield found
        if len(found) < CHUNK:
            return
        after = found[-1].id


def entry(entry_id: UUID, *, actor: Actor) -> EntryProof:
    """Return an entry with what proves it, checked now; raises `NotFound`. The look is recorded."""
    identity.require(actor, Permission.AUDIT_LOG_READ)
    evidence, found = audit.evidence_for(entry_id), audit.entry(entry_id)
    audit.record(
        Action.AUDIT_LOG_READ, actor=actor, object_kind="log", object_id=entry_id, details={"entries": 1}
    )
    return EntryProof(found, evidence, audit.faults(evidence) if evidence else (), _names([found]))


def _names(entries: Iterable[Entry]) -> dict[UUID, str]:
    staff = {each.actor_id for each in entries if each.actor_id and each.actor_kind == ActorKind.STAFF}
    return identity.staff_names(staff) if staff else {}
