"""Checks the proof of a receipt without a line of Salus: Python's standard library, and `cryptography` for Ed25519.

Usage: python verify_receipt.py FILE [VERIFIER_KEY]

FILE is what a receipt's page gives ("Download proof"). VERIFIER_KEY is the log's public key as you got it
from elsewhere (`salus audit key`); without it the key in the file is used, and then the proof shows only
that the file agrees with itself. What each line checks: docs/receipts.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def leaf(data: bytes) -> bytes:
    """RFC 6962, 2.1: the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def root_of(found: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """RFC 9162, 2.1.3.2: the root to which a path leads; None when it has the wrong length."""
    last = size - 1
    if not 0 <= index <= last:
        return None
    for step in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            found = hashlib.sha256(b"\x01" + step + found).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + step).digest()
        index, last = index >> 1, last >> 1
    return found if last == 0 else None


def check_note(note: str, verifier_key: str) -> tuple[str, int, bytes]:
    """C2SP signed-note and tlog-checkpoint: return origin, size and root; raises when it is not signed."""
    name, _, rest = verifier_key.partition("+")
    key_id, _, encoded = rest.partition("+")
    key = base64.b64decode(encoded)
    assert key[0] == 1, "not an Ed25519 key"
    assert hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() == key_id, (
        "the key is not its own id"
    )
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        _, signer, signature = line.split(" ")
        raw = base64.b64decode(signature)
        if signer == name and raw[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[4:], text.encode())
            origin, size, root = text.splitlines()[:3]
            assert origin == name, "the checkpoint is of another log"
            return origin, int(size), base64.b64decode(root)
    raise AssertionError("the checkpoint is not signed by this key")


def check(proof: dict[str, object], verifier_key: str) -> None:
    """Follow every step from the receipt's bytes to the signature; raises at the first that does not hold."""
    steps = proof["steps"]
    assert isinstance(steps, list)
    assert steps, "there is nothing to check"
    for step in steps:
        receipt, entry = step["receipt"].encode(), step["entry"].encode()
        assert json.loads(receipt)["message"] == proof["message"], "the receipt is of another message"
        batch_root = bytes.fromhex(step["batch_root"])
        path = [bytes.fromhex(each) for each in step["path"]]
        assert root_of(leaf(receipt), step["place"], step["count"], path) == batch_root, "not in its batch"
        recorded = json.loads(entry)
        assert recorded["action"] == "delivery:receipts:record", "the entry records something else"
        assert recorded["details"] == {"root": batch_root.hex(), "count": step["count"]}, "another batch"
        assert recorded["organization"] == proof["organization"], "the entry is of another organization"
        _, size, root = check_note(step["checkpoint"], verifier_key)
        assert (size, root.hex()) == (step["size"], step["root"]), (
            "the checkpoint states another size or root"
        )
        path = [bytes.fromhex(each) for each in step["entry_path"]]
        assert root_of(leaf(entry), step["position"], size, path) == root, "the entry is not in the log"


def main(arguments: list[str]) -> int:
    """Return 0 when the proof holds, 1 when not, 2 for a usage fault."""
    if len(arguments) not in {1, 2}:
        print(__doc__, file=sys.stderr)
        return 2
    proof = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    verifier_key = arguments[1] if len(arguments) == 2 else proof["verifier_key"]
    try:
        check(proof, verifier_key)
    except (AssertionError, InvalidSignature, KeyError, ValueError) as fault:
        print(f"NOT PROVEN: {str(fault) or 'the signature does not hold'}")
        return 1
    print(
        f"message {proof['message']}: {len(proof['steps'])} step(s) proven under the log {proof['organization']}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
