"""The door of the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from salus.audit import (
    checkpoints,
    evidence,
    export,
    looks,
    notes,
    operations,
    ports,
    proofs,
    queries,
    sequencer,
    verification,
)
from salus.audit.contracts import (
    Action,
    Activity,
    Checkpoint,
    Entry,
    Evidence,
    Filters,
    InclusionProof,
    NewEntry,
    Repeated,
    Verdict,
    Waiting,
)
from salus.audit.merkle import Tree, verify_inclusion
from salus.audit.ports import use_signer, use_witness_directory
from salus.audit.rules import leaf_hash
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict, NotFound
from salus.kernel.time import Clock, SystemClock
from salus.platform.tenancy import current_organization

__all__ = [
    "activity",
    "checkpoint",
    "checkpoint_origins",
    "checkpoint_regularly",
    "entries",
    "entries_from",
    "entry",
    "evidence_for",
    "export_tiles",
    "faults",
    "integrate",
    "last_note",
    "latest_checkpoint",
    "leaf_hash",
    "merkle_path",
    "merkle_root",
    "newest_checkpoint",
    "notes_until",
    "origin",
    "prove",
    "record",
    "record_many",
    "record_receipts",
    "repeated_looks",
    "root_at",
    "size",
    "use_signer",
    "use_witness_directory",
    "verifier_key",
    "verifier_keys",
    "verify",
    "verify_path",
    "waiting",
]

_CLOCK = SystemClock()
_NOTHING: Mapping[str, str | int] = {}


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
    details: Mapping[str, str | int] = _NOTHING,
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
        details=details,
    )
    return record_many([entry], at=at)[0]


def record_many(entries: Sequence[NewEntry], *, at: datetime | None = None) -> list[UUID]:
    """Record many acts in one statement; return the entries' ids in the same order."""
    return operations.record(entries, at or _CLOCK.now())


def record_receipts(root: bytes, count: int, *, actor: Actor, at: datetime | None = None) -> UUID:
    """Record a batch of receipts as one entry that carries their Merkle root; return its id.

    `root` is `merkle_root` of the receipts' leaf hashes. A receipt is proved by its path to that root
    and by the entry's own inclusion proof.
    """
    if len(root) != 32:
        raise ValueError("a Merkle root has 32 bytes")
    return record(
        Action.RECEIPTS_RECORD,
        actor=actor,
        object_kind="receipts",
        details={"root": root.hex(), "count": count},
        at=at,
    )


def merkle_root(hashes: Sequence[bytes]) -> bytes:
    """Return the RFC 6962 root over leaf hashes (make them with `leaf_hash`)."""
    return Tree(hashes).root()


