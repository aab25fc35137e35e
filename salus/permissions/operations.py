"""Appends to the ledger: one transaction that locks, checks, writes, records and tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.audit.contracts import NewEntry as AuditEntry
from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel
from salus.keys import api as keys
from salus.permissions import ledger, queries, summary
from salus.permissions.contracts import Appended, Entry, NewEntry
from salus.permissions.details import SHAPES, check
from salus.permissions.queries import Ledger
from salus.platform import feed
from salus.platform.tenancy import current_organization

FEED = "permissions"

Listener = Callable[[Sequence[Appended]], None]
listeners: list[Listener] = []
"""Who is told of new entries, in the same transaction; wiring fills it."""


def append(
    new: Sequence[NewEntry], actor: Actor, recorded_at: datetime, *, skip_absent: bool = False
) -> list[UUID]:
    """Append `new` and return their ids in order; an entry whose key is known keeps its first id.

    Raises `BadInput` with the number of the faulty entry, `NotFound` for an unknown contact; then
    nothing is stored. With `skip_absent`, entries of people who are not here are left out instead.
    """
    for number, entry in enumerate(new, 1):
        check(entry, f"entry {number}")
    asked = {entry.contact_id for entry in new}
    here = _people(asked) if new else {}
    if len(here) < len(asked):
        if not skip_absent:
            raise NotFound("One of these people is not here.")
        new = [entry for entry in new if entry.contact_id in here]
    if not new:
        return []
    held = _lock(set(here.values()))
    appended: list[Entry] = []
    ids: list[UUID] = []
    known = {
        (entry.contact_id, entry.key): entry.id
        for _, own in held.values()
        for entry in own.entries
        if entry.key
    }
    for number, entry in enumerate(new, 1):
        earlier = known.get((entry.contact_id, entry.key)) if entry.key else None
        if earlier is None:
            _check_ends(entry, held[here[entry.contact_id]][1].entries, f"entry {number}")
            stored = _stored(entry, recorded_at, f"entry {number}")
            appended.append(stored)
            if stored.key:
                known[stored.contact_id, stored.key] = stored.id
        ids.append(earlier or appended[-1].id)
    if appended:
        _write(appended)
        _move(held, appended, here)
        _record(appended, actor)
        told = [Appended(entry.contact_id, entry.id, entry.kind) for entry in appended]
        for listener in listeners:
            listener(told)
    return ids


def rebuild(contact_ids: Sequence[UUID]) -> int:
    """Make the standings of these contacts anew from the ledger; return how many were not as they ought."""
    held = _lock(set(_people(set(contact_ids)).values()))
    sealer = keys.sealer()
    stored = {contact_id: (version, sealed) for contact_id, version, sealed in queries.rows_of(list(held))}
    wrong = {}
    for contact_id, (version, own) in held.items():
        ought, found = _summed(own) if own.entries or contact_id in stored else b"", b""
        if contact_id in stored:
            of_version, sealed = stored[contact_id]
            try:
                found = sealer.open(sealed, queries.binding(contact_id, of_version))
            except BadInput:
                found = b"?"
        if ought != found:
            wrong[contact_id] = version + 1, own
    if wrong:
        _store(wrong)
    return len(wrong)


def read(contact_id: UUID, *, purpose: str, actor: Actor) -> list[Entry]:
    """Return a person's whole ledger, oldest first, and record the look."""
    audit.record(
        Action.PERMISSION_READ, actor=actor, object_kind="contact", patient_id=contact_id, purpose=purpose
    )
    return queries.ledgers([contact_id])[contact_id].entries


def sum_up_anew(contact_id: UUID) -> None:
    """Make one person's standing anew out of what the ledger still holds, as a change that others follow."""
    root = contacts.whole(contact_id)[0]
    version, own = _lock({root})[root]
    _store({root: (version + 1, own)})


Held = dict[UUID, tuple[int, Ledger]]


def _people(asked: Collection[UUID]) -> dict[UUID, UUID]:
    """Return for each of the contacts who are here the record that goes on: itself, or what it was merged into."""
    here = {one: one for one in contacts.versions(sorted(asked))}
    absent = [one for one in asked if one not in here]
    merged = contacts.survivors(absent) if absent else {}
    living = contacts.versions(sorted(set(merged.values()))) if merged else {}
    return here | {one: root for one, root in merged.items() if root in living}


def _summed(own: Ledger) -> bytes:
    return summary.pack(own.entries, own.contact_id, own.joins)


