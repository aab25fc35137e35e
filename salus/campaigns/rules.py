"""Pure decisions of campaigns: which act is possible when, and by whom."""

from __future__ import annotations

from uuid import UUID

from salus.campaigns.contracts import Status

MOVES: dict[str, tuple[frozenset[Status], Status]] = {
    "plan": (frozenset({Status.DRAFT, Status.PLANNED}), Status.PLANNING),
    "planned": (frozenset({Status.PLANNING}), Status.PLANNED),
    "approve": (frozenset({Status.PLANNED}), Status.APPROVED),
    "send_back": (frozenset({Status.PLANNED, Status.APPROVED}), Status.DRAFT),
    "schedule": (frozenset({Status.APPROVED}), Status.SCHEDULED),
    "launch": (frozenset({Status.APPROVED, Status.SCHEDULED}), Status.SENDING),
    "pause": (frozenset({Status.SENDING}), Status.PAUSED),
    "resume": (frozenset({Status.PAUSED}), Status.SENDING),
    "finish": (frozenset({Status.SENDING}), Status.DONE),
    "cancel": (
        frozenset(
            {
                Status.DRAFT,
                Status.PLANNED,
                Status.APPROVED,
                Status.SCHEDULED,
                Status.SENDING,
                Status.PAUSED,
            }
        ),
        Status.CANCELLED,
    ),
}
"""Each act: from which states it is possible, and where it leads."""

WORDS = {
    "plan": "planned",
    "approve": "approved",
    "send_back": "sent back",
    "schedule": "scheduled",
    "launch": "launched",
    "pause": "paused",
    "resume": "resumed",
    "cancel": "cancelled",
}


def after(act: str, status: Status) -> Status | None:
    """Return the status that `act` leads to, None when it is not possible now."""
    possible, target = MOVES[act]
    return target if status in possible else None


def may_approve(author_id: UUID | None, approver_id: UUID | None) -> bool:
    """Return whether this person may approve: a known person who is not the author.

    Separation of duties: who wrote it does not release it.
    """
    return approver_id is not None and author_id is not None and approver_id != author_id
