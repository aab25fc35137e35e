"""Sealed streams: AEAD in segments (Tink's streaming AEAD), each under a key of its own that the provider wraps.

A stream begins with one line in clear: its name, the wrapped key and who wrapped it. Everything after that
line is bound to it, so that a stream under another name, a changed byte or a missing end does not open.
"""

from __future__ import annotations

import io
import json
from base64 import b64decode, b64encode
from typing import Any, BinaryIO

import tink
from tink import secret_key_access, streaming_aead

from salus.kernel.errors import BadInput, Unavailable
from salus.keys import local
from salus.keys.contracts import Damaged

streaming_aead.register()

_MAGIC = b"salus-sealed-stream-1 "
_LONGEST_HEADER = 16_384


class _Watched(io.RawIOBase):
    """A file that remembers its own fault: Tink would report it as one of cryptography."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.fault: OSError | None = None

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        try:
            found = self._file.read(len(memoryview(target)))
        except OSError as fault:
            self.fault = fault
            raise
        memoryview(target)[: len(found)] = found
        return len(found)

    def write(self, data: Any) -> int:
        try:
            return self._file.write(data)
        except OSError as fault:
            self.fault = fault
            raise


class SealingStream:
    """Seals what is written into `file`; without `finish` the stream is cut short and does not open."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        provider = local.ports().provider
        handle = tink.new_keyset_handle(streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB)
        keyset = bytes(tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
        facts = {
            "name": name,
            "by": provider.name(),
            "key": b64encode(provider.wrap(keyset, _context(name))).decode(),
        }
        header = _MAGIC + json.dumps(facts, sort_keys=True).encode() + b"\n"
        file.write(header)
        self._file = _Watched(file)
        self._stream: Any = handle.primitive(streaming_aead.StreamingAead).new_encrypting_stream(
            self._file, header
        )

    def write(self, data: bytes) -> None:
        """Seal `data`; raises what the file raises."""
        try:
            self._stream.write(data)
        except tink.TinkError:
            raise (self._file.fault or OSError("the sealed stream could not be written")) from None

    def finish(self) -> None:
        """Seal the end."""
        try:
            self._stream.close()
        except tink.TinkError:
            raise (self._file.fault or OSError("the sealed stream could not be written")) from None


class OpeningStream:
    """Opens what was sealed under `name`; nothing is given out before its segment was proven."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._name = name
        header = file.readline(_LONGEST_HEADER)
        try:
            facts: Any = json.loads(header.removeprefix(_MAGIC)) if header.startswith(_MAGIC) else None
            sealed_as, by, wrapped = facts["name"], facts["by"], b64decode(facts["key"])
        except (TypeError, KeyError, ValueError):
            raise Damaged(name) from None
        if sealed_as != name:
            raise Damaged(name)
        self._file = _Watched(file)
        try:
            handle = tink.proto_keyset_format.parse(_unwrapped(wrapped, name, by), secret_key_access.TOKEN)
            self._stream: Any = handle.primitive(streaming_aead.StreamingAead).new_decrypting_stream(
                self._file, header
            )
        except tink.TinkError:
            raise Damaged(name) from None

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the proven end; raises `Damaged`, or what the file raises."""
        found = bytearray()
        try:
            while len(found) < size and (more := self._stream.read(size - len(found))):
                found += more
        except tink.TinkError:
            raise (self._file.fault or Damaged(self._name)) from None
        return bytes(found)


def _context(name: str) -> bytes:
    return f"salus/stream/{name}".encode()


def _unwrapped(wrapped: bytes, name: str, by: str) -> bytes:
    provider = local.ports().provider
    try:
        return provider.unwrap(wrapped, _context(name))
    except BadInput:
        if by == provider.name():
            raise Damaged(name) from None
        raise Unavailable(
            f"This was sealed under the key {by}, and this machine has {provider.name()}.",
            kept="Nothing was changed.",
            next_step="Bring that key back: salus keys recover, with the shares of its recovery kit.",
        ) from None
