"""The door of safeguards. Call it inside the organization's context."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import NotFound
from salus.kernel.vocabulary import Protection
from salus.safeguards import operations
from salus.safeguards.contracts import SavedPolicy
from salus.safeguards.joining import join_person, part_person
from salus.safeguards.leaving import erase_person, export_person
from salus.safeguards.queries import number, policy, saved, wishes
from salus.safeguards.rules import WISHES, asked, mark_of, strictest, unmarked

__all__ = [
    "WISHES",
    "asked",
    "erase_person",
    "export_person",
    "join_person",
    "mark_of",
    "number",
    "part_person",
    "policy",
    "save",
    "saved",
    "set_wish",
    "strictest",
    "unmarked",
    "wishes",
]


def save(text: str, *, after: int, actor: Actor, at: datetime) -> SavedPolicy:
    """Put a policy in force; messages that wait are held against it before they go.

    `after` is the number of the policy that the author saw. Raises `BadInput` for a text that is no
    policy, `Conflict` when somebody saved another one meanwhile, `NotFound` for who may not.
    """
    identity.require(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    return operations.save(text, after=after, actor=actor, at=at)


def set_wish(contact_id: UUID, level: Protection | None, *, actor: Actor, at: datetime) -> None:
    """Note what a person asks for at least; None means nothing more than the law does.

    A patient may for themselves, staff with the right to write down what people said. Raises `BadInput`
    for a level that nobody can wish, `NotFound` for who may not and for a person who is not there.
    """
    if actor.kind is ActorKind.PATIENT:
        if actor.id != contact_id:
            raise NotFound
    else:
        identity.require(actor, Permission.PERMISSIONS_ENTRY_WRITE)
    operations.set_wish(contact_id, level, actor=actor, at=at)
