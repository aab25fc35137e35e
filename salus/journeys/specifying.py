"""What a step sends or tells a vendor, with what the gate must know: being in a journey discloses why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from uuid import UUID, uuid5

from salus.audiences import api as audiences
from salus.contacts.contracts import Read
from salus.content import api as content
from salus.content.contracts import Classification, TemplateVersion
from salus.delivery import api as delivery
from salus.delivery.contracts import CallSpec, MessageSpec, Origin, Priority, Sender
from salus.gate import api as gate
from salus.gate.contracts import MessageFacts
from salus.identity.contracts import Organization
from salus.journeys.contracts import (
    JOURNEY,
    Branch,
    Call,
    EndsOn,
    Enter,
    Graph,
    Send,
    Step,
    Tree,
    Wait,
    WaitFor,
)
from salus.journeys.rules.expressions import as_condition, as_filter, form_sent
from salus.journeys.rules.ways import preceding
from salus.kernel.errors import BadInput, NotFound
from salus.vendors.contracts import Label

LOCAL_PART = "care"
"""Messages come from care@<the sending domain>: an address that tells no specialty."""
TOPIC = "journey.step"
"""What a call is named to its receiver."""

Asks = Callable[[Tree], tuple[Read, ...]]
"""What tells what an expression reads (`audiences.check`, or one that remembers what it was asked)."""
Group = tuple[UUID, str, int, int]
"""Version, step, and how often its people were here (`Do.nth`): one sending."""


class Specifier:
    """What the steps of one version send, worked out once for a batch of work."""

    def __init__(
        self, graph: Graph, organization: Organization, before: Callable[[], Sequence[Tree]] = tuple
    ) -> None:
        self._graph, self._organization, self._asked_before = graph, organization, before
        self._facts: dict[str, MessageFacts] = {}

    @cached_property
    def urgent(self) -> frozenset[str]:
        """Return the send steps whose messages are transactional."""
        return frozenset(step.key for step in self._graph.steps.values() if _is_urgent(step))

    @cached_property
    def _before(self) -> Sequence[Tree]:
        return self._asked_before()

    def message(self, step: Step, origin_id: UUID) -> MessageSpec:
        """Return what a send step sends, as the sending `origin_id`; raises `BadInput`."""
        does = step.does
        assert isinstance(does, Send)
        if step.key not in self._facts:
            self._facts[step.key] = facts_of(self._graph, step, self._organization, before=self._before)
        facts = self._facts[step.key]
        sender = Sender(self._organization.name, f"{LOCAL_PART}@{self._organization.sending_domain}")
        return MessageSpec(
            Origin(JOURNEY, origin_id), dict(does.versions), facts, sender, delivery.priority_of(facts)
        )

    def call(self, step: Step, origin_id: UUID) -> CallSpec:
        """Return what a call step tells its service, as the sending `origin_id`; raises `BadInput`."""
        does = step.does
        assert isinstance(does, Call)
        return CallSpec(
            Origin(JOURNEY, origin_id),
            does.service_id,
            TOPIC,
            does.fields,
            labels_of(self._graph, step, before=self._before),
            does.at_most,
        )


def _is_urgent(step: Step) -> bool:
    """Return whether a step's messages are transactional; one that cannot be sent is not."""
    if not isinstance(step.does, Send):
        return False
    try:
        return delivery.priority_of(classification_of(step.does)) is Priority.TRANSACTIONAL
    except (BadInput, NotFound):
        return False


def origin_of(group: Group, edition: int = 0) -> UUID:
    """Return the id of a step's sending to those who were here so often: the same for the same, always."""
    version_id, step, entry, times = group
    return uuid5(version_id, f"{step} {entry} {times} {edition}")


def facts_of(
    graph: Graph,
    step: Step,
    organization: Organization,
    *,
    version: Callable[[UUID], TemplateVersion] = content.version,
    asks: Asks = audiences.check,
    before: Sequence[Tree] = (),
) -> MessageFacts:
    """Return what the gate must know of a send step's messages; raises `BadInput`.

    `before` is what was asked of people who came from other journeys.
    """
    does = step.does
    assert isinstance(does, Send)
    for problem in content.check_sender_name(organization.name):  # it travels in the open
        raise BadInput(problem.what, place="sender name", next_step=problem.next_step)
    letters = [version(id) for id in does.versions.values()]
    return gate.message_facts(
        _classification(letters),
        reads=(
            *tells(graph, step.key, asks, before),
            *(read for letter in letters for read in letter.analysis.reads),
        ),
        organization=organization,
        channel=does.channel,
    )


def labels_of(
    graph: Graph, step: Step, asks: Asks = audiences.check, before: Sequence[Tree] = ()
) -> frozenset[Label]:
    """Return what it tells of a person that they are at this step; raises `BadInput`."""
    found: set[Label] = set()
    for read in tells(graph, step.key, asks, before):
        found.add(read.phi_class)
        if read.special is not None:
            found.add(read.special)
    return frozenset(found)


def classification_of(does: Send) -> Classification:
    """Return what a send step's messages are for; raises `BadInput`."""
    return _classification([content.version(id) for id in does.versions.values()])


def tells(
    graph: Graph, step: str, asks: Asks = audiences.check, before: Sequence[Tree] = ()
) -> tuple[Read, ...]:
    """Return what it discloses to be at a step: why people come in, and what the ways there ask; raises `BadInput`."""
    found = {read: None for tree in (*before, *trees_at(graph, step)) for read in asks(tree)}
    return tuple(found)


def trees_at(graph: Graph, step: str) -> Iterator[Tree]:
    """Yield what was asked of people before they came to a step."""
    for way in graph.enter:
        yield from _of_way_in(way)
    for ending in graph.rules.endings:
        if ending.on is EndsOn.SEGMENT_LEFT:
            yield from _of_segment(ending.segment_id)
    for key in sorted(preceding(graph, step)):
        yield from _of_step(graph.steps[key])


def _of_way_in(way: Enter) -> Iterator[Tree]:
    yield from _of_segment(way.segment_id)
    if way.form:
        yield as_condition(form_sent(way.form))
    if way.event is not None:
        yield as_condition(way.event)
    if way.attribute:
        yield _of_date(way.attribute, way.where)


def _of_segment(segment_id: UUID | None) -> Iterator[Tree]:
    if segment_id is not None:
        yield as_condition({"segment": str(segment_id)})


def _of_step(step: Step) -> Iterator[Tree]:
    does = step.does
    if isinstance(does, Branch):
        yield from (case.when for case in does.cases)
    elif isinstance(does, WaitFor):
        if does.event is not None:
            yield as_condition(does.event)
        if does.condition is not None:
            yield does.condition
    elif isinstance(does, Wait) and does.attribute:
        yield _of_date(does.attribute, does.where)


def _of_date(attribute: str, where: Tree) -> Tree:
    key, _, part = attribute.partition(".")
    return as_filter(key, where) if part else as_condition({"field": key, "exists": True})


def _classification(letters: list[TemplateVersion]) -> Classification:
    found = [letter.classification for letter in letters]
    if not found or found[0] is None:
        raise BadInput(
            "The template is not classified.", place="template", next_step="Say what it is for first."
        )
    return found[0]
