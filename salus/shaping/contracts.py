"""What other packages may know of shaping: limits, rules on replies, measures, source addresses, the whole plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

OTHER = "other"
"""Of a warm-up curve: every destination that it does not name."""

RELAY = "relay:"
"""How the target of a switch begins that is a relay of the organization's own; else it is a pool."""


class Mail(StrEnum):
    """What a sender hands over: what somebody waits for, or what many are sent."""

    TRANSACTIONAL = "transactional"
    CAMPAIGN = "campaign"
    """Campaigns and journeys."""


class Act(StrEnum):
    """What a reply sets off for a while."""

    THROTTLE = "throttle"
    SUSPEND = "suspend"
    SWITCH = "switch"
    """Another pool of source addresses, or a relay of the organization's own."""
    NOTHING = "nothing"
    """Of a rule that takes another one's place: it is switched off."""


class Whose(StrEnum):
    """Whose mail to the destination an act is for."""

    ORGANIZATION = "organization"
    EVERYBODY = "everybody"
    """All organizations of this installation: the destination spoke of our network. Named destinations only."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in `seconds`."""

    count: int
    seconds: float

    @property
    def interval(self) -> float:
        """Return the seconds between two."""
        return self.seconds / self.count

    def __str__(self) -> str:
        words = {1: "s", 60: "min", 3600: "h", 86400: "day"}
        return f"{self.count}/{words.get(int(self.seconds), f'{self.seconds:g} s')}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one destination gets from one of our addresses; None: no limit."""

    connections: int = 20
    """At most so many at once; how many there are is found by the destination's replies (`delivery.window`)."""
    connections_at_first: int = 5
    messages_per_connection: int = 100
    connection_rate: Rate | None = None
    message_rate: Rate | None = None
    idle: float = 30.0
    """Seconds that an unused connection is kept."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What to do when a destination refuses with such words: all that is given has to fit.

    `match` is an RE2 pattern over the text of the reply; capitals do not matter. `after` refusals `within`
    that time set it off.
    """

    id: str
    match: str
    act: Act
    codes: frozenset[int] = frozenset()
    enhanced: str = ""
    """"4.7.28"; or how it begins: "4.7."."""
    messages: Rate | None = None
    connections: int | None = None
    to: str = ""
    lasts: timedelta = timedelta(0)
    after: int = 1
    within: timedelta = timedelta(hours=1)
    whose: Whose = Whose.ORGANIZATION


@dataclass(frozen=True, slots=True)
class Site:
    """A destination with a name: a mailbox provider, by the names of its mail hosts."""

    name: str
    limits: Limits
    rules: tuple[Rule, ...] = ()
    hosts: tuple[str, ...] = ()
    """Ends of its mail hosts' names. Those that `delivery.site` knows by name need none."""
    has_own_limits: bool = False
    """An organization's plan says something of its own here: then its mail is counted apart."""


@dataclass(frozen=True, slots=True)
class Source:
    """One of our addresses, or a pair of IPv4 and IPv6, and what it calls itself in EHLO.

    With a `curve` it is warming up since the day `since`, and sends no more a day than that says.
    """

    name: str
    addresses: tuple[str, ...]
    curve: str = ""
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """Source addresses that take turns, for these organizations (slugs; none: all) and kinds of mail."""

    name: str
    sources: tuple[Source, ...]
    organizations: frozenset[str] = frozenset()
    carries: frozenset[Mail] = frozenset(Mail)


@dataclass(frozen=True, slots=True)
class Curve:
    """A warm-up: by destination (`OTHER` for the rest) the most messages of each day, the first day first."""

    name: str
    volumes: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that was written down for one organization, in force."""

    default: Site
    sites: Mapping[str, Site]
    pools: tuple[Pool, ...] = ()
    curves: Mapping[str, Curve] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measure:
    """An act in force: what a destination said set it off, and it ends by itself at `until`.

    `site` is what the senders look it up by: the name of a destination with a name, else a blind index.
    """

    id: UUID
    organization_id: UUID
    site: str
    act: Act
    whose: Whose
    until: datetime
    messages: Rate | None = None
    connections: int | None = None
    to: str = ""

    @property
    def relay(self) -> str:
        """Return the name of the relay that mail goes by meanwhile; "" when it goes by none."""
        return relay_of(self.to)


def relay_of(target: str) -> str:
    """Return the name of the relay that a switch leads to; "" when it leads to a pool."""
    return target.removeprefix(RELAY) if target.startswith(RELAY) else ""


@dataclass(frozen=True, slots=True)
class ToldMeasure:
    """A measure for the eyes of staff: with the destination's name, why, and who lifted it."""

    measure: Measure
    destination: str
    rule: str
    said: str
    """What was answered: codes only, "421 4.7.28"."""
    at: datetime
    times: int
    lifted_at: datetime | None = None

    def stands(self, at: datetime) -> bool:
        """Tell whether it is in force at that moment."""
        return self.lifted_at is None and at < self.measure.until


@dataclass(frozen=True, slots=True)
class Volume:
    """What one source address sent to one destination in a day, and the most that it may; None: it is warm."""

    source: str
    site: str
    day: date
    used: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Berth:
    """Where and how a message may go now. Equal berths share connections, window and rates.

    `key` is the destination for measures and calendars, `owner` the organization whose mail is counted apart.
    """

    site: str
    key: str
    limits: Limits
    source: Source | None = None
    owner: str = ""
    is_named: bool = False
    rules: tuple[Rule, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a message does not go now, and the seconds after which to ask again."""

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Detour:
    """The relay of the organization's own (its name) by which mail to a destination goes now, for so many seconds."""

    relay: str
    seconds: float
