"""Pure decisions about keys on file: how one stands, which one a message is encrypted to, when people are reminded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from salus.sealedmail.contracts import Revocation, Source, Standing

REFRESH = timedelta(days=1)
"""How old a key of a directory may be before the directory is asked again."""
STALE = timedelta(days=14)
"""How long a directory may be silent: after that its key is not written to, for it may have been revoked."""
SOON = timedelta(days=30)
"""How long before its end somebody is told of it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a decision about a key needs; nothing of it is the key, or whose it is."""

    id: UUID
    source: Source
    not_before: datetime | None
    not_after: datetime | None
    added_at: datetime
    refreshed_at: datetime | None
    ended_at: datetime | None
    why: Revocation | None


def standing(key: Kept, at: datetime) -> Standing:
    """Return how a key stands at a moment; only one that is `IN_USE` is written to."""
    if key.ended_at is not None and key.ended_at <= at:
        return Standing.REVOKED if key.why else Standing.REPLACED
    if key.not_after is not None and key.not_after <= at:
        return Standing.EXPIRED
    if key.not_before is not None and key.not_before > at:
        return Standing.NOT_YET
    asked = key.refreshed_at or key.added_at
    if key.source is Source.WKD and at - asked >= STALE:
        return Standing.STALE
    return Standing.IN_USE


def choose(keys: Iterable[Kept], at: datetime) -> UUID | None:
    """Return the key to write to: of those in use the one that came last."""
    usable = [each for each in keys if standing(each, at) is Standing.IN_USE]
    return max(usable, key=lambda each: (each.added_at, each.id)).id if usable else None


def is_due(key: Kept, at: datetime) -> bool:
    """Tell whether the directory that a key came from is to be asked again."""
    asked = key.refreshed_at or key.added_at
    return key.source is Source.WKD and key.ended_at is None and at - asked >= REFRESH


def ends_soon(not_after: datetime | None, at: datetime) -> bool:
    """Tell whether people are to be told that something ends, or has."""
    return not_after is not None and not_after - at <= SOON
