"""A post for tests: it knows messages by id and keeps the codes that it was given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from salus.delivery.contracts import SentMessage, State
from salus.kernel.errors import NotFound
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel, Purpose

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class FakePost:
    """Carries codes to a mailbox that tests can look into."""

    messages: dict[UUID, SentMessage] = field(default_factory=dict)
    no_email: set[UUID] = field(default_factory=set)
    broken: bool = False
    codes: list[tuple[UUID, str, str]] = field(default_factory=list)

    def add(self, contact_id: UUID, **changes: object) -> UUID:
        """Have sent a message to `contact_id`; return its id."""
        message = SentMessage(
            message_id=new_id(),
            contact_id=contact_id,
            at=NOW,
            state=State.PORTAL,
            sender_name="Cedar Row Clinic",
            topic="diabetes care",
            channel=Channel.EMAIL,
            purpose=Purpose.CONDITION_EDUCATION,
            language="en",
            in_portal=True,
            reached="portal",
            rule_ids=("D08",),
            evidence_ids=(),
            disclosed=("contact", "diagnosis"),
        )
        message = replace(message, **changes)  # type: ignore[arg-type]
        self.messages[message.message_id] = message
        return message.message_id

    def sent_message(self, message_id: UUID) -> SentMessage:
        if message_id not in self.messages:
            raise NotFound
        return self.messages[message_id]

    def may_send_code(self, message_id: UUID) -> bool:
        return message_id not in self.no_email

    def send_code(self, message_id: UUID, code: Phi[str], *, language: str, at: datetime) -> Phi[str] | None:
        if self.broken:
            return None
        self.codes.append((message_id, code.reveal(), language))
        return Phi("rosa@lakepost.example.org")
