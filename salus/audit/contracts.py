"""What other packages may know of the audit log: an entry, a checkpoint, a proof, a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


class Signer(Protocol):
    """Signs checkpoints for one organization's log; wiring gives one made by `keys`."""

    def name(self, organization_id: UUID) -> str:
        """Return the key name of a C2SP signed note (no spaces, no plus)."""
        ...

    def public_key(self, organization_id: UUID) -> bytes:
        """Return the raw 32-byte Ed25519 public key."""
        ...

    def sign(self, organization_id: UUID, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature over `message`."""
        ...

    def verify(self, organization_id: UUID, signature: bytes, message: bytes) -> bool:
        """Return whether `signature` is this organization's over `message`."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as stored; `fields` are field names, never values; `details` ids and counts only."""

    id: UUID
    at: datetime
    action: str
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    role: str
    session_id: str
    ip: str
    object_kind: str
    object_id: UUID | None
    patient_id: UUID | None
    fields: tuple[str, ...]
    purpose: str
    outcome: str
    reason: str
    rule_version: str
    details: dict[str, str | int]
    position: int | None
    """Place in the log; None while it waits for the sequencer (seconds)."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement of the log's size and root (C2SP tlog-checkpoint)."""

    origin: str
    size: int
    root: bytes
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """RFC 6962 audit path of the leaf at `position` in the tree of `size` leaves."""

    entry_id: UUID
    position: int
    size: int
    leaf_hash: bytes
    path: tuple[bytes, ...]
    root: bytes
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One disagreement that verification found, in plain words, with the position."""

    position: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification of one organization's log found."""

    entries: int
    pending: int
    root: str
    verified: bool
    faults: tuple[Fault, ...]
