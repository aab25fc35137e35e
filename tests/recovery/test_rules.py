"""Which backup brings back a moment, what it needs, which may be removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.kernel.errors import BadInput
from salus.recovery import rules
from salus.recovery.contracts import Backup, Kind, Retention

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def backup(days_ago: float, *, hours: float = 24, kind: Kind = Kind.PHYSICAL) -> Backup:
    made = NOON - timedelta(days=days_ago)
    until = made + timedelta(hours=hours) if kind is Kind.PHYSICAL else made
    return Backup(f"{made:{rules.STAMP}}", kind, made, made, until, 1, 1, "0.1.0", "18.4")


def piece(start: int, end: int, minute: int = 0) -> rules.WalPiece:
    at = NOON + timedelta(minutes=minute)
    return rules.WalPiece(1, start, end, at, rules.wal_file(1, start, end, at))


MOMENTS = st.integers(0, 10**11).map(lambda milliseconds: datetime.fromtimestamp(milliseconds / 1_000, UTC))


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**63), st.integers(0, 2**63), MOMENTS)
def test_the_name_of_a_piece_says_all_of_it(timeline: int, start: int, end: int, at: datetime) -> None:
    name = rules.wal_file(timeline, start, end, at)
    assert rules.parse_wal_file(name) == rules.WalPiece(timeline, start, end, at, name)


@pytest.mark.parametrize("name", ["next", ".next.partial", "1-2-3-4.sealed", "a-b.sealed", ""])
def test_other_files_are_no_pieces(name: str) -> None:
    assert rules.parse_wal_file(name) is None


def test_pieces_follow_one_another_and_may_overlap() -> None:
    found = rules.chain([piece(50, 90), piece(0, 60), piece(0, 20)], 0, None)
    assert [each.end for each in found] == [20, 60, 90]


def test_a_missing_piece_is_named_by_what_cannot_be_brought_back() -> None:
    with pytest.raises(BadInput, match=r"before 2026-11-24 12:09:00 UTC.*before it"):
        rules.chain([piece(0, 60), piece(61, 90, 9)], 0, None)


def test_pieces_after_the_moment_are_not_needed_and_may_be_missing() -> None:
    found = rules.chain(
        [piece(0, 60, 1), piece(60, 90, 9), piece(95, 99, 20)], 0, NOON + timedelta(minutes=5)
    )
    assert [each.end for each in found] == [60, 90]


def test_the_newest_backup_that_has_the_moment_is_taken() -> None:
    old, new = backup(3, hours=72), backup(1)
    assert rules.chosen([old, new], NOON - timedelta(hours=20)) is new
    assert rules.chosen([old, new], NOON - timedelta(hours=30)) is old
    assert rules.chosen([old, new], None) in (old, new)


@pytest.mark.parametrize("days_ago", [2.5, -2])
def test_a_moment_that_no_backup_has_is_refused_with_those_there_are(days_ago: float) -> None:
    with pytest.raises(BadInput, match=r"2026-11-23 12:00:00 to 2026-11-24 12:00:00 \(UTC\)"):
        rules.chosen([backup(1)], NOON - timedelta(days=days_ago))


def test_a_dump_brings_back_its_own_moment_only() -> None:
    dump = backup(1, kind=Kind.LOGICAL)
    assert rules.chosen([dump], dump.whole_at) is dump
    with pytest.raises(BadInput, match="exactly"):
        rules.chosen([dump], dump.whole_at + timedelta(seconds=1))


def test_without_backups_it_says_how_to_make_one() -> None:
    with pytest.raises(BadInput, match="salus backup"):
        rules.chosen([], None)


def test_days_weeks_and_months_keep_their_newest() -> None:
    backups = [backup(days / 2) for days in range(800)]
    removed = rules.removable(backups, Retention(daily=3, weekly=2, monthly=2), held=False)
    kept = sorted((each.made_at for each in backups if each not in removed), reverse=True)
    assert [f"{at:%m-%d %H}" for at in kept] == ["11-24 12", "11-23 12", "11-22 12", "10-31 12"]
    assert list(removed) == sorted(removed, key=lambda each: each.made_at)


def test_a_legal_hold_keeps_everything() -> None:
    assert rules.removable([backup(400), backup(1)], Retention(1, 0, 0), held=True) == ()


@given(st.lists(st.floats(0, 3_000), max_size=40), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_the_newest_backup_is_never_removed(days: list[float], daily: int, weekly: int, monthly: int) -> None:
    backups = [backup(each) for each in days]
    removed = rules.removable(backups, Retention(daily, weekly, monthly), held=False)
    assert len(backups) - len(removed) <= max(1, daily + weekly + monthly) + len(backups) - len(
        {b.id for b in backups}
    )
    if backups:
        assert max(backups, key=lambda each: each.made_at) not in removed


@pytest.mark.parametrize("retention", [Retention(0, 0, 0), Retention(-1, 5, 5)])
def test_a_retention_that_keeps_nothing_is_refused(retention: Retention) -> None:
    with pytest.raises(BadInput):
        rules.check_retention(retention)
