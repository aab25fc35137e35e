"""Reads the ledger and the standings of the current organization."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from psycopg import sql

from salus.contacts import api as contacts
from salus.contacts.contracts import Joined
from salus.kernel.errors import BadInput
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel
from salus.keys import api as keys
from salus.permissions import ledger, rules, summary
from salus.permissions.contracts import Entry, Standing, StandingChange
from salus.permissions.joined import person_spans
from salus.platform import bulk
from salus.platform.tenancy import current_organization

ENTRY = "permissions_entry"
STANDING = "permissions_standing"
_VERSIONS = sql.SQL(
    "SELECT contact_id, version FROM permissions_standing WHERE organization_id = %s AND contact_id = ANY(%s)"
)


def binding(contact_id: UUID, version: int) -> bytes:
    """Return what a sealed summary is bound to: an older one, put back under a new version, stays shut."""
    return keys.binding(current_organization(), STANDING, contact_id) + version.to_bytes(8, "big")


def blind_address(channel: Channel, value: str) -> bytes | None:
    """Return the blind index of an address as contacts make it, None for one that is no address (any more)."""
    try:
        return contacts.blind_address(channel, value)
    except BadInput:
        return None


def standings(contact_ids: Sequence[UUID], at: datetime) -> dict[UUID, Standing]:
    """Return the standing at `at` of each contact asked for; one without entries has version 0."""
    sealer, now = keys.sealer(), summary.text_of(at)
    found: dict[UUID, Standing] = {}
    stale: dict[UUID, int] = {}
    for contact_id, version, sealed in rows_of(contact_ids):
        raw = sealer.open(sealed, binding(contact_id, version))
        standing = summary.read(raw, contact_id, version, at, now, blind_address)
        if standing is None:
            stale[contact_id] = version
        else:
            found[contact_id] = standing
    # A row that somebody removed must not make a person's opt-outs and restrictions disappear with it.
    missing = [each for each in contact_ids if each not in found and each not in stale]
    if missing:
        people = contacts.wholes(missing)
        told = set(_with_entries([id for whole in people.values() for id in whole]))
        stale |= {each: 0 for each in missing if told.intersection(people[each])}
    if stale:  # not there, or written by another version of the rules: fold the ledger itself
        for contact_id, of in ledgers(list(stale)).items():
            spans = person_spans(of.contact_id, of.entries, of.joins, blind_address)
            found[contact_id] = rules.standing_of(contact_id, stale[contact_id], spans, at)
    for contact_id in missing:
        if contact_id not in found:
            found[contact_id] = Standing(contact_id, 0, at, FAR)
    return found


def _with_entries(contact_ids: Sequence[UUID]) -> list[UUID]:
    """Return those of the contacts of whom the ledger says anything."""
    if not contact_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT asked.id FROM unnest(%s::uuid[]) AS asked (id) WHERE EXISTS (SELECT FROM permissions_entry "
            "AS entry WHERE entry.organization_id = %s AND entry.contact_id = asked.id)",
            [list(contact_ids), current_organization()],
        )
        return [row[0] for row in cursor.fetchall()]


def rows_of(contact_ids: Sequence[UUID]) -> list[tuple[UUID, int, bytes]]:
    """Return contact, version and sealed summary of those that have entries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT contact_id, version, sealed FROM permissions_standing "
            "WHERE organization_id = %s AND contact_id = ANY(%s) AND version > 0",
            [current_organization(), list(contact_ids)],
        )
        return [(contact_id, version, bytes(sealed)) for contact_id, version, sealed in cursor.fetchall()]


def versions(contact_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the version of each standing asked for, 0 for a contact without entries."""
    found = bulk.read(_VERSIONS, [current_organization(), list(contact_ids)])
    return dict.fromkeys(contact_ids, 0) | dict(found)


def changes(after: int, limit: int) -> list[StandingChange]:
    """Return up to `limit` contacts whose standing changed after change number `after`, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT change, contact_id FROM permissions_standing "
            "WHERE organization_id = %s AND change > %s ORDER BY change LIMIT %s",
            [current_organization(), after, limit],
        )
        return [StandingChange(*row) for row in cursor.fetchall()]


def entries_of(contact_ids: Sequence[UUID]) -> dict[UUID, list[Entry]]:
    """Return what was said under each id asked for alone, oldest entry first; `ledgers` has the whole person."""
    found: dict[UUID, list[Entry]] = {contact_id: [] for contact_id in contact_ids}
    organization_id, sealer = current_organization(), keys.sealer()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, contact_id, sealed FROM permissions_entry "
            "WHERE organization_id = %s AND contact_id = ANY(%s) ORDER BY contact_id, id",
            [organization_id, list(contact_ids)],
        )
        for entry_id, contact_id, sealed in cursor.fetchall():
            raw = sealer.open(bytes(sealed), keys.binding(organization_id, ENTRY, entry_id))
            found[contact_id].append(ledger.unpack(raw, entry_id, contact_id))
    return found


class Ledger(NamedTuple):
    """All that was ever said of one person, oldest first, and the merges that stand among their records."""

    contact_id: UUID
    """The record that goes on."""
    entries: list[Entry]
    joins: list[Joined]


def ledgers(contact_ids: Sequence[UUID]) -> dict[UUID, Ledger]:
    """Return the ledger of the whole person that each contact asked for is."""
    people = contacts.wholes(contact_ids)
    own = entries_of(list({id: None for whole in people.values() for id in whole}))
    merged = {id for whole in people.values() if len(whole) > 1 for id in whole}
    joins = contacts.joins_of(merged)
    return {
        asked: Ledger(
            whole[0],
            sorted((entry for id in whole for entry in own[id]), key=lambda entry: entry.id)
            if len(whole) > 1
            else own[whole[0]],
            [each for each in joins if each.gone_id in whole],
        )
        for asked, whole in people.items()
    }


def contacts_after(contact_id: UUID | None, limit: int) -> list[UUID]:
    """Return the next `limit` contacts in the ledger after `contact_id`, by id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT contact_id FROM permissions_entry "
            "WHERE organization_id = %s AND contact_id > %s ORDER BY contact_id LIMIT %s",
            [current_organization(), contact_id or UUID(int=0), limit],
        )
        return [row[0] for row in cursor.fetchall()]
