"""Proves one entry with all that a stranger needs for it: its bytes, its path, and the signed checkpoint."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from django.db import connection

from salus.audit import checkpoints, notes, offline, ports, queries, rules
from salus.audit.contracts import Checkpoint, Evidence, InclusionProof, Waiting
from salus.audit.proofs import stored_tree
from salus.kernel.errors import NotFound
from salus.platform.tenancy import current_organization


def covered(entry_id: UUID, at: datetime) -> tuple[bytes, int, Checkpoint] | None:
    """Return an entry's leaf hash, its place and a checkpoint over it, signed now when none was; raises `NotFound`.

    None when it cannot be signed now: thousands wait before it, or the log does not continue itself.
    """
    placed, present = queries.placed(entry_id), checkpoints.latest()
    if placed is None:
        raise NotFound
    if placed.position is None or present is None or present.size <= placed.position:
        present = checkpoints.newest(at)
        placed = queries.placed(entry_id)
    if placed is None or placed.position is None or present is None or present.size <= placed.position:
        return None
    return placed.leaf_hash, placed.position, present


def gather(entry_id: UUID, at: datetime) -> Evidence | None:
    """Return the evidence for an entry as it stands now, None when no checkpoint can cover it (see `covered`).

    Raises `NotFound`. It is gathered, not judged: `faults` says whether it holds.
    """
    found, entry = covered(entry_id, at), queries.entry(entry_id)
    if found is None or entry is None:
        return None
    (leaf_hash, position, present), organization_id = found, current_organization()
    try:
        path = stored_tree(organization_id).inclusion(position, present.size)
    except (ValueError, IndexError):  # tiles are missing or cut
        path = ()
    encoded = rules.encode(rules.content_of(entry, organization_id))
    return Evidence(
        encoded,
        InclusionProof(entry_id, position, present.size, leaf_hash, path, present.root, present.note),
        verifier_key(organization_id, present.note),
    )


def verifier_key(organization_id: UUID, signed: str | None) -> str:
    """Return the public key that signed a checkpoint's note, the present one when there is none."""
    signer = ports.signer()
    name, present = signer.name(organization_id), signer.public_key(organization_id)
    ids = {each.key_id for each in notes.parse(signed)[1]} if signed else set()
    keys = [key for key in signer.public_keys(organization_id) if notes.key_id(name, key) in ids]
    return notes.verifier_key(name, (keys or [present])[0])


def faults(evidence: Evidence) -> tuple[str, ...]:
    """Return what does not hold, in plain words; none means that the entry is in the log, unchanged.

    Looks at the evidence alone, and at the key of the current organization's log: never at the rows.
    """
    organization_id, signer = current_organization(), ports.signer()
    return offline.faults(evidence, signer.name(organization_id), partial(signer.verify, organization_id))


def waiting() -> Waiting:
    """Return how many entries wait for their place, and since when the oldest does (ids tell the time)."""
    organization_id = current_organization()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), (SELECT entry_id FROM audit_pending WHERE organization_id = %s "
            "ORDER BY entry_id LIMIT 1) FROM audit_pending WHERE organization_id = %s",
            [organization_id, organization_id],
        )
        count, oldest = cursor.fetchone()
    return Waiting(count, datetime.fromtimestamp((oldest.int >> 80) / 1000, UTC) if oldest else None)
