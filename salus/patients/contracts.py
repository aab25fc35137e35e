"""What other packages may know of patients: an invitation, the outcome of a try, a session, a port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from salus.delivery.contracts import SentMessage
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import PhiClass, Special


class Strength(IntEnum):
    """How sure we are who is at the other end; more opens what less opens."""

    MAILBOX = 1
    """They read the patient's mailbox and know the birth date (45 CFR 164.312(d))."""
    SECOND_WAY = 2
    """They proved it by a way that the mailbox has no part in."""


class Proof(StrEnum):
    """How a person proved who they are."""

    EMAIL = "email"
    """A code by e-mail, on a path that was protected, and the birth date."""
    STAFF = "staff"
    """A code from staff, who checked who they are."""
    PASSKEY = "passkey"
    """A passkey whose device checked its holder."""

    @property
    def strength(self) -> Strength:
        """Return how sure that makes us."""
        return Strength.MAILBOX if self is Proof.EMAIL else Strength.SECOND_WAY


NEEDED: Mapping[str, Strength] = MappingProxyType(
    {
        **dict.fromkeys(PhiClass, Strength.MAILBOX),
        Special.PSYCHOTHERAPY_NOTES: Strength.SECOND_WAY,  # 45 CFR 164.508(a)(2)
        Special.PART2_SUD: Strength.SECOND_WAY,  # 42 CFR 2.12, 2.13, 2.16
        Special.HIV: Strength.SECOND_WAY,  # state law, e.g. NY PHL 2782
        Special.REPRODUCTIVE: Strength.SECOND_WAY,  # state law, e.g. CA Civ. Code 56.05, 56.101
        Special.GENETIC: Strength.SECOND_WAY,  # 45 CFR 160.103; state law
        Special.MENTAL_HEALTH: Strength.SECOND_WAY,  # state law, e.g. 740 ILCS 110
        Special.SENSITIVE_DEMOGRAPHIC: Strength.MAILBOX,
    }
)
"""How sure we must be before what tells of each class is shown."""


def needed(disclosed: Iterable[str], *, path_failed: bool = False) -> Strength:
    """Return how sure we must be to show what tells of these classes; a word that nobody knows needs the most.

    Where the way by mail could not be protected, a code that came that way proves nothing.
    """
    if path_failed:
        return Strength.SECOND_WAY
    return max((NEEDED.get(each, Strength.SECOND_WAY) for each in disclosed), default=Strength.MAILBOX)


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
    """They proved it; `cookie` is the sealed token of the new session."""

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
