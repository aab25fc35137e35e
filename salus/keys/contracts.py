"""What other packages may know of keys: the provider that wraps them, and handles to use them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID


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
    """"active", "retired" (still opens) or "destroyed"."""
    wrapped_by: str
    created_at: datetime
    retired_at: datetime | None
