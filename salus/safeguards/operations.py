"""Saves policies and wishes, each recorded in the log."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Protection
from salus.keys import api as keys
from salus.platform.tenancy import current_organization
from salus.safeguards import queries
from salus.safeguards.contracts import SavedPolicy
from salus.safeguards.models import PolicyRow, WishRow
from salus.safeguards.reading import read
from salus.safeguards.rules import WISHES


def save(text: str, *, after: int, actor: Actor, at: datetime) -> SavedPolicy:
    """Put a policy in force; messages that wait are held against it before they go.

    `after` is the number of the policy that the author saw. Raises `BadInput` for a text that is no
    policy, `Conflict` when somebody saved another one meanwhile; what was in force stays.
    """
    text = text.replace("\r\n", "\n")
    rules = read(text)
    if queries.number() != after:
        raise _other_one()
    row = PolicyRow(id=new_id(), number=after + 1, saved_by=actor.id, saved_at=at)
    binding = keys.binding(current_organization(), queries.TABLE, row.id)
    row.sealed = keys.sealer().seal(text.encode(), binding)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise _other_one() from None
    audit.record(
        Action.SAFEGUARDS_POLICY_SAVE,
        actor=actor,
        object_kind="policy",
        object_id=row.id,
        details={"number": row.number, "rules": len(rules)},
    )
    return SavedPolicy(row.number, text, row.saved_by, at)


def set_wish(contact_id: UUID, level: Protection | None, *, actor: Actor, at: datetime) -> None:
    """Note what a person asks for at least, or that they ask for nothing more than the law does.

    Raises `BadInput` for a level that nobody can wish: what is less than the law asks for.
    """
    if level is not None and level not in WISHES:
        raise BadInput("This cannot be wished.", place="level")
    if contact_id not in contacts.versions([contact_id]):
        raise NotFound
    present = queries.wishes([contact_id]).get(contact_id)
    if present == level:
        return
    if level is None:
        WishRow.objects.filter(contact_id=contact_id).delete()
    else:
        WishRow.objects.bulk_create(
            [WishRow(contact_id=contact_id, level=int(level), since=at)],
            update_conflicts=True,
            unique_fields=["organization_id", "contact_id"],
            update_fields=["level", "since"],
        )
    audit.record(
        Action.SAFEGUARDS_WISH_SET,
        actor=actor,
        object_kind="contact",
        object_id=contact_id,
        patient_id=contact_id,
        details={"level": level.name.lower() if level else "none"},
    )


def _other_one() -> Conflict:
    return Conflict(
        "Somebody saved another policy meanwhile.",
        kept="Your text is still in the form.",
        next_step="Look at theirs, and save yours again with what is right in both.",
    )
