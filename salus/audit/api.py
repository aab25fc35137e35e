"""The door of the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from salus.audit import operations
from salus.audit.contracts import NewEntry
from salus.audit.ports import use_signer, use_witness_directory
from salus.kernel.acting import Actor
from salus.kernel.time import SystemClock

__all__ = [
    "record",
    "record_many",
    "use_signer",
    "use_witness_directory",
]


def record(
    action: str,
    *,
    actor: Actor,
    object_kind: str,
    object_id: UUID | None = None,
    patient_id: UUID | None = None,
    fields: Sequence[str] = (),
    purpose: str = "",
    outcome: str = "ok",
    reason: str = "",
    rule_version: str = "",
    details: Mapping[str, str | int] | None = None,
    at: datetime | None = None,
) -> UUID:
    """Record one act in its own transaction and return the entry's id.

    `action` is a word of `contracts.Action`. All texts are codes: what could be PHI (a space, an
    at-sign, a word that is not in the vocabulary) raises `ValueError`, which is a fault of the
    program and undoes the act. `at` is the machine's time unless it is given.
    """
    entry = NewEntry(
        action,
        actor,
        object_kind,
        object_id=object_id,
        patient_id=patient_id,
        fields=tuple(fields),
        purpose=purpose,
        outcome=outcome,
        reason=reason,
        rule_version=rule_version,
        details=details or {},
    )
    return record_many([entry], at=at)[0]


def record_many(entries: Sequence[NewEntry], *, at: datetime | None = None) -> list[UUID]:
    """Record many acts in one statement; return the entries' ids in the same order."""
    return operations.record(entries, at or SystemClock().now())
