"""The demo's clinic and the people who work there."""

from __future__ import annotations

from salus.identity import api as identity
from salus.identity.contracts import Organization, Role
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import NotFound
from salus.kernel.vocabulary import SenderRole

SLUG = "cedar-row"
SENDING_DOMAIN = "mail.cedar-row.example.org"


def clinic() -> Organization:
    """Return the demo's organization, made with its staff on first use; outside any context."""
    try:
        organization = identity.find_organization(SLUG)
    except NotFound:
        organization = identity.create_organization(
            name="Cedar Row Clinic",
            slug=SLUG,
            sender_role=SenderRole.PROVIDER,
            postal_address="12 Cedar Row, Albany, NY 12207",
            phone="518-555-0142",
            sending_domain=SENDING_DOMAIN,
            demo=True,
        )
    identity.create_demo_staff(organization)
    return organization


def member(organization: Organization, role: Role) -> Actor:
    """Return the staff member with this role, acting; inside the organization's context."""
    for person in identity.staff_members():
        if role in person.roles:
            return Actor(
                ActorKind.STAFF,
                organization.id,
                id=person.id,
                roles=tuple(person.roles),
                permissions=frozenset(identity.permissions_of(person.roles)),
            )
    raise NotFound
