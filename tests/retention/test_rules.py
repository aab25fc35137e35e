"""How long what may be kept: the bounds of the law are refused with their section, in the rules and at the door."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.kernel.errors import BadInput
from salus.kernel.leaving import six_years_after
from salus.retention import rules
from salus.retention.contracts import Kind

DAYS = st.none() | st.integers(-10, 40_000)


@given(st.sampled_from(list(Kind)), DAYS)
def test_a_time_is_taken_exactly_when_it_is_within_the_bounds(kind: Kind, days: int | None) -> None:
    bounds = rules.BOUNDS[kind]
    may = bounds.most is None if days is None else bounds.least <= days <= (bounds.most or rules.LONGEST)
    with nullcontext() if may else pytest.raises(BadInput) as fault:
        rules.check(kind, days)
    assert fault is None or fault.value.place == kind


def test_documents_are_kept_six_years_whenever_they_begin() -> None:
    """45 CFR 164.316(b)(2)(i), 164.528(d), 164.530(j)(2)."""
    with pytest.raises(BadInput, match=r"2192 days at least.*\[45 CFR 164\.528\(d\), 164\.530\(j\)\(2\)\]"):
        rules.check(Kind.DOCUMENTS, 2191)
    for year in range(2020, 2029):
        for month, day in ((1, 1), (2, 28), (3, 1), (12, 31)):
            begun = datetime(year, month, day, tzinfo=UTC)
            assert rules.before(rules.BOUNDS[Kind.DOCUMENTS].least, six_years_after(begun)) <= begun


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("receipts", "164.528(a)(1)"),
        ("permissions", "164.508(b)(6)"),
        ("audit-log", "164.316(b)(2)(i)"),
    ],
)
def test_what_is_always_kept_has_no_time_and_the_section_says_why(name: str, section: str) -> None:
    with pytest.raises(BadInput) as fault:
        rules.kind_of(name)
    assert section in str(fault.value)
    assert name not in set(Kind)


def test_another_word_is_told_which_there_are() -> None:
    with pytest.raises(BadInput, match="messages, conversations"):
        rules.kind_of("everything")


@given(DAYS, DAYS)
def test_shorter_is_what_makes_more_due(new: int | None, old: int | None) -> None:
    far = 10**9
    assert rules.is_shorter(new, old) == ((far if new is None else new) < (far if old is None else old))
