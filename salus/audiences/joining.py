"""A merge and a split on lists: the person is on every list that either record was on; a split gives back what each brought."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pyroaring import BitMap

from salus.audiences import lists, operations
from salus.audiences.models import ListedRow
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound
from salus.kernel.joining import Pair


def lists_of(number: int) -> list[UUID]:
    """Return the static segments that a contact number is on."""
    places = ListedRow.objects.filter(place__in=lists.places(BitMap([number])))
    return sorted(lists.of_numbers([number], list(places.values_list("segment_id", flat=True)))[number])


def join_person(pair: Pair, *, actor: Actor) -> dict[str, Any]:
    """Put the person on the lists of the merged record, and that record off; return which they were."""
    off, there = lists_of(pair.gone_number), set(lists_of(pair.kept_number))
    on = [each for each in off if each not in there]
    for segment_id in off:
        operations.change_members(segment_id, [pair.gone_number], wanted=False, actor=actor)
    for segment_id in on:
        operations.change_members(segment_id, [pair.kept_number], wanted=True, actor=actor)
    return {"off": [str(each) for each in off], "on": [str(each) for each in on]}


def part_person(pair: Pair, moved: dict[str, Any], *, actor: Actor) -> None:
    """Undo it on the lists that are still there."""
    for name, number, wanted in (("off", pair.gone_number, True), ("on", pair.kept_number, False)):
        for segment_id in moved[name]:
            try:
                operations.change_members(UUID(segment_id), [number], wanted=wanted, actor=actor)
            except NotFound:  # the list was removed since
                continue
