"""Decides, and touches nothing: which backup brings back a moment, what of it is needed, which may be removed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from salus.kernel.errors import BadInput
from salus.recovery.contracts import Backup, Event, Kind, Retention, Run

STAMP = "%Y%m%dT%H%M%S.%fZ"
RECORDED_WITHIN, DRILLED_WITHIN = timedelta(days=2), timedelta(days=90)
"""How old the newest evidence may be: a backup that goes on says so daily; testing is periodic (164.308(a)(7)(ii)(D))."""


@dataclass(frozen=True, slots=True)
class WalPiece:
    """A piece of write-ahead log: from which byte to which, on which timeline; `closed_at` is the last moment in it."""

    timeline: int
    start: int
    end: int
    closed_at: datetime
    file: str


def wal_file(timeline: int, start: int, end: int, closed_at: datetime) -> str:
    """Return how a piece's file is called."""
    return f"{timeline:08X}-{start:016X}-{end:016X}-{closed_at:{STAMP}}.sealed"


def parse_wal_file(name: str) -> WalPiece | None:
    """Return the piece that a file's name tells of, None for another file."""
    parts = name.removesuffix(".sealed").split("-")
    if len(parts) != 4 or not name.endswith(".sealed"):
        return None
    try:
        return WalPiece(
            int(parts[0], 16),
            int(parts[1], 16),
            int(parts[2], 16),
            datetime.strptime(parts[3], STAMP).replace(tzinfo=UTC),
            name,
        )
    except ValueError:
        return None


def chain(pieces: Sequence[WalPiece], start: int, until: datetime | None) -> tuple[WalPiece, ...]:
    """Return the pieces that follow on `start` without a gap, up to the first that holds `until` (None: all).

    Raises `BadInput` when one is missing between others: what is after it can not be brought back.
    """
    found: list[WalPiece] = []
    reached = start
    for piece in sorted(pieces, key=lambda each: (each.start, each.end)):
        if piece.end <= reached:
            continue
        if piece.start > reached:
            raise BadInput(
                f"The backup lacks the write-ahead log before {piece.closed_at:%Y-%m-%d %H:%M:%S} UTC.",
                place=piece.file,
                next_step="Bring the missing file back, or restore to a moment before it.",
            )
        found.append(piece)
        reached = piece.end
        if until is not None and piece.closed_at > until:
            break
    return tuple(found)


def chosen(backups: Sequence[Backup], to: datetime | None) -> Backup:
    """Return the newest backup that brings back `to` (None: the latest moment there is).

    Raises `BadInput` that says which moments there are.
    """
    if not backups:
        raise BadInput("There is no whole backup here.", next_step="Make one: salus backup.")
    if to is None:
        return max(backups, key=lambda each: (each.until, each.made_at))
    able = [
        each
        for each in backups
        if (each.whole_at <= to < each.until if each.kind is Kind.PHYSICAL else each.whole_at == to)
    ]
    if not able:
        spans = ", ".join(
            f"{each.whole_at:%Y-%m-%d %H:%M:%S} to {each.until:%Y-%m-%d %H:%M:%S}"
            if each.kind is Kind.PHYSICAL
            else f"exactly {each.whole_at.isoformat()}"
            for each in sorted(backups, key=lambda each: each.whole_at)
        )
        raise BadInput(f"No backup brings back {to:%Y-%m-%d %H:%M:%S} UTC. There is: {spans} (UTC).")
    return max(able, key=lambda each: each.made_at)


def removable(backups: Sequence[Backup], retention: Retention, *, held: bool) -> tuple[Backup, ...]:
    """Return the backups that no rule keeps, oldest first; none while there is a legal hold.

    The newest one stays whatever the rule says (45 CFR 164.308(a)(7)(ii)(A): retrievable exact copies).
    """
    if held:
        return ()
    ordered = sorted(backups, key=lambda each: each.made_at, reverse=True)
    kept: set[str] = {each.id for each in ordered[:1]}
    kept |= _newest(ordered, retention.daily, lambda at: at.date().isoformat())
    kept |= _newest(ordered, retention.weekly, lambda at: "{}-{}".format(*at.isocalendar()[:2]))
    kept |= _newest(ordered, retention.monthly, lambda at: f"{at:%Y-%m}")
    return tuple(each for each in reversed(ordered) if each.id not in kept)


def _newest(ordered: Sequence[Backup], count: int, span: Callable[[datetime], str]) -> set[str]:
    """Return the newest backup of each of the last `count` spans of time that have one."""
    newest: dict[str, str] = {}
    for each in ordered:
        newest.setdefault(span(each.made_at), each.id)
    return set(list(newest.values())[:count])


def overdue(run: Run | None, event: Event, at: datetime) -> bool:
    """Return whether the newest evidence of an event failed, is too old, or is not there."""
    within = DRILLED_WITHIN if event is Event.DRILL else RECORDED_WITHIN
    return run is None or not run.passed or at - run.at > within


def check_retention(retention: Retention) -> None:
    """Raise `BadInput` for a rule that would keep nothing."""
    counts: Collection[int] = (retention.daily, retention.weekly, retention.monthly)
    if min(counts) < 0 or sum(counts) < 1:
        raise BadInput("A retention keeps at least one backup, and no count is below 0.", place="--keep")
