"""What the world knows, as far as a journey can be checked against it: given to the check, never fetched by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from salus.contacts.contracts import Attribute
from salus.content.contracts import TemplateVersion
from salus.identity.contracts import Role
from salus.journeys.contracts import Again, Tree
from salus.kernel.vocabulary import Channel
from salus.timeline.contracts import EventKind


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a step could never do what it says, as another package decides it, and what to do, in its words."""

    code: str
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another journey: whether it takes people now, whether they may come in again, and where it leads."""

    takes_people: bool
    again: Again
    leads_to: frozenset[UUID] = frozenset()


def no_fault(_: Tree) -> str:
    """Find no fault in an expression."""
    return ""


def no_telling(_: str) -> str:
    """Find that words tell nothing."""
    return ""


def no_fault_of_value(_: str, __: Any) -> str:
    """Find no fault in the value of an attribute."""
    return ""


@dataclass(frozen=True, slots=True)
class Known:
    """All that the check asks of the world."""

    journey_id: UUID | None = None
    """The journey that is checked; None for one that is nowhere yet."""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    readable: frozenset[str] = frozenset()
    """What a template may read of a person, derived fields included."""
    segments: Mapping[UUID, bool] = field(default_factory=dict)
    """Segments by id: whether people are put in by hand and by journeys (static)."""
    letters: Mapping[UUID, TemplateVersion] = field(default_factory=dict)
    channels: frozenset[Channel] = frozenset()
    """What messages can travel by in this installation."""
    doers: frozenset[Role] = frozenset()
    """Roles that may do tasks."""
    journeys: Mapping[UUID, Neighbour] = field(default_factory=dict)
    produced: frozenset[EventKind] = frozenset()
    """Kinds of events that somebody tells Salus of."""
    never: Mapping[str, Verdict] = field(default_factory=dict)
    """By step: a send that the gate would refuse for everyone, a call that its service may not get."""
    faults_of: Callable[[Tree], str] = no_fault
    """What is wrong with a segment expression, "" when nothing is."""
    telling: Callable[[str], str] = no_telling
    """What a word that everybody may see would tell of a person's health, "" when nothing."""
    fault_of_value: Callable[[str, Any], str] = no_fault_of_value
    """What is wrong with a value for an attribute, "" when nothing is."""
