"""Entries of the log and their proofs as JSON values, for files and for programs."""

from __future__ import annotations

from typing import Any

from salus.audit.contracts import Entry, Evidence
from salus.reports.contracts import EntryProof

FORMAT = "salus/entry-proof/1"


def entry_values(entry: Entry) -> dict[str, Any]:
    """Return an entry as JSON values: ids, words and counts only, as the log holds it."""
    return {
        "id": str(entry.id),
        "at": entry.at.isoformat(),
        "position": entry.position,
        "action": entry.action,
        "actor_kind": entry.actor_kind,
        "actor_id": str(entry.actor_id) if entry.actor_id else None,
        "actor_name": entry.actor_name,
        "role": entry.role,
        "object_kind": entry.object_kind,
        "object_id": str(entry.object_id) if entry.object_id else None,
        "patient_id": str(entry.patient_id) if entry.patient_id else None,
        "fields": list(entry.fields),
        "purpose": entry.purpose,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "rule_version": entry.rule_version,
        "details": entry.details,
    }


def evidence_values(evidence: Evidence) -> dict[str, Any]:
    """Return what proves an entry, as `docs/receipts.md` describes it."""
    proof = evidence.proof
    return {
        "entry": evidence.encoded.decode(),
        "entry_leaf": proof.leaf_hash.hex(),
        "position": proof.position,
        "size": proof.size,
        "entry_path": [each.hex() for each in proof.path],
        "root": proof.root.hex(),
        "checkpoint": proof.checkpoint,
        "verifier_key": evidence.verifier_key,
    }


def entry_document(found: EntryProof) -> dict[str, Any]:
    """Return the file that proves an entry; `faults` are what did not hold when it was made."""
    return {
        "format": FORMAT,
        "entry_id": str(found.entry.id),
        "proof": evidence_values(found.evidence) if found.evidence else None,
        "faults": list(found.faults),
    }
