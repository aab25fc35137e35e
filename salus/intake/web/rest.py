"""For programs: how imports go, and why rows were rejected. Files are brought in on the console or command line."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from salus.identity.api import api_key_auth
from salus.identity.contracts import Permission
from salus.intake import api
from salus.intake.contracts import ImportFacts

router = Router(tags=["imports"])
AUTH = api_key_auth(Permission.CONTACTS_IMPORT_RUN)


class Shown(Schema):
    """One import; read = taken + rejected + ignored."""

    id: UUID
    kind: str
    status: str
    source: str
    obtained: date
    counts: dict[str, int]
    bytes_total: int
    bytes_done: int
    created_at: datetime
    finished_at: datetime | None
    failure: str


class Reason(Schema):
    """How often one reason occurred; `severity` is "row", or "field" for what was left out of a row."""

    field: str
    reason: str
    severity: str
    rows: int


@router.get("/imports", response=list[Shown], auth=AUTH)
def listing(request: HttpRequest) -> list[Shown]:
    """List the newest imports."""
    return [_shown(one) for one in api.imports()]


@router.get("/imports/{import_id}", response=Shown, auth=AUTH)
def one(request: HttpRequest, import_id: UUID) -> Shown:
    """Return how far an import is."""
    return _shown(api.status(import_id))


@router.get("/imports/{import_id}/reasons", response=list[Reason], auth=AUTH)
def reasons(request: HttpRequest, import_id: UUID) -> list[Reason]:
    """Return why rows were rejected, most frequent first."""
    api.status(import_id)
    return [
        Reason(field=each.field, reason=each.reason, severity=each.severity.value, rows=each.rows)
        for each in api.reasons(import_id)
    ]


def _shown(facts: ImportFacts) -> Shown:
    counts = {name: getattr(facts.counts, name) for name in facts.counts.__slots__}
    return Shown(
        id=facts.id,
        kind=facts.kind.value,
        status=facts.status.value,
        source=facts.source.value,
        obtained=facts.obtained,
        counts=counts,
        bytes_total=facts.bytes_total,
        bytes_done=facts.bytes_done,
        created_at=facts.created_at,
        finished_at=facts.finished_at,
        failure=facts.failure,
    )
