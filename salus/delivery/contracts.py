"""What other packages may know of delivery: a message's specification, states, counts, receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from salus.gate.contracts import Explained, MessageFacts
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel, Purpose
from salus.safeguards.contracts import Asked
from salus.timeline.contracts import Event
from salus.vendors.contracts import Label


class State(StrEnum):
    """Where a message is; the legal moves are in `delivery.rules`, a constraint refuses others."""

    CLEARED = "cleared"
    LEASED = "leased"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    BOUNCED = "bounced"
    GAVE_UP = "gave_up"
    PORTAL = "portal"
    PORTAL_UNNOTIFIED = "portal_unnotified"
    OPENED = "opened"
    EXPIRED = "expired"
    RECALLED = "recalled"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """Which queue goes first."""

    TRANSACTIONAL = "transactional"
    JOURNEY = "journey"
    CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a message belongs to: ("campaign", id). Planning is idempotent by origin and contact."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a message is from: neutral display name and an address in a signed domain."""

    name: str
    address: str
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class MessageSpec:
    """What to send: `versions` maps a language ("en", "es") to the template version for it."""

    origin: Origin
    versions: Mapping[str, UUID]
    facts: MessageFacts
    sender: Sender
    priority: Priority = Priority.CAMPAIGN


FREQUENCY_CAP = "frequency_cap"
"""Why a message waits, or at last is not sent: the person was written to often enough."""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `at_most` messages to one person in any `days` days, over all journeys and campaigns.

    Transactional messages, notices and sign-in codes neither count nor wait.
    """

    at_most: int
    days: int


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """What planning found; `planned == cleared + sum(refused.values())`."""

    planned: int
    cleared: int
    refused: Mapping[str, int]
    by_rule: Mapping[str, int] = field(default_factory=dict)
    by_floor: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """What an open sending answered for one person: its message, and whether that may go.

    `reason` says why not: the gate's, "cancelled_by_staff" when the sending was cancelled before, or
    "person_is_gone"; only then there is no message.
    """

    message_id: UUID | None
    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Every recipient in exactly one state: `sum(states.values()) == planned`.

    `reasons` says of each state why, as far as a reason was recorded: `reasons["cancelled"]` those
    that the second check stopped, `reasons["portal"]` why the way by mail could not be protected.
    `by_rule` counts what was cleared by the rule that allowed it.
    """

    planned: int
    states: Mapping[str, int]
    uncertain: int
    refused: Mapping[str, int]
    by_protection: Mapping[str, int]
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    by_rule: Mapping[str, int] = field(default_factory=dict)


class By(StrEnum):
    """Who fetched a picture or a link, as far as that can be told."""

    PERSON = "person"
    PROXY = "proxy"
    """A mail provider's picture proxy: it says nothing about whether a person looked."""
    SCANNER = "scanner"
    """A security product that follows links before the reader does."""


class Engaged(StrEnum):
    """What was done with a message."""

    OPENED = "opened"
    CLICKED = "clicked"
    READ = "read"
    """Read in the portal, after proving who they are."""


@dataclass(frozen=True, slots=True)
class Engagement:
    """What readers did with the messages of a sending, each message once in each of the three.

    A message that a person opened counts under `person`, whatever proxies and scanners fetched too.
    `readers` counts the messages that a person opened, clicked in, or read in the portal.
    """

    opened: Mapping[By, int] = field(default_factory=dict)
    clicked: Mapping[By, int] = field(default_factory=dict)
    read: int = 0
    readers: int = 0


@dataclass(frozen=True, slots=True)
class Sending:
    """One released sending and where its messages are, for sums over many of them."""

    origin: Origin
    released_at: datetime
    states: Mapping[str, int]
    readers: int


