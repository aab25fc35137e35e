"""Reads policies and wishes of the current organization."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from psycopg import sql

from salus.kernel.vocabulary import Protection
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.tenancy import current_organization
from salus.safeguards.contracts import Policy, SavedPolicy
from salus.safeguards.models import PolicyRow
from salus.safeguards.reading import read

TABLE = "safeguards_policy"
_WISHES = sql.SQL("SELECT contact_id, level FROM safeguards_wish WHERE contact_id = ANY(%s)")


def policy() -> Policy:
    """Return the policy in force."""
    row = PolicyRow.objects.order_by("-number").first()
    return Policy(row.number, read(_text(row))) if row else Policy()


def number() -> int:
    """Return the number of the policy in force, 0 when there is none."""
    return PolicyRow.objects.order_by("-number").values_list("number", flat=True).first() or 0


def saved(most: int = 50) -> list[SavedPolicy]:
    """Return what was saved, newest first."""
    return [
        SavedPolicy(row.number, _text(row), row.saved_by, row.saved_at)
        for row in PolicyRow.objects.order_by("-number")[:most]
    ]


def wishes(contact_ids: Sequence[UUID]) -> dict[UUID, Protection]:
    """Return the wish of each of these people who has one."""
    found = bulk.read(_WISHES, [list(contact_ids)])
    return {contact_id: Protection(level) for contact_id, level in found}


def _text(row: PolicyRow) -> str:
    binding = keys.binding(current_organization(), TABLE, row.id)
    return keys.sealer().open(bytes(row.sealed), binding).decode()
