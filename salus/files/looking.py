"""Looks at a file's bytes while they come in, a piece at a time, for what does not belong in a letter.

It is a look for names, not a reader of PDF: what it refuses is there, and a file made to deceive it may pass.
"""

from __future__ import annotations

import codecs
import re
import zlib
from typing import Protocol

from salus.files.contracts import FileRefused, Why

ACTIVE = frozenset(
    {b"JavaScript", b"Launch", b"EmbeddedFile", b"EmbeddedFiles", b"RichMedia", b"XFA", b"SubmitForm",
     b"ImportData", b"Movie", b"Sound", b"Rendition", b"3D"}
)  # fmt: skip
"""Names in a PDF of what runs, sends or embeds (ISO 32000-1, 7.11.4, 12.6.4, 12.7.8, 13)."""
LOCKED = b"Encrypt"
PACKED = b"ObjStm"
"""Objects may be packed in a compressed stream (7.5.7): it is opened and looked at too."""

_NAME = re.compile(rb"/([^\x00-\x20()<>\[\]{}/%\x7f-\xff]{1,64})")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"stream(?:\r\n|\n)")
_FILTER = re.compile(rb"/Filter\s*(?:\[\s*)?/(?:FlateDecode|Fl)\s*\]?(?=[\s/>])")
_OVERLAP = 256
_DICTIONARY = 8192
MOST_UNPACKED = 256 * 1024 * 1024
MOST_AT_ONCE = 4


class Look(Protocol):
    """Something that sees all bytes of a file, in order."""

    def feed(self, data: bytes) -> None:
        """See more bytes; raises `FileRefused`."""
        ...

    def end(self) -> None:
        """Say that it was all; raises `FileRefused`."""
        ...


def look_of(name: str) -> Look:
    """Return a look by its name in the list of kinds."""
    looks: dict[str, type[Look]] = {"pdf": PdfLook, "text": TextLook, "": NoLook}
    return looks[name]()


class NoLook:
    """For pictures: they are given out as what they are and never as a page."""

    def feed(self, data: bytes) -> None:
        """See nothing."""

    def end(self) -> None:
        """Find nothing."""


class TextLook:
    """Plain text in UTF-8, without control signs, that is no page or drawing in markup."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._begun = False

    def feed(self, data: bytes) -> None:
        """See more bytes."""
        self._see(data, final=False)

    def end(self) -> None:
        """See that no sign was cut."""
        self._see(b"", final=True)

    def _see(self, data: bytes, *, final: bool) -> None:
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError:
            raise FileRefused(Why.KIND) from None
        if any(ord(sign) < 32 and sign not in "\t\n\r\f" for sign in text):
            raise FileRefused(Why.KIND)
        if not self._begun and (start := text.lstrip("\ufeff \t\r\n\f")):
            self._begun = True
            if start.startswith("<"):
                raise FileRefused(Why.ACTIVE)


class _Names:
    """Looks for names in bytes that come piece by piece."""

    def __init__(self) -> None:
        self._tail = b""

    def see(self, data: bytes) -> None:
        window = self._tail + data
        for found in _NAME.finditer(window):
            name = plain(found[1])
            if name in ACTIVE:
                raise FileRefused(Why.ACTIVE)
            if name == LOCKED:
                raise FileRefused(Why.LOCKED)
        self._tail = window[-_OVERLAP:]


class _Unpacked:
    """What a compressed stream holds, looked at as it is unpacked."""

    def __init__(self) -> None:
        self._inflate, self._names = zlib.decompressobj(), _Names()
        self.is_over = False

    def see(self, data: bytes, budget: int) -> int:
        """Unpack more; return how many bytes that gave."""
        given, waiting = 0, data
        try:
            while waiting and not self._inflate.eof:
                out = self._inflate.decompress(waiting, 1 << 20)
                waiting, given = self._inflate.unconsumed_tail, given + len(out)
                if given > budget:
                    raise FileRefused(Why.ACTIVE)
                self._names.see(out)
        except zlib.error:
            self.is_over = True
        self.is_over = self.is_over or self._inflate.eof
        return given


class PdfLook:
    """A PDF without scripts, launches, embedded files or a password."""

    def __init__(self) -> None:
        self._names = _Names()
        self._before = b""
        self._open: list[_Unpacked] = []
        self._budget = MOST_UNPACKED

    def feed(self, data: bytes) -> None:
        """See more bytes: the names in clear, and what each compressed stream holds."""
        self._names.see(data)
        for each in self._open:
            self._unpack(each, data)
        window, known = self._before + data, len(self._before)
        for found in _STREAM.finditer(window):
            if found.end() <= known:
                continue
            self._check_dictionary(window[max(0, found.start() - _DICTIONARY) : found.start()])
            unpacked = _Unpacked()
            self._unpack(unpacked, window[found.end() :])
            self._open.append(unpacked)
        self._open = [each for each in self._open if not each.is_over]
        if len(self._open) > MOST_AT_ONCE:
            raise FileRefused(Why.ACTIVE)
        self._before = window[-_DICTIONARY:]

    def end(self) -> None:
        """Find nothing more."""

    def _unpack(self, unpacked: _Unpacked, data: bytes) -> None:
        self._budget -= unpacked.see(data, self._budget)

    def _check_dictionary(self, before: bytes) -> None:
        """Refuse packed objects that are packed in another way than the one we unpack."""
        dictionary = _NAME.sub(lambda name: b"/" + plain(name[1]), before.rpartition(b" obj")[2])
        if b"/" + PACKED in dictionary and (
            b"/DecodeParms" in dictionary or b"/DP" in dictionary or not _FILTER.search(dictionary)
        ):
            raise FileRefused(Why.ACTIVE)


def plain(name: bytes) -> bytes:
    """Return a PDF name with its escapes undone (7.3.5)."""
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), name)
