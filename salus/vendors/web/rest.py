"""For programs: which services there are, and whether each may be used now."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from salus.identity.api import api_key_auth
from salus.identity.contracts import Permission
from salus.kernel.time import SystemClock
from salus.vendors import api
from salus.vendors.contracts import Kind, Severity, Why

router = Router(tags=["vendors"])
CLOCK = SystemClock()


class Shown(Schema):
    """A service; `why_not` says why nothing may go to it now, null: it is in use."""

    id: UUID
    vendor_id: UUID
    kind: Kind
    name: str
    may_carry: list[str]
    why_not: Why | None


class Listed(Schema):
    """All services, by name."""

    services: list[Shown]


class Wrong(Schema):
    """Something that stands in the way of a vendor's services ("error"), or will; the words name nobody."""

    code: str
    severity: Severity
    vendor_id: UUID
    subject_id: UUID
    words: str
    next_step: str
    citation: str


class Wrongs(Schema):
    """All of it, errors first."""

    findings: list[Wrong]


@router.get("/vendors/findings", response=Wrongs, auth=api_key_auth(Permission.VENDORS_VENDOR_READ))
def findings(request: HttpRequest) -> Wrongs:
    """List what stands in the way of vendors' services, or will within thirty days, for monitoring."""
    return Wrongs(findings=[Wrong(**asdict(each)) for each in api.findings(CLOCK.now())])


@router.get("/services", response=Listed, auth=api_key_auth(Permission.VENDORS_VENDOR_READ))
def listing(request: HttpRequest, kind: Kind | None = None) -> Listed:
    """List the services of the vendor register, of one kind or all."""
    return Listed(
        services=[
            Shown(
                id=each.id,
                vendor_id=each.vendor_id,
                kind=each.kind,
                name=each.name.reveal(),
                may_carry=sorted(each.may_carry),
                why_not=each.why_not,
            )
            for each in api.services(CLOCK.now(), kind)
        ]
    )
