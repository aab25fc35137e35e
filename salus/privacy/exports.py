"""A person's record as every package tells it: what an access request gets (45 CFR 164.524)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound, Unavailable
from salus.privacy import requests
from salus.privacy.contracts import Kind, Package

PURPOSE = "access_request"
_packages: tuple[Package, ...] = ()


def use_packages(packages: Sequence[Package]) -> None:
    """Set what holds something of a person, in the order of an erasure, for this process."""
    global _packages
    _packages = tuple(packages)


def packages() -> tuple[Package, ...]:
    """Return them; raises `Unavailable` in a process that was not assembled."""
    if not _packages:
        raise Unavailable(
            "Nobody says what holds something of a person.", next_step="Start Salus through its command line."
        )
    return _packages


def export(request_id: UUID, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """Return everything that is held of the person who asked, by package, and mark the request as answered.

    Raises `NotFound` (also when the person was erased meanwhile), `Conflict` before it is approved.
    """
    requests.must_do(actor)
    row = requests.approved(request_id, Kind.ACCESS)
    person = contacts.whole(row.contact_id)[0]
    parts = {each.name: dict(each.export(person, PURPOSE, actor)) for each in packages()}
    if not parts.get("contacts"):
        raise NotFound
    audit.record(
        Action.PRIVACY_EXPORT,
        actor=actor,
        object_kind="privacy_request",
        object_id=row.id,
        patient_id=row.contact_id,
        purpose=PURPOSE,
        fields=tuple(sorted(parts)),
    )
    requests.finish(row, at=at)
    return {"made_at": at.isoformat(), "person": str(row.contact_id), **parts}
