"""The people of a demo organization as actors, for tests that need no page."""

from __future__ import annotations

from salus.identity import roles, sessions
from salus.identity.contracts import Organization, Role
from salus.identity.models import Staff
from salus.identity.ports import now
from salus.kernel.acting import Actor, ActorKind
from tests.browser import Console


def person(organization: Organization, role: Role) -> Staff:
    """Return the person whose one built-in role is this; call it in the organization's context."""
    return Staff.objects.select_related("user").get(roles=[role])


def acting(organization: Organization, role: Role) -> Actor:
    """Return that person as an actor with what they may do now."""
    row = person(organization, role)
    held = frozenset(word.value for word in roles.held(row, now()).permissions)
    return Actor(ActorKind.STAFF, organization.id, row.pk, roles=(role.value,), permissions=held)


def mark(console: Console, role: Role) -> str:
    """Return the mark of a fresh session of the person with this role."""
    return sessions.stored_key(console.cookie(role)["value"])[:16]
