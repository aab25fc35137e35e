"""What would become of people in a journey: the real population, the real law, and suppositions for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from pyroaring import BitMap64

from salus.audiences import api as audiences
from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.contacts.contracts import Opened as OpenedContact
from salus.gate import api as gate
from salus.gate.contracts import MessageFacts
from salus.identity import api as identity
from salus.journeys.arriving import trees_before
from salus.journeys.contracts import (
    Enter,
    EnterKind,
    Graph,
    Send,
    Simulation,
    StepKind,
    Supposed,
    Tree,
    Update,
    Visit,
)
from salus.journeys.opening import EVER, Books, Gone, Opened, Unopened
from salus.journeys.rules.dates import moments
from salus.journeys.rules.expressions import as_condition, as_filter
from salus.journeys.rules.moving import Course
from salus.journeys.rules.position import Decision, Do, Facts, Position
from salus.journeys.rules.supposing import Endless, Walk, chance, walk
from salus.journeys.rules.tallying import tally
from salus.journeys.specifying import Specifier
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.permissions import api as permissions
from salus.permissions.contracts import EVERY_TOPIC, Standing
from salus.timeline.contracts import Event, EventKind

CHUNK = 1_000
"""People whose facts are in memory at once."""
MOST = 10_000
"""People of one simulation unless more are asked for: enough for every share that matters."""
YEAR = timedelta(days=366)
PURPOSE = "journey_simulation"
"""Why contacts are opened, as the audit log says it."""
ENGAGEMENT = (EventKind.MESSAGE_OPENED, EventKind.MESSAGE_CLICKED)
READ_AFTER = timedelta(hours=3)
"""When a supposed reader opens a message, and clicks in it."""
EVERYBODY: Tree = {"version": 1, "where": {"all": []}}


def simulate(
    graph: Graph,
    *,
    journey_id: UUID | None,
    supposed: Supposed,
    at: datetime,
    actor: Actor,
    numbers: Sequence[int] | None = None,
    most: int = MOST,
    start: str = "",
    until: datetime | None = None,
    report: Callable[[int], None] = lambda _: None,
) -> Simulation:
    """Return what would become of the people who would come in from `at` on, to the end of everybody's way.

    With `numbers`, of these contacts alone; of one, its diary is told too. With `start`, everybody begins
    at that step. The gate decides each message on
    the facts and rules of now, at the moment of the message; nothing is sent or changed. What other journeys
    send, and caps on how often somebody is written to, are not foreseen. `report` is told how many people
    each chunk held. Raises `BadInput` for a journey that could not run, naming the step.
    """
    if start:
        if start not in graph.steps:
            raise BadInput("There is no such step.", place="start")
        graph = replace(graph, start=start)
    end = until or at + graph.rules.at_most + YEAR
    chosen = list(numbers) if numbers is not None else _who_would_come(graph, most)
    imagined = _Imagined(graph, journey_id or new_id(), supposed, at, actor)
    ways: list[Walk] = []
    for chunk in (chosen[place : place + CHUNK] for place in range(0, len(chosen), CHUNK)):
        ways += imagined.ways(chunk, end, by_hand=numbers is not None)
        report(len(chunk))
    audit.record(
        Action.JOURNEY_SIMULATE,
        actor=actor,
        object_kind="journey",
        object_id=journey_id,
        details={"people": len(ways)},
    )
    last = max((way.ended_at or end for way in ways), default=at)
    diary: tuple[Visit, ...] = ways[0].visits if numbers is not None and len(ways) == 1 else ()
    return Simulation(tally(graph, ways), len(ways), last, diary)


def _who_would_come(graph: Graph, most: int) -> list[int]:
    """Return the numbers of people whom a way in could let in, spread over all of them when they are too many."""
    found = BitMap64()
    for way in graph.enter:
        found |= audiences.members(_tree_of(way))
    numbers = list(found)
    if len(numbers) <= most:
        return numbers
    return [numbers[place * len(numbers) // most] for place in range(most)]


def _tree_of(way: Enter) -> Tree:
    if way.segment_id is not None:
        return as_condition({"segment": str(way.segment_id)})
    if way.kind is EnterKind.DATE:
        key, _, part = way.attribute.partition(".")
        return as_filter(key, way.where) if part else as_condition({"field": key, "exists": True})
    return EVERYBODY


class _Books(Books):
    """What is known of a chunk of people, and what is supposed of the one who walks."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self.changed: dict[str, Any] = {}
        self.supposed: list[Event] = []
        self.put_on: dict[UUID, bool] = {}

    def begin(self, at: datetime) -> None:
        """Suppose nothing any more: somebody else begins to walk."""
        self.at, self.changed, self.supposed, self.put_on = at, {}, [], {}

    def document(self, contact_id: UUID) -> Mapping[str, Any]:
        """Return a person's document with what steps changed in it."""
        found = super().document(contact_id)
        return {**found, **self.changed} if self.changed else found

    def events(self, contact_id: UUID, since: datetime = EVER) -> list[Event]:
        """Return what happened, and is supposed to have happened by now."""
        return [*super().events(contact_id, since), *(each for each in self.supposed if each.at <= self.at)]

    def lists(self, number: int, among: frozenset[UUID]) -> frozenset[UUID]:
        """Return which static segments a person is in after what steps did."""
        found = super().lists(number, among)
        return frozenset(one for one in among if self.put_on.get(one, one in found))


