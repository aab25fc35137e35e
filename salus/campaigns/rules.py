"""Pure decisions of campaigns: which act is possible when, and by whom."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from salus.campaigns.contracts import SignOff, Status
from salus.identity.contracts import Permission

_NOT_SENT = frozenset({Status.DRAFT, Status.PLANNED, Status.APPROVED, Status.SCHEDULED})

HELPED = 5
"""Chunks that a helper plans before others in the queue of jobs have their turn."""
MOST_HELPERS, FEWEST = 3, 8
"""Helpers that a plan asks for, and the chunks for which one is worth it."""

MOVES: dict[str, tuple[frozenset[Status], Status]] = {
    "change": (frozenset({Status.DRAFT, Status.PLANNED}), Status.DRAFT),
    "sign_off": (frozenset({Status.DRAFT, Status.PLANNED}), Status.DRAFT),
    "plan": (frozenset({Status.DRAFT, Status.PLANNED, Status.APPROVED}), Status.PLANNING),
    "planned": (frozenset({Status.PLANNING}), Status.PLANNED),
    "stop_planning": (frozenset({Status.PLANNING}), Status.DRAFT),
    "approve": (frozenset({Status.PLANNED}), Status.APPROVED),
    "send_back": (_NOT_SENT - {Status.DRAFT}, Status.DRAFT),
    "schedule": (frozenset({Status.APPROVED, Status.SCHEDULED}), Status.SCHEDULED),
    "launch": (frozenset({Status.APPROVED, Status.SCHEDULED}), Status.SENDING),
    "pause": (frozenset({Status.SENDING}), Status.PAUSED),
    "resume": (frozenset({Status.PAUSED}), Status.SENDING),
    "finish": (frozenset({Status.SENDING, Status.PAUSED}), Status.DONE),
    "cancel": (_NOT_SENT | {Status.PLANNING, Status.SENDING, Status.PAUSED}, Status.CANCELLED),
}
"""Each act: from which states it is possible, and where it leads."""

WORDS = {
    "change": "changed",
    "sign_off": "signed off",
    "plan": "planned",
    "stop_planning": "taken back from planning",
    "approve": "approved",
    "send_back": "sent back",
    "schedule": "scheduled",
    "launch": "launched",
    "pause": "paused",
    "resume": "resumed",
    "cancel": "cancelled",
}

STATES = {
    Status.DRAFT: "is a draft",
    Status.PLANNING: "is being planned",
    Status.PLANNED: "is planned",
    Status.APPROVED: "is approved",
    Status.SCHEDULED: "is scheduled",
    Status.SENDING: "is being sent",
    Status.PAUSED: "is paused",
    Status.DONE: "is done",
    Status.CANCELLED: "was cancelled",
}

SIGNERS = {
    SignOff.CLINICIAN_SIGN_OFF: Permission.CONTENT_TEMPLATE_REVIEW,
    SignOff.SAFETY_FLAG: Permission.CONTENT_TEMPLATE_REVIEW,
    SignOff.WAIVER_ID: Permission.CAMPAIGNS_CAMPAIGN_APPROVE,
    SignOff.COMPLIANCE_APPROVAL: Permission.CAMPAIGNS_CAMPAIGN_APPROVE,
}
"""Who may give each sign-off: those who review content judge it, the privacy office keeps the papers."""


def after(act: str, status: Status) -> Status | None:
    """Return the status that `act` leads to, None when it is not possible now."""
    possible, target = MOVES[act]
    return target if status in possible else None


def shares(people: int, chunk: int) -> list[tuple[int, int]]:
    """Return the first and the last chunk of each helper's share of a plan, in order; none for a small one."""
    chunks = -(-people // chunk)
    helpers = min(MOST_HELPERS, chunks // FEWEST)
    edges = [chunks * place // helpers for place in range(helpers + 1)] if helpers else []
    return [(first, end - 1) for first, end in pairwise(edges)]


def is_somebody_else(writers: Collection[UUID], person_id: UUID | None) -> bool:
    """Return whether this is a known person who wrote nothing in the campaign.

    Separation of duties: who wrote it neither releases it nor vouches for it.
    """
    return person_id is not None and bool(writers) and person_id not in writers


def ends_at(at: datetime, waiting: int, a_minute: int) -> datetime | None:
    """Return when `waiting` messages will be out at the pace of the last minute, None when that is not known."""
    if not waiting or not a_minute:
        return None
    return at + timedelta(minutes=waiting / a_minute)
