"""Proves the steps of a message to a stranger, and checks such a proof from itself alone.

A receipt's canonical bytes are a leaf of their batch's tree; the batch's root stands in one entry of
the audit log; that entry is a leaf of the log, whose root a checkpoint signs. `docs/receipts.md` says
how anybody can follow this with other programs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action, Evidence, InclusionProof
from salus.delivery.models import ReceiptBatch, ReceiptRow
from salus.kernel.errors import BadInput
from salus.platform.tenancy import current_organization

FORMAT = "salus/receipt-proof/1"


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
    if given.get("format") != FORMAT or not isinstance(given.get("steps"), list) or not given["steps"]:
        raise BadInput("This is not a proof of a receipt.", place="format")
    if given.get("organization") != str(current_organization()):
        raise BadInput("This proof is of another organization.", place="organization")
    found = []
    for number, step in enumerate(given["steps"], 1):
        try:
            found += [f"step {number}: {what}" for what in _faults_of_step(step, given)]
        except (KeyError, TypeError, ValueError) as broken:
            raise BadInput("A step of the proof cannot be read.", place=f"steps[{number - 1}]") from broken
    return tuple(found)


def _faults_of_step(step: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    receipt, entry = str(step["receipt"]).encode(), str(step["entry"]).encode()
    facts, recorded = orjson.loads(receipt), orjson.loads(entry)
    root = bytes.fromhex(step["batch_root"])
    found = []
    if facts.get("message") != given.get("message"):
        found.append("the receipt is of another message")
    path = [bytes.fromhex(each) for each in step["path"]]
    if not audit.verify_path(audit.leaf_hash(receipt), step["place"], step["count"], path, root):
        found.append("the receipt is not the one that was put into its batch")
    details = recorded.get("details", {})
    if (recorded.get("action"), details.get("root"), details.get("count")) != (
        Action.RECEIPTS_RECORD,
        root.hex(),
        step["count"],
    ):
        found.append("the log's entry does not hold this batch")
    if recorded.get("organization") != given.get("organization"):
        found.append("the log's entry is of another organization")
    evidence = Evidence(entry, _inclusion(step, recorded), str(given.get("verifier_key", "")))
    return found + list(audit.faults(evidence))


def _inclusion(step: Mapping[str, Any], recorded: Mapping[str, Any]) -> InclusionProof:
    return InclusionProof(
        entry_id=UUID(recorded["id"]),
        position=int(step["position"]),
        size=int(step["size"]),
        leaf_hash=bytes.fromhex(step["entry_leaf"]),
        path=tuple(bytes.fromhex(each) for each in step["entry_path"]),
        root=bytes.fromhex(step["root"]),
        checkpoint=str(step["checkpoint"]),
    )