def _lock(contact_ids: set[UUID]) -> Held:
    """Lock the standings of these contacts, in one order for all; return version and ledger of each."""
    ordered, organization_id = sorted(contact_ids), current_organization()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO permissions_standing (organization_id, contact_id, version, change, sealed) "
            "SELECT %s, contact_id, 0, 0, '' FROM unnest(%s::uuid[]) AS contact_id ORDER BY contact_id "
            "ON CONFLICT DO NOTHING",
            [organization_id, ordered],
        )
        cursor.execute(
            "SELECT contact_id, version FROM permissions_standing "
            "WHERE organization_id = %s AND contact_id = ANY(%s) ORDER BY contact_id FOR UPDATE",
            [organization_id, ordered],
        )
        versions = dict(cursor.fetchall())
    # The ledger is asked whatever the version says: a row that somebody removed hides no restriction.
    known = queries.ledgers(ordered)
    return {
        contact_id: (versions[contact_id] or len(known[contact_id].entries), known[contact_id])
        for contact_id in ordered
    }


def _check_ends(entry: NewEntry, own: Sequence[Entry], place: str) -> None:
    kind = SHAPES[entry.kind].ends
    if entry.ends is not None and not any(held.id == entry.ends and held.kind is kind for held in own):
        raise BadInput("It would end an entry that this person does not have.", place=f"{place}: ends")


_NORMALIZE = {Channel.EMAIL: contacts.normalize_email, Channel.SMS: contacts.normalize_phone}


def _details(entry: NewEntry, place: str) -> dict[str, Any]:
    """Return the details with their addresses in normal form, so that they compare and can be used."""
    details = dict(entry.details)
    normalize = _NORMALIZE.get(entry.channel) if entry.channel else None
    for name in ("address", "value"):
        if normalize is not None and details.get(name):
            try:
                details[name] = normalize(details[name])
            except BadInput as fault:
                raise BadInput(fault.what, place=f"{place}: details.{name}") from None
    return details


def _stored(entry: NewEntry, recorded_at: datetime, place: str) -> Entry:
    return Entry(
        new_id(),
        entry.contact_id,
        entry.kind,
        entry.at,
        recorded_at,
        entry.evidence,
        entry.topic,
        entry.channel,
        entry.valid_until,
        entry.ends,
        entry.key,
        _details(entry, place),
    )


def _write(entries: Sequence[Entry]) -> None:
    organization_id, sealer = current_organization(), keys.sealer()
    sealed = [
        sealer.seal(ledger.pack(entry), keys.binding(organization_id, queries.ENTRY, entry.id))
        for entry in entries
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO permissions_entry (organization_id, id, contact_id, recorded_at, sealed) "
            "SELECT %s, * FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::bytea[])",
            [
                organization_id,
                [entry.id for entry in entries],
                [entry.contact_id for entry in entries],
                [entry.recorded_at for entry in entries],
                sealed,
            ],
        )


def _move(held: Held, appended: Sequence[Entry], people: Mapping[UUID, UUID]) -> None:
    """Add the new entries to their contacts' standings, and move version and change number."""
    more: dict[UUID, list[Entry]] = defaultdict(list)
    for entry in appended:
        more[people[entry.contact_id]].append(entry)
    _store(
        {
            contact_id: (version + 1, own._replace(entries=own.entries + more[contact_id]))
            for contact_id, (version, own) in held.items()
            if contact_id in more
        }
    )


def _store(standings: Mapping[UUID, tuple[int, Ledger]]) -> None:
    sealer = keys.sealer()
    sealed = [
        sealer.seal(_summed(own), queries.binding(contact_id, version))
        for contact_id, (version, own) in standings.items()
    ]
    first = feed.next_numbers(FEED, len(standings))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE permissions_standing AS standing "
            "SET version = given.version, change = given.change, sealed = given.sealed "
            "FROM unnest(%s::uuid[], %s::int[], %s::bigint[], %s::bytea[]) "
            "AS given (contact_id, version, change, sealed) "
            "WHERE standing.organization_id = %s AND standing.contact_id = given.contact_id",
            [
                list(standings),
                [version for version, _ in standings.values()],
                list(range(first, first + len(standings))),
                sealed,
                current_organization(),
            ],
        )


def _record(entries: Sequence[Entry], actor: Actor) -> None:
    """Record each entry by its ids alone: what it says is sealed with it."""
    audit.record_many(
        [
            AuditEntry(
                Action.PERMISSION_APPEND,
                actor,
                "permission",
                object_id=entry.id,
                patient_id=entry.contact_id,
            )
            for entry in entries
        ],
        at=entries[0].recorded_at,
    )