class _Person(Opened):
    """One person as the mover asks about them, at a moment of the walk, with what is supposed."""

    __slots__ = ("_mine", "_supposed", "left_topics", "who")

    def __init__(
        self, books: _Books, contact_id: UUID, number: int, supposed: Supposed, course: Course, urgent: Any
    ) -> None:
        super().__init__(books, contact_id, number, asked=True, urgent=urgent, channels=course.channels)
        self._mine, self._supposed, self.who = books, supposed, contact_id
        self.left_topics: set[str] = set()

    def move_to(self, at: datetime) -> None:
        """Answer from now on as of `at`."""
        self._mine.at = at

    def sent(self, message_id: UUID, at: datetime) -> None:
        """Suppose that the person opens a message and clicks in it, as their shares are."""
        for kind in ENGAGEMENT:
            at += READ_AFTER
            share = self._supposed.happens.get(kind, 0.0)
            if chance(self._supposed, self.who.bytes, kind, str(len(self._mine.supposed))) < share:
                self._mine.supposed.append(Event(0, self.who, kind, at, at, message_id, {}))

    def happened(
        self, event: Tree, since: datetime, until: datetime, message_id: UUID | None = None
    ) -> datetime | None:
        """Return None: what may happen is supposed when somebody begins to wait for it."""
        return None

    def opted_out(self, topic: str) -> bool:
        """Return whether they opted out, or were opted out by a step."""
        return bool({topic or EVERY_TOPIC, EVERY_TOPIC} & self.left_topics) or super().opted_out(topic)

    def update(self, does: Update) -> None:
        """Suppose what a step changes."""
        self._mine.changed |= does.attributes
        self._mine.put_on |= dict.fromkeys(does.add_to, True) | dict.fromkeys(does.remove_from, False)
        self.left_topics |= set(does.opt_out_topics)


class _Imagined:
    """One version imagined for many people."""

    def __init__(
        self, graph: Graph, journey_id: UUID, supposed: Supposed, at: datetime, actor: Actor
    ) -> None:
        self._course, self._supposed, self._at, self._actor = Course(graph, journey_id), supposed, at, actor
        organization = identity.organization()
        self._zone = organization.time_zone
        specifier = Specifier(graph, organization, partial(trees_before, journey_id))
        self._messages: dict[str, MessageFacts] = {}
        for step in graph.steps.values():
            if isinstance(step.does, Send):
                try:
                    self._messages[step.key] = specifier.message(step, new_id()).facts
                except BadInput as fault:
                    raise BadInput(
                        fault.what, place=f"$.steps.{step.key}", next_step=fault.next_step
                    ) from fault
        self._urgent = specifier.urgent
        self._fields = tuple(
            dict.fromkeys(field for facts in self._messages.values() for field in gate.person_fields(facts))
        )

    def ways(self, numbers: Sequence[int], until: datetime, *, by_hand: bool) -> list[Walk]:
        """Return the ways of those of these people who would come in."""
        fields = self._fields or ("language",)
        opened = contacts.open_fields(numbers=numbers, fields=fields, purpose=PURPOSE, actor=self._actor)
        books, found = _Books(self._at), list[Walk]()
        waiting = opened
        while waiting:
            stopped = []
            for each in waiting:
                try:
                    found += self._way(books, each, until, by_hand)
                except Unopened:
                    stopped.append(each)
                except Gone:
                    continue
            if stopped:
                books.fetch()
            waiting = stopped
        return found

    def _way(self, books: _Books, who: OpenedContact, until: datetime, by_hand: bool) -> Iterator[Walk]:
        """Yield the way of one person, nothing when they would not come in; raises `Unopened` to be asked again."""
        books.begin(self._at)
        person = _Person(books, who.id, who.number, self._supposed, self._course, self._urgent.__contains__)
        entered = self._at if by_hand else self._entry(person)
        if entered is None or entered > until:
            return
        position = self._course.enter(new_id(), who.id, entered)
        standing = books.standing(who.id) if self._messages else None

        def act(doing: Do, position: Position, facts: Facts, at: datetime) -> Decision:
            return self._act(doing, position, person, who, standing, at)

        try:
            yield walk(self._course, position, person, act, self._supposed, until)
        except Endless:
            raise BadInput(
                "Somebody would go on in this journey for ever.", next_step="Check it first."
            ) from None

    def _entry(self, person: _Person) -> datetime | None:
        """Return when a person would come in, by whichever way in is first; None: by none within a year."""
        moments = [each for way in self._course.graph.enter for each in self._moments(way, person)]
        return min(moments, default=None)

    def _moments(self, way: Enter, person: _Person) -> Iterable[datetime]:
        if way.kind is not EnterKind.DATE:
            return (self._at,)
        dates = [day for day, _ in person.dates(way.attribute, way.where)]
        return [each for day in dates for each in moments(way, day, self._at, self._at + YEAR, self._zone)]

    def _act(
        self,
        doing: Do,
        position: Position,
        person: _Person,
        who: OpenedContact,
        standing: Standing | None,
        at: datetime,
    ) -> Decision:
        step = doing.step
        if step.kind is StepKind.SEND:
            facts = self._messages[step.key]
            if facts.topic in person.left_topics:
                return self._course.sent(position, None, allowed=False, reason="opted_out")
            assert standing is not None
            if at >= standing.valid_until:  # something in it began or ended by then
                standing = permissions.standing(who.id, at)
            (clearance,) = gate.clear(facts, [who], {who.id: standing}, at)
            decision = clearance.decision
            return self._course.sent(
                position, new_id(), allowed=decision.allowed, reason=str(decision.reason or "")
            )
        if isinstance(step.does, Update):
            person.update(step.does)
            return self._course.updated()
        if step.kind is StepKind.GO_TO:
            return self._course.moved()
        return self._course.waiting(position, person, at)
