"""Checks an exported log by the words of C2SP tlog-tiles, tlog-checkpoint and signed-note; imports nothing of Salus.

Recursion over ranges of leaves, where Salus folds tiles: an error would have to be made twice, in two ways.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def checkpoint(folder: Path, verifier_key: str) -> tuple[int, bytes]:
    """Return size and root of a folder's checkpoint; raises unless the key signed it."""
    name, key_id, encoded = verifier_key.strip().split("+", 2)
    algorithm, key = base64.b64decode(encoded)[:1], base64.b64decode(encoded)[1:]
    assert algorithm == b"\x01"
    assert _hash(name.encode() + b"\n\x01" + key)[:4].hex() == key_id
    text, signature = (folder / "checkpoint").read_text().split("\n\n")
    dash, signer, blob = signature.rstrip("\n").split(" ")
    raw = base64.b64decode(blob)
    assert (dash, signer, raw[:4].hex()) == ("\u2014", name, key_id)
    Ed25519PublicKey.from_public_bytes(key).verify(raw[4:], f"{text}\n".encode())
    origin, size, root = text.split("\n")
    assert origin == name
    return int(size), base64.b64decode(root)


def _path(level: str, number: int, width: int) -> str:
    *before, last = [
        f"{number // 1000**place % 1000:03d}" for place in (2, 1, 0) if place == 0 or number >= 1000**place
    ]
    return "/".join(["tile", level, *(f"x{each}" for each in before), last]) + (
        "" if width == 256 else f".p/{width}"
    )


def entries(folder: Path, size: int) -> list[bytes]:
    """Return all entries; raises when a bundle is missing or is not exactly filled."""
    found: list[bytes] = []
    for number in range(-(-size // 256)):
        width = min(256, size - number * 256)
        left = (folder / _path("entries", number, width)).read_bytes()
        for _ in range(width):
            length = int.from_bytes(left[:2], "big")
            assert len(left) >= 2 + length
            found.append(left[2 : 2 + length])
            left = left[2 + length :]
        assert not left
    return found


def check(folder: Path, verifier_key: str) -> int:
    """Return how many entries a folder proves; raises at the first thing that does not agree."""
    size, root = checkpoint(folder, verifier_key)
    leaves = [_hash(b"\x00" + entry) for entry in entries(folder, size)]

    @cache
    def over(start: int, end: int) -> bytes:  # RFC 6962, 2.1
        if end - start == 1:
            return leaves[start]
        split = 1
        while split * 2 < end - start:
            split *= 2
        return _hash(b"\x01" + over(start, start + split) + over(start + split, end))

    assert over(0, size) == root, "the entries do not lead to the signed root"
    level = 0
    while count := size // 256**level:
        span = 256**level
        for number in range(-(-count // 256)):
            width = min(256, count - number * 256)
            first = number * 256
            wanted = b"".join(over(each * span, (each + 1) * span) for each in range(first, first + width))
            assert (folder / _path(str(level), number, width)).read_bytes() == wanted, (
                f"tile {level}/{number}"
            )
        level += 1
    return size
