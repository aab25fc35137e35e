"""Pure decisions about files: how large, how many, of which kind, and what a file may be called."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from salus.files.contracts import Kind

LARGEST = 10 * 1024 * 1024
"""Bytes of one file."""
MOST = 5
"""Files of one message."""
PIECE = 256 * 1024
"""Bytes of plaintext in a sealed piece; the last one of a file is shorter."""
HEAD = 64
"""First bytes by which a kind is told."""
LONGEST_NAME = 120
NAMELESS = "file"

_SIGNS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Signs that a name may not have: controls, and those that turn the direction of what is read."""


def kind_of(head: bytes, kinds: Iterable[Kind]) -> Kind | None:
    """Return the kind that a file's first bytes show; one without signs is the rest, and is looked at whole."""
    for kind in kinds:
        if not kind.signs or any(all(_is_at(head, *sign) for sign in signs) for signs in kind.signs):
            return kind
    return None


def _is_at(head: bytes, place: int, sign: bytes) -> bool:
    return head[place : place + len(sign)] == sign


def name_of(given: str, kind: Kind) -> str:
    """Return what a file is called here: one line, no path, the ending of its real kind."""
    last = given.replace("\\", "/").rpartition("/")[2]
    clean = "".join(sign for sign in last if unicodedata.category(sign) not in _SIGNS)
    stem = clean.rpartition(".")[0] or clean
    stem = " ".join(stem.split()).strip(". ")[: LONGEST_NAME - len(kind.ending) - 1].strip(". ")
    return f"{stem or NAMELESS}.{kind.ending}"
