"""Services of the vendor register for tests: one whose set-up is attested, as it has to be before anything goes there."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from salus.kernel.acting import Actor
from salus.vendors import api as vendors
from salus.vendors.contracts import Control


def attest(service_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Attest everything of a service for half a year, beginning the day before."""
    day = at.date() - timedelta(days=1)
    vendors.attest(
        service_id,
        frozenset(Control),
        by="Rosa Delgado, security lead",
        evidence="Report of the yearly review, kept in the contracts folder.",
        attested_on=day,
        expires_on=day + timedelta(days=180),
        actor=actor,
        at=at,
    )
