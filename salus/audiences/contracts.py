"""What other packages may know of audiences: segments, frozen audiences, counts, explanations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.contacts.contracts import Read
from salus.kernel.phi import Phi

Tree = Mapping[str, Any]
"""A segment expression: the JSON tree that `schema()` describes."""


LISTED = "listed"
"""The word of a static segment's only rule."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A named set of people; the name is free text of staff and so counts as PHI."""

    id: UUID
    name: Phi[str]
    tree: Tree
    reads: tuple[Read, ...]
    version: int

    @property
    def static(self) -> bool:
        """Tell whether people are put into it by hand and by journeys, not by rules."""
        return bool(self.tree["where"].get(LISTED) == str(self.id))


@dataclass(frozen=True, slots=True)
class Frozen:
    """The members of a segment at a stated change number, fixed for ever.

    `members` is the serialized 64-bit roaring bitmap of contact numbers.
    """

    id: UUID
    segment_id: UUID
    change: int
    count: int
    frozen_at: datetime
    members: bytes
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """How many people are in a segment, as of change number `change`, counted in `seconds`."""

    people: int
    change: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Group:
    """How many people share one value of an attribute; "" is no value, "*" all the rarer ones."""

    value: Phi[str]
    people: int


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an explanation: a rule as a sentence and how many people are left after it.

    `left` is False below "any" and "none": there the number is of the people the line is true of on
    its own. `path` is the JSON path of the rule, `reads` what it and all below it reads.
    """

    depth: int
    sentence: str
    people: int
    path: str
    left: bool = True
    reads: tuple[Read, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A segment in words: its steps, the total, and which PHI it reads."""

    steps: tuple[Step, ...]
    total: int
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of "what the gate will ask": a sort of message, what it needs, and the law.

    `kind` is "clear" (nothing), "wait" (something that a person can give) or "refuse".
    """

    kind: str
    message: str
    needs: str
    citations: tuple[str, ...] = ()
