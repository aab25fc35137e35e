"""What the portal needs of delivery, and what it tells a patient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from salus.delivery.contracts import PortalMessage, SentMessage
from salus.files.contracts import FileFacts
from salus.inbox.contracts import Said
from salus.kernel.vocabulary import Channel


class Mailbox(Protocol):
    """What the portal needs of delivery; `salus.delivery.api` is one, wiring says so."""

    def sent_message(self, message_id: UUID) -> SentMessage:
        """Return what is known of a message beside its body; raises `NotFound`."""
        ...

    def portal_message(self, message_id: UUID) -> PortalMessage:
        """Return a message that waits in the portal, opened for its reader; raises `NotFound`."""
        ...

    def portal_opened(self, message_id: UUID, at: datetime) -> None:
        """Record that its reader opened a message; the first time counts."""
        ...

    def messages_of_contact(self, contact_id: UUID, limit: int = 200) -> list[SentMessage]:
        """Return what was sent to a contact, newest first, whatever became of it."""
        ...


class Locked(StrEnum):
    """Why a signed-in patient cannot read a message of theirs now."""

    GONE = "gone"
    """Its time is over."""
    RECALLED = "recalled"
    """The clinic took it back."""
    STRONGER = "stronger"
    """A code by e-mail is not enough for it: a passkey is, or a code from staff."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What is beside a message: its files, and what its reader wrote about it."""

    files: tuple[FileFacts, ...]
    replies: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class TopicRow:
    """One topic of the choices: by channel, whether messages may come (a channel left out has no box)."""

    topic: str
    channels: tuple[tuple[Channel, bool], ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """An authorization that stands and can be taken back."""

    id: UUID
    signed_at: datetime
    until: datetime
    purpose_text: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything that a patient can choose."""

    topics: tuple[TopicRow, ...]
    fundraising: bool
    """True: messages that ask for gifts may come."""
    signed: tuple[Signed, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One message of "who wrote to me and why": facts, for the words to say."""

    message: SentMessage
    grounds: tuple[tuple[str, datetime], ...]
    """On what it rests: (kind of ledger entry, when); empty: health law alone."""
    veiled: bool = False
    """It tells of something that law protects more, and a code by e-mail is not enough to be told of it."""


@dataclass(frozen=True, slots=True)
class StopTarget:
    """What the link for choices stops: one topic of one person on one channel."""

    contact_id: UUID
    message: SentMessage
    stopped: bool
    """It is stopped already."""
    gifts: bool
    """It asks for gifts: then those stop for good (45 CFR 164.514(f)(2))."""
