"""The recovery kit: the key-encryption key as shares on paper, and the key file made of them again."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import orjson
import tink
from tink import secret_key_access
from tink.proto import aes_gcm_pb2, tink_pb2

from salus.kernel.errors import BadInput, Conflict, Unavailable
from salus.keys import local, sharing
from salus.keys.contracts import Kit
from salus.keys.provider import KEY_FILE, FileKeyProvider, read_private, replace_private, write_private
from salus.keys.shares import Share

RECORD = "recovery-kit.json"
_TYPE = "type.googleapis.com/google.crypto.tink.AesGcmKey"
_CHECK, _ID, _KEY = 4, 4, 32
_MOST_KEYS, _MOST_SHARES = 6, 20


def make(shares: int, threshold: int, at: datetime) -> tuple[Kit, tuple[Share, ...]]:
    """Return a fresh kit of this machine's key file and its shares; `keep` notes it when they are given out.

    Raises `BadInput` for numbers that make no kit, `Conflict` when another provider wraps the keys.
    """
    if not 2 <= threshold <= shares <= _MOST_SHARES:
        raise BadInput(
            f"A kit has at most {_MOST_SHARES} shares; at least 2 and no more than all recover.",
            place="shares",
        )
    ports = local.ports()
    if not isinstance(ports.provider, FileKeyProvider):
        raise Conflict(f"The keys are wrapped by {ports.provider.name()}, which has its own recovery.")
    path = ports.directory / KEY_FILE
    secret = _pack(_keyset(read_private(path)))
    kit_id = secrets.token_bytes(4)
    split = sharing.split(secret, shares, threshold)
    kit = Kit(ports.provider.name(), shares, threshold, at)
    return kit, tuple(Share(kit_id, threshold, number, body) for number, body in split.items())


def keep(kit: Kit) -> None:
    """Note that people have the shares of a kit; before that nobody could recover by it."""
    document = {
        "provider": kit.provider, "shares": kit.shares, "threshold": kit.threshold, "made_at": kit.made_at
    }  # fmt: skip
    replace_private(local.ports().directory / RECORD, orjson.dumps(document))


def present() -> Kit | None:
    """Return the kit that was given out of the key that wraps now, None when there is none."""
    ports = local.ports()
    path = ports.directory / RECORD
    if not path.exists():
        return None
    found = orjson.loads(read_private(path))
    kit = Kit(
        found["provider"], found["shares"], found["threshold"], datetime.fromisoformat(found["made_at"])
    )
    return kit if kit.provider == ports.provider.name() else None


def recover(shares: Sequence[Share], directory: Path) -> str:
    """Write the key file that `shares` give into `directory`, and return the key's name.

    A key file that is there (a new one, made at a start without the lost one) keeps its keys: the file
    then holds both, and what either has wrapped opens. Raises `BadInput` when the shares give no key:
    nothing is written then.
    """
    keyset = _unpack(sharing.combine({each.number: each.body for each in _enough(shares)}))
    path = directory / KEY_FILE
    if os.path.lexists(path):
        here = _keyset(read_private(path))
        known = {key.key_id for key in keyset.key}
        keyset.key.extend(key for key in here.key if key.key_id not in known)
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    content = tink.json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN).encode()
    if path.exists():
        replace_private(path, content)
    else:
        write_private(path, content)
    return FileKeyProvider(path).name()


def _enough(shares: Sequence[Share]) -> list[Share]:
    """Return as many shares as are needed, all of one kit and each once; raises `BadInput`."""
    if len({(each.kit, each.threshold, len(each.body)) for each in shares}) > 1:
        raise BadInput("These shares are not of one kit: compare the kit's number on each sheet.")
    found = {each.number: each for each in shares}
    threshold = shares[0].threshold if shares else 0
    if not found or len(found) < threshold:
        needed = f" of {threshold} that are needed" if shares else ""
        raise BadInput(f"There are {len(found)} different shares{needed}.", kept="No key file was written.")
    return list(found.values())[:threshold]


def _keyset(text: bytes) -> tink_pb2.Keyset:
    """Return what a key file holds."""
    keyset = tink_pb2.Keyset()
    try:
        handle = tink.json_proto_keyset_format.parse(text.decode(), secret_key_access.TOKEN)
        keyset.ParseFromString(tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
    except (tink.TinkError, UnicodeDecodeError) as fault:
        raise Unavailable(
            "The key file that is there is not a Tink keyset.",
            kept="Nothing was written over it.",
            next_step="Move it away, and try again.",
        ) from fault
    return keyset


def _pack(keyset: tink_pb2.Keyset) -> bytes:
    """Return the keys as short as they can be typed: count, id and key of each (the primary first), a checksum."""
    keys = sorted(keyset.key, key=lambda key: key.key_id != keyset.primary_key_id)
    packed = bytes([len(keys)])
    for key in keys:
        inner = aes_gcm_pb2.AesGcmKey()
        inner.ParseFromString(key.key_data.value)
        if (
            len(keys) > _MOST_KEYS
            or key.key_data.type_url != _TYPE
            or len(inner.key_value) != _KEY
            or key.status != tink_pb2.ENABLED
            or key.output_prefix_type != tink_pb2.TINK
        ):
            raise Conflict("The key file holds keys that Salus did not make: keep your own copies of it.")
        packed += key.key_id.to_bytes(_ID, "big") + inner.key_value
    return packed + sha256(packed).digest()[:_CHECK]


def _unpack(packed: bytes) -> tink_pb2.Keyset:
    """Return what `_pack` was given; raises `BadInput` when it is not whole."""
    content, check = packed[:-_CHECK], packed[-_CHECK:]
    if sha256(content).digest()[:_CHECK] != check or len(content) != 1 + content[0] * (_ID + _KEY):
        raise BadInput("These shares do not give a key.", kept="No key file was written.")
    keyset = tink_pb2.Keyset()
    for start in range(1, len(content), _ID + _KEY):
        key = keyset.key.add()
        key.key_id = int.from_bytes(content[start : start + _ID], "big")
        key.status, key.output_prefix_type = tink_pb2.ENABLED, tink_pb2.TINK
        key.key_data.type_url = _TYPE
        key.key_data.key_material_type = tink_pb2.KeyData.SYMMETRIC
        value = content[start + _ID : start + _ID + _KEY]
        key.key_data.value = aes_gcm_pb2.AesGcmKey(key_value=value).SerializeToString()
    keyset.primary_key_id = keyset.key[0].key_id
    return keyset
