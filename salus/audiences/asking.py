"""Expressions read once and asked of many people, without any store: for journeys."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.audiences import knowledge, parse, queries
from salus.audiences.calendar_rules import FIRST_MOMENT
from salus.audiences.contracts import Tree
from salus.audiences.lexicon import Lexicon
from salus.audiences.nodes import Event, Moment, Node, Record
from salus.audiences.predicate import Person, counts, happened, holds
from salus.audiences.reads import LIST, lists, reads
from salus.contacts.contracts import Read
from salus.kernel.errors import BadInput
from salus.permissions.contracts import Standing
from salus.timeline.contracts import Event as Happened
from salus.timeline.contracts import EventKind


@dataclass(frozen=True)
class Question:
    """An expression that was read: what it looks at, and its answers about a person whose facts are at hand."""

    node: Node
    reads: tuple[Read, ...]
    lists: frozenset[UUID]
    """The static segments that it asks about."""

    @property
    def asks_events(self) -> bool:
        """Tell whether the answer depends on what happened."""
        return any(read.field.startswith("event:") for read in self.reads)

    @property
    def asks_standing(self) -> bool:
        """Tell whether the answer depends on what the ledger of permissions says."""
        return any(read.field.startswith("consent:") for read in self.reads)

    @property
    def fields(self) -> frozenset[str]:
        """Return the attributes and addresses that it looks at."""
        return frozenset(read.field for read in self.reads if ":" not in read.field and read.field != LIST)

    def holds(self, person: Person) -> bool:
        """Return whether it is true of a person."""
        return holds(self.node, person)

    def records(self, person: Person) -> list[Mapping[str, Any]]:
        """Return the dated records that count; only for the expression of a `record` rule."""
        assert isinstance(self.node, Record)
        return counts(self.node, person)


@dataclass(frozen=True)
class Happening:
    """An event expression that was read: its kinds, and whether one event is such a one."""

    node: Event
    person: Person

    @property
    def kinds(self) -> frozenset[EventKind]:
        """Return the kinds of event that it is about."""
        return frozenset(self.node.kinds)

    def is_met_by(self, event: Happened) -> bool:
        """Return whether this event is of the kinds, and its details are as asked."""
        return happened(self.node, event, self.person)


class Questions:
    """Reads expressions, with the segments that they name as these are now: make it anew for a batch of work."""

    def __init__(self) -> None:
        self._words: Lexicon = queries.lexicon()
        self.zone = knowledge.moment().zone
        """The organization's time zone, for people whose own is not known."""

    def read(self, tree: Tree) -> Question:
        """Return a segment expression ready to be asked; raises `BadInput`."""
        node = parse.parse(tree, self._words)
        return Question(node, reads(node, self._words), lists(node))

    def happening(self, event: Tree) -> Happening:
        """Return an event expression ({"did": kind, "where": ...}) ready to be asked; raises `BadInput`."""
        node = parse.parse({"version": parse.VERSION, "where": event}, self._words)
        if not isinstance(node, Event) or not node.did or node.when is not None or node.at_least != 1:
            raise BadInput("is not an event of a kind with its details", place="$")
        return Happening(node, self.person({}, (), None, FIRST_MOMENT))

    def person(
        self,
        document: Mapping[str, Any],
        events: Sequence[Happened],
        standing: Standing | None,
        at: datetime,
        on_lists: Container[UUID] | None = None,
    ) -> Person:
        """Return what is known of somebody at `at`, to ask about; what no question looks at may be left out."""
        known = standing or Standing(UUID(int=0), 0, at, at)
        return Person(document, events, known, Moment(at, self.zone), self._words, on_lists)
