"""What a rule is: when it applies, which gates it sets in each profile, and where it stands in the law."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from enum import Enum, StrEnum

from salus.gate.contracts import Element, Reason
from salus.gate.rules.logic import ALWAYS, Condition
from salus.kernel.vocabulary import Footer, Gate, Profile, Protection, Purpose, Special


class Layer(StrEnum):
    """Who set the rule; the strictest of all layers wins (`law.md` 1.2, 45 CFR 160.203(b))."""

    FEDERAL = "federal"
    OVERLAY = "special category"
    STATE = "state"
    ORGANIZATION = "organization"
    PATIENT = "patient"


class Mark(StrEnum):
    """How the source of a rule was read."""

    VERIFIED = "read in a primary source"
    PARTLY = "partly read in a primary source"
    SECONDARY = "secondary source only"
    RECALLED = "from knowledge, not re-read"
    POLICY = "the product's own rule"


class Kind(Enum):
    """What a rule does to a message: permit it (under its gates), add to it, or exempt it from others."""

    PERMIT = "permit"
    ADD = "add"
    EXEMPT = "exempt"


class OptOuts(Enum):
    """Which opt-outs stop the message; a greater value is the stricter one."""

    IGNORED = 0
    OWN_TOPIC = 1
    """Of exactly this topic; and on text messages also "stop everything" (47 CFR 64.1200(a)(10))."""
    ALL = 2
    """Of this topic, or of every topic."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One gate that a rule sets, with what narrows it.

    `topic` asks for an opt-in of its own instead of the message's topic; `confirmed` for a double
    opt-in; `special` for an authorization that names the category; `sale` for one that states the
    sale; `form` for one that meets a state's form; `max_days` for one signed at most so long ago;
    `consent` for a Part 2 consent that names this use. `reason` is what a refusal says.
    """

    gate: Gate
    reason: Reason
    topic: str = ""
    confirmed: bool = False
    special: Special | None = None
    sale: bool = False
    form: str = ""
    max_days: int | None = None
    consent: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The local hours in which text messages may arrive; on Sundays possibly fewer."""

    start: time
    end: time
    sunday_start: time | None = None

    def meet(self, other: Window) -> Window:
        """Return the hours that both allow: of two numbers the stricter counts."""
        sundays = [w.sunday_start or w.start for w in (self, other)]
        start = max(self.start, other.start)
        sunday = max(sundays)
        return Window(start, min(self.end, other.end), sunday if sunday != start else None)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of law as data; nothing in it is ever evaluated as text.

    `row` names the row of the law tables that it transcribes, `purposes` those it is about (none:
    all). `strict` and `floor` are its gates in the two profiles; None means that the rule does not
    exist in that profile. `exempts` lists rows that do not apply where this one does.
    """

    id: str
    row: str
    layer: Layer
    sentence: str
    citation: str
    effective: date
    mark: Mark
    purposes: frozenset[Purpose] = frozenset()
    when: Condition = ALWAYS
    strict: tuple[Demand, ...] | None = ()
    floor: tuple[Demand, ...] | None = ()
    kind: Kind = Kind.ADD
    footer: Footer | None = None
    opt_outs: OptOuts = OptOuts.IGNORED
    elements: tuple[Element, ...] = ()
    protection: Protection | None = None
    window: Window | None = None
    exempts: tuple[str, ...] = ()
    rulings: tuple[str, ...] = ()
    ends: date | None = None
    version: int = 1

    def demands(self, profile: Profile) -> tuple[Demand, ...] | None:
        """Return its gates in `profile`, or None when it does not exist there."""
        return self.strict if profile is Profile.STRICT else self.floor

    def in_force(self, day: date) -> bool:
        """Return whether the rule is law on `day`."""
        return self.effective <= day and (self.ends is None or day < self.ends)
