"""From one key provider to another: each key is wrapped anew by itself, so that the work can be taken up again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound, Unavailable
from salus.keys import keyring, local
from salus.keys.contracts import KeyProvider
from salus.keys.models import KeyRow, Kind, Status
from salus.keys.operations import forget_on_commit, record_key, transaction_id
from salus.platform.tenancy import acting_for


def run(
    organization_id: UUID,
    to: str,
    actor: Actor,
    now: Callable[[], datetime],
    tell: Callable[[int, int], object],
) -> int:
    """Wrap every key of an organization by the provider `to`, each in its own transaction; return how many.

    Those that `to` wraps already are left as they are. The active data key goes first: keys that are made
    meanwhile follow it.
    """
    target = local.provider_of(to)
    moved = 0
    while (left := _left(organization_id, target)) is not None:
        key_id, count = left
        with acting_for(organization_id):
            _move(key_id, target, actor, now())
        moved += 1
        tell(moved, count - 1)
    return moved


def _left(organization_id: UUID, target: KeyProvider) -> tuple[UUID, int] | None:
    """Return which key is next, and how many there are; None when all are with `target`."""
    with acting_for(organization_id):
        found = list(
            KeyRow.objects.exclude(status=Status.DESTROYED)
            .exclude(wrapped_by=target.name())
            .values_list("id", "kind", "status")
        )
        if not found and not KeyRow.objects.exclude(status=Status.DESTROYED).exists():
            raise NotFound("This organization has no keys, or they were destroyed.")
    found.sort(key=lambda key: (key[1] != Kind.DATA, key[2] != Status.ACTIVE, key[0]))
    return (found[0][0], len(found)) if found else None


def _move(key_id: UUID, target: KeyProvider, actor: Actor, at: datetime) -> None:
    with transaction.atomic():
        row = KeyRow.objects.select_for_update().get(id=key_id)
        if row.status == Status.DESTROYED or row.wrapped_by == target.name():
            return  # somebody else was here
        place = keyring.context(row.organization_id, row.kind, row.name, row.version)
        held = keyring.WrappedKey(
            row.id, row.kind, row.name, row.version, row.status, bytes(row.wrapped), row.wrapped_by
        )
        key = keyring.unwrap(row.organization_id, held)
        wrapped = target.wrap(key, place)
        if target.unwrap(wrapped, place) != key:
            raise Unavailable(
                "The new provider does not give a key back.", kept="The key stays where it was."
            )
        row.wrapped, row.wrapped_by, row.written_in = wrapped, target.name(), transaction_id()
        row.save(update_fields=["wrapped", "wrapped_by", "written_in"])
        record_key(Action.KEYS_KEY_MOVE, row, actor, at, by=target.name())
        forget_on_commit(row.organization_id)