def merkle_path(hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the audit path of leaf `index` among leaf hashes."""
    return Tree(hashes).path(index)


def verify_path(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether `path` proves that the leaf hash `leaf` is number `index` of `size` under `root`."""
    return verify_inclusion(leaf, index, size, path, root)


def integrate() -> int:
    """Give waiting entries of the current organization their place in the log; return how many.

    At most 10,000 in one call: call it again, in a new transaction, until it returns 0. Safe from
    many processes at once.
    """
    return sequencer.integrate()


def checkpoint(clock: Clock = _CLOCK) -> Checkpoint:
    """Sign the current organization's log as it stands, store the checkpoint and copy it to the witness folder.

    Returns the present one when nothing was added since. Raises `Conflict` when the log does not
    continue what was signed before.
    """
    return checkpoints.make(clock.now())


def checkpoint_regularly(clock: Clock = _CLOCK) -> None:
    """Sign as `checkpoint` does, unless that was done less than 15 minutes ago; a round of the workers calls it."""
    checkpoints.make_regularly(clock.now())


def newest_checkpoint(clock: Clock = _CLOCK) -> Checkpoint | None:
    """Return a checkpoint over all that was recorded until now, signing one when there is none, for whoever proves something.

    The latest when the log cannot be signed now; None when it never was.
    """
    return checkpoints.newest(clock.now())


def latest_checkpoint() -> Checkpoint | None:
    """Return the current organization's newest checkpoint, None before the first."""
    return checkpoints.latest()


def origin(organization_id: UUID) -> str:
    """Return the name of an organization's log, the first line of its checkpoints."""
    return ports.signer().name(organization_id)


def verifier_key(signed: str | None = None) -> str:
    """Return the public key of the current organization's log as a C2SP verifier key, for other tools.

    With a checkpoint's note, the key that signed it: after a rotation the last checkpoint is under the
    key before until the next one is made.
    """
    return evidence.verifier_key(current_organization(), signed)


def verifier_keys() -> tuple[str, ...]:
    """Return every public key that signed the current organization's log, the present one first."""
    organization_id, signer = current_organization(), ports.signer()
    name = signer.name(organization_id)
    return tuple(notes.verifier_key(name, key) for key in signer.public_keys(organization_id))


def verify(witnessed: str | None = None) -> Verdict:
    """Recompute the current organization's whole log and hold it against all checkpoints.

    `witnessed` is the text of further signed checkpoints, kept somewhere safe. Raises `BadInput` when
    it holds none, or one of another log.
    """
    return verification.verify(witnessed)


def checkpoint_origins(text: str) -> tuple[tuple[str, str], ...]:
    """Return (origin, note) for each signed checkpoint in `text`; raises `BadInput`."""
    return tuple((notes.parse_statement(notes.parse(note)[0]).origin, note) for note in notes.split(text))


def prove(entry_id: UUID, clock: Clock = _CLOCK) -> InclusionProof:
    """Return the proof that an entry is in a checkpoint's log; when no checkpoint covers it yet, one is signed.

    Raises `NotFound` for an unknown entry, and `Conflict` when the log cannot be signed now, or when the
    stored tiles do not lead to the signed root.
    """
    found = evidence.covered(entry_id, clock.now())
    if found is None:
        raise Conflict(
            "This entry is not under a signed checkpoint yet.", next_step="Try again in a few seconds."
        )
    leaf_hash, position, present = found
    path = proofs.stored_tree(current_organization()).inclusion(position, present.size)
    if not verify_inclusion(leaf_hash, position, present.size, path, present.root):
        raise Conflict(
            "The log's tiles do not lead to its signed root.",
            next_step="Run: salus audit verify. It names what is wrong.",
        )
    return InclusionProof(entry_id, position, present.size, leaf_hash, path, present.root, present.note)


def evidence_for(entry_id: UUID, clock: Clock = _CLOCK) -> Evidence | None:
    """Return what proves an entry to a stranger; when no checkpoint covers it yet, one is signed.

    None when that cannot be done now: thousands wait before it, or the log does not continue itself.
    Raises `NotFound`. Ask `faults` whether it holds before saying so.
    """
    return evidence.gather(entry_id, clock.now())


def faults(given: Evidence) -> tuple[str, ...]:
    """Return what does not hold of the evidence; none: the entry is in the log of the current organization.

    The content, the path and the checkpoint's signature are checked anew, from the evidence alone.
    """
    return evidence.faults(given)


def waiting() -> Waiting:
    """Return how far the sequencer is behind."""
    return evidence.waiting()


def entries(
    filters: Filters | None = None,
    *,
    after: UUID | None = None,
    limit: int = 100,
    oldest_first: bool = False,
) -> list[Entry]:
    """Return up to `limit` entries, newest first; `after` is the id of the last one already seen.

    Every single filter, and time with any other, is served by an index.
    """
    return queries.entries(filters or Filters(), after, limit, oldest_first=oldest_first)


def entries_from(position: int, *, limit: int) -> list[Entry]:
    """Return the entries in the order of the log from `position` on, of `limit` places: nothing is ever put in between."""
    return queries.entries_from(position, limit)


def size() -> int:
    """Return how many entries of the current organization have their place in the log."""
    return proofs.stored_tree(current_organization()).size


def entry(entry_id: UUID) -> Entry:
    """Return one entry; raises `NotFound`."""
    found = queries.entry(entry_id)
    if found is None:
        raise NotFound
    return found


def activity(since: datetime, until: datetime, *, zone: str, day: tuple[int, int]) -> tuple[Activity, ...]:
    """Return what each person and key did from `since` until before `until`, who looked most first.

    `day` is from which hour to before which hour looks are no surprise, in the time zone `zone`.
    """
    return looks.activity(since, until, zone=zone, day=day)


def repeated_looks(since: datetime, until: datetime, *, often: int, most: int) -> tuple[Repeated, ...]:
    """Return up to `most` pairs of who looked at the same patient `often` times or more, the most first."""
    return looks.repeated(since, until, often=often, most=most)


def export_tiles(directory: Path, clock: Clock = _CLOCK) -> Checkpoint:
    """Write the log as C2SP tlog-tiles below `directory`, for verification by a program that is not ours.

    It is signed as it stands for that. Returns the checkpoint that the files belong to; raises `Conflict`
    when there is none and none can be made.
    """
    return export.write(directory, clock.now())


def root_at(size: int) -> bytes:
    """Return the root of the current organization's first `size` entries, at least one, out of the stored tiles."""
    return proofs.stored_tree(current_organization()).root(size)


def last_note(text: str) -> str:
    """Return the last whole checkpoint of a witness file's end, empty when there is none."""
    found = [note for note in notes.split(text) if notes.is_whole(note)]
    return found[-1] if found else ""


def notes_until(text: str, size: int) -> tuple[str, int]:
    """Return the checkpoints of a witness file over at most `size` entries, and the largest size in the file.

    What a power cut tore is left out.
    """
    found, largest = [], 0
    for note in filter(notes.is_whole, notes.split(text)):
        signed = notes.parse_statement(notes.parse(note)[0]).size
        largest = max(largest, signed)
        if signed <= size:
            found.append(note)
    return "".join(found), largest
