"""What the world knows of a journey that is drawn, gathered for the check: each package is asked what is its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from salus.audiences import api as audiences
from salus.contacts import api as contacts
from salus.content import api as content
from salus.gate import api as gate
from salus.gate.contracts import Decision
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission, Role
from salus.inbox import api as inbox
from salus.intake.contracts import EVENT_KINDS
from salus.journeys import queries, specifying
from salus.journeys.contracts import (
    Again,
    Call,
    GoTo,
    Graph,
    Offered,
    Proof,
    Send,
    Status,
    Step,
    Tree,
    Update,
)
from salus.journeys.rules.checking import check
from salus.journeys.rules.known import Known, Neighbour, Verdict
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.vocabulary import Channel, PhiClass
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind, Label, OutOfScope

T = TypeVar("T")

CHANNELS = frozenset({Channel.EMAIL, Channel.PORTAL})
"""What `delivery` hands over; no service for text messages is connected to it."""


def proof(graph: Graph, at: datetime, *, journey_id: UUID | None = None) -> Proof:
    """Return what is wrong with a journey and what it promises, as the world is at `at`."""
    return check(graph, known(graph, at, journey_id=journey_id))


def offered(at: datetime) -> Offered:
    """Return what a journey may use here at `at`: nothing else passes the check."""
    produced, roles = _produced(at), inbox.roles()
    return Offered(
        channels=tuple(each for each in Channel if each in CHANNELS),
        kinds=tuple(each for each in EventKind if each in produced),
        roles=tuple(each for each in Role if each in roles),
    )


def known(graph: Graph, at: datetime, *, journey_id: UUID | None = None) -> Known:
    """Return what the check of `graph` asks, as it is in the current organization at `at`.

    Only what the graph names is looked up. Never raises for what is drawn, finished or not.
    """
    return Known(
        journey_id=journey_id,
        attributes=contacts.dictionary(),
        readable=frozenset(content.readable_fields()),
        segments=_found(_segments(graph), lambda id: audiences.segment(id).static),
        letters=_found(_letters(graph), content.version),
        channels=CHANNELS,
        doers=inbox.roles(),
        journeys=_neighbours(graph),
        produced=_produced(at),
        never=dict(_verdicts(graph, at)),
        faults_of=_faults_of(),
        fault_of_value=_fault_of_value,
    )


def _found(ids: Iterable[UUID], look: Callable[[UUID], T]) -> dict[UUID, T]:
    found = {}
    for id in dict.fromkeys(ids):
        with suppress(NotFound):
            found[id] = look(id)
    return found


def _segments(graph: Graph) -> Iterator[UUID]:
    named = [*(one.segment_id for one in graph.enter), *(one.segment_id for one in graph.rules.endings)]
    yield from (id for id in named if id is not None)
    for step in graph.steps.values():
        if isinstance(step.does, Update):
            yield from (*step.does.add_to, *step.does.remove_from)


def _letters(graph: Graph) -> Iterator[UUID]:
    for step in graph.steps.values():
        if isinstance(step.does, Send):
            yield from step.does.versions.values()


def _neighbours(graph: Graph) -> dict[UUID, Neighbour]:
    """Return the journeys to which `graph` leads, and those to which they lead, as they are live."""
    found: dict[UUID, Neighbour] = {}
    ahead = list(_leads_to(graph))
    while ahead:
        id = ahead.pop()
        if id in found:
            continue
        with suppress(NotFound):
            journey = queries.journey(id)
            if journey.live is None:
                found[id] = Neighbour(False, Again.NEVER)
                continue
            other = queries.version(journey.live).graph
            leads_to = _leads_to(other)
            found[id] = Neighbour(journey.status is Status.LIVE, other.rules.again, leads_to)
            ahead += leads_to
    return found


def _leads_to(graph: Graph) -> frozenset[UUID]:
    does = [step.does for step in graph.steps.values()]
    return frozenset(one.journey_id for one in does if isinstance(one, GoTo) and one.journey_id is not None)


def _produced(at: datetime) -> frozenset[EventKind]:
    """Return the kinds of events that Salus itself, imports, or a program with a key tell of."""
    told = timeline.tellable()
    by_programs = told if any(_may_tell(at)) else frozenset()
    return frozenset(EventKind) - told | EVENT_KINDS | by_programs


def _may_tell(at: datetime) -> Iterator[bool]:
    for key in identity.api_keys_of_organization():
        alive = key.revoked_at is None and (key.expires_at is None or key.expires_at > at)
        yield alive and Permission.TIMELINE_EVENT_WRITE in key.scopes


# What could never be done


def _verdicts(graph: Graph, at: datetime) -> Iterator[tuple[str, Verdict]]:
    organization = identity.organization()
    for key, step in graph.steps.items():
        verdict = None
        if isinstance(step.does, Send):
            verdict = _of_gate(graph, step, organization, at)
        elif isinstance(step.does, Call):
            verdict = _of_vendors(graph, step, step.does, at)
        if verdict is not None:
            yield key, verdict


def _of_gate(graph: Graph, step: Step, organization: Organization, at: datetime) -> Verdict | None:
    """Return why the gate would refuse a send for everybody; one that is not confirmed is taken for confirmed.

    What keeps its facts from being told (no template, no classification, a bad condition) is another finding.
    """
    for problem in content.check_sender_name(organization.name):
        return Verdict("sender_name", problem.what, problem.next_step)
    try:
        facts = specifying.facts_of(graph, step, organization)
        decision = gate.best_case(replace(facts, classification_confirmed=True), at)
    except (BadInput, NotFound):
        return None
    return None if decision.allowed else _refused(decision)


def _refused(decision: Decision) -> Verdict:
    assert decision.reason is not None
    explained = gate.explain(decision.reason)
    what = f"The gate would refuse it for everyone. {explained.sentence}"
    mend = explained.next_step or "Change what the message is for, or who comes here."
    return Verdict(decision.reason.value, what, mend)


def _of_vendors(graph: Graph, step: Step, does: Call, at: datetime) -> Verdict | None:
    """Return why a service may not be told what a call says, its fields and what it tells to be here."""
    try:
        told = specifying.labels_of(graph, step) | _labels(does.fields)
    except BadInput:
        return None
    try:
        service = vendors.service_in_scope(does.service_id, told, at)
    except OutOfScope as refused:
        return Verdict(refused.why.value, refused.what, refused.next_step)
    if service.kind is not Kind.WEBHOOK:
        return Verdict("no_webhook", "This service takes no calls.", "Choose a service that does.")
    return None


def _labels(fields: Collection[str]) -> frozenset[Label]:
    found: set[Label] = set()
    for name in fields:
        attribute = contacts.dictionary().get(name)
        found.add(attribute.phi_class if attribute else PhiClass.CONTACT)
        if attribute is not None and attribute.special is not None:
            found.add(attribute.special)
    return frozenset(found)


# What is wrong with what is written


def _faults_of() -> Callable[[Tree], str]:
    """Return what asks the language, each expression once."""
    asked: dict[str, str] = {}

    def faults_of(tree: Tree) -> str:
        key = repr(tree)
        if key not in asked:
            asked[key] = _fault(audiences.check, tree)
        return asked[key]

    return faults_of


def _fault_of_value(key: str, value: Any) -> str:
    return _fault(contacts.check_value, key, value)


def _fault(ask: Callable[..., object], *of: Any) -> str:
    try:
        ask(*of)
    except BadInput as fault:
        return str(fault)
    return ""
