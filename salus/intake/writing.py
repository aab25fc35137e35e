"""Writes one batch of work: people, events, entries and rejects, in the caller's transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from django.db import transaction
from psycopg import sql

from salus.contacts import api as contacts
from salus.contacts.contracts import Merged, MergeOutcome
from salus.intake.contracts import Declaration, Severity
from salus.intake.permission_rows import FOR_EVERYBODY, EntryDraft
from salus.intake.plan import seal_rows
from salus.intake.work import CSV_PART, Origin, PatientWork, Refused, Work
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_ids
from salus.kernel.time import Clock
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind, NewEntry
from salus.platform import bulk
from salus.platform.tenancy import current_organization
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent

UNKNOWN_PERSON = "nobody here has this record number or address"
SHARED = "more than one person has this address"


class BatchWriter:
    """Writes the work of one import."""

    def __init__(self, import_id: UUID, declaration: Declaration, actor: Actor, clock: Clock) -> None:
        self._import_id, self._declaration = import_id, declaration
        self._actor, self._clock = actor, clock

    def write(self, work: Work) -> Counter[str]:
        """Write a batch and return what to add to the counts."""
        counts: Counter[str] = Counter(read=work.read, ignored=work.ignored, repaired=work.repaired)
        refused = list(work.refused)
        if work.ready:
            fates = contacts.merge_ready(work.ready, actor=self._actor, clock=self._clock)
            refused += self._people(work.people, fates, counts)
        if work.entries:
            refused += self._entries(work.entries, counts)
        _store_rejects(self._import_id, refused)
        for one in refused:
            counts["rejected" if one.severity is Severity.ROW else "left_out"] += 1
        counts["taken"] = work.read - work.ignored - counts["rejected"]
        return counts

    def foresee(self, work: Work) -> tuple[Counter[str], list[Refused]]:
        """Return what `write` would count and refuse of a batch, and write nothing.

        FHIR resources are taken to find the patients that they attach to: those may be in the same import.
        """
        counts: Counter[str] = Counter(read=work.read, ignored=work.ignored, repaired=work.repaired)
        refused = list(work.refused)
        fresh = [
            (ready, person)
            for ready, person in zip(work.ready, work.people, strict=True)
            if ready.patch is None or ready.patch.create or person.origins[0].part == CSV_PART
        ]
        fates = contacts.foresee([ready for ready, _ in fresh], actor=self._actor, clock=self._clock)
        refused += _refusals([person for _, person in fresh], fates)
        for fate in fates:
            counts[fate.outcome.value] += fate.outcome is not MergeOutcome.REJECTED
        for origin, draft in work.entries:
            fault = _owners(draft)[1]
            if fault:
                refused.append(Refused(origin, "identity", fault))
        for one in refused:
            counts["rejected" if one.severity is Severity.ROW else "left_out"] += 1
        counts["taken"] = work.read - work.ignored - counts["rejected"]
        return counts, refused

    def _people(
        self, people: Sequence[PatientWork], fates: Sequence[Merged], counts: Counter[str]
    ) -> list[Refused]:
        events: list[NewEvent] = []
        now = self._clock.now()
        deaths: list[NewEntry] = []
        for person, fate in zip(people, fates, strict=True):
            if fate.contact_id is None:
                continue
            counts[fate.outcome.value] += 1
            events += [
                NewEvent(fate.contact_id, one.kind, one.at or now, one.key, details=one.details)
                for one in person.events
            ]
            if person.died and fate.outcome is not MergeOutcome.UNCHANGED:
                deaths.append(self._death(fate.contact_id))
        counts["events"] += timeline.append(_without_unmoved(events), clock=self._clock)
        if deaths:
            counts["entries"] += len(permissions.append(deaths, actor=self._actor, clock=self._clock))
        return _refusals(people, fates)

    def _death(self, contact_id: UUID) -> NewEntry:
        """Return the ledger's entry that a person has died: the gate reads the ledger."""
        declared = self._declaration
        return NewEntry(
            contact_id, EntryKind.DECEASED, _noon(declared.obtained), declared.evidence, key="import:deceased"
        )

    def _entries(self, drafts: Sequence[tuple[Origin, EntryDraft]], counts: Counter[str]) -> list[Refused]:
        refused: list[Refused] = []
        found: list[tuple[Origin, list[NewEntry]]] = []
        for origin, draft in drafts:
            owners, fault = _owners(draft)
            if fault:
                refused.append(Refused(origin, "identity", fault))
            else:
                found.append((origin, [_entry(draft, owner) for owner in owners]))
        refused += self._append(found, counts)
        return refused

    def _append(self, found: Sequence[tuple[Origin, list[NewEntry]]], counts: Counter[str]) -> list[Refused]:
        """Append entries all at once; when one is faulty, halve until it is alone and refused."""
        if not found:
            return []
        try:
            with transaction.atomic():
                entries = [entry for _, own in found for entry in own]
                permissions.append(entries, actor=self._actor, clock=self._clock)
        except BadInput as fault:
            if len(found) == 1:
                place = fault.place.partition(": ")[2] or "entry"
                return [Refused(found[0][0], place.removeprefix("details."), fault.what.lower().rstrip("."))]
            middle = len(found) // 2
            return self._append(found[:middle], counts) + self._append(found[middle:], counts)
        counts["entries"] += sum(len(own) for _, own in found)
        return []


