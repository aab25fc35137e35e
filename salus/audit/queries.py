"""Reads entries, newest first, and where they stand in the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from salus.audit.contracts import Entry, Filters
from salus.audit.models import EntryRow, IndexRow


def entries(filters: Filters, after: UUID | None, limit: int) -> list[Entry]:
    """Return up to `limit` entries that `filters` let through, newest first, older than the entry `after`."""
    rows = EntryRow.objects.all()
    if filters.action:
        rows = rows.filter(action__startswith=filters.action)
    for column in ("actor_id", "patient_id", "object_kind", "object_id", "outcome"):
        value = getattr(filters, column)
        if value:
            rows = rows.filter(**{column: value})
    if filters.since:
        rows = rows.filter(at__gte=filters.since)
    if filters.until:
        rows = rows.filter(at__lt=filters.until)
    if after:
        rows = rows.filter(id__lt=after)
    found = list(rows.order_by("-id")[:limit])
    places = positions([row.id for row in found])
    return [_entry(row, places.get(row.id)) for row in found]


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
