"""A door that needs no installation: checks a signature by a public key that was given."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def signed_by(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether the holder of a raw 32-byte Ed25519 public key signed `message`."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
