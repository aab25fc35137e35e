"""What others may know of a sending domain: the records to publish, how each was found, how bad that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Purpose(StrEnum):
    """What a record is for, in the order of a page."""

    SPF = "SPF"
    DKIM = "DKIM"
    NEXT_DKIM = "Next DKIM"
    """Of the keys that wait until their records are published (`salus keys activate-dkim`)."""
    DMARC = "DMARC"
    ALIGNMENT = "Alignment"
    """Nothing to publish: what the author's domain has in common with what is proven."""
    MX = "MX"
    MTA_STS = "MTA-STS"
    STS_FILE = "MTA-STS policy"
    """A file on the web, not in DNS."""
    TLS_RPT = "TLS-RPT"
    PTR = "PTR"
    BIMI = "BIMI"


class Weight(StrEnum):
    """How bad it is when a record is not as it should be, the worst first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    OPTIONAL = "optional"
    """Nobody needs it."""

    @property
    def rank(self) -> int:
        """Return 0 for the worst."""
        return list(Weight).index(self)


class Seen(StrEnum):
    """How a record was found."""

    THERE = "there"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """DNS did not answer."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What this installation is, as far as its domains have to say it.

    `spf` are mechanisms ("mx", "include:spf.relay.example"), `addresses` those that mail leaves from, `sources` those
    of pools (`salus.shaping`), each with what it calls itself in EHLO.
    """

    spf: str = "mx"
    inbound_host: str = ""
    """The MX host that takes what comes back; "" when nobody was named."""
    takes_mail: bool = False
    has_certificate: bool = False
    """Its listener has a certificate of its own, so that others may demand to verify it."""
    addresses: tuple[str, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    by_relay: bool = False
    """Mail leaves by a relay, from addresses that are not ours."""


@dataclass(frozen=True, slots=True)
class Signing:
    """One DKIM key: where its record stands and what it says; one that `waits` signs nothing yet."""

    selector: str
    txt: str
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """One record to publish: of which kind ("TXT", "MX", "PTR", "FILE", ""), where, what, and what for in words."""

    purpose: Purpose
    kind: str
    name: str
    value: str
    why: str
    weight: Weight


@dataclass(frozen=True, slots=True)
class SeenRecord:
    """How one record was found; `note` says what is wrong or could be stricter, `mend` what to do, in words."""

    record: Wanted
    seen: Seen
    note: str = ""
    mend: str = ""
    found: tuple[str, ...] = ()
    """What stands there now, as DNS says it."""

    @property
    def is_fine(self) -> bool:
        """Tell whether nothing has to be done: it is there, or nobody needs it."""
        return self.seen is Seen.THERE or (
            self.seen is Seen.MISSING and self.record.weight is Weight.OPTIONAL
        )


class BadReport(Exception):
    """What came is no report, or none that can be read; the text says why without quoting it."""


class Became(StrEnum):
    """What became of a report that came."""

    TAKEN = "taken"
    KNOWN = "known"
    """It was here before."""
    OF_OTHERS = "of_others"
    """It is about a domain that is not ours."""
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    """So many came today that somebody is up to something."""


@dataclass(frozen=True, slots=True)
class Source:
    """Messages from one address in the domain's name, and what their receiver made of them."""

    address: str
    dkim: bool
    """An aligned signature held."""
    spf: bool
    disposition: str
    """"none", "quarantine" or "reject"."""
    messages: int

    @property
    def passed(self) -> bool:
        """Tell whether DMARC passed."""
        return self.dkim or self.spf


@dataclass(frozen=True, slots=True)
class DmarcReport:
    """What one receiver saw of a domain's mail since `begin`."""

    reporter: str
    id: str
    domain: str
    begin: datetime
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class TlsResults:
    """How TLS to our mail host went for one sender since `begin`: good sessions, and others by result type."""

    reporter: str
    id: str
    domain: str
    begin: datetime
    good: int
    failures: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DayCount:
    """One day of a chart."""

    day: date
    passed: int
    failed: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What reports of the last days say together; `sources` those who sent most, `results` why TLS failed.

    Nobody has verified who wrote the reports: they are what strangers say.
    """

    days: tuple[DayCount, ...]
    reporters: tuple[tuple[str, int], ...]
    """Who reported, and of how many messages or sessions."""
    sources: tuple[Source, ...] = ()
    results: tuple[tuple[str, int], ...] = ()
    count: int = 0

    @property
    def passed(self) -> int:
        """Return how many passed."""
        return sum(each.passed for each in self.days)

    @property
    def failed(self) -> int:
        """Return how many did not."""
        return sum(each.failed for each in self.days)
