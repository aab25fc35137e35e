"""Looks for words on the disk in every dress they may wear: plain, upper case, UTF-16, hexadecimal, base64."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK, _OVERLAP = 1 << 22, 1 << 10


def dresses(word: str) -> set[bytes]:
    """Return how `word` may stand in a file; base64 at each of the three ways it may be cut."""
    found: set[bytes] = set()
    for text in {word, word.lower(), word.upper()}:
        for raw in (text.encode(), text.encode("utf-16-le")):
            found |= {raw, raw.hex().encode()}
        raw = text.encode()
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + raw)
            # The signs at both ends depend on the neighbours; what lies between does not.
            found.add(coded[4 if shift else 0 : len(coded) - 4])
    return {each for each in found if len(each) >= 6}


def words_in(pieces: Iterable[bytes], wanted: Mapping[str, set[bytes]]) -> set[str]:
    """Return the names of what of `wanted` stands in `pieces`."""
    return {
        name for piece in pieces for name, shapes in wanted.items() if any(shape in piece for shape in shapes)
    }


def blocks(path: Path) -> Iterable[bytes]:
    """Yield a file in pieces that overlap, so that nothing hides on a border."""
    with path.open("rb") as file:
        tail = b""
        while block := file.read(_BLOCK):
            yield tail + block
            tail = block[-_OVERLAP:]


def _mark() -> str:
    """Return letters that occur nowhere else, so that they may stand where names stand."""
    return "Zyx" + "".join(secrets.choice("bcdfghjklmnpqrstvwxz") for _ in range(9))


@dataclass
class Canaries:
    """What must never be seen again, by where it was put in: one mark, with the place behind it."""

    mark: str = field(default_factory=_mark)
    words: dict[str, str] = field(default_factory=dict)
    phone: str = field(default_factory=lambda: f"518{secrets.randbelow(8) + 2}{secrets.randbelow(10**6):06d}")
    born: str = field(default_factory=lambda: f"19{secrets.randbelow(9) + 11}-11-2{secrets.randbelow(9) + 1}")

    def __getitem__(self, kind: str) -> str:
        """Return the canary of a kind, made when it is first asked for."""
        return self.words.setdefault(kind, self.mark + kind)

    @property
    def email(self) -> str:
        """Return the address: a word before the sign and another behind it."""
        return f"{self['mailbox']}@{self['domain']}.example.test".lower()

    def look(self, pieces: Iterable[bytes]) -> set[str]:
        """Return which canaries stand in `pieces`, in whatever dress."""
        year, month, day = self.born.split("-")
        digits = self.phone
        wanted = {
            "mark": dresses(self.mark),
            "phone": dresses(digits) | dresses(f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"),
            "birth date": dresses(self.born) | dresses(f"{month}/{day}/{year}"),
        }
        words = {kind: dresses(word) for kind, word in self.words.items()}
        found: set[str] = set()
        for piece in pieces:
            if here := words_in([piece], wanted):
                found |= here | words_in([piece], words)
        return found
