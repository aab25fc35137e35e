"""Replies cut out of a stream, however it is chopped."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.delivery.transports.replies import NotSmtp, ReplyReader
from salus.delivery.transports.settings import Limits

LIMITS = Limits()

line_text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
reply = st.tuples(
    st.integers(2, 5), st.integers(0, 5), st.integers(0, 9), st.lists(line_text, min_size=1, max_size=4)
)


@given(st.lists(reply, min_size=1, max_size=5), st.data())
@settings(max_examples=200, deadline=None)
def test_replies_are_the_same_however_the_stream_is_chopped(
    written: list[tuple[int, int, int, list[str]]], data: st.DataObject
) -> None:
    stream = b""
    for first, second, third, lines in written:
        code = f"{first}{second}{third}"
        stream += "".join(f"{code}-{line}\r\n" for line in lines[:-1]).encode()
        stream += f"{code} {lines[-1]}\r\n".encode()
    reader = ReplyReader(LIMITS)
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        reader.feed(stream[:size])
        stream = stream[size:]
    heard = list(reader.ready)
    assert [(each.code, list(each.lines)) for each in heard] == [
        (first * 100 + second * 10 + third, lines) for first, second, third, lines in written
    ]
    reader.ready.clear()
    assert reader.empty


def test_half_a_reply_is_not_nothing() -> None:
    reader = ReplyReader(LIMITS)
    reader.feed(b"25")
    assert not reader.empty
    reader.feed(b"0-a\r\n")
    assert not reader.empty
    assert not reader.ready


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (b"199 No\r\n", "not_a_reply"),
        (b"600 No\r\n", "not_a_reply"),
        (b"2x0 No\r\n", "not_a_reply"),
        (b"\r\n", "not_a_reply"),
        (b"250_No\r\n", "not_a_reply"),
        (b"250 a\rb\r\n", "not_a_reply"),
        (b"250-a\r\n251 b\r\n", "codes_differ"),
        (b"250 " + b"x" * 3000 + b"\r\n", "line_too_long"),
        (b"x" * 3000, "line_too_long"),
        (b"250-a\r\n" * 200, "too_many_lines"),
        (b"250 a\r\n" * 20, "too_many_replies"),
    ],
)
def test_what_is_no_reply_is_refused_by_its_rule_never_repeated(stream: bytes, why: str) -> None:
    with pytest.raises(NotSmtp) as refusal:
        ReplyReader(LIMITS).feed(stream)
    assert str(refusal.value) == why


def test_a_reply_without_text_is_a_reply() -> None:
    reader = ReplyReader(LIMITS)
    reader.feed(b"250\r\n354 \r\n")
    assert [each.code for each in reader.ready] == [250, 354]


@given(st.binary(max_size=3000))
@settings(max_examples=200, deadline=None)
def test_any_octets_are_replies_or_refused_and_little_is_kept(octets: bytes) -> None:
    reader = ReplyReader(LIMITS)
    try:
        reader.feed(octets)
    except NotSmtp:
        return
    assert len(reader._buffer) <= LIMITS.reply_line
    assert len(reader.ready) <= LIMITS.replies_waiting
