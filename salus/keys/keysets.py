"""Tink keysets: made, written down, put together, and used to seal, open and blind."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

import tink
from tink import aead, prf, secret_key_access
from tink.proto import tink_pb2

from salus.kernel.errors import BadInput

aead.register()
prf.register()

BLIND_LENGTH = 16
"""Bytes of a blind index: no collision in sight for any number of people."""

_PREFIX = 5
"""Bytes before a Tink ciphertext: a version and the key's id."""
_REFUSED = "This sealed value does not open: it was changed, it belongs elsewhere, or its key is gone."


def new_aead_keyset() -> bytes:
    """Return a fresh keyset of one AES-256-GCM key, in clear: wrap it before it goes anywhere."""
    return _serialize(tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM))


def new_prf_keyset() -> bytes:
    """Return a fresh keyset of one HMAC-SHA-256 PRF key, in clear: wrap it before it goes anywhere."""
    return _serialize(tink.new_keyset_handle(prf.prf_key_templates.HMAC_SHA256))


def new_raw_key() -> bytes:
    """Return 32 fresh random bytes."""
    return secrets.token_bytes(32)


def _serialize(handle: Any) -> bytes:
    return bytes(tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


def _together(keysets: Sequence[bytes]) -> Any:
    """Return one handle that holds the keys of all `keysets`; the first one's is the primary."""
    merged = tink_pb2.Keyset()
    for serialized in keysets:
        keyset = tink_pb2.Keyset()
        keyset.ParseFromString(serialized)
        if not merged.key:
            merged.primary_key_id = keyset.primary_key_id
        merged.key.extend(keyset.key)
    return tink.proto_keyset_format.parse(merged.SerializeToString(), secret_key_access.TOKEN)


def key_id(keyset: bytes) -> int:
    """Return the id that a keyset's ciphertexts carry in clear."""
    parsed = tink_pb2.Keyset()
    parsed.ParseFromString(keyset)
    return int(parsed.primary_key_id)


class AeadSealer:
    """Seals with the newest key and opens with any (a `contracts.Sealer`; thread-safe).

    `prefix` is what begins every ciphertext of the newest key, and no other's.
    `refresh` is asked once when a ciphertext names a key that is not here: another process may have
    rotated. It returns the present keysets, newest first.
    """

    def __init__(
        self, keysets: Sequence[bytes], refresh: Callable[[], Sequence[bytes]] | None = None
    ) -> None:
        self._refresh = refresh
        self._load(keysets)

    def _load(self, keysets: Sequence[bytes]) -> None:
        primitive = _together(keysets).primitive(aead.Aead)
        self._ids = frozenset(key_id(keyset) for keyset in keysets)
        self.prefix = b"\x01" + key_id(keysets[0]).to_bytes(_PREFIX - 1, "big")
        self._encrypt, self._decrypt = primitive.encrypt, primitive.decrypt

    def seal(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return an AEAD ciphertext (33 bytes longer) bound to `associated_data`."""
        return bytes(self._encrypt(plaintext, associated_data))

    def open(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Return the plaintext; raises `BadInput`, which shows nothing of it."""
        ciphertext = bytes(ciphertext)
        try:
            return bytes(self._decrypt(ciphertext, associated_data))
        except tink.TinkError:
            pass
        if self._refresh and int.from_bytes(ciphertext[1:_PREFIX], "big") not in self._ids:
            keysets = self._refresh()
            if keysets:
                self._load(keysets)
                try:
                    return bytes(self._decrypt(ciphertext, associated_data))
                except tink.TinkError:
                    pass
        raise BadInput(_REFUSED)


class PrfBlinder:
    """Makes blind indexes of one organization (a `contracts.Blinder`; thread-safe)."""

    def __init__(self, keysets: Sequence[bytes]) -> None:
        functions = [_together([keyset]).primitive(prf.PrfSet).primary().compute for keyset in keysets]
        self._present, self._all = functions[0], tuple(functions)

    def blind(self, kind: str, value: str) -> bytes:
        """Return the 16-byte index of `value`, which is normalized already."""
        return bytes(self._present(_input(kind, value), BLIND_LENGTH))

    def candidates(self, kind: str, value: str) -> tuple[bytes, ...]:
        """Return the indexes under the present key and every retired one, newest first."""
        data = _input(kind, value)
        if len(self._all) == 1:  # nearly always, and imports ask millions of times
            return (bytes(self._present(data, BLIND_LENGTH)),)
        return tuple(bytes(compute(data, BLIND_LENGTH)) for compute in self._all)


def _input(kind: str, value: str) -> bytes:
    return f"{kind}\0{value}".encode()
