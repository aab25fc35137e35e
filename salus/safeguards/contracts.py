"""What others may know of safeguards: rules of a policy, what a message is asked by, and what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from salus.kernel.vocabulary import Protection, Purpose


class Mark(StrEnum):
    """A word in brackets at the start of a subject by which whoever writes asks for protection; it is never sent."""

    SECURE = "secure"
    ENCRYPT = "encrypt"
    PORTAL = "portal"


MARKS: Mapping[Mark, Protection] = {
    Mark.SECURE: Protection.VERIFIED,
    Mark.ENCRYPT: Protection.KEY,
    Mark.PORTAL: Protection.PORTAL,
}
"""What each mark asks for at least."""


class By(StrEnum):
    """Who asks for protection."""

    POLICY = "policy"
    MARK = "mark"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy: what it asks for, and of which messages.

    An empty condition holds for every message; of a condition with several words any one will do, and
    all conditions must hold. `domains` are lower-case names, "*.example.org" means every name below it.
    """

    name: str
    protect: Protection
    purposes: frozenset[Purpose] = frozenset()
    topics: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    marks: frozenset[Mark] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force and the number under which they were saved; 0 and no rules before the first."""

    number: int = 0
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedPolicy:
    """A policy as its author wrote it."""

    number: int
    text: str = field(repr=False)
    saved_by: UUID | None
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class About:
    """What a policy may ask about one message to one person.

    `classes` are the PHI classes and special categories that it discloses; `domain` is the recipient's, lower-case,
    empty when the message goes to the portal.
    """

    purpose: Purpose
    topic: str
    classes: frozenset[str]
    domain: str
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class Asked:
    """That somebody asks for a protection; `name` is the rule's name, or the mark."""

    by: By
    name: str
    level: Protection
