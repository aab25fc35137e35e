"""How the relay's hosts behave, as data: each has a domain of its own and listens on a port of its own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ZONE = "example.test"


class Certificates(StrEnum):
    """What a host shows when TLS begins."""

    GOOD = "good"
    EXPIRED = "expired"
    WRONG_NAME = "wrong name"
    SELF_SIGNED = "self-signed"


class Tls(StrEnum):
    """How a host speaks TLS."""

    GOOD = "good"
    NONE = "none"
    REFUSED = "refused"
    """STARTTLS is offered and then refused (454)."""
    OLD = "old"
    """TLS 1.0 only."""
    WEAK = "weak"
    """TLS 1.2 with CBC suites only."""
    INJECTED = "injected"
    """Octets in clear follow the reply to STARTTLS."""


class Partner(StrEnum):
    """How a domain is pinned in the routes that are written for the sender."""

    NONE = "none"
    NAMES = "names"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Behavior:
    """One host: how it behaves, and the sentence that says so. Replies are without their line end."""

    name: str
    sentence: str
    tls: Tls = Tls.GOOD
    certificate: Certificates = Certificates.GOOD
    partner: Partner = Partner.NONE
    on_rcpt: str = ""
    on_dot: str = ""
    first_only: bool = False
    """`on_rcpt` is said only the first time a recipient is named."""
    delay: float = 0.0
    hangs_up: bool = False
    """The connection ends without a reply to the final dot; the message is kept all the same."""
    stalls: bool = False
    """The final dot is never answered."""
    pipelining: bool = True
    size: int = 25_000_000
    connections: int = 0
    """More connections than this are told 421; 0 means any number."""
    further: tuple[str, ...] = ()
    """Other domains with this behavior."""

    @property
    def domain(self) -> str:
        """Return the recipient domain that gets this behavior."""
        return f"{self.name}.{ZONE}"

    @property
    def host(self) -> str:
        """Return the name of the mail host."""
        return f"mx.{self.domain}"


GOOD = Behavior(
    "mail", "Takes everything; its certificate is from this laboratory.", further=(ZONE, f"*.{ZONE}")
)

BEHAVIORS = (
    GOOD,
    Behavior("partner", "Takes everything; its names and issuer are pinned.", partner=Partner.NAMES),
    Behavior(
        "pinned",
        "Takes everything; self-signed, its key is pinned.",
        certificate=Certificates.SELF_SIGNED,
        partner=Partner.KEY,
    ),
    Behavior("no-starttls", "Has no TLS at all.", tls=Tls.NONE),
    Behavior("starttls-refused", "Offers STARTTLS and then refuses it.", tls=Tls.REFUSED),
    Behavior("injected", "Somebody in between speaks in clear after STARTTLS.", tls=Tls.INJECTED),
    Behavior("tls10", "Speaks TLS 1.0 only.", tls=Tls.OLD),
    Behavior("weak-cipher", "Speaks TLS 1.2, without authenticated encryption.", tls=Tls.WEAK),
    Behavior("expired", "Its certificate has expired.", certificate=Certificates.EXPIRED),
    Behavior("wrong-name", "Its certificate is for another name.", certificate=Certificates.WRONG_NAME),
    Behavior("untrusted", "Its certificate is self-signed.", certificate=Certificates.SELF_SIGNED),
    Behavior("busy", "Puts every recipient off (451).", on_rcpt="451 4.3.2 System not accepting mail now"),
    Behavior(
        "greylist",
        "Puts a recipient off the first time (450).",
        on_rcpt="450 4.7.1 Greylisted, try again later",
        first_only=True,
    ),
    Behavior("refuses", "Knows no recipient (550).", on_rcpt="550 5.1.1 User unknown"),
    Behavior("full", "Every mailbox is full (552).", on_rcpt="552 5.2.2 Mailbox full"),
    Behavior(
        "spam", "Refuses the content after it is sent (550).", on_dot="550 5.7.1 Message looks like spam"
    ),
    Behavior(
        "partner-busy",
        "A pinned partner that puts every recipient off (451).",
        partner=Partner.NAMES,
        on_rcpt="451 4.3.2 System not accepting mail now",
    ),
    Behavior(
        "partner-refuses",
        "A pinned partner that knows no recipient (550).",
        partner=Partner.NAMES,
        on_rcpt="550 5.1.1 User unknown",
    ),
    Behavior("throttle", "Allows two connections (421).", connections=2),
    Behavior("slow", "Takes a second for each reply.", delay=1.0),
    Behavior("unhurried", "Takes a sixth of a second for each reply.", delay=0.16),
    Behavior("hangs-up", "Takes a message and hangs up without a word.", hangs_up=True),
    Behavior("stalls", "Takes a message and never answers.", stalls=True),
    Behavior("no-pipelining", "Wants one command at a time.", pipelining=False),
    Behavior("small", "Takes messages of 2,000 octets at most.", size=2000),
)
