"""Proofs out of the stored tiles: a handful of rows, however long the log is."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from salus.audit.merkle import consistency_spans, inclusion_spans, span_hash
from salus.audit.tiles import Edge, node_from


class StoredTree:
    """An organization's tree as tiles and edge give it; reads each tile once."""

    def __init__(self, organization_id: UUID, edge: Edge) -> None:
        self._organization_id = organization_id
        self._edge = edge
        self._tiles: dict[tuple[int, int], bytes] = {}

    @property
    def size(self) -> int:
        """Return how many entries have their place."""
        return self._edge.size

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` entries."""
        return span_hash((0, size), self._node)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the audit path of the entry at `index` in the log of `size`."""
        return tuple(span_hash(span, self._node) for span in inclusion_spans(index, size))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the proof that the log of `old` entries begins the log of `new`."""
        return tuple(span_hash(span, self._node) for span in consistency_spans(old, new))

    def _node(self, level: int, index: int) -> bytes:
        return node_from(self._tile, level, index)

    def _tile(self, level: int, number: int) -> bytes:
        present = self._tiles.get((level, number))
        if present is None:
            present = self._tiles[level, number] = self._read(level, number)
        return present

    def _read(self, level: int, number: int) -> bytes:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT hashes FROM audit_tile WHERE organization_id = %s AND level = %s AND number = %s",
                [self._organization_id, level, number],
            )
            row = cursor.fetchone()
        return bytes(row[0]) if row else self._edge.partial(level)


def stored_tree(organization_id: UUID) -> StoredTree:
    """Return the tree as it stands, without locking it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT size, edge FROM audit_log WHERE organization_id = %s", [organization_id])
        row = cursor.fetchone() or (0, b"")
    return StoredTree(organization_id, Edge(row[0], bytes(row[1])))
