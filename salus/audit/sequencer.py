"""Gives waiting entries their place in the log, in commit order as far as anybody can see it.

An entry waits in `audit_pending`, written in the same statement and transaction. Whatever is visible
there is committed, so nothing is skipped: a transaction that commits late is taken late.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from salus.audit.tiles import Edge
from salus.platform.tenancy import current_organization

BATCH = 10_000
"""Entries that get their place in one call, so that no transaction grows long."""

_TAKE = """
WITH waiting AS (
    SELECT pending.entry_id, entry.leaf_hash
    FROM audit_pending AS pending
    JOIN audit_entry AS entry ON entry.organization_id = pending.organization_id AND entry.id = pending.entry_id
    WHERE pending.organization_id = %s
    ORDER BY pending.entry_id
    LIMIT %s
), taken AS (
    DELETE FROM audit_pending USING waiting
    WHERE audit_pending.organization_id = %s AND audit_pending.entry_id = waiting.entry_id
    RETURNING waiting.entry_id, waiting.leaf_hash
)
SELECT entry_id, leaf_hash FROM taken ORDER BY entry_id
"""
_PLACE = """
INSERT INTO audit_index (organization_id, position, entry_id, leaf_hash)
SELECT %s, %s + place - 1, entry_id, leaf_hash
FROM unnest(%s::uuid[], %s::bytea[]) WITH ORDINALITY AS given (entry_id, leaf_hash, place)
"""
_KEEP_TILES = """
INSERT INTO audit_tile (organization_id, level, number, hashes)
SELECT %s, level, number, hashes FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[]) AS given (level, number, hashes)
"""


def integrate(batch: int = BATCH) -> int:
    """Append up to `batch` waiting entries to the current organization's log; return how many.

    Of concurrent calls one works and the others wait for it. An entry whose row was removed while it
    waited stays in the queue, where verification finds it.
    """
    organization_id = current_organization()
    if not _anything_waits(organization_id):
        return 0
    edge = lock(organization_id)
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [organization_id, batch, organization_id])
        taken = [(entry_id, bytes(leaf_hash)) for entry_id, leaf_hash in cursor.fetchall()]
        if not taken:
            return 0
        ids, hashes = [entry_id for entry_id, _ in taken], [leaf_hash for _, leaf_hash in taken]
        cursor.execute(_PLACE, [organization_id, edge.size, ids, hashes])
        edge.append(hashes)
        full = edge.take_full()
        if full:
            cursor.execute(_KEEP_TILES, [organization_id, *map(list, zip(*full, strict=True))])
        cursor.execute(
            "UPDATE audit_log SET size = %s, edge = %s WHERE organization_id = %s",
            [edge.size, edge.hashes(), organization_id],
        )
    return len(taken)


def lock(organization_id: UUID) -> Edge:
    """Lock the organization's log until the transaction ends and return its right edge."""
    with connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(
                "SELECT size, edge FROM audit_log WHERE organization_id = %s FOR UPDATE", [organization_id]
            )
            row = cursor.fetchone()
            if row:
                return Edge(row[0], bytes(row[1]))
            cursor.execute(
                "INSERT INTO audit_log (organization_id, size, edge) VALUES (%s, 0, '') ON CONFLICT DO NOTHING",
                [organization_id],
            )
    raise AssertionError("the log's row was just made")


def _anything_waits(organization_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM audit_pending WHERE organization_id = %s)", [organization_id]
        )
        return bool(cursor.fetchone()[0])
