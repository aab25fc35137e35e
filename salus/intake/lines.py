"""Bytes of an upload as physical lines, and a line as text: UTF-8 first, then Windows-1252."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from salus.kernel.errors import BadInput

LONGEST_LINE = 4 * 1024 * 1024
"""A line longer than this is no row of a table and no resource."""

_BOMS = (
    (codecs.BOM_UTF8, ""),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def plain(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the chunks of a file without its byte order mark; UTF-16 becomes UTF-8.

    A file with the line ends of old Macs gets ours.
    """
    chunks = iter(chunks)
    first = next(chunks, b"")
    for mark, encoding in _BOMS:
        if first.startswith(mark):
            first = first[len(mark) :]
            if encoding:
                yield from _recoded(first, chunks, encoding)
                return
            break
    if b"\r" in first and b"\n" not in first:
        yield first.replace(b"\r", b"\n")
        for chunk in chunks:
            yield chunk.replace(b"\r", b"\n")
        return
    yield first
    yield from chunks


def _recoded(first: bytes, chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    yield decoder.decode(first).encode()
    for chunk in chunks:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", True).encode()


def split(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the physical lines of each chunk with their ends; a line cut by a chunk's end is joined.

    Raises `BadInput` when a line is too long to be one.
    """
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).splitlines(keepends=True) if rest else chunk.splitlines(keepends=True)
        lines = _only_newlines(lines)
        rest = b""
        if lines and not lines[-1].endswith(b"\n"):
            rest = lines.pop()
            if len(rest) > LONGEST_LINE:
                raise BadInput(f"a line is longer than {LONGEST_LINE // 1024 // 1024} MB", place="the file")
        if lines:
            yield lines
    if rest:
        yield [rest]


def _only_newlines(lines: list[bytes]) -> list[bytes]:
    """Join what `splitlines` cut at a carriage return alone, which is no line end here."""
    if all(line.endswith(b"\n") for line in lines[:-1]):
        return lines
    joined: list[bytes] = []
    open_line = b""
    for line in lines:
        open_line += line
        if line.endswith(b"\n"):
            joined.append(open_line)
            open_line = b""
    if open_line:
        joined.append(open_line)
    return joined


def text(line: bytes) -> tuple[str, bool]:
    """Return a line as text, and whether it was not UTF-8.

    Bytes that are no UTF-8 are read as Windows-1252, in which old spreadsheets write "Núñez". Raises
    `BadInput` when they are neither.
    """
    try:
        return line.decode(), False
    except UnicodeDecodeError:
        try:
            return line.decode("cp1252"), True
        except UnicodeDecodeError:
            raise BadInput("is neither UTF-8 nor Windows-1252 text") from None
