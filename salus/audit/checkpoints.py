"""Signed checkpoints: made from the log's edge, stored, and copied out of the database after the commit.

A log that grows is signed every quarter of an hour, and at once when somebody wants a proof: who verifies
has to hold the rows against every checkpoint there ever was.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from salus.audit import notes, ports, witness
from salus.audit.contracts import Checkpoint
from salus.audit.models import CheckpointRow
from salus.audit.proofs import StoredTree
from salus.audit.sequencer import integrate, lock
from salus.kernel.errors import BadInput, Conflict, SalusError
from salus.platform.tenancy import current_organization

_REPAIR = "Run: salus audit verify. It names what is wrong."
EVERY = timedelta(minutes=15)
"""A growing log is not signed more often when nobody asks: an entry is under a checkpoint after this at the latest."""


def make(at: datetime) -> Checkpoint:
    """Sign the current organization's log as it stands; the same size is not signed twice.

    Raises `Conflict`, and signs nothing, when the log does not continue the last checkpoint that was
    stored or witnessed: a log never signs two histories (C2SP tlog-checkpoint).
    """
    organization_id = current_organization()
    edge = lock(organization_id)
    present = latest()
    tree = StoredTree(organization_id, edge)
    if present:
        _continues(tree, notes.Statement(present.origin, present.size, present.root))
    witnessed = _last_witnessed(organization_id)
    if witnessed:
        _continues(tree, witnessed)
    if present and present.size == edge.size:
        return present
    signer = ports.signer()
    name, public_key = signer.name(organization_id), signer.public_key(organization_id)
    statement = notes.Statement(name, edge.size, edge.root())
    note = notes.sign(
        notes.statement_text(statement), name, public_key, lambda text: signer.sign(organization_id, text)
    )
    CheckpointRow.objects.create(size=statement.size, root=statement.root, note=note, at=at)
    # Not before the commit: what was witnessed must have happened.
    transaction.on_commit(lambda: witness.append(organization_id, note, notes.verifier_key(name, public_key)))
    return Checkpoint(name, statement.size, statement.root, note, at)


def make_regularly(at: datetime) -> None:
    """Sign the log as `make` does, unless it was signed less than `EVERY` ago."""
    present = latest()
    if (
        present is None or not timedelta() <= at - present.at < EVERY
    ):  # a clock that was set back waits for nothing
        make(at)


def newest(at: datetime) -> Checkpoint | None:
    """Return a checkpoint over everything that was recorded until now: the latest, or one signed for it.

    What cannot be signed now (a log that does not continue itself, a key provider that is away) stays
    under the latest; the regular round says why. None before the first.
    """
    integrate()
    try:
        return make(at)
    except SalusError:
        return latest()


def latest() -> Checkpoint | None:
    """Return the current organization's newest checkpoint."""
    row = CheckpointRow.objects.order_by("-size").first()
    return from_row(row) if row else None


def from_row(row: CheckpointRow) -> Checkpoint:
    """Return the checkpoint that a row holds."""
    return Checkpoint(ports.signer().name(row.organization_id), row.size, bytes(row.root), row.note, row.at)


def _last_witnessed(organization_id: UUID) -> notes.Statement | None:
    note = witness.last(organization_id)
    try:
        return notes.parse_statement(notes.parse(note)[0]) if note else None
    except BadInput:
        return None  # torn or foreign; verification speaks of it


def _continues(tree: StoredTree, before: notes.Statement) -> None:
    if before.size > tree.size:
        raise Conflict(
            f"The log holds {tree.size} entries, but {before.size} were signed before: nothing was signed.",
            next_step=f"{_REPAIR} After restoring an older backup, put the old witness file away first.",
        )
    try:
        root = tree.root(before.size)
    except ValueError:
        root = b""
    if root != before.root:
        raise Conflict(
            "The log does not continue what was signed before: nothing was signed.", next_step=_REPAIR
        )
