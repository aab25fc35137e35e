"""For programs: which services there are, and whether each may be used now."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from salus.identity.api import api_key_auth
from salus.identity.contracts import Permission
from salus.kernel.time import SystemClock
from salus.vendors import api
from salus.vendors.contracts import Kind, Why

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
