"""A clinic with an author, a reviewer and a marketer, for tests that need the database."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from salus.identity import api as identity
from salus.identity.contracts import Role
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import SenderRole

from .desk import DOMAIN, ORG


@pytest.fixture
def clinic(tenant: UUID) -> UUID:
    """A provider with a record, in a transaction that is rolled back."""
    identity.create_organization(
        name=ORG["name"],
        slug=f"clinic-{tenant.hex[-12:]}",
        sender_role=SenderRole.PROVIDER,
        postal_address=ORG["postal_address"],
        phone=ORG["phone"],
        sending_domain=DOMAIN,
        organization_id=tenant,
    )
    return tenant


@pytest.fixture
def staff(clinic: UUID) -> Callable[[Role], Actor]:
    """Return a maker of people of the clinic, each a different one."""

    def make(role: Role) -> Actor:
        return Actor(
            ActorKind.STAFF,
            clinic,
            id=new_id(),
            roles=(role.value,),
            permissions=frozenset(identity.permissions_of([role])),
        )

    return make


@pytest.fixture
def author(staff: Callable[[Role], Actor]) -> Actor:
    """Priya, who writes."""
    return staff(Role.AUTHOR)


@pytest.fixture
def reviewer(staff: Callable[[Role], Actor]) -> Actor:
    """Theo, who reviews."""
    return staff(Role.PRIVACY_OFFICER)
