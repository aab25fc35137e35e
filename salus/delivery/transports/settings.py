"""What can be set about the wire, with defaults that hold on the internet."""

from __future__ import annotations

from dataclasses import dataclass, field

from salus.delivery.addresses import ascii_domain


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait in each phase; those that RFC 5321 4.5.3.2 names have its values."""

    connect: float = 30.0
    greeting: float = 300.0
    hello: float = 300.0
    handshake: float = 60.0
    mail: float = 300.0
    rcpt: float = 300.0
    data: float = 120.0
    block: float = 180.0
    dot: float = 600.0
    quit: float = 5.0

    @property
    def transaction(self) -> float:
        """Return how long one message can take from MAIL FROM to the last reply."""
        return self.mail + self.rcpt + self.data + self.block + self.dot


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a peer may make us keep."""

    reply_line: int = 2048
    """Octets in a line of a reply; RFC 5321 4.5.3.1.5 says 512, some servers say more."""
    reply_lines: int = 128
    replies_waiting: int = 8
    """Replies that nobody asked for; above it the peer is not speaking SMTP."""


@dataclass(frozen=True, slots=True)
class WireSettings:
    """How the courier behaves. `laboratory` allows mail hosts on private addresses and loopback.

    `hello` is kept in ASCII; "" is for whoever says none. Raises `BadInput` for what is not a host name.
    """

    hello: str
    timeouts: Timeouts = field(default_factory=Timeouts)
    limits: Limits = field(default_factory=Limits)
    connections_at_first: int = 5
    connections_per_site: int = 20
    connections: int = 400
    messages_per_connection: int = 100
    idle: float = 30.0
    """Seconds that an unused connection is kept."""
    rest_unreachable: float = 15.0
    """Seconds for which a destination that could not be reached is not tried again."""
    rest_unprotected: float = 60.0
    """The same for one that could not be protected; its messages go to the portal at once."""
    fresh: float = 3.0
    """Seconds after which a row is compared with the present once more before MAIL FROM."""
    laboratory: bool = False

    def __post_init__(self) -> None:
        if self.hello:
            object.__setattr__(self, "hello", ascii_domain(self.hello, place="hello"))


def laboratory_settings(hello: str = "sender.example.test") -> WireSettings:
    """Return settings for a relay on the same machine: nothing there needs minutes."""
    quick = Timeouts(
        connect=5, greeting=5, hello=5, handshake=5, mail=5, rcpt=5, data=5, block=10, dot=10, quit=1
    )
    return WireSettings(hello=hello, timeouts=quick, laboratory=True, idle=5.0)