class RecallReason(StrEnum):
    """Why a message is taken back from the portal; a code, no words about the person."""

    WRONG_PERSON = "wrong_person"
    WRONG_CONTENT = "wrong_content"
    SENT_TWICE = "sent_twice"
    NOT_NEEDED = "not_needed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PortalRule:
    """How long a message waits in the portal, and how long its words and files are kept after it ended."""

    days: int = 60
    kept_days: int = 30


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that somebody wrote in words of their own, as its sender sees it; times None: not so (yet).

    `subject` and `text` are empty once they were erased.
    """

    message_id: UUID
    state: State
    subject: Phi[str]
    text: Phi[str]
    at: datetime
    view_only: bool
    expires_at: datetime | None = None
    opened_at: datetime | None = None
    recalled_at: datetime | None = None
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DepositFacts:
    """How a message's stay in the portal goes; `path_failed` says that the way by mail was not protected."""

    created_at: datetime
    expires_at: datetime
    opened_at: datetime | None
    recalled_at: datetime | None
    notice_id: UUID | None
    special: bool
    path_failed: bool
    view_only: bool = False
    recall_reason: str = ""
    erased_at: datetime | None = None
    """When its words and files were erased for good."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The whole proof of one message, ids and facts only."""

    message_id: UUID
    contact_id: UUID
    origin: Origin
    state: State
    uncertain: bool
    rule_ids: tuple[str, ...]
    citations: tuple[str, ...]
    evidence_ids: tuple[UUID, ...]
    disclosed: tuple[str, ...]
    floor: str
    reached: str
    tls: Mapping[str, Any]
    """version, cipher, peer (how it was verified), certificate fingerprint, host."""
    body_hash: str
    renderer: str
    template_version_id: UUID | None
    decided_at: datetime
    handed_over_at: datetime | None
    reply: str
    """The peer's last reply, codes and enhanced status only where text could hold an address."""
    steps: tuple[Mapping[str, Any], ...]
    proof: Mapping[str, Any] | None
    """What proves each step to a stranger, as JSON values (`docs/receipts.md`); None before the first."""
    key: Mapping[str, str] = field(default_factory=dict)
    """How it was encrypted to its reader: kind, algorithm, the key's id and mark, hash of what the reader opens."""
    relay: Mapping[str, str] = field(default_factory=dict)
    """By which relay it goes though mail goes another way, because its destination refuses ours: name, service's id."""
    faults: tuple[str, ...] = ()
    """What did not hold when the proof was checked, just now; none: what it says is in the log."""
    pending: int = 0
    """Steps that no signed checkpoint can cover yet."""
    reason: str = ""
    purpose: str = ""
    channel: str = ""
    language: str = ""
    elements: tuple[str, ...] = ()
    results: tuple[Mapping[str, Any], ...] = ()
    """Each gate with its rule, citation, evidence id and whether it was satisfied."""
    rules_version: str = ""
    profile: str = ""
    attempts: int = 0
    deposit: DepositFacts | None = None
    law: str = ""
    """What the law alone asks for, as a word like `floor`."""
    asked: tuple[Asked, ...] = ()
    """Who else asked for protection: the policy, a mark, the person."""
    announces: UUID | None = None
    """Of a notice: the message in the portal that it tells of."""
    events: tuple[Event, ...] = ()
    """What the reader did, from the timeline."""

    @property
    def is_proven(self) -> bool:
        """Tell whether every step was found in the log, unchanged: only then show a seal."""
        return self.proof is not None and not self.faults and not self.pending


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that a decision rests on, in words without PHI: what it is, since when, until when."""

    evidence_id: UUID
    what: str
    at: datetime | None = None
    valid_until: datetime | None = None
    entry: bool = False
    """It is an entry of the audit log (a sign-off), so it has a page of its own there."""


@dataclass(frozen=True, slots=True)
class PassedGate:
    """One thing that was asked before sending: in words, by which rule and citation, and the answer."""

    sentence: str
    rule_id: str
    citation: str
    satisfied: bool


@dataclass(frozen=True, slots=True)
class OriginFacts:
    """What a higher storey knows of a sending: its name (free text of staff, so PHI), who approved it."""

    name: Phi[str]
    approved_by: UUID | None = None
    approved_at: datetime | None = None
    approved_for: int | None = None


@dataclass(frozen=True, slots=True)
class ToldReceipt:
    """A receipt with everything a reader needs to understand it without another page."""

    receipt: Receipt
    rules: tuple[Explained, ...]
    """Of every rule that had a say, the one that set the purpose's gates first."""
    gates: tuple[PassedGate, ...]
    refusal: Explained | None
    elements: tuple[Explained, ...]
    grounds: tuple[Ground, ...]
    origin: OriginFacts | None
    template: str
    """The template's version, "version 7, es"; empty for notices and codes."""
    confirmed_by: str
    """Who confirmed what the template is for."""
    approved_by: str
    same_bytes: bool | None = None
    """Whether the message, made again just now, has the bytes of the receipt's hash; None: none were handed over."""


