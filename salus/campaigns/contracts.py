"""What other packages may know of campaigns: one campaign, its status, and why an act is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from salus.delivery.contracts import PlanCounts
from salus.kernel.phi import Phi

CAMPAIGN = "campaign"
"""The kind of the origin of a campaign's messages."""


class Status(StrEnum):
    """How far a campaign is."""

    DRAFT = "draft"
    PLANNING = "planning"
    PLANNED = "planned"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class SignOff(StrEnum):
    """Evidence about a message that only a person can give; the gate asks for it by rule."""

    CLINICIAN_SIGN_OFF = "clinician_sign_off"
    SAFETY_FLAG = "safety_flag"
    WAIVER_ID = "waiver_id"
    COMPLIANCE_APPROVAL = "compliance_approval"


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as it stands; the name is free text of staff and so counts as PHI."""

    id: UUID
    name: Phi[str]
    note: Phi[str]
    """What the approver wrote when sending it back."""
    status: Status
    segment_id: UUID
    versions: Mapping[str, UUID]
    author_id: UUID | None
    plan_id: UUID | None
    """The id of the present plan's messages in delivery: `Origin("campaign", plan_id)`."""
    frozen_id: UUID | None
    planned: PlanCounts | None
    planned_people: int | None
    """How many people the plan has to cover; known from the start of planning."""
    sign_offs: Mapping[str, UUID]
    approved_by: UUID | None
    launch_at: datetime | None
    created_at: datetime
