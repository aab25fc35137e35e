"""What other packages may know of the timeline: an event, and the closed list of its kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class EventKind(StrEnum):
    """What happened; a kind not listed is refused."""

    VISIT = "visit"
    PROCEDURE_DONE = "procedure_done"
    DISCHARGE = "discharge"
    APPOINTMENT_BOOKED = "appointment_booked"
    APPOINTMENT_MOVED = "appointment_moved"
    APPOINTMENT_CANCELLED = "appointment_cancelled"
    APPOINTMENT_ATTENDED = "appointment_attended"
    APPOINTMENT_MISSED = "appointment_missed"
    LAB_AVAILABLE = "lab_available"
    PRESCRIPTION_READY = "prescription_ready"
    PURCHASE = "purchase"
    ORDER_PLACED = "order_placed"
    ORDER_SHIPPED = "order_shipped"
    SIGNED_UP = "signed_up"
    DOWNLOADED = "downloaded"
    PAGE_VISITED = "page_visited"
    FORM_COMPLETED = "form_completed"
    MESSAGE_ACCEPTED = "message_accepted"
    MESSAGE_BOUNCED = "message_bounced"
    MESSAGE_OPENED = "message_opened"
    MESSAGE_CLICKED = "message_clicked"
    MESSAGE_PORTAL = "message_portal"
    MESSAGE_READ = "message_read"
    PORTAL_SIGNED_IN = "portal_signed_in"
    OPTED_IN = "opted_in"
    OPTED_OUT = "opted_out"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One event to append: `at` is when it happened, `key` makes it idempotent per contact.

    `message_id` ties engagement to a message; `details` (JSON values) is sealed, it may be PHI.
    """

    contact_id: UUID
    kind: EventKind
    at: datetime
    key: str
    message_id: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Outcome(StrEnum):
    """What became of an event."""

    STORED = "stored"
    KNOWN = "known"
    """The same (contact, key) was stored before, whatever else it said then."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to one event that was told; `place` and `reason` say why it was refused, without PHI."""

    outcome: Outcome
    place: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """An event as stored; `number` orders the stream in an order a reader can trust."""

    number: int
    contact_id: UUID
    kind: EventKind
    at: datetime
    recorded_at: datetime
    message_id: UUID | None
    details: Mapping[str, Any]
