"""Recomputes the whole log from its rows and holds the result against everything that was ever signed.

Contents give leaf hashes, leaf hashes in their order give tiles and roots, and the roots must be those
of every checkpoint, stored in the database or witnessed outside it. Rows come in batches: memory does
not grow with the log.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection

from salus.audit.claims import Claim, claims
from salus.audit.contracts import Fault, Verdict
from salus.audit.merkle import HASH
from salus.audit.reading import Placed, ordered
from salus.audit.rules import leaf_hash
from salus.audit.tiles import WIDTH, Edge, Tile
from salus.platform.tenancy import current_organization

MOST_FAULTS = 200
"""Faults of a sort that are listed; a destroyed log would list millions."""
FEW = 4
"""Places of a tile that are named one by one; when more differ, all after the first were moved."""

# One statement sees one moment: what the sequencer moves meanwhile is in one place or the other.
_ASTRAY = """
SELECT entry.id FROM audit_entry AS entry
WHERE entry.organization_id = %s
    AND NOT EXISTS (
        SELECT FROM audit_index AS place
        WHERE place.organization_id = entry.organization_id AND place.entry_id = entry.id)
    AND NOT EXISTS (
        SELECT FROM audit_pending AS pending
        WHERE pending.organization_id = entry.organization_id AND pending.entry_id = entry.id)
LIMIT %s
"""
_GONE_WAITING = """
SELECT pending.entry_id FROM audit_pending AS pending
WHERE pending.organization_id = %s
    AND NOT EXISTS (
        SELECT FROM audit_entry AS entry
        WHERE entry.organization_id = pending.organization_id AND entry.id = pending.entry_id)
LIMIT %s
"""
_BEYOND = """
SELECT place.position, place.entry_id FROM audit_index AS place
WHERE place.organization_id = %s
    AND place.position >= COALESCE(
        (SELECT log.size FROM audit_log AS log WHERE log.organization_id = place.organization_id), 0)
ORDER BY place.position LIMIT %s
"""
_TILES_BEYOND = """
SELECT tile.level, tile.number FROM audit_tile AS tile
WHERE tile.organization_id = %s
    AND (tile.number + 1)::numeric * power(256::numeric, tile.level + 1) > COALESCE(
        (SELECT log.size FROM audit_log AS log WHERE log.organization_id = tile.organization_id), 0)