def _without_unmoved(events: Sequence[NewEvent]) -> list[NewEvent]:
    """Return the events without moves of appointments that start when they were said to, or are news."""
    booked = [one for one in events if one.kind is EventKind.APPOINTMENT_BOOKED]
    moved = [one for one in events if one.kind is EventKind.APPOINTMENT_MOVED]
    if not moved:
        return list(events)
    known = {
        (one.contact_id, one.details["id"])
        for one, is_known in zip(booked, timeline.are_known(booked), strict=True)
        if is_known
    }
    before = timeline.appointment_starts({contact_id for contact_id, _ in known})
    unmoved = {
        id(one)
        for one in moved
        if (one.contact_id, one.details["id"]) not in known
        or before.get((one.contact_id, one.details["id"]))
        in (None, datetime.fromisoformat(one.details["starts_at"]))
    }
    return [one for one in events if id(one) not in unmoved]


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


def _refusals(people: Sequence[PatientWork], fates: Sequence[Merged]) -> list[Refused]:
    return [
        Refused(origin, fate.field or "identity", fate.reason)
        for person, fate in zip(people, fates, strict=True)
        if fate.outcome is MergeOutcome.REJECTED
        for origin in person.origins
    ]


def _owners(draft: EntryDraft) -> tuple[list[UUID], str]:
    """Return whose the entry is, or why that cannot be told."""
    named = {
        owner
        for system, value in draft.identifiers
        if (owner := contacts.find_by_identifier(system, value)) is not None
    }
    if not named and draft.address is not None:
        named = set(contacts.find_by_address(*draft.address))
        if len(named) > 1 and draft.kind not in FOR_EVERYBODY:
            return [], SHARED
    elif len(named) > 1:
        return [], "its identifiers belong to more than one person"
    return sorted(named), "" if named else UNKNOWN_PERSON


def _entry(draft: EntryDraft, owner: UUID) -> NewEntry:
    return NewEntry(
        owner,
        draft.kind,
        draft.at,
        draft.evidence,
        topic=draft.topic,
        channel=draft.channel,
        valid_until=draft.valid_until,
        key=draft.key,
        details=draft.details,
    )


_REJECT_COLUMNS = (
    ("id", "uuid"),
    ("part", "text"),
    ("line", "bigint"),
    ("field", "text"),
    ("reason", "text"),
    ("severity", "text"),
    ("sealed", "bytea"),
)


def _store_rejects(import_id: UUID, refused: Sequence[Refused]) -> None:
    if not refused:
        return
    ordered = sorted(refused, key=lambda one: one.origin.line)
    ids = new_ids(len(ordered))
    sealed = seal_rows([(reject_id, one.origin.row) for reject_id, one in zip(ids, ordered, strict=True)])
    table = bulk.copy_rows(
        _REJECT_COLUMNS,
        (
            (
                reject_id,
                one.origin.part,
                one.origin.line,
                one.field[:80],
                one.reason[:300],
                one.severity.value,
                raw,
            )
            for reject_id, one, raw in zip(ids, ordered, sealed, strict=True)
        ),
    )
    bulk.execute(
        sql.SQL(
            "INSERT INTO intake_reject (organization_id, import_id, id, part, line, field, reason, severity, sealed) "
            "SELECT %s, %s, id, part, line, field, reason, severity, sealed FROM {}"
        ).format(table),
        [current_organization(), import_id],
    )
