"""What other packages may know of delivery: a message's specification, states, counts, receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from salus.gate.contracts import MessageFacts
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel, Purpose


class State(StrEnum):
    """Where a message is; the legal moves are in `delivery.rules`, a constraint refuses others."""

    CLEARED = "cleared"
    LEASED = "leased"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    BOUNCED = "bounced"
    GAVE_UP = "gave_up"
    PORTAL = "portal"
    PORTAL_UNNOTIFIED = "portal_unnotified"
    OPENED = "opened"
    EXPIRED = "expired"
    RECALLED = "recalled"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """Which queue goes first."""

    TRANSACTIONAL = "transactional"
    JOURNEY = "journey"
    CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a message belongs to: ("campaign", id). Planning is idempotent by origin and contact."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a message is from: neutral display name and an address in a signed domain."""

    name: str
    address: str
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class MessageSpec:
    """What to send: `versions` maps a language ("en", "es") to the template version for it."""

    origin: Origin
    versions: Mapping[str, UUID]
    facts: MessageFacts
    sender: Sender
    priority: Priority = Priority.CAMPAIGN


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """What planning found; `planned == cleared + sum(refused.values())`."""

    planned: int
    cleared: int
    refused: Mapping[str, int]
    by_rule: Mapping[str, int] = field(default_factory=dict)
    by_floor: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """Every recipient in exactly one state: `sum(states.values()) == planned`."""

    planned: int
    states: Mapping[str, int]
    uncertain: int
    refused: Mapping[str, int]
    by_protection: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The whole proof of one message, ids and facts only."""

    message_id: UUID
    contact_id: UUID
    origin: Origin
    state: State
    uncertain: bool
    rule_ids: tuple[str, ...]
    citations: tuple[str, ...]
    evidence_ids: tuple[UUID, ...]
    disclosed: tuple[str, ...]
    floor: str
    reached: str
    tls: Mapping[str, Any]
    """version, cipher, peer (how it was verified), certificate fingerprint, host."""
    body_hash: str
    renderer: str
    template_version_id: UUID | None
    decided_at: datetime
    handed_over_at: datetime | None
    reply: str
    """The peer's last reply, codes and enhanced status only where text could hold an address."""
    steps: tuple[Mapping[str, Any], ...]
    proof: Mapping[str, Any] | None
    """Path from the receipt to its batch root and from there to a checkpoint; None while pending."""


PORTAL_LINK = "portal"
"""Purpose of the sealed token in a notice's link; its payload is the id of the message that waits."""

CHOICES_LINK = "choices"
"""Purpose of the sealed token in the links for choices and one-click unsubscribe; payload: message id."""


@dataclass(frozen=True, slots=True)
class PortalMessage:
    """A message that waits in the portal, opened for its reader: the bytes as they were stored.

    `special` and `path_failed` say that no sign-in code may travel by e-mail for it.
    """

    message_id: UUID
    contact_id: UUID
    subject: Phi[str]
    html: Phi[str]
    text: Phi[str]
    sender_name: str
    sent_at: datetime
    expires_at: datetime
    state: State
    language: str
    special: bool
    path_failed: bool


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message of a contact's own list, "who wrote to me and why"; nothing of its body.

    `reached` is the name of the protection that was reached ("portal", "verified"...), empty before.
    `in_portal`: its deposit can still be read there.
    """

    message_id: UUID
    contact_id: UUID
    at: datetime
    state: State
    sender_name: str
    topic: str
    channel: Channel
    purpose: Purpose
    language: str
    in_portal: bool
    reached: str
    rule_ids: tuple[str, ...]
    evidence_ids: tuple[UUID, ...]
    disclosed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fetch:
    """A request for a picture or a link of a message: what is known of who made it."""

    at: datetime
    agent: str
    method: str
