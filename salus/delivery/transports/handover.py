"""What goes into the wire and what comes out: one message in, one outcome with its facts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from salus.delivery.addresses import split
from salus.delivery.protection.policy import Shortfall, TlsFacts, Unprotected
from salus.delivery.status import Verdict
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Protection


@dataclass(frozen=True, slots=True)
class HandOver:
    """One message for one recipient, made by the core from a row that was cleared, leased and marked.

    `envelope_from` is the return path ("" for the null path); `data` the signed message with CRLF
    line ends. `checked_at` and `lease_until` are `time.monotonic()` seconds: when the row was last
    compared with the present, and when its lease ends. Raises `BadInput` for an address that could
    not stand in a command, and for line ends that are not CRLF.
    """

    message_id: UUID
    envelope_from: str
    recipient: Phi[str]
    data: Phi[bytes]
    floor: Protection
    checked_at: float
    lease_until: float
    key_id: UUID | None = None
    """The key that `data` is encrypted to: it must still be in use."""
    has_phi: bool = False
    """It tells something of a person: hosts that promise it must pass it on over verified TLS only (RFC 8689)."""
    domain: str = field(init=False, repr=False)
    """The recipient's domain in ASCII form; as private as the address."""

    def __post_init__(self) -> None:
        local, domain = split(self.recipient.reveal(), place="recipient")
        object.__setattr__(self, "domain", domain)
        object.__setattr__(self, "recipient", Phi(f"{local}@{domain}"))
        if self.envelope_from and not self.envelope_from.isascii():
            raise BadInput("A return path is ASCII.", place="envelope_from")
        if self.envelope_from:
            split(self.envelope_from, place="envelope_from")
        data = self.data.reveal()
        if not data.endswith(b"\r\n") or b"\0" in data:
            raise BadInput("A message ends with a line end and holds no NUL.", place="data")
        lines = data.count(b"\n")
        if not lines == data.count(b"\r") == data.count(b"\r\n"):
            raise BadInput("Every line of a message ends with CRLF.", place="data")


Recheck = Callable[[HandOver], Awaitable[bool]]
"""Asks whether a row still stands as it was checked; called just before MAIL FROM when that was a while ago."""


class Fate(StrEnum):
    """What became of one attempt."""

    ACCEPTED = "accepted"
    """The peer answered the final dot with 2xx: it is responsible now."""
    TEMPORARY = "temporary"
    """Refused with 4xx: try again later."""
    PERMANENT = "permanent"
    """Refused with 5xx, or a refusal that will not change (no such domain, too large)."""
    BROKEN = "broken"
    """No connection, a time-out or a fault before the final dot: the message was not taken."""
    UNCERTAIN = "uncertain"
    """The final dot may have left and no reply came: it may have been taken. A repeat may double it."""
    UNPROTECTED = "unprotected"
    """The floor cannot be reached: nothing was sent; the message belongs in the portal."""
    WITHDRAWN = "withdrawn"
    """The row changed between its check and MAIL FROM: nothing was sent."""


class Phase(StrEnum):
    """How far an attempt came."""

    ROUTE = "route"
    QUEUE = "queue"
    CONNECT = "connect"
    GREETING = "greeting"
    HELLO = "hello"
    STARTTLS = "starttls"
    HANDSHAKE = "handshake"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BLOCK = "block"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Reply:
    """A peer's reply, fit to be kept: the text holds known words only (`delivery.wording`)."""

    code: int
    enhanced: str
    text: str

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt, and why, in words that hold nothing about a person.

    `reason` is a word: of `Verdict.reason` for a refusal, of `Shortfall` for UNPROTECTED, else what
    broke ("timeout", "closed", "unreachable", "protocol"...). `verdict` says what a refusal means for
    the address; it is None unless the fate is TEMPORARY or PERMANENT. `tls` holds the facts of the
    connection, as soon as there was a protected one. `message_sent` is True when any of the message
    may have left this machine.
    """

    fate: Fate
    phase: Phase
    reason: str = ""
    reply: Reply | None = None
    verdict: Verdict | None = None
    tls: TlsFacts | None = None
    unprotected: Unprotected | None = None
    requires_tls: bool = False
    """The host that took it has promised to pass it on over verified TLS or not at all (RFC 8689)."""
    again_in: float = 0.0
    """Of a message that was not tried: the seconds after which to come back; 0.0: nobody knows."""

    @property
    def message_sent(self) -> bool:
        """Tell whether any part of the message may have left."""
        return self.fate in (Fate.ACCEPTED, Fate.UNCERTAIN) or self.phase in (Phase.BLOCK, Phase.DOT)


def broken(phase: Phase, reason: str, tls: TlsFacts | None = None) -> Outcome:
    """Return the outcome of an attempt that broke before the message was taken."""
    return Outcome(Fate.BROKEN, phase, reason, tls=tls)


def held(reason: str, seconds: float) -> Outcome:
    """Return the outcome of a message that may not go now; it was not tried."""
    return Outcome(Fate.BROKEN, Phase.QUEUE, reason, again_in=seconds)


def unprotected(phase: Phase, reason: Shortfall, reached: TlsFacts | None = None) -> Outcome:
    """Return the outcome of an attempt that was ended because it could not be protected."""
    short = Unprotected(reason, reached)
    return Outcome(Fate.UNPROTECTED, phase, str(reason), tls=reached, unprotected=short)