PORTAL_LINK = "portal"
"""Purpose of the sealed token in a notice's link; its payload is the id of the message that waits."""

CHOICES_LINK = "choices"
"""Purpose of the sealed token in the links for choices and one-click unsubscribe; payload: message id."""


@dataclass(frozen=True, slots=True)
class PortalMessage:
    """A message that waits in the portal, opened for its reader: the bytes as they were stored.

    `special` and `path_failed` say that no sign-in code may travel by e-mail for it.
    """

    message_id: UUID
    contact_id: UUID
    subject: Phi[str]
    html: Phi[str]
    text: Phi[str]
    sender_name: str
    sent_at: datetime
    expires_at: datetime
    state: State
    language: str
    special: bool
    path_failed: bool
    view_only: bool = False
    """It is to be looked at in the portal, with a mark on it, and not kept."""
    disclosed: tuple[str, ...] = ()
    """What it tells: PHI classes and special categories."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message of a contact's own list, "who wrote to me and why"; nothing of its body.

    `reached` is the name of the protection that was reached ("portal", "verified"...), empty before.
    `in_portal`: its deposit can still be read there.
    """

    message_id: UUID
    contact_id: UUID
    at: datetime
    state: State
    sender_name: str
    topic: str
    channel: Channel
    purpose: Purpose
    language: str
    in_portal: bool
    reached: str
    rule_ids: tuple[str, ...]
    evidence_ids: tuple[UUID, ...]
    disclosed: tuple[str, ...]
    to_representative: bool = False
    """It went to the address of a minor's representative."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """A request for a picture or a link of a message: what is known of who made it."""

    at: datetime
    agent: str
    method: str


@dataclass(frozen=True, slots=True)
class Route:
    """The relay that all mail of an organization goes by, and how it stands.

    `paused` is why the queue waits (a code of the vendor register, "" when it goes), `why_not` why nothing
    may go by it at the moment of asking; a sender sees the second within a minute. Of what is `waiting`
    a hundred thousand are counted.
    """

    service_id: UUID
    user: str = field(repr=False)
    chosen_at: datetime
    paused: str
    paused_since: datetime | None
    waiting: int
    why_not: str


@dataclass(frozen=True, slots=True)
class Standby:
    """A relay that is kept ready, by the name that rules of shaping call it; `why_not` as in `Route`."""

    id: UUID
    name: str
    service_id: UUID
    user: str = field(repr=False)
    chosen_at: datetime
    why_not: str


@dataclass(frozen=True, slots=True)
class CallSpec:
    """What a vendor's service is told by signed webhooks about some people: one each for (origin, person).

    `topic` is the event's name for the receiver, dotted lower-case words ("journey.step"). `fields` are
    contact attributes, "email" or "phone": their values are opened here and travel in the body, and
    their PHI classes are asked of the vendor register. `labels` are what the call tells besides (that
    somebody is in a journey for diabetes). `at_most`: after so long a call that was not taken is given up.
    """

    origin: Origin
    service_id: UUID
    topic: str
    fields: tuple[str, ...] = ()
    labels: frozenset[Label] = frozenset()
    at_most: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NewCall:
    """One person of a `CallSpec`; `about` are ids and codes for the receiver (journey, step), never words."""

    contact_id: UUID
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SettledCall:
    """The end of one call: the receiver took it (`done`), or it was given up, and why (a code).

    `number` is its place in the feed of settled calls.
    """

    number: int
    call_id: UUID
    origin: Origin
    contact_id: UUID
    done: bool
    reason: str
    attempts: int
    at: datetime


class Rr(StrEnum):
    """What DNS is asked for."""

    TXT = "TXT"
    MX = "MX"
    """Answers are like "10 mx.example"; the null MX is "0 ."."""
    ADDRESS = "ADDRESS"
    """A and AAAA together."""
    PTR = "PTR"
    """Asked by the address."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question to DNS; the name has no dot at its end."""

    kind: Rr
    name: str


