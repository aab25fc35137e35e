"""Who is on static segments: bitmaps of contact numbers, sealed in ranges of 65,536, with a feed of changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from pyroaring import BitMap, BitMap64

from salus.audiences.models import ListedRow
from salus.keys import api as keys
from salus.platform import feed
from salus.platform.tenancy import current_organization

FEED, TABLE = "audiences_listed", "audiences_listed"
BITS = 16
"""A range holds the numbers that are the same but for this many bits."""

_PUT = (
    "INSERT INTO audiences_listed (organization_id, segment_id, place, change, count, sealed) "
    "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (organization_id, segment_id, place) "
    "DO UPDATE SET change = EXCLUDED.change, count = EXCLUDED.count, sealed = EXCLUDED.sealed"
)


class Range(NamedTuple):
    """Who of the numbers of one range is on a static segment, as of change number `change`."""

    change: int
    segment_id: UUID
    place: int
    members: BitMap


def head() -> int:
    """Return the number of the last change of a list, 0 when there is none."""
    return feed.head(FEED)


def changes(after: int, limit: int) -> list[Range]:
    """Return the next `limit` ranges that changed after number `after`; each stands once, as it is now."""
    return list(_opened(ListedRow.objects.filter(change__gt=after).order_by("change")[:limit]))


def members(segment_id: UUID) -> BitMap64:
    """Return the numbers on a static segment, those of people who were erased meanwhile too."""
    found = BitMap64()
    for one in _opened(ListedRow.objects.filter(segment_id=segment_id)):
        found |= BitMap64(one.members)
    return found


def of_numbers(numbers: Sequence[int], among: Iterable[UUID]) -> dict[int, frozenset[UUID]]:
    """Return for each of `numbers` which of the static segments `among` it is on."""
    asked, on = BitMap(numbers), {number: set[UUID]() for number in numbers}
    rows = ListedRow.objects.filter(segment_id__in=list(among), place__in=places(asked))
    for one in _opened(rows) if on else ():
        for number in one.members & asked:
            on[number].add(one.segment_id)
    return {number: frozenset(found) for number, found in on.items()}


def put(segment_id: UUID, numbers: BitMap, *, wanted: bool) -> int:
    """Put `numbers` on a static segment, or take them off; return for how many that was a change.

    The feed's number is taken first: its counter is the one lock under which lists change, so that two
    transactions that change several lists in different order never wait for each other crosswise.
    """
    touched = places(numbers)
    if not touched:
        return 0
    change = feed.next_numbers(FEED, len(touched))
    present = {
        one.place: one.members
        for one in _opened(ListedRow.objects.filter(segment_id=segment_id, place__in=touched))
    }
    organization_id, sealer = current_organization(), keys.sealer()
    rows: list[tuple[Any, ...]] = []
    moved = 0
    for place in touched:
        before, given = present.get(place, BitMap()), numbers & _range(place)
        after = before | given if wanted else before - given
        if len(after) == len(before):
            continue
        moved += abs(len(after) - len(before))
        after.run_optimize()
        sealed = sealer.seal(after.serialize(), _binding(organization_id, segment_id, place))
        rows.append((organization_id, segment_id, place, change + len(rows), len(after), sealed))
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_PUT, rows)
    return moved


def places(numbers: BitMap) -> list[int]:
    """Return the ranges that `numbers` lie in, in order."""
    if not numbers:
        return []
    return [
        place
        for place in range(numbers.min() >> BITS, (numbers.max() >> BITS) + 1)
        if numbers.range_cardinality(place << BITS, (place + 1) << BITS)
    ]


def _range(place: int) -> BitMap:
    return BitMap(range(place << BITS, (place + 1) << BITS))


def _binding(organization_id: UUID, segment_id: UUID, place: int) -> bytes:
    return keys.binding(organization_id, TABLE, segment_id) + place.to_bytes(4)


def _opened(rows: Iterable[ListedRow]) -> Iterator[Range]:
    organization_id, sealer = current_organization(), keys.sealer()
    for row in rows:
        raw = sealer.open(bytes(row.sealed), _binding(organization_id, row.segment_id, row.place))
        yield Range(row.change, row.segment_id, row.place, BitMap.deserialize(raw))
