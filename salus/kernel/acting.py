"""Who acts: the one description of an actor that permissions, audit and receipts share."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class ActorKind(StrEnum):
    """What sort of somebody acts."""

    STAFF = "staff"
    API_KEY = "api_key"
    PATIENT = "patient"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts inside one organization.

    `name` is the name of a system part for `SYSTEM` ("worker"), else empty: names of people are
    looked up by id. `permissions` are the permission words that hold for this actor.
    """

    kind: ActorKind
    organization_id: UUID
    id: UUID | None = None
    name: str = ""
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = field(default_factory=frozenset)
    session_id: str = ""
    ip: str = ""


def system(organization_id: UUID, name: str) -> Actor:
    """Return the actor of the system part `name` ("worker", "sender", "engine", "demo")."""
    return Actor(ActorKind.SYSTEM, organization_id, name=name)
