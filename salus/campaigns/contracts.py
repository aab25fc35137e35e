"""What other packages may know of campaigns: one campaign, its status, and what its pages tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from salus.content.contracts import TemplateVersion
from salus.delivery.contracts import PlanCounts, Progress, Sender
from salus.gate.contracts import Explained
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Protection

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
    """Who wrote it last."""
    writers: frozenset[UUID]
    """Everybody who wrote in it: none of them approves it."""
    plan_id: UUID | None
    """The id of the present plan's messages in delivery: `Origin("campaign", plan_id)`."""
    frozen_id: UUID | None
    planned: PlanCounts | None
    planned_people: int | None
    """How many people the plan has to cover; known from the start of planning."""
    planned_at: datetime | None
    """When the audience of the present plan was frozen."""
    planned_by: UUID | None
    sign_offs: Mapping[str, UUID]
    approved_by: UUID | None
    approved_at: datetime | None
    launch_at: datetime | None
    created_at: datetime
    changed_at: datetime
    rules_version: str = ""
    """The version of the law tables that the present plan was made with."""
    fault: str = ""
    """Why planning stopped, in plain words without PHI; empty when it did not."""

    @property
    def may_not(self) -> int:
        """Return how many may not receive it, by the present plan."""
        return sum(self.planned.refused.values()) if self.planned else 0


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the gate's table: how many people, and the rule or reason explained with its citations."""

    code: str
    people: int
    told: Explained
    asked: tuple[str, ...] = ()
    """What a rule that allows asked for and found: "The person signed a HIPAA authorization…"."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One class of PHI, or special category, that the message tells its reader, and from where."""

    word: str
    origins: tuple[tuple[str, str], ...]
    """(where: "segment", "template"; what: a field, with the code asked for)."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One template version of a campaign as its pages show it."""

    language: str
    version: TemplateVersion
    name: str
    merged: tuple[str, ...]
    """The contact fields that are opened for it."""
    subject: str
    """As a reader sees it."""
    confirmed_by: str
    """Who confirmed what it is for; empty: nobody did."""


@dataclass(frozen=True, slots=True)
class Told:
    """A campaign with everything that its pages show of it beside the plan."""

    campaign: Campaign
    segment_name: Phi[str]
    letters: tuple[Letter, ...]
    discloses: tuple[Disclosure, ...]
    sender: Sender
    profile: str
    names: Mapping[UUID, str]
    """Names of the staff it mentions."""


@dataclass(frozen=True, slots=True)
class ToldPlan:
    """What a plan found: `planned == cleared + refused`, and the lines of each add up to it."""

    counts: PlanCounts
    allowed: tuple[Line, ...]
    refused: tuple[Line, ...]
    rules_version: str

    @property
    def may_not(self) -> int:
        """Return how many may not receive it."""
        return sum(self.counts.refused.values())

    @property
    def adds_up(self) -> bool:
        """Tell whether every person is in exactly one figure."""
        return (
            self.counts.planned == self.counts.cleared + self.may_not
            and self.counts.cleared == sum(line.people for line in self.allowed)
            and self.counts.cleared == sum(self.counts.by_floor.values())
            and self.may_not == sum(line.people for line in self.refused)
        )


@dataclass(frozen=True, slots=True)
class Behind:
    """Which figure of a plan: those refused, or those who may receive it; by code, by floor."""

    refused: bool = False
    code: str = ""
    floor: Protection | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """How a launched campaign goes: everybody who was cleared is in exactly one of the groups.

    `outcomes` are the words of `delivery.api.accounted`; of those queued `later` were put off
    by their host, and `held` wait because of the frequency cap.
    `a_minute` is what was handed over in the last minute; `ends_at` is where that leads.
    """

    progress: Progress
    cleared: int
    outcomes: Mapping[str, int]
    later: int
    held: int
    a_minute: int
    ends_at: datetime | None
