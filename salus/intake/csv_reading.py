"""Cuts the lines of a CSV into records, and loses no line to a broken one.

An unclosed quote swallows the lines that follow it. Here only the line where the fault begins is
refused, and reading goes on with the next one.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import NamedTuple

from salus.intake.lines import text
from salus.kernel.errors import BadInput

DELIMITERS = ",;\t|"
LONGEST_FIELD = 131_072
MOST_LINES = 1_000
"""A record of more physical lines than this is an unclosed quote."""
UNREADABLE = "\0"
"""Stands before the bytes of a line that is no text."""
csv.field_size_limit(LONGEST_FIELD)


class Record(NamedTuple):
    """One record: the line it begins at (1 is the heading), its cells, or the `fault` and its raw text."""

    line: int
    cells: Sequence[str]
    fault: str = ""
    raw: str = ""


class CsvReader:
    """Reads records from lines that come in pieces."""

    def __init__(self, *, width: int, delimiter: str, line: int) -> None:
        self._width, self._delimiter = width, delimiter
        self.line = line
        """The number of the next physical line."""
        self.repaired = 0
        """How many lines were not UTF-8."""
        self._held: list[str] = []
        self._sizes: list[int] = []

    def feed(self, lines: Sequence[bytes], *, last: bool) -> tuple[list[Record], int]:
        """Return the records that `lines` complete, and how many bytes they and their lines take.

        Lines of a record that is not complete yet are held for the next call; `last` ends the file.
        """
        records: list[Record] = []
        held, sizes = self._held, self._sizes
        sizes += map(len, lines)
        try:
            held += [line.decode() for line in lines]
        except UnicodeDecodeError:
            held += map(self._decoded, lines)
        done = 0
        while done < len(held):
            taken = self._read_from(done, records, last)
            if taken == 0:
                break
            done += taken
        self.line += done
        consumed = sum(sizes[:done])
        self._held, self._sizes = held[done:], sizes[done:]
        return records, consumed

    def _decoded(self, line: bytes) -> str:
        """Return a line as text when not all lines are UTF-8; what is no text is marked to be refused."""
        try:
            decoded, odd = text(line)
        except BadInput:
            return UNREADABLE + line.decode("latin-1")
        self.repaired += odd
        return decoded

    def _read_from(self, start: int, records: list[Record], last: bool) -> int:
        """Read on from held line `start` until the end or a fault; return how many lines were done."""
        rest = self._held[start:] if start else self._held
        reader = csv.reader(iter(rest), delimiter=self._delimiter, strict=True)
        done = 0
        try:
            for cells in reader:
                fault = self._fault(cells, rest[done])
                if fault and reader.line_num > done + 1:
                    return done + self._refuse(records, start + done, fault)
                if fault or cells:
                    raw = rest[done] if fault else ""
                    records.append(Record(self.line + start + done, cells, fault, raw))
                done = reader.line_num
        except csv.Error:
            open_lines = len(rest) - done
            unfinished = reader.line_num == len(rest)
            if unfinished and not last and open_lines <= MOST_LINES:
                return done
            return done + self._refuse(records, start + done, "a quote is not closed, or text follows it")
        return done

    def _refuse(self, records: list[Record], index: int, fault: str) -> int:
        records.append(Record(self.line + index, (), fault, self._held[index]))
        return 1

    def _fault(self, cells: Sequence[str], raw: str) -> str:
        if raw.startswith(UNREADABLE):
            return "is neither UTF-8 nor Windows-1252 text"
        if not cells or len(cells) == self._width:
            return ""
        if len(cells) == 1 and not cells[0].strip():
            return ""
        return f"has {len(cells)} columns where the heading has {self._width}"


def blank(cells: Sequence[str]) -> bool:
    """Return whether a record has nothing in it."""
    return not any(map(str.strip, cells))


def read_heading(line: bytes, delimiter: str = "") -> tuple[tuple[str, ...], str]:
    """Return the headings in the first line and the delimiter, found out when none is given.

    Raises `BadInput` for an empty file, a heading that repeats, or a line that looks like a person.
    """
    decoded, _ = text(line)
    decoded = decoded.rstrip("\r\n")
    if not decoded.strip():
        raise BadInput("the first line must hold the headings", place="line 1")
    found = delimiter or max(DELIMITERS, key=decoded.count)
    try:
        ((*cells,),) = list(csv.reader([decoded], delimiter=found, strict=True))
    except (csv.Error, ValueError):
        raise BadInput("the headings are not one row of a CSV", place="line 1") from None
    headings = tuple(cell.strip() for cell in cells)
    if any("@" in one or one[:1].isdigit() for one in headings):
        raise BadInput(
            "the first line looks like a person and not like headings",
            place="line 1",
            next_step="Add a line of headings on top.",
        )
    return headings, found
