"""What the world knows of a journey that is drawn, gathered for the check: each package is asked what is its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from salus.audiences import api as audiences
from salus.contacts import api as contacts
from salus.content import api as content
from salus.identity import api as identity
from salus.identity.contracts import Permission, Role
from salus.inbox import api as inbox
from salus.intake.contracts import EVENT_KINDS
from salus.journeys import queries
from salus.journeys.arriving import trees_before
from salus.journeys.contracts import (
    Again,
    GoTo,
    Graph,
    Offered,
    Proof,
    Send,
    Status,
    Update,
)
from salus.journeys.rules.checking import check
from salus.journeys.rules.known import Known, Neighbour
from salus.journeys.verdicts import Language, verdicts
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.vocabulary import Channel
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind

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
    letters, language = content.some_versions(_letters(graph)), Language()
    return Known(
        journey_id=journey_id,
        attributes=contacts.dictionary(),
        readable=frozenset(content.readable_fields()),
        segments=_found(_segments(graph), lambda id: audiences.segment(id).static),
        letters=letters,
        channels=CHANNELS,
        doers=inbox.roles(),
        journeys=_neighbours(graph),
        produced=_produced(at),
        never=verdicts(graph, letters, language, at, trees_before(journey_id) if journey_id else ()),
        faults_of=language.fault,
        telling=_telling,
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


def _telling(words: str) -> str:
    return " ".join(each.what for each in content.check_open_text(words, "name"))


def _fault_of_value(key: str, value: Any) -> str:
    try:
        contacts.check_value(key, value)
    except BadInput as fault:
        return fault.what
    return ""
