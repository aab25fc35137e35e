"""Ed25519 keys that sign an organization's audit checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def new_private() -> bytes:
    """Return a fresh raw 32-byte private key, in clear: wrap it before it goes anywhere."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_key(raw: bytes) -> bytes:
    """Return the raw 32-byte public key of a private one."""
    return _load(raw).public_key().public_bytes_raw()


class CheckpointSigner:
    """Signs with the newest checkpoint key, verifies with any (an `audit.contracts.Signer`).

    `private_keys` returns an organization's raw private keys, newest first. The public key is always
    derived from the unwrapped private key: whoever owns the database cannot put another in its place.
    """

    def __init__(self, private_keys: Callable[[UUID], Sequence[bytes]]) -> None:
        self._private_keys = private_keys

    def name(self, organization_id: UUID) -> str:
        """Return the key name, which is also the log's origin."""
        return f"salus/{organization_id}"

    def public_key(self, organization_id: UUID) -> bytes:
        """Return the raw 32-byte public key that new checkpoints are signed for."""
        return self._keys(organization_id)[0].public_key().public_bytes_raw()

    def public_keys(self, organization_id: UUID) -> tuple[bytes, ...]:
        """Return the public keys of everything that was ever signed, newest first."""
        return tuple(key.public_key().public_bytes_raw() for key in self._keys(organization_id))

    def sign(self, organization_id: UUID, message: bytes) -> bytes:
        """Return the 64-byte signature over `message`."""
        return self._keys(organization_id)[0].sign(message)

    def verify(self, organization_id: UUID, signature: bytes, message: bytes) -> bool:
        """Return whether one of the organization's keys, present or retired, signed `message`."""
        return any(_signed(key, signature, message) for key in self._keys(organization_id))

    def _keys(self, organization_id: UUID) -> list[Ed25519PrivateKey]:
        return [_load(raw) for raw in self._private_keys(organization_id)]


@lru_cache(maxsize=64)  # a verification checks many signatures of the same key
def _load(raw: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(raw)


def _signed(key: Ed25519PrivateKey, signature: bytes, message: bytes) -> bool:
    try:
        key.public_key().verify(signature, message)
    except InvalidSignature:
        return False
    return True
