"""What a request gives may be anything: it is read, or it is nothing; it is never a fault of ours."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.platform.web.given import id_given, number_given

ODD = ["", " ", "-1", "1.5", "²", "٣", "1e9", "0x1", "9" * 16, "1 2", "\x00", "NaN"]


@pytest.mark.parametrize("text", ODD)
def test_what_is_no_plain_number_is_none(text: str) -> None:
    assert number_given(text) is None


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("9" * 15, 999_999_999_999_999)])
def test_a_plain_number_is_read(text: str, number: int) -> None:
    assert number_given(text) == number


@given(st.text())
def test_nothing_that_can_be_given_raises(text: str) -> None:
    assert id_given(text) is None or isinstance(id_given(text), UUID)
    assert number_given(text, most_digits=4) in {None, *range(10_000)}
