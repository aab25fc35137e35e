"""One person on lists: what an access request gets, what an erasure takes, and what a frozen membership reveals."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pyroaring import BitMap64

from salus.audiences import operations, queries
from salus.audiences.joining import lists_of
from salus.audiences.models import FrozenRow
from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.kernel.leaving import Kept, Left
from salus.keys import api as keys
from salus.platform.tenancy import current_organization


def export_person(contact_id: UUID) -> dict[str, Any]:
    """Return the names of the static segments that a person is on."""
    number = contacts.numbers_of([contact_id]).get(contact_id)
    named = {each.id: each.name.reveal() for each in queries.segments()}
    return {"lists": sorted(named[id] for id in (lists_of(number) if number else ()) if id in named)}


def erase_person(contact_id: UUID, *, actor: Actor) -> Left:
    """Take a person off every static segment; run it before the contact is erased. Safe to repeat.

    Frozen memberships are proof of who was asked for and never change. They hold a number, which leads to
    nobody once the contact is erased: they are counted and named.
    """
    number = contacts.numbers_of([contact_id]).get(contact_id)
    if number is None:
        return Left()
    on = lists_of(number)
    for segment_id in on:
        operations.change_members(segment_id, [number], wanted=False, actor=actor)
    frozen = sum(
        number in _members(row) for row in FrozenRow.objects.only("id", "sealed_members").iterator(8)
    )
    kept = Kept(
        "frozen memberships with their number",
        frozen,
        "proof of who a sending was planned for; the number leads to no record any more",
        "45 CFR 164.530(j)(2)",
    )
    return Left({"lists": len(on)}, (kept,) if frozen else ())


def _members(row: FrozenRow) -> BitMap64:
    binding = keys.binding(current_organization(), "audiences_frozen.members", row.id)
    return BitMap64.deserialize(keys.sealer().open(bytes(row.sealed_members), binding))
