"""Signed notes and checkpoints as text (C2SP signed-note, tlog-checkpoint; Ed25519 signatures)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from salus.audit.merkle import HASH
from salus.kernel.errors import BadInput

_ED25519 = b"\x01"
_MARK = "— "
GAP = "\n\n\n"
"""Stands after a piece that a power cut left; no note contains it."""
_KEY_ID = 4


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Statement:
    """What a checkpoint says: the log of `origin` had `size` entries and this root."""

    origin: str
    size: int
    root: bytes


def key_id(name: str, public_key: bytes) -> bytes:
    """Return the four bytes that name an Ed25519 key in a signature line."""
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_KEY_ID]


def verifier_key(name: str, public_key: bytes) -> str:
    """Return the public key in the form that other tools read ("name+id+key")."""
    encoded = base64.b64encode(_ED25519 + public_key).decode()
    return f"{name}+{key_id(name, public_key).hex()}+{encoded}"


def parse_verifier_key(text: str) -> tuple[str, bytes]:
    """Return the name and the raw public key of a verifier key; raises `BadInput`."""
    name, _, rest = text.partition("+")
    given, _, encoded = rest.partition("+")
    raw = _base64(encoded)
    if not name or raw is None or len(raw) != 1 + HASH or raw[:1] != _ED25519:
        raise BadInput("This is not the public key of a log.", place="key")
    if key_id(name, raw[1:]).hex() != given:
        raise BadInput("The public key does not have its own id: it was changed.", place="key")
    return name, raw[1:]


def sign(text: str, name: str, public_key: bytes, signer: Callable[[bytes], bytes]) -> str:
    """Return `text`, which ends with a newline, as a note signed by the key `name`."""
    if not text.endswith("\n") or not name or any(letter.isspace() or letter == "+" for letter in name):
        raise ValueError("a note ends with a newline, and a key name has no spaces and no plus")
    signature = base64.b64encode(key_id(name, public_key) + signer(text.encode())).decode()
    return f"{text}\n{_MARK}{name} {signature}\n"


def parse(note: str) -> tuple[str, tuple[Signature, ...]]:
    """Return a note's text and its signatures, which are not verified yet; raises `BadInput`."""
    head, found, tail = note.rpartition("\n\n")
    if not found or not head or not tail.endswith("\n"):
        raise BadInput("This is not a signed note: it has no signature lines.", place="checkpoint")
    return head + "\n", tuple(_signature(line) for line in tail[:-1].split("\n"))


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    raw = _base64(encoded)
    if not line.startswith(_MARK) or not name or "+" in name or raw is None or len(raw) <= _KEY_ID:
        raise BadInput("A signature line is malformed.", place="checkpoint")
    return Signature(name, raw[:_KEY_ID], raw[_KEY_ID:])


def statement_text(statement: Statement) -> str:
    """Return the three lines that are signed."""
    return f"{statement.origin}\n{statement.size}\n{base64.b64encode(statement.root).decode()}\n"


def parse_statement(text: str) -> Statement:
    """Return what the text of a checkpoint says; raises `BadInput`. Extension lines are let be."""
    lines = text.split("\n")
    if len(lines) < 4 or "" in lines[:-1]:
        raise BadInput("A checkpoint has three lines: origin, size, root.", place="checkpoint")
    origin, size, root = lines[0], lines[1], _base64(lines[2])
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", size):
        raise BadInput("The size is not a plain decimal number.", place="checkpoint line 2")
    if root is None or len(root) != HASH:
        raise BadInput("The root is not the base64 of 32 bytes.", place="checkpoint line 3")
    return Statement(origin, int(size), root)


def split(text: str) -> list[str]:
    """Return the notes of a file that holds one after another, and torn pieces where they lie.

    A note ends with its last signature line; `GAP` ends a piece that has none.
    """
    found: list[str] = []
    for stretch in text.split(GAP):
        present: list[str] = []
        for line in stretch.splitlines(keepends=True):
            if present and is_whole(present[-1]) and not line.startswith(_MARK):
                found.append("".join(present))
                present = []
            if present or line != "\n":  # no empty lines between notes
                present.append(line)
        found += ["".join(present)] if present else []
    return found


def is_whole(note: str) -> bool:
    """Return whether the last line of `note` is a signature line to its end."""
    return note.endswith("\n") and note[:-1].rpartition("\n")[2].startswith(_MARK)


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
