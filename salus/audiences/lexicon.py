"""The words that a segment may use, given to the language from outside so that it stays pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from salus.audiences.contracts import Tree
from salus.contacts.contracts import Attribute
from salus.kernel.errors import NotFound
from salus.kernel.vocabulary import PhiClass, Special


class Patterns(Protocol):
    """What a record's code must be: one of `exact`, or begin with one of `prefixes`."""

    @property
    def exact(self) -> frozenset[str]:
        """Whole codes."""
        ...

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Beginnings of codes."""
        ...


def no_segments(_: UUID) -> Tree:
    """Know no other segment; raises `NotFound`."""
    raise NotFound


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Attributes, code hierarchy, special categories, stages, other segments, places."""

    attributes: Mapping[str, Attribute]
    patterns: Callable[[str], Patterns]
    """What an asked code, prefix or value set covers; raises `KeyError` for an unknown value set."""
    specials: Callable[[str, str | None], frozenset[Special]]
    """The special categories that asking for a code (None: any) in a field can reveal."""
    stages: Mapping[str, Tree]
    """Journey stages by name, each defined as a segment tree."""
    addresses: Mapping[str, PhiClass] = field(
        default_factory=lambda: {"email": PhiClass.CONTACT, "phone": PhiClass.CONTACT}
    )
    segment: Callable[[UUID], Tree] = no_segments
    """The tree of another segment; raises `NotFound`."""
    places: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Postal code -> latitude, longitude, from the organization's table."""
