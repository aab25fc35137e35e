"""What other packages may know of keys: the provider that wraps them, and handles to use them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from salus.kernel.errors import BadInput, Conflict

AWS_KMS = "aws-kms:"
"""How the name of a key in AWS KMS begins; its ARN follows."""
VAULT = "vault:"
"""How the name of a key in a transit engine begins; its address follows."""


class KeyProvider(Protocol):
    """Wraps keysets with a key-encryption key it never hands out (a file, a KMS)."""

    def name(self) -> str:
        """Return which key wraps now ("file:1a2b3c4d"); stored beside what it wrapped, to find it again."""
        ...

    def wrap(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return `plaintext` encrypted under the provider's key."""
        ...

    def unwrap(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Return what `wrap` was given; raises `Unavailable` or `BadInput`."""
        ...


class Sealer(Protocol):
    """Seals and opens many values of one organization without another look-up (thread-safe)."""

    def seal(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return an AEAD ciphertext bound to `associated_data`."""
        ...

    def open(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Return the plaintext; raises `BadInput` when it does not open."""
        ...


class Blinder(Protocol):
    """Makes blind indexes: a keyed PRF, 16 bytes, different in each organization and kind."""

    def blind(self, kind: str, value: str) -> bytes:
        """Return the index to store for `value` (already normalized) of `kind` ("email", "mrn")."""
        ...

    def candidates(self, kind: str, value: str) -> tuple[bytes, ...]:
        """Return the indexes to ask for: the present key's first, then retired ones."""
        ...


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A signing key for a sending domain: private key in PKCS#8 DER, and the TXT to publish."""

    selector: str
    algorithm: str
    """"rsa-sha256" or "ed25519-sha256"."""
    private_der: bytes = field(repr=False)
    txt: str


@dataclass(frozen=True, slots=True)
class Token:
    """What a sealed opaque token carried, after it was opened."""

    organization_id: UUID
    purpose: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What may be known of a stored key: all but the key."""

    kind: str
    name: str
    """The domain of a DKIM key, else empty."""
    version: int
    status: str
    """"waiting" (published, not used yet), "active", "retired" (still opens) or "destroyed"."""
    wrapped_by: str
    created_at: datetime
    retired_at: datetime | None


Bound = Callable[[UUID, Sequence[Any]], bytes]
"""From an organization and the values of a row's `key` and `reads`, what its ciphertext is bound to."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of ciphertexts under the data key; after a rotation they are sealed anew, row by row."""

    table: str
    column: str
    key: tuple[tuple[str, str], ...]
    """The primary key within an organization: names and PostgreSQL types, in the order of an index."""
    bound: Bound
    reads: tuple[str, ...] = ()
    """What else of the row `bound` needs."""
    batch: int = 2_000
    """Rows sealed anew in one transaction; few where each may be large."""

    @property
    def name(self) -> str:
        """Return how progress calls it."""
        return f"{self.table}.{self.column}"


@dataclass(frozen=True, slots=True)
class KeptIndex:
    """A blind index that cannot be made anew, because what it was made of is not kept.

    Rows that were written (`since`) before a key retired may be found under it only.
    """

    table: str
    since: str


class Walk(Protocol):
    """Everything of one sort that a rotation changes, in an order in which the work can be taken up again."""

    @property
    def name(self) -> str:
        """Return how progress calls it."""
        ...

    def total(self) -> int:
        """Return how many there are to change, for progress."""
        ...

    def left(self) -> int:
        """Return how many are not under the present key: the sweep that proves that none is left."""
        ...

    def take(self, cursor: list[Any] | None) -> tuple[list[Any] | None, Any]:
        """Read the next batch after `cursor` (None: from the beginning); return where it ends (None: nothing more)."""
        ...

    def bring(self, batch: Any) -> int:
        """Bring a batch to the present key, in another transaction than it was read in; return how many changed."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rotation has got in one walk."""

    kind: str
    """"data" or "blind"."""
    name: str
    version: int
    done: int
    total: int
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Kit:
    """That a recovery kit was made: how many shares, how many recover, and of which key-encryption key."""

    provider: str
    shares: int
    threshold: int
    made_at: datetime


class InUse(Conflict):
    """A key that was to be destroyed still seals something; the work that changes this has begun."""

    def __init__(self, left: int) -> None:
        super().__init__(
            f"Rows that are not under the present key yet: {left:,}.",
            kept="The retired keys stay; the rows are brought to the present key now.",
            next_step="See: salus keys list. Then try again.",
        )


class Damaged(BadInput):
    """A sealed stream does not open: it was changed, cut short, or stands in another's place."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "This was changed, cut short, or stands in another's place: it does not open.", place=name
        )
