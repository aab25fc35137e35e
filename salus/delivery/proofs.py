"""Proves the steps of a message to a stranger, and has such a proof checked against our log's key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from salus.audit import api as audit
from salus.delivery import offline
from salus.delivery.models import ReceiptBatch, ReceiptRow
from salus.delivery.offline import FORMAT
from salus.kernel.errors import BadInput
from salus.platform.tenancy import current_organization


def document(message_id: UUID, rows: Sequence[ReceiptRow]) -> tuple[dict[str, Any] | None, int]:
    """Return the proof of a message's steps as JSON values, and how many steps wait for a checkpoint."""
    steps = [_step(row) for row in rows]
    proven = [step for step in steps if step is not None]
    if not proven:
        return None, len(steps)
    return {
        "format": FORMAT,
        "organization": str(current_organization()),
        "message": str(message_id),
        "verifier_key": audit.verifier_key(proven[-1]["checkpoint"]),
        "steps": proven,
    }, len(steps) - len(proven)


def _step(row: ReceiptRow) -> dict[str, Any] | None:
    batch = ReceiptBatch.objects.get(id=row.batch_id)
    evidence = audit.evidence_for(batch.audit_entry_id)
    if evidence is None:
        return None
    bodies = ReceiptRow.objects.filter(batch=batch).order_by("place").values_list("body", flat=True)
    leaves = [audit.leaf_hash(bytes(each)) for each in bodies]
    inclusion = evidence.proof
    return {
        "receipt": bytes(row.body).decode(),
        "place": row.place,
        "count": batch.count,
        # A batch that lost rows has no path; checking it says so.
        "path": [each.hex() for each in audit.merkle_path(leaves, row.place)]
        if row.place < len(leaves)
        else [],
        "batch_root": bytes(batch.root).hex(),
        "entry": evidence.encoded.decode(),
        "entry_leaf": inclusion.leaf_hash.hex(),
        "position": inclusion.position,
        "size": inclusion.size,
        "entry_path": [each.hex() for each in inclusion.path],
        "root": inclusion.root.hex(),
        "checkpoint": inclusion.checkpoint,
    }


def faults(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what does not hold of a proof, in plain words; none: every step is in the log, unchanged.

    Looks at the document alone and at the key of the current organization's log. Raises `BadInput`
    for something that is no proof of this organization's.
    """
    if given.get("format") == FORMAT and given.get("organization") != str(current_organization()):
        raise BadInput("This proof is of another organization.", place="organization")
    return offline.faults(given, audit.faults)
