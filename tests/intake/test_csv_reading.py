"""A CSV is cut into records whatever pieces it comes in, and no line is lost to a broken one."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.intake import lines
from salus.intake.csv_reading import CsvReader, Record, read_heading
from salus.kernel.errors import BadInput

NOT_CLOSED = "a quote is not closed, or text follows it"


def read(data: bytes, *, width: int = 3, size: int = 100) -> list[Record]:
    """Read `data` in pieces of `size` lines, and see that every byte was counted."""
    reader, found, consumed = CsvReader(width=width, delimiter=",", line=2), [], 0
    physical = [line for piece in lines.split([data]) for line in piece]
    for start in range(0, len(physical), size):
        records, done = reader.feed(physical[start : start + size], last=start + size >= len(physical))
        found += records
        consumed += done
    assert consumed == len(data)
    return found


CELL = st.text('ab,"\n é', max_size=6)
ROWS = st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=8)


@settings(max_examples=150, deadline=None)
@given(ROWS, st.integers(1, 5))
def test_what_is_written_is_read_in_pieces_of_any_size(rows: list[list[str]], size: int) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)

    found = read(buffer.getvalue().encode(), size=size)

    assert [list(one.cells) for one in found if not one.fault] == rows


@settings(max_examples=200, deadline=None)
@given(st.text('ab,"\n', max_size=60), st.integers(1, 4))
def test_broken_text_reads_the_same_in_pieces_of_any_size(text: str, size: int) -> None:
    assert read(text.encode(), size=size) == read(text.encode(), size=1000)


def test_an_unclosed_quote_costs_its_own_line_only() -> None:
    found = read(b'a,"b,c\nd,e,f\ng,"h",i\n')

    assert [(one.line, list(one.cells), one.fault) for one in found] == [
        (2, [], NOT_CLOSED),
        (3, ["d", "e", "f"], ""),
        (4, ["g", "h", "i"], ""),
    ]
    assert found[0].raw == 'a,"b,c\n'


def test_a_cell_with_line_breaks_is_one_record_at_its_first_line() -> None:
    found = read(b'a,"b\r\nx",c\r\nd,e,f\r\n')

    assert [(one.line, list(one.cells)) for one in found] == [(2, ["a", "b\r\nx", "c"]), (4, ["d", "e", "f"])]


def test_a_row_with_too_few_or_too_many_columns_says_how_many() -> None:
    few, good, many = read(b"a,b\nd,e,f\ng,h,i,j")

    assert few.fault == "has 2 columns where the heading has 3"
    assert many.fault == "has 4 columns where the heading has 3"
    assert not good.fault


def test_lines_of_an_old_spreadsheet_are_read_and_counted() -> None:
    reader = CsvReader(width=2, delimiter=",", line=2)
    records, _ = reader.feed(["1,Núñez\n".encode("cp1252"), "2,Núñez\n".encode()], last=True)

    assert [one.cells[1] for one in records] == ["Núñez", "Núñez"]
    assert reader.repaired == 1


def test_a_line_that_is_no_text_is_refused_alone() -> None:
    bad, good = read(b"a,\x81\x8d,c\nd,e,f\n")

    assert bad.fault == "is neither UTF-8 nor Windows-1252 text"
    assert list(good.cells) == ["d", "e", "f"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("\ufeffa;b".encode(), "a;b"),
        ("\ufeffä;b\n".encode("utf-16-le"), "ä;b\n"),
        ("\ufeffä;b\n".encode("utf-16-be"), "ä;b\n"),
        (b"a\rb\r", "a\nb\n"),
        (b"", ""),
    ],
)
def test_byte_order_marks_and_old_line_ends_are_taken_away(data: bytes, text: str) -> None:
    for size in (1000, 5):
        pieces = [data[: max(size, 4)], data[max(size, 4) :]]
        assert b"".join(lines.plain(pieces)).decode() == text


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80), st.lists(st.integers(1, 9), max_size=12))
def test_lines_are_the_same_however_the_bytes_are_cut(data: bytes, cuts: list[int]) -> None:
    pieces, rest = [], data
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    together = [line for piece in lines.split([*pieces, rest]) for line in piece]

    assert b"".join(together) == data
    assert all(line.endswith(b"\n") for line in together[:-1])
    assert all(b"\n" not in line[:-1] for line in together)


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(BadInput, match="longer than 4 MB"):
        list(lines.split([b"x" * (lines.LONGEST_LINE + 1), b"x"]))


@pytest.mark.parametrize(
    ("line", "delimiter"), [(b"a,b,c\n", ","), (b"a;b;c\n", ";"), (b"a\tb\tc", "\t"), (b"a|b|c\r\n", "|")]
)
def test_the_delimiter_is_found_out(line: bytes, delimiter: str) -> None:
    assert read_heading(line) == (("a", "b", "c"), delimiter)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\n", "must hold the headings"),
        (b"", "must hold the headings"),
        (b"Zoldina,zoldina@lakepost.test", "looks like a person"),
        (b"C-7,1980-05-06", "looks like a person"),
        (b'a,"b', "not one row of a CSV"),
    ],
)
def test_a_first_line_that_is_no_heading_is_refused(line: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason) as refused:
        read_heading(line)

    assert refused.value.place == "line 1"
