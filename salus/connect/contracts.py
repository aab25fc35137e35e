"""What a submitted message is, and the words for why one is refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from salus.kernel.errors import SalusError
from salus.kernel.phi import Phi


class Fault(StrEnum):
    """Why a submitted message is refused before the gate is asked; the gate's reasons stand beside these."""

    TOO_COMPLEX = "too_many_headers_or_parts"
    BAD_HEADER = "header_not_readable"
    UNKNOWN_HEADER = "unknown_salus_header"
    NO_PURPOSE = "purpose_missing_or_unknown"
    NO_TOPIC = "topic_missing_or_unreadable"
    BAD_WORD = "unknown_word_in_salus_header"
    CLASSIFICATION = "classification_contradicts_itself"
    NO_SUBJECT = "subject_missing_or_unreadable"
    SENDER = "from_is_not_our_sending_domain"
    ATTACHMENT = "attachments_are_not_carried"
    NO_TEXT = "no_readable_text"
    ACTIVE = "html_not_allowed"
    REMOTE = "remote_content"
    LINK = "link_leaves_our_domains"
    UNKNOWN_RECIPIENT = "unknown_recipient"
    AMBIGUOUS = "recipient_is_several_contacts"
    OTHER_CONTENT = "id_was_used_for_another_message"
    CANNOT_BE_SENT = "message_cannot_be_made"
    NOT_ALLOWED = "key_may_not_submit"
    LATER = "cannot_be_taken_now"


class Refused(SalusError):
    """A submitted message is refused for good."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True, repr=False)
class Submitted:
    """One message as it came over a connection that `key` (an API key) opened from `ip`."""

    key: str
    ip: str
    recipient: Phi[str]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of it: a message's id, and "" or why it does not go (a code, no PHI)."""

    message_id: UUID | None
    reason: str = ""
