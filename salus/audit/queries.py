"""Reads entries, newest or oldest first, and where they stand in the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from salus.audit.contracts import Action, Entry, Filters
from salus.audit.looks import LOOKS
from salus.audit.models import EntryRow, IndexRow


def entries(filters: Filters, after: UUID | None, limit: int, *, oldest_first: bool = False) -> list[Entry]:
    """Return up to `limit` entries that `filters` let through, beyond the entry `after`."""
    rows, sign, side = _narrowed(filters), "" if oldest_first else "-", "gt" if oldest_first else "lt"
    if not _by_time(filters):
        rows = rows.filter(**{f"id__{side}": after}) if after else rows
        return _entries(rows.order_by(f"{sign}id")[:limit])
    if after:
        last = EntryRow.objects.filter(id=after).values_list("at", flat=True).first()
        if last is None:
            return []
        beyond = Q(**{f"at__{side}": last}) | Q(**{f"id__{side}": after})
        rows = rows.filter(beyond, **{f"at__{side}e": last})
    return _entries(rows.order_by(f"{sign}at", f"{sign}id")[:limit])


def _by_time(filters: Filters) -> bool:
    """Tell whether to go along the index on time: a period of long ago is not near either end of the ids."""
    return bool(filters.since or filters.until)


def _narrowed(filters: Filters) -> QuerySet[EntryRow]:
    rows = EntryRow.objects.all()
    if filters.action:
        # The words are known, and under row-level security no index serves a comparison of prefixes.
        rows = rows.filter(action__in=[word for word in Action if word.startswith(filters.action)])
    if filters.looks:
        rows = rows.filter(action__in=LOOKS)
    for column in ("actor_id", "patient_id", "object_kind", "object_id", "outcome"):
        value = getattr(filters, column)
        if value:
            rows = rows.filter(**{column: value})
    if filters.since:
        rows = rows.filter(at__gte=filters.since)
    if filters.until:
        rows = rows.filter(at__lt=filters.until)
    return rows


def _entries(rows: Sequence[EntryRow] | QuerySet[EntryRow]) -> list[Entry]:
    found = list(rows)
    places = positions([row.id for row in found])
    return [_entry(row, places.get(row.id)) for row in found]


def entries_from(position: int, limit: int) -> list[Entry]:
    """Return up to `limit` entries in the order of the log, from `position` on."""
    places = dict(
        IndexRow.objects.filter(position__gte=position, position__lt=position + limit).values_list(
            "entry_id", "position"
        )
    )
    found = [_entry(row, places[row.id]) for row in EntryRow.objects.filter(id__in=list(places))]
    return sorted(found, key=lambda each: places[each.id])


def entry(entry_id: UUID) -> Entry | None:
    """Return one entry."""
    row = EntryRow.objects.filter(id=entry_id).first()
    return _entry(row, positions([entry_id]).get(entry_id)) if row else None


class Place(NamedTuple):
    """An entry's leaf hash, and where it stands (None while it waits)."""

    leaf_hash: bytes
    position: int | None


def placed(entry_id: UUID) -> Place | None:
    """Return the place of an entry, None when there is no such entry."""
    leaf_hash = EntryRow.objects.filter(id=entry_id).values_list("leaf_hash", flat=True).first()
    return None if leaf_hash is None else Place(bytes(leaf_hash), positions([entry_id]).get(entry_id))


def positions(ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return where entries stand; those that still wait are not in the answer."""
    return dict(IndexRow.objects.filter(entry_id__in=ids).values_list("entry_id", "position"))


def _entry(row: EntryRow, position: int | None) -> Entry:
    return Entry(
        id=row.id,
        at=row.at,
        action=row.action,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        role=row.role,
        session_id=row.session_id,
        ip=row.ip,
        object_kind=row.object_kind,
        object_id=row.object_id,
        patient_id=row.patient_id,
        fields=tuple(row.fields),
        purpose=row.purpose,
        outcome=row.outcome,
        reason=row.reason,
        rule_version=row.rule_version,
        details=row.details,
        position=position,
    )
