"""Receipts: canonical bytes of what happened to a message, and their batches in the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import sql

from salus.audit import api as audit
from salus.delivery.models import ReceiptBatch, ReceiptRow
from salus.kernel.acting import Actor
from salus.kernel.ids import new_id, new_ids
from salus.platform import bulk
from salus.platform.tenancy import current_organization

_COLUMNS = (
    ("organization_id", "uuid"),
    ("id", "uuid"),
    ("message_id", "uuid"),
    ("batch_id", "uuid"),
    ("place", "int4"),
    ("body", "bytea"),
    ("at", "timestamptz"),
)


def body(facts: Mapping[str, Any]) -> bytes:
    """Return the canonical bytes of a receipt: JSON with sorted keys, the same for ever."""
    return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC)


def record(receipts: Sequence[tuple[UUID, bytes]], *, actor: Actor, at: datetime) -> UUID | None:
    """Store a batch of (message id, body) and put the root of its tree into the audit log.

    One entry of the log proves them all: a receipt's proof is its path to the batch's root, and that
    entry's path to a checkpoint. Returns the batch's id, None for an empty batch.
    """
    if not receipts:
        return None
    organization_id, batch_id = current_organization(), new_id()
    root = audit.merkle_root([audit.leaf_hash(content) for _, content in receipts])
    entry_id = audit.record_receipts(root, len(receipts), actor=actor, at=at)
    ReceiptBatch(id=batch_id, root=root, count=len(receipts), audit_entry_id=entry_id).save(force_insert=True)
    ids = new_ids(len(receipts))
    rows = [
        (organization_id, id, message_id, batch_id, place, content, at)
        for place, (id, (message_id, content)) in enumerate(zip(ids, receipts, strict=True))
    ]
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in _COLUMNS)
    table = bulk.copy_rows(_COLUMNS, rows)
    bulk.execute(
        sql.SQL("INSERT INTO delivery_receipt ({names}) SELECT {names} FROM {table}").format(
            names=names, table=table
        )
    )
    return batch_id


def steps(message_id: UUID) -> list[tuple[ReceiptRow, dict[str, Any]]]:
    """Return the receipts of a message, oldest first, with their facts."""
    rows = ReceiptRow.objects.filter(message_id=message_id).order_by("at", "id")
    return [(row, orjson.loads(bytes(row.body))) for row in rows]
