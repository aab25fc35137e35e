"""The segment tree after it was read: frozen nodes that both evaluators, the reads and the words share.

Two truth values only. A leaf is true of a person or it is not; something missing (no value, no
record, no event) makes the leaf not true; `Not` is the complement within all people. So `not (age
above 60)` holds for someone without a birth date, and `all of [age above 60, not (age above 60)]`
holds for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from salus.contacts.contracts import Attribute
from salus.kernel.vocabulary import Channel, PhiClass, Purpose, Special
from salus.timeline.contracts import EventKind


class Op(StrEnum):
    """The operators of a test; `parse.OPERATORS` says which kind of value takes which."""

    EQUAL = "equal"
    IN = "in"
    BETWEEN = "between"
    BEFORE = "before"
    AFTER = "after"
    ABOVE = "above"
    BELOW = "below"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    WITHIN_LAST = "within_last"
    WITHIN_NEXT = "within_next"
    OLDER_THAN = "older_than"
    LATER_THAN = "later_than"
    ANNIVERSARY_WITHIN = "anniversary_within"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    HAS = "has"
    EXISTS = "exists"


class Kind(StrEnum):
    """What sort of value a test is put to."""

    TEXT = "text"
    CODE = "code"
    CODES = "codes"
    NUMBER = "number"
    DATE = "date"
    BOOL = "bool"
    INSTANT = "instant"
    PRESENCE = "presence"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: `count` of "hours", "days", "weeks", "months" or "years"."""

    count: int
    unit: str


@dataclass(frozen=True, slots=True)
class Test:
    """One operator with its operand, normalized.

    Operands: a scalar; a tuple for `in` and `has`; a pair for `between`; a `Span` for the relative
    ones; dates are `date`, moments aware `datetime` or `date`, `exists` takes a bool.
    """

    kind: Kind
    op: Op
    operand: Any

    __test__ = False  # pytest would take the name for a test case


@dataclass(frozen=True, slots=True)
class Moment:
    """When a segment is evaluated: the instant, and the zone of people whose own is not known.

    "Today" is the civil date at that instant in the contact's own time zone.
    """

    at: datetime
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class All:
    """Every node is true; of no nodes, everybody."""

    place: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one node is true; of no nodes, nobody."""

    place: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Everybody of whom the node is not true."""

    place: str
    node: Node


@dataclass(frozen=True, slots=True)
class Field:
    """A test of one scalar or list attribute, of derived `age`, or of having an address."""

    place: str
    key: str
    label: str
    phi_class: PhiClass
    special: Special | None
    test: Test


@dataclass(frozen=True, slots=True)
class Match:
    """Which dated records count: empty tuples and None leave that open."""

    codes: tuple[str, ...] = ()
    system: str = ""
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """At least `at_least` records of an attribute match and pass every test (date, end, value, text)."""

    place: str
    attribute: Attribute
    match: Match
    tests: tuple[tuple[str, Test], ...]
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class Latest:
    """Of the dated records that match, one of the latest date passes every test."""

    place: str
    attribute: Attribute
    match: Match
    tests: tuple[tuple[str, Test], ...]


@dataclass(frozen=True, slots=True)
class Event:
    """At least `at_least` events of the kinds happened at the time and with the details asked for."""

    place: str
    kinds: tuple[EventKind, ...]
    did: bool
    when: Test | None
    where: tuple[tuple[str, Test], ...]
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """The person is in one of the journey stages; `node` is their definitions joined by any."""

    place: str
    names: tuple[str, ...]
    node: Node


@dataclass(frozen=True, slots=True)
class Member:
    """The person is in another segment; `node` is that segment's tree as it is now."""

    place: str
    segment_id: UUID
    node: Node


@dataclass(frozen=True, slots=True)
class Listed:
    """The person was put on a static segment, which tells of these classes and special categories."""

    place: str
    segment_id: UUID
    classes: tuple[PhiClass, ...]
    specials: tuple[Special, ...]


class Consent(StrEnum):
    """What a consent leaf asks of the standing."""

    OPTED_IN = "opted_in"
    OPTED_OUT = "opted_out"
    AUTHORIZED = "authorized"
    FUNDRAISING_OPTED_OUT = "fundraising_opted_out"
    SUPPRESSED = "suppressed"
    RESTRICTED = "restricted"
    DECEASED = "deceased"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger says: an opt-in or opt-out of a topic and channel, a valid authorization..."""

    place: str
    consent: Consent
    topic: str = ""
    channel: Channel | None = None
    confirmed: bool = False
    purpose: Purpose | None = None
    special: Special | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """Lives within `kilometers` of a point."""

    place: str
    latitude: float
    longitude: float
    kilometers: float
    label: str


Leaf = Field | Record | Latest | Event | Listed | Standing | Near
Node = All | AnyOf | Not | Leaf | Stage | Member
