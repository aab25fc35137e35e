"""What the check says of a version: as of now while it is drawn, as it was proven once it went live."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from salus.journeys import knowing
from salus.journeys.contracts import Graph, Proof, Severity
from salus.journeys.models import VersionRow
from salus.journeys.ports import clock
from salus.journeys.queries import graph_of, proof_of
from salus.kernel.errors import Conflict, NotFound


def check(graph: Graph, *, journey_id: UUID | None = None) -> Proof:
    """Return what keeps a drawing from going live now, and what is certain of everybody; stores nothing."""
    return knowing.proof(graph, clock().now(), journey_id=journey_id)


def proof(version_id: UUID) -> Proof:
    """Return what was proven of a version before it went live; of one that never was, what the check says now."""
    row = VersionRow.objects.filter(id=version_id).first()
    if row is None:
        raise NotFound
    return proof_of(row) or check(graph_of(row), journey_id=row.journey_id)


def prove(row: VersionRow, at: datetime) -> Proof:
    """Return the proof of a version; raises `Conflict` while the check finds an error in it."""
    found = knowing.proof(graph_of(row), at, journey_id=row.journey_id)
    errors = sum(each.severity is Severity.ERROR for each in found.findings)
    if errors:
        what = "1 thing keeps" if errors == 1 else f"{errors} things keep"
        raise Conflict(f"{what} it from going live.", next_step="Mend what the checks find first.")
    return found
