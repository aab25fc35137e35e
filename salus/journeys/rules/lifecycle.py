"""Which act on a journey, or on one of its versions, is possible when, and by whom."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from salus.journeys.contracts import Status, VersionStatus

_V, _J = VersionStatus, Status

VERSION_MOVES: dict[str, tuple[frozenset[VersionStatus], VersionStatus]] = {
    "changed": (frozenset({_V.DRAFT}), _V.DRAFT),
    "submitted": (frozenset({_V.DRAFT}), _V.SUBMITTED),
    "taken back": (frozenset({_V.SUBMITTED, _V.APPROVED}), _V.DRAFT),
    "approved": (frozenset({_V.SUBMITTED}), _V.APPROVED),
    "sent back": (frozenset({_V.SUBMITTED, _V.APPROVED}), _V.DRAFT),
    "started": (frozenset({_V.APPROVED}), _V.LIVE),
}
"""Each act on a version, as its sentence says it: from which states it is possible, and where it leads."""

JOURNEY_MOVES: dict[str, tuple[frozenset[Status], Status]] = {
    "paused": (frozenset({_J.LIVE, _J.CLOSED}), _J.PAUSED),
    "resumed": (frozenset({_J.PAUSED}), _J.LIVE),
    "closed": (frozenset({_J.LIVE, _J.PAUSED}), _J.CLOSED),
    "stopped": (frozenset({_J.LIVE, _J.PAUSED, _J.CLOSED}), _J.STOPPED),
}

VERSION_STATES = {
    _V.DRAFT: "is a draft",
    _V.SUBMITTED: "waits for approval",
    _V.APPROVED: "is approved",
    _V.LIVE: "is live",
    _V.RETIRED: "is retired",
}
JOURNEY_STATES = {
    _J.DRAFT: "was never live",
    _J.LIVE: "is live",
    _J.PAUSED: "is paused",
    _J.CLOSED: "is closed",
    _J.STOPPED: "was stopped",
}
OPEN = frozenset({_V.DRAFT, _V.SUBMITTED, _V.APPROVED})
"""How a version stands that was not live yet: a journey has at most one of them."""
RUNNING = frozenset({_J.LIVE, _J.PAUSED, _J.CLOSED})
"""How a journey stands in which people may be."""


def version_after(act: str, status: VersionStatus) -> VersionStatus | None:
    """Return the status that `act` leads a version to, None when it is not possible now."""
    possible, target = VERSION_MOVES[act]
    return target if status in possible else None


def journey_after(act: str, status: Status, *, takes_people: bool) -> Status | None:
    """Return the status that `act` leads a journey to, None when it is not possible now.

    `takes_people` tells whether a version is live: a journey that was closed before it was paused
    is closed again afterwards.
    """
    possible, target = JOURNEY_MOVES[act]
    if status not in possible:
        return None
    return _J.CLOSED if target is _J.LIVE and not takes_people else target


def after_start(status: Status) -> Status:
    """Return how a journey stands once a version went live; one that is paused stays so until it is resumed."""
    return _J.PAUSED if status is _J.PAUSED else _J.LIVE


def is_somebody_else(writers: Collection[UUID], person_id: UUID | None) -> bool:
    """Return whether this is a known person who wrote nothing in the version (separation of duties)."""
    return person_id is not None and bool(writers) and person_id not in writers
