"""A share as it is printed and typed: lines of letters, each with a word that tells whether it was typed right."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape

from salus.kernel.errors import BadInput

_VERSION = 1
_HEAD = 8
_LINE = 10
"""Bytes a line: four groups of four letters."""
_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aiou"
_READ = re.compile(r"\s*(\d{1,2})[\s.:)]+([A-Za-z0-9 ]+?)\s+([a-z]{5})\s*\Z")
_LIKE = str.maketrans({"0": "O", "1": "I", "8": "B"})
"""Digits that the alphabet does not have, and the letters they are taken for."""


@dataclass(frozen=True, slots=True)
class Share:
    """One share of one kit: any `threshold` with different numbers recover."""

    kit: bytes
    threshold: int
    number: int
    body: bytes = field(repr=False)

    def payload(self) -> bytes:
        """Return the share as bytes: version, kit, threshold, number, length, body."""
        head = bytes([_VERSION, *self.kit, self.threshold, self.number, len(self.body)])
        return head + self.body


def lines(share: Share) -> list[str]:
    """Return the lines to print."""
    payload = share.payload()
    found = []
    for number, start in enumerate(range(0, len(payload), _LINE), 1):
        text = base64.b32encode(payload[start : start + _LINE]).decode().rstrip("=")
        groups = " ".join(text[place : place + 4] for place in range(0, len(text), 4))
        found.append(f"{number}  {groups:19}  {_word(payload[: start + _LINE])}")
    return found


def _word(data: bytes) -> str:
    """Return a word for all that was read so far, so that no line can stand for another's."""
    bits = int.from_bytes(sha256(data).digest()[:2], "big")
    return (
        _CONSONANTS[bits >> 12]
        + _VOWELS[bits >> 10 & 3]
        + _CONSONANTS[bits >> 6 & 15]
        + _VOWELS[bits >> 4 & 3]
        + _CONSONANTS[bits & 15]
    )


class Reader:
    """Reads shares line by line, as they are typed or stand in files; what is no line of a share is let be."""

    def __init__(self) -> None:
        self._read = b""
        self._lines = 0

    @property
    def is_within(self) -> bool:
        """Return whether a share has begun and has not ended."""
        return bool(self._lines)

    def line(self, text: str) -> Share | None:
        """Take one line, and return the share that it ends; raises `BadInput` for a line that was typed wrong.

        The lines before it stand: type that line again.
        """
        found = _READ.match(text)
        if found is None:
            return None
        number, word = int(found[1]), found[3]
        place = f"line {number}"
        if number == 1:
            self._read, self._lines = b"", 0
        if number != self._lines + 1:
            raise BadInput(f"Line {self._lines + 1} comes next.", place=place)
        read = self._read + _letters(found[2], place)
        if _word(read) != word:
            raise BadInput("This line does not fit its word: look at each letter.", place=place)
        self._read, self._lines = read, number
        if len(read) >= _HEAD and len(read) == _HEAD + read[_HEAD - 1]:
            self._read, self._lines = b"", 0
            return _parse(read)
        return None


def _letters(text: str, place: str) -> bytes:
    plain = text.replace(" ", "").upper().translate(_LIKE)
    try:
        return base64.b32decode(plain + "=" * (-len(plain) % 8))
    except binascii.Error:
        raise BadInput("These are not the letters of a share (A-Z, 2-7).", place=place) from None


def _parse(payload: bytes) -> Share:
    if payload[0] != _VERSION:
        raise BadInput("This share was made by a newer version of Salus.", place="line 1")
    return Share(payload[1:5], payload[5], payload[6], payload[_HEAD:])


def text(share: Share, of: int, provider: str, day: str) -> str:
    """Return the sheet of one share as text."""
    said = "\n".join(_said(share, of, provider, day))
    return f"{said}\n\n" + "".join(f"  {line}\n" for line in lines(share))


def page(share: Share, of: int, provider: str, day: str) -> str:
    """Return the sheet of one share as an HTML page to print; it loads nothing from anywhere."""
    title, *rest = (escape(line) for line in _said(share, of, provider, day))
    rows = "\n".join(escape(line) for line in lines(share))
    paragraphs = "".join(f"<p>{line}</p>" for line in rest)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>'
        "body{font:12pt/1.5 serif;max-width:34em;margin:3em auto;color:#000;background:#fff}"
        "pre{font:14pt/1.9 monospace;border:1px solid #000;padding:1em;white-space:pre}"
        f"</style></head><body><h1>{title}</h1>{paragraphs}<pre>{rows}</pre></body></html>\n"
    )


def _said(share: Share, of: int, provider: str, day: str) -> list[str]:
    return [
        f"Salus recovery share {share.number} of {of}",
        f"Kit {share.kit.hex()}, made {day}, of the key {provider}.",
        f"Any {share.threshold} of the {of} shares bring the key file back: salus keys recover. "
        f"{share.threshold - 1} or fewer say nothing about it.",
        "Keep it where none of the other shares is, and apart from the database and its backups. "
        "Each line ends with a word that shows whether the line was typed right.",
    ]