@dataclass(frozen=True, slots=True)
class Told:
    """What DNS said: nothing when it is not there; not `answered`: nobody knows."""

    values: tuple[str, ...] = ()
    answered: bool = True


@dataclass(frozen=True, slots=True)
class TlsPath:
    """The policy that a domain's mail was sent under, as a report about TLS names it (RFC 8460, 4.2).

    `strings` are its lines, or its TLSA records, `hosts` the mail hosts that it allows.
    """

    kind: str
    """"sts", "tlsa" or "no-policy-found"."""
    strings: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsSeen:
    """How TLS to one domain went: sessions by (result type, reason, mail host), "" as the type of success.

    `people` tells apart up to eleven recipients, so that nobody is told of a domain to which fewer are written.
    """

    domain: str = field(repr=False)
    path: TlsPath
    counts: Mapping[tuple[str, str, str], int]
    people: frozenset[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """The sessions of a day under one policy."""

    path: TlsPath
    counts: Mapping[tuple[str, str, str], int]


@dataclass(frozen=True, slots=True)
class TlsReport:
    """What a domain is told of one day that begins at `begin` (UTC); the same report has the same id."""

    id: str
    domain: str = field(repr=False)
    begin: datetime
    policies: tuple[PolicyReport, ...]


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """The MTA-STS policy that a domain serves, or a word why it is none ("timeout", "not_found", "no_policy"...)."""

    mode: str = ""
    max_age: int = 0
    hosts: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a test message: `accepted` by the peer, else `reason` (a word); how it was protected."""

    accepted: bool
    phase: str
    reason: str
    reply: str
    tls: Mapping[str, str]


class Sign(StrEnum):
    """What came back for a message, or what its refusal said: of the address, of the message, or of us."""

    HARD = "hard"
    SOFT = "soft"
    POLICY = "policy"
    REPUTATION = "reputation"
    MESSAGE = "message"
    COMPLAINT = "complaint"


class Returned(StrEnum):
    """What became of something that came back; each is an answer, none is a fault."""

    BOUNCED = "bounced"
    COMPLAINT = "complaint"
    DELAYED = "delayed"
    """They still try: nothing changes."""
    NOTED = "noted"
    """It says nothing that changes anything: it was delivered, or it is no person's complaint."""
    AUTO_REPLY = "auto_reply"
    """Somebody is away: it arrived."""
    KNOWN = "known"
    """It was reported before."""
    LATE = "late"
    """The message is too old for a bounce to mean anything."""
    GONE = "gone"
    """There is no such message any more, or its person was erased."""
    UNREADABLE = "unreadable"
    NOT_A_REPORT = "not_a_report"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One return that counted; `status` is a code ("550 5.1.1", "abuse")."""

    message_id: UUID
    sign: Sign
    reason: str
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StoppedAddress:
    """An address that a rule stopped; `stands` is False once somebody lifted it."""

    entry_id: UUID
    contact_id: UUID
    number: int | None
    """None when the person is not here any more."""
    because: str
    """"hard_bounce", "soft_bounces" or "complaint"."""
    at: datetime
    stands: bool
    evidence: tuple[Evidence, ...]