LIMIT %s
"""

Row = tuple[Any, ...]


def verify(witnessed: str | None) -> Verdict:
    """Verify the current organization's log; `witnessed` holds further checkpoints, as signed notes.

    Raises `BadInput` when `witnessed` is no checkpoint of this log.
    """
    return _Verification(current_organization()).run(witnessed)


class _Faults:
    """Collects faults up to a number, and counts the rest; those of the log as a whole come first."""

    def __init__(self) -> None:
        self._of_log: list[Fault] = []
        self._of_places: list[Fault] = []
        self._more = 0

    def add(self, position: int | None, what: str) -> None:
        found = self._of_log if position is None else self._of_places
        if len(found) < MOST_FAULTS:
            found.append(Fault(position, what))
        else:
            self._more += 1

    def all(self) -> tuple[Fault, ...]:
        more = [Fault(None, f"and {self._more} faults more")] if self._more else []
        return (*self._of_log, *self._of_places, *more)


class _Verification:
    def __init__(self, organization_id: UUID) -> None:
        self._organization_id = organization_id
        self._faults = _Faults()
        self._edge = Edge()
        self._disagreed: set[str] = set()
        self._next = 0
        """The position that must come next; ahead of the edge's size once rows are missing."""

    def run(self, witnessed: str | None) -> Verdict:
        stated = claims(self._organization_id, witnessed)
        for what in stated.faults:
            self._faults.add(None, what)
        size, stored_edge = self._state()
        self._recompute(size, stated.claims)
        self._check_end(size, stored_edge)
        self._check_strays()
        pending = self._count("audit_pending")
        remarks = list(stated.remarks)
        if pending:
            remarks.append(
                f"{pending} entries wait for their place (seconds); an edit before that is not detected."
            )
        faults = self._faults.all()
        return Verdict(
            entries=self._edge.size,
            pending=pending,
            root=self._edge.root().hex(),
            verified=not faults,
            faults=faults,
            remarks=tuple(remarks),
            checkpoints=len(stated.claims),
        )

    def _state(self) -> tuple[int, bytes]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT size, edge FROM audit_log WHERE organization_id = %s", [self._organization_id]
            )
            row = cursor.fetchone()
        return (row[0], bytes(row[1])) if row else (0, b"")

    def _recompute(self, size: int, stated: list[Claim]) -> None:
        """Walk all places in order; stop at the size of each claim to compare roots."""
        waiting = sorted(stated, key=lambda claim: claim.size)
        agreed = 0
        for batch in ordered(self._organization_id, size):
            hashes = self._leaves(batch)
            at = 0
            while waiting and waiting[0].size <= self._edge.size + len(hashes) - at:
                upto = at + waiting[0].size - self._edge.size
                self._edge.append(hashes[at:upto])
                at = upto
                agreed = self._compare(waiting.pop(0), agreed)
            self._edge.append(hashes[at:])
            self._compare_tiles(self._edge.take_full())
        while waiting and waiting[0].size <= self._edge.size:
            agreed = self._compare(waiting.pop(0), agreed)
        for claim in waiting[:1]:
            self._faults.add(
                None,
                f"the log was cut: {claim.source} signed {claim.size} entries, {self._edge.size} are here",
            )

    def _leaves(self, batch: list[Placed]) -> list[bytes]:
        """Return the leaf hashes that stand at some places, after holding the entries' content against them."""
        coming = self._next
        for found in batch:
            position, entry_id, placed, kept, encoded = found
            if position != coming:
                self._out_of_order(position, entry_id, coming)
            coming = max(coming, position + 1)
            computed = leaf_hash(encoded)
            if computed != placed or kept != placed:
                self._differs(found, computed)
        self._next = coming
        return [found.placed for found in batch]

    def _differs(self, found: Placed, computed: bytes) -> None:
        """Say how the entry at a place, its own hash and the hash of the place disagree."""
        position, entry_id, _, kept, _ = found
        if kept is None:
            self._faults.add(position, f"entry {entry_id} was deleted")
        elif computed != kept:
            self._faults.add(position, f"entry {entry_id} was changed: its content does not have its hash")
        else:
            self._faults.add(
                position, f"entry {entry_id} is not the one that was put here: changed or exchanged"
            )

    def _out_of_order(self, position: int, entry_id: str, coming: int) -> None:
        if position < coming:
            self._faults.add(position, f"the place is taken twice, here by entry {entry_id}")
        else:
            self._faults.add(
                coming,
                f"{position - coming} entries were removed from the order, before entry {entry_id}",
            )

    def _compare(self, claim: Claim, agreed: int) -> int:
        """Hold the root against a claim; return up to which size the log is known to be as signed."""
        if self._edge.root() == claim.root:
            return claim.size
        if claim.source not in self._disagreed:  # a later one of the same source says nothing new
            self._disagreed.add(claim.source)
            self._faults.add(
                None,
                f"the log is not what {claim.source} signed at {claim.size} entries: "
                f"something between positions {agreed} and {claim.size - 1} was changed",
            )
        return agreed

    def _compare_tiles(self, computed: list[Tile]) -> None:
        if not computed or self._next != self._edge.size:
            return  # after a gap every tile differs, and the gap is reported
        levels, numbers = [tile[0] for tile in computed], [tile[1] for tile in computed]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tile.level, tile.number, tile.hashes FROM audit_tile AS tile "
                "JOIN unnest(%s::smallint[], %s::bigint[]) AS wanted (level, number) USING (level, number) "
                "WHERE tile.organization_id = %s",
                [levels, numbers, self._organization_id],
            )
            stored = {(level, number): bytes(hashes) for level, number, hashes in cursor.fetchall()}
        for level, number, hashes in computed:
            kept = stored.get((level, number))
            if kept is None:
                self._faults.add(None, f"tile {level}/{number} was deleted")
            elif kept != hashes:
                self._tile_differs(level, number, hashes, kept)

    def _tile_differs(self, level: int, number: int, computed: bytes, kept: bytes) -> None:
        places = [
            at // HASH
            for at in range(0, len(computed), HASH)
            if computed[at : at + HASH] != kept[at : at + HASH]
        ]
        if level or not places:
            self._faults.add(None, f"tile {level}/{number} does not agree with the entries")
            return
        if len(places) > FEW:
            self._faults.add(
                number * WIDTH + places[0],
                f"the entry is not the one whose hash the tile keeps, nor are {len(places) - 1} after it",
            )
            return
        for place in places:
            self._faults.add(number * WIDTH + place, "the entry is not the one whose hash the tile keeps")

    def _check_end(self, size: int, stored_edge: bytes) -> None:
        if self._edge.size != size or self._next != size:
            self._faults.add(self._next, f"the log counts {size} entries, {self._edge.size} have a place")
        elif self._edge.hashes() != stored_edge:
            self._faults.add(None, "the log's right edge does not agree with the entries")

    def _check_strays(self) -> None:
        for statement, what in (
            (
                _ASTRAY,
                "entry {} is neither in the log nor waiting: inserted past the program, or its place removed",
            ),
            (_GONE_WAITING, "entry {} was deleted while it waited for its place"),
        ):
            for (entry_id,) in self._rows(statement):
                self._faults.add(None, what.format(entry_id))
        for position, entry_id in self._rows(_BEYOND):
            self._faults.add(position, f"entry {entry_id} has a place beyond the end of the log")
        for level, number in self._rows(_TILES_BEYOND):
            self._faults.add(None, f"tile {level}/{number} lies beyond the end of the log")

    def _rows(self, statement: str) -> list[Row]:
        with connection.cursor() as cursor:
            cursor.execute(statement, [self._organization_id, MOST_FAULTS])
            return list(cursor.fetchall())

    def _count(self, table: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM {table} WHERE organization_id = %s",  # noqa: S608  a constant of this module
                [self._organization_id],
            )
            return int(cursor.fetchone()[0])
