"""Reads of journeys and their versions, opened for staff who may see them, and how their free text is sealed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from salus.journeys.contracts import (
    Finding,
    Graph,
    Journey,
    Proof,
    Severity,
    Status,
    Version,
    VersionStatus,
)
from salus.journeys.models import JourneyRow, SendingRow, VersionRow
from salus.journeys.rules.lifecycle import OPEN
from salus.journeys.rules.reading import read, write
from salus.kernel.errors import NotFound
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

PAGE = 50


def seal_name(journey_id: UUID, name: str) -> bytes:
    """Return a journey's name, sealed."""
    return _seal("journeys_journey", journey_id, {"name": name})


def seal_version(version_id: UUID, graph: Graph, *, note: str = "", proof: Proof | None = None) -> bytes:
    """Return a version's drawing, the approver's note, and what was proven when it went live, sealed."""
    document = {"graph": write(graph), "note": note, "proof": _written(proof) if proof else None}
    return _seal("journeys_version", version_id, document)


def graph_of(row: VersionRow) -> Graph:
    """Return the drawing of a version."""
    return read(_document(row)["graph"])


def proof_of(row: VersionRow) -> Proof | None:
    """Return what was proven when a version went live; None for one that never did."""
    found = _document(row)["proof"]
    return _proof(found) if found else None


def journey(journey_id: UUID) -> Journey:
    """Return one journey; raises `NotFound`."""
    row = JourneyRow.objects.filter(id=journey_id).first()
    if row is None:
        raise NotFound
    return _journeys([row])[0]


def journeys(*, before: datetime | None = None, limit: int = PAGE) -> list[Journey]:
    """Return journeys, newest first, those made before `before`."""
    rows = JourneyRow.objects.order_by("-created_at")
    if before is not None:
        rows = rows.filter(created_at__lt=before)
    return _journeys(rows[:limit])


def version(version_id: UUID) -> Version:
    """Return one version; raises `NotFound`."""
    row = VersionRow.objects.filter(id=version_id).first()
    if row is None:
        raise NotFound
    return opened(row)


def versions(journey_id: UUID) -> list[Version]:
    """Return the versions of a journey, newest first; raises `NotFound` when there is no such journey."""
    found = [opened(row) for row in VersionRow.objects.filter(journey_id=journey_id).order_by("-number")]
    if not found:
        raise NotFound
    return found


def version_of_sending(origin_id: UUID) -> Version | None:
    """Return the version whose step sent the messages of this origin of delivery; None when none did."""
    sending = SendingRow.objects.filter(id=origin_id).first()
    return version(sending.version_id) if sending else None


def open_versions(journey_ids: Collection[UUID]) -> Mapping[UUID, VersionStatus]:
    """Return how the version stands that is being drawn, of each journey that has one."""
    rows = VersionRow.objects.filter(journey_id__in=journey_ids, status__in=list(OPEN))
    return {id: VersionStatus(status) for id, status in rows.values_list("journey_id", "status")}


def opened(row: VersionRow) -> Version:
    """Return a version's row as the value that others see."""
    document = _document(row)
    return Version(
        id=row.id,
        journey_id=row.journey_id,
        number=row.number,
        status=VersionStatus(row.status),
        graph=read(document["graph"]),
        author_id=row.author_id,
        writers=frozenset(map(UUID, row.writers)),
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        live_at=row.live_at,
        retired_at=row.retired_at,
        changed_at=row.changed_at,
        note=Phi(document["note"]),
    )


def _journeys(rows: Collection[JourneyRow]) -> list[Journey]:
    ids = [row.id for row in rows]
    standing = [*OPEN, VersionStatus.LIVE]
    found = VersionRow.objects.filter(journey_id__in=ids, status__in=standing)
    live: dict[UUID, UUID] = {}
    draft: dict[UUID, UUID] = {}
    for version_id, journey_id, status in found.values_list("id", "journey_id", "status"):
        (live if status == VersionStatus.LIVE else draft)[journey_id] = version_id
    return [
        Journey(
            id=row.id,
            name=Phi(_open("journeys_journey", row.id, row.sealed)["name"]),
            status=Status(row.status),
            live=live.get(row.id),
            draft=draft.get(row.id),
            created_at=row.created_at,
            changed_at=row.changed_at,
        )
        for row in rows
    ]


def _document(row: VersionRow) -> dict[str, Any]:
    return _open("journeys_version", row.id, row.sealed)


def _seal(table: str, row_id: UUID, document: dict[str, Any]) -> bytes:
    binding = keys.binding(current_organization(), table, row_id)
    return keys.sealer().seal(orjson.dumps(document), binding)


def _open(table: str, row_id: UUID, sealed: bytes | memoryview[int]) -> dict[str, Any]:
    binding = keys.binding(current_organization(), table, row_id)
    found: dict[str, Any] = orjson.loads(keys.sealer().open(bytes(sealed), binding))
    return found


def _written(proof: Proof) -> dict[str, Any]:
    return {
        "findings": [
            [each.code, each.step, each.what, each.mend, each.severity, each.port] for each in proof.findings
        ],
        "longest": proof.longest.total_seconds() if proof.longest is not None else None,
        "most_messages": proof.most_messages,
        "promises": list(proof.promises),
    }


def _proof(found: dict[str, Any]) -> Proof:
    findings = tuple(
        Finding(code, step, what, mend, Severity(severity), port)
        for code, step, what, mend, severity, port in found["findings"]
    )
    longest = found["longest"]
    return Proof(
        findings=findings,
        longest=timedelta(seconds=longest) if longest is not None else None,
        most_messages=found["most_messages"],
        promises=tuple(found["promises"]),
    )
