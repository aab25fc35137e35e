"""What the test by hand needs from inside an installation: its staff, and a look past every check of the application.

Started as `python tests/whole/backstage.py WORD ...` in the installation's environment; prints JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any
from uuid import UUID

from salus.wiring.cli import setup

setup()

from django.apps import apps  # noqa: E402
from django.db.models import QuerySet  # noqa: E402

from salus.identity import api as identity  # noqa: E402
from salus.identity.contracts import Permission  # noqa: E402
from salus.identity.rules import NOT_FOR_KEYS  # noqa: E402
from salus.kernel.acting import system  # noqa: E402
from salus.kernel.vocabulary import SenderRole  # noqa: E402
from salus.platform.tenancy import TenantModel, acting_for  # noqa: E402


def staff(name: str, slug: str) -> dict[str, Any]:
    """Make a clinic with one person a role; tell how each signs in."""
    made = identity.create_organization(
        name=name,
        slug=slug,
        sender_role=SenderRole.PROVIDER,
        postal_address="3 Mill Lane, Albany, NY 12207",
        phone="518-555-0177",
        sending_domain=f"mail.{slug}.example.org",
        time_zone="America/New_York",
        demo=True,
    )
    identity.create_demo_staff(made)
    people = {
        each.role.value: {"email": each.email, "password": each.password, "otpauth": each.otpauth}
        for each in identity.demo_sign_ins(made)
    }
    return {"id": str(made.id), "name": made.name, "phone": made.phone, "people": people}


def key(organization: str) -> str:
    """Make a key for programs that may do everything that a key may do."""
    organization_id = UUID(organization)
    with acting_for(organization_id):
        return identity.create_api_key(
            "a program",
            [each for each in Permission if each not in NOT_FOR_KEYS],
            actor=system(organization_id, "test"),
            allowed=Permission,
        )


def unchecked(acting: str, wanted: str) -> dict[str, list[int]]:
    """Count the rows of every tenant's model in the context of `acting`, with a manager that checks nothing.

    For each model: all rows that are seen, and those of the organization `wanted` among them.
    """
    found = {}
    with acting_for(UUID(acting)):
        for model in apps.get_models():
            if issubclass(model, TenantModel):
                rows: QuerySet[Any] = QuerySet(model)
                found[model._meta.db_table] = [
                    rows.count(),
                    rows.filter(organization_id=UUID(wanted)).count(),
                ]
    return found


if __name__ == "__main__":
    words = {each.__name__: each for each in (staff, key, unchecked)}
    json.dump(words[sys.argv[1]](*sys.argv[2:]), sys.stdout)
