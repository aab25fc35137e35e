"""Reads of imports, rejects and saved mappings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from django.db.models import Count

from salus.identity import api as identity
from salus.intake import mapping as mappings
from salus.intake.contracts import (
    Counts,
    ImportFacts,
    ImportKind,
    ImportStatus,
    ReasonCount,
    Reject,
    SavedMapping,
    Severity,
)
from salus.intake.models import Import, MappingRow, RejectRow
from salus.intake.plan import open_row
from salus.kernel.errors import NotFound
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

PAGE = 1_000


def zone() -> tzinfo:
    """Return the time zone in which the days of a file begin: the organization's, UTC when it has no record."""
    try:
        return ZoneInfo(identity.organization().time_zone)
    except NotFound:
        return UTC


def row_of(import_id: UUID, *, lock: bool = False) -> Import:
    """Return an import's row; raises `NotFound`."""
    rows = Import.objects.select_for_update() if lock else Import.objects.all()
    found = rows.filter(id=import_id).first()
    if found is None:
        raise NotFound
    return found


def facts(row: Import) -> ImportFacts:
    """Return an import as others may know it."""
    return ImportFacts(
        id=row.id,
        kind=ImportKind(row.kind),
        status=ImportStatus(row.status),
        source=AddressSource(row.source),
        obtained=row.obtained,
        counts=Counts(**row.counts),
        bytes_total=row.bytes_total,
        bytes_done=row.bytes_done,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        failure=row.failure,
        files=tuple(one["part"] for one in row.files),
    )


def newest(limit: int) -> list[ImportFacts]:
    """Return the newest imports."""
    return [facts(row) for row in Import.objects.order_by("-created_at", "-id")[:limit]]


def rejects(import_id: UUID, *, after: UUID | None, limit: int) -> list[Reject]:
    """Return the next rejects of an import, in the order in which they were met."""
    rows = RejectRow.objects.filter(import_id=import_id).order_by("id")
    if after is not None:
        rows = rows.filter(id__gt=after)
    return [_reject(row) for row in rows.defer("sealed")[:limit]]


def _reject(row: RejectRow) -> Reject:
    return Reject(row.id, row.part, row.line, row.field, row.reason, Severity(row.severity))


def reasons(import_id: UUID) -> list[ReasonCount]:
    """Return how often each reason occurred, most often first."""
    found = (
        RejectRow.objects.filter(import_id=import_id)
        .values("field", "reason", "severity")
        .annotate(rows=Count("id"))
        .order_by("-rows", "field", "reason")
    )
    return [ReasonCount(one["field"], one["reason"], Severity(one["severity"]), one["rows"]) for one in found]


def rejected_rows(import_id: UUID) -> Iterator[tuple[Reject, object]]:
    """Yield every reject with its row opened; the caller has recorded why."""
    after: UUID | None = None
    while True:
        rows = RejectRow.objects.filter(import_id=import_id).order_by("id")
        page = list((rows.filter(id__gt=after) if after else rows)[:PAGE])
        for row in page:
            yield _reject(row), open_row(row.id, row.sealed)
        if len(page) < PAGE:
            return
        after = page[-1].id


def saved_mappings() -> list[SavedMapping]:
    """Return the saved mappings, the newest first."""
    organization_id, sealer = current_organization(), keys.sealer()
    found = []
    for row in MappingRow.objects.order_by("-changed_at"):
        bound = keys.binding(organization_id, "intake_mapping", row.id)
        body = orjson.loads(sealer.open(bytes(row.sealed), bound))
        found.append(SavedMapping(row.id, Phi(body["name"]), mappings.from_json(body["mapping"])))
    return found
