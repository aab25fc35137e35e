"""Organizations: make one, change one, look one up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import IntegrityError, transaction
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity.contracts import Organization
from salus.identity.doorway import before_tenant
from salus.identity.models import OrganizationRow
from salus.identity.ports import now
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Profile, SenderRole
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.tenancy import acting_for, current_organization

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\Z")
_ONE_LINE = re.compile("[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,200}")
_DOMAIN = re.compile(
    r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]\Z"
)
COLUMNS = (
    *("id", "name", "slug", "sender_role", "profile"),
    *("postal_address", "phone", "sending_domain", "time_zone", "demo"),
)
"""What is told of an organization, as it stands in its table."""
_CURRENT = sql.SQL("SELECT {} FROM identity_organization WHERE id = %s").format(
    sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
)
_CHANGEABLE = ("name", "sender_role", "profile", "postal_address", "phone", "sending_domain", "time_zone")


def create(
    *,
    name: str,
    slug: str,
    sender_role: SenderRole,
    profile: Profile,
    postal_address: str,
    phone: str,
    sending_domain: str,
    time_zone: str,
    demo: bool,
    organization_id: UUID | None,
) -> Organization:
    """Make an organization with its keys, in a transaction of its own; raises `BadInput` or `Conflict`."""
    row = OrganizationRow(
        id=organization_id or new_id(),
        name=name.strip(),
        slug=slug,
        sender_role=sender_role,
        profile=profile,
        postal_address=postal_address.strip(),
        phone=phone.strip(),
        sending_domain=sending_domain.lower(),
        time_zone=time_zone,
        demo=demo,
        created_at=now(),
    )
    _check(row)
    with acting_for(row.id):
        with suppress(Conflict):  # somebody who brings an id may have made the keys
            keys.create_organization_keys(row.id)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            raise Conflict("An organization with this short name is there already.", place="slug") from None
        audit.record(
            Action.ORGANIZATION_CREATE,
            actor=system(row.id, "identity"),
            object_kind="organization",
            object_id=row.id,
            fields=_CHANGEABLE,
        )
    return _facts(row)


def change(actor: Actor, **changes: str) -> Organization:
    """Change facts of the current organization; raises `BadInput` for a field that is unknown or wrong."""
    unknown = sorted(set(changes) - set(_CHANGEABLE))
    if unknown:
        raise BadInput("An organization has no such fact.", place=unknown[0])
    row = OrganizationRow.objects.select_for_update().get(pk=current_organization())
    changed = [field for field, value in changes.items() if getattr(row, field) != value]
    for field in changed:
        setattr(row, field, changes[field])
    _check(row)
    if changed:
        row.save(update_fields=changed)
        audit.record(
            Action.ORGANIZATION_CHANGE,
            actor=actor,
            object_kind="organization",
            object_id=row.id,
            fields=changed,
        )
    return _facts(row)


def current() -> Organization:
    """Return the organization in context; raises `NotFound` when it has no record."""
    found = bulk.read(_CURRENT, [current_organization()])
    if not found:
        raise NotFound
    return told(found[0])


def every() -> tuple[Organization, ...]:
    """Return all organizations of this installation, the oldest first; for the system's own processes."""
    with before_tenant():
        return tuple(_facts(row) for row in OrganizationRow.objects.order_by("created_at", "id"))


def by_slug(slug: str) -> Organization:
    """Return the organization with this short name; raises `NotFound`."""
    with before_tenant():
        row = OrganizationRow.objects.filter(slug=slug).first()
    if row is None:
        raise NotFound(f"There is no organization {slug!r}.")
    return _facts(row)


def _check(row: OrganizationRow) -> None:
    for field in ("name", "postal_address", "phone"):
        if not getattr(row, field):
            raise BadInput("This is needed: every message names its sender.", place=field)
    if not _ONE_LINE.fullmatch(row.name):
        raise BadInput("A name is one line of up to 200 characters.", place="name")
    if not _SLUG.match(row.slug):
        raise BadInput("Use up to 40 small letters, digits and hyphens.", place="slug")
    if not _DOMAIN.match(row.sending_domain):
        raise BadInput("That is not a domain name.", place="sending_domain")
    try:
        ZoneInfo(row.time_zone)
        row.sender_role, row.profile = SenderRole(row.sender_role), Profile(row.profile)
    except (ZoneInfoNotFoundError, ValueError) as wrong:
        raise BadInput("That is not in the list.", place="time_zone, sender_role or profile") from wrong


def told(values: Sequence[Any]) -> Organization:
    """Return the organization that a row's `COLUMNS` tell of."""
    known = dict(zip(COLUMNS, values, strict=True))
    words = {"sender_role": SenderRole(known["sender_role"]), "profile": Profile(known["profile"])}
    return Organization(**known | words)


def _facts(row: OrganizationRow) -> Organization:
    return told([getattr(row, name) for name in COLUMNS])
