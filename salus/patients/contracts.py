"""What other packages may know of patients: an invitation, the outcome of a try, a session, a port."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from salus.delivery.contracts import SentMessage
from salus.kernel.phi import Phi


class Proof(StrEnum):
    """How the code reached the person who typed it."""

    EMAIL = "email"
    """By e-mail, on a path that was protected."""
    STAFF = "staff"
    """Handed out by staff, who checked who they are."""


class Post(Protocol):
    """What patients need of delivery; `salus.delivery.api` is one, wiring says so."""

    def sent_message(self, message_id: UUID) -> SentMessage:
        """Return what is known of a message beside its body; raises `NotFound`."""
        ...

    def may_send_code(self, message_id: UUID) -> bool:
        """Return whether a sign-in code for this message's reader may travel by e-mail.

        No for special categories, and no when that path was not protected for the message itself.
        """
        ...

    def send_code(self, message_id: UUID, code: Phi[str], *, language: str, at: datetime) -> Phi[str] | None:
        """Send a sign-in code to the reader of this message; return the address it went to.

        None when the path cannot be protected (now): then nothing was sent.
        """
        ...


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a good link opens before its bearer has proved anything: ids and what comes next.

    `code_by_email`: a code may be sent; else staff must hand one out. `readable`: the message is
    still there. `language` is that of the message.
    """

    message_id: UUID
    contact_id: UUID
    language: str
    code_by_email: bool
    readable: bool
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class CodeSent:
    """A code is on its way to `address` (masked: first letter and domain)."""

    address: Phi[str]


@dataclass(frozen=True, slots=True)
class CodeNotSent:
    """No code was sent; `wait` says that one was sent a moment ago, else staff must hand one out."""

    wait: bool


@dataclass(frozen=True, slots=True)
class Person:
    """What staff compare with what a caller says; None where nothing is on file."""

    name: Phi[str] | None
    birth_date: Phi[str] | None


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A code for staff to read to a patient, shown once."""

    code: Phi[str]
    until: datetime


@dataclass(frozen=True, slots=True)
class Verified:
    """Both facts were right; `cookie` is the sealed token of the new session."""

    cookie: str
    message_id: UUID


@dataclass(frozen=True, slots=True)
class NotVerified:
    """Something did not match; nobody says what. `tries_left` until the lockout."""

    tries_left: int


@dataclass(frozen=True, slots=True)
class LockedOut:
    """Too many tries; staff can lift it by handing out a code."""

    until: datetime


Attempt = Verified | NotVerified | LockedOut


@dataclass(frozen=True, slots=True)
class PatientSession:
    """A living session of a patient."""

    id: UUID
    contact_id: UUID
    message_id: UUID
    """The message whose link it began with."""
    proof: Proof
    started_at: datetime
