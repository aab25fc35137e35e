"""Follows what happens elsewhere: wakes exactly who waits for it, lets in whom it brings, ends whose journey it ends.

Each batch is one transaction with its cursor. Rows of people are locked before they are looked at, so a
batch that moves them has either ended, and is seen, or has not begun.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import sql

from salus.contacts import api as contacts
from salus.delivery import api as delivery
from salus.inbox import api as inbox
from salus.inbox.contracts import Status as TaskStatus
from salus.journeys import cursors
from salus.journeys.contracts import (
    DONE,
    FAILED,
    HAPPENED,
    JOURNEY,
    NOT_DONE,
    EndsOn,
    EnterKind,
    Status,
    VersionStatus,
    WaitFor,
)
from salus.journeys.courses import course
from salus.journeys.cursors import Feed
from salus.journeys.effects import visit_of
from salus.journeys.enrolling import Candidate, let_in, occasion
from salus.journeys.models import JourneyRow, VersionRow
from salus.journeys.opening import Books, counts, moment_of
from salus.journeys.rules.moving import Course, anchor, tied_to
from salus.journeys.rules.position import ENDED, Position, Why, unpack
from salus.journeys.walking import ERASED, count_kept_out
from salus.kernel.acting import Actor
from salus.kernel.time import FAR, Clock
from salus.permissions import api as permissions
from salus.platform import bulk
from salus.platform.tenancy import current_organization
from salus.timeline import api as timeline
from salus.timeline.contracts import Event, EventKind

BATCH = 1000
"""Entries of a feed that are followed in one transaction."""
LATE = timedelta(days=7)
"""Nobody comes in by an event that was told of so much later: an import of the past begins no journeys."""
TOO_LATE = "too_late"

_INSIDE = sql.SQL(
    "SELECT id, contact_id, version_id, step, arrived_at, entered_at, waits, memory FROM journeys_enrolment "
    "WHERE organization_id = %s AND contact_id = ANY(%s) AND fate = 'waiting' ORDER BY contact_id, id FOR UPDATE"
)
_WAKE = sql.SQL(
    "UPDATE journeys_enrolment e SET answer = CASE WHEN n.answer = '' OR starts_with(e.answer, 'ended:') "
    "THEN e.answer ELSE n.answer END, asked = e.asked OR n.answer = '', due_at = least(e.due_at, %s) "
    "FROM unnest(%s::uuid[], %s::text[]) AS n (id, answer) WHERE e.id = n.id AND e.organization_id = %s"
)
_ASK = sql.SQL(
    "UPDATE journeys_enrolment e SET asked = true, due_at = least(e.due_at, %s), "
    "answer = CASE WHEN n.answer = '' THEN e.answer ELSE n.answer END "
    "FROM unnest(%s::uuid[], %s::text[]) AS n (contact_id, answer) "
    "WHERE e.organization_id = %s AND e.contact_id = n.contact_id AND e.fate = 'waiting'"
)
_TASKS = sql.SQL(
    "UPDATE journeys_enrolment e SET answer = n.answer, due_at = least(e.due_at, %s) "
    "FROM unnest(%s::uuid[], %s::int4[], %s::text[]) AS n (id, ordinal, answer) WHERE e.id = n.id "
    "AND e.organization_id = %s AND e.ordinal = n.ordinal AND e.fate = 'waiting' AND e.waits = %s "
    "AND e.answer = ''"
)


@dataclass(frozen=True, slots=True)
class Inside:
    """Somebody who is in a journey, locked."""

    course: Course
    position: Position


def follow(*, actor: Actor, clock: Clock, only: Feed | None = None, batches: int = 10) -> int:
    """Follow a feed, or every one, for up to so many batches, in the caller's transaction.

    Return how many entries were read.
    """
    read = 0
    for feed, step in _STEPS.items():
        if only not in (None, feed):
            continue
        for _ in range(batches):
            found = step(actor=actor, clock=clock)
            read += found
            if found < BATCH:
                break
    return read


def follow_events(*, actor: Actor, clock: Clock) -> int:
    """Follow the next events; return how many they were."""
    last = cursors.hold(Feed.EVENTS)
    if not _anything_runs():
        return _skip(Feed.EVENTS, last, timeline.head())
    events = timeline.events_since(last, BATCH)
    if not events:
        return 0
    books = Books(clock.now())
    _wake(_woken(events, books), books.at)
    _bring(events, books, actor)
    cursors.move(Feed.EVENTS, events[-1].number)
    return len(events)


def follow_contacts(*, actor: Actor, clock: Clock) -> int:
    """Let everybody of whom something changed be asked again; whoever was erased leaves."""
    last = cursors.hold(Feed.CONTACTS)
    if not _anything_runs():
        return _skip(Feed.CONTACTS, last, contacts.head_change())
    changes = contacts.changes(last, BATCH)
    if changes:
        _ask({each.contact_id: f"{ENDED}:{ERASED}" if each.erased else "" for each in changes}, clock.now())
        cursors.move(Feed.CONTACTS, changes[-1].change)
    return len(changes)


def follow_permissions(*, actor: Actor, clock: Clock) -> int:
    """Let everybody be asked again whose standing changed."""
    last = cursors.hold(Feed.PERMISSIONS)
    if not _anything_runs():
        return _skip(Feed.PERMISSIONS, last, permissions.head_change())
    changes = permissions.changes(last, BATCH)
    if changes:
        _ask({each.contact_id: "" for each in changes}, clock.now())
        cursors.move(Feed.PERMISSIONS, changes[-1].change)
    return len(changes)


def follow_tasks(*, actor: Actor, clock: Clock) -> int:
    """Answer those whose task was ended by somebody, or ran out of time."""
    settled = inbox.settled(cursors.hold(Feed.TASKS), BATCH)
    answers = [
        (*visit, DONE if each.status is TaskStatus.DONE else NOT_DONE)
        for each in settled
        if (visit := visit_of(each.key))
    ]
    if answers:
        ids, ordinals, words = zip(*answers, strict=True)
        bulk.execute(
            _TASKS, [clock.now(), [*ids], [*ordinals], [*words], current_organization(), Why.TASK.value]
        )
    if settled:
        cursors.move(Feed.TASKS, settled[-1].number)
    return len(settled)


def follow_calls(*, actor: Actor, clock: Clock) -> int:
    """Answer those whose call was answered, or given up."""
    settled = delivery.calls_settled(cursors.hold(Feed.CALLS), BATCH)
    ours = {(each.origin.id, each.contact_id): each for each in settled if each.origin.kind == JOURNEY}
    answers: dict[UUID, str] = {}
    for inside in _inside(sorted({contact_id for _, contact_id in ours})) if ours else ():
        position = inside.position
        origin_id = position.memory.messages.get(position.step)
        if position.waits is Why.CALL and origin_id and (call := ours.get((origin_id, position.contact_id))):
            answers[position.enrolment_id] = DONE if call.done else f"{FAILED}:{call.reason}"
    _wake(answers, clock.now())
    if settled:
        cursors.move(Feed.CALLS, settled[-1].number)
    return len(settled)


# Who is inside


def _woken(events: Sequence[Event], books: Books) -> dict[UUID, str]:
    """Return whom these events wake: with their answer, or "" for who is only to be asked again."""
    by_contact: defaultdict[UUID, list[Event]] = defaultdict(list)
    for event in events:
        by_contact[event.contact_id].append(event)
    answers: dict[UUID, str] = {}
    for inside in _inside(sorted(by_contact)):
        found = _answer(inside, by_contact[inside.position.contact_id], books)
        if found is not None:
            answers[inside.position.enrolment_id] = found
    return answers


def _answer(inside: Inside, events: Sequence[Event], books: Books) -> str | None:
    position, graph = inside.position, inside.course.graph
    for ending in graph.rules.endings:
        if ending.on is EndsOn.EVENT and ending.event is not None:
            wanted = books.happening(ending.event)
            if any(counts(each, wanted, position.entered_at, FAR, None) for each in events):
                return f"{ENDED}:{EndsOn.EVENT}"
    does = graph.steps[position.step].does
    if isinstance(does, WaitFor) and does.event is not None:
        wanted, tied = books.happening(does.event), tied_to(position, does.of_step)
        since, until = anchor(position, does), position.arrived_at + does.at_most
        if any(counts(each, wanted, since, until, tied) for each in events):
            return HAPPENED
    trees = [ending.when for ending in graph.rules.endings if ending.when is not None]
    if isinstance(does, WaitFor) and does.condition is not None:
        trees.append(does.condition)
    return "" if any(books.question(tree).asks_events for tree in trees) else None


def _inside(contact_ids: Sequence[UUID]) -> list[Inside]:
    """Return everything that these people are in, locked until the transaction ends."""
    return [
        Inside(
            course(version_id),
            Position(
                id,
                contact_id,
                step,
                arrived_at,
                entered_at,
                waits=Why(waits) if waits else None,
                memory=unpack(memory),
            ),
        )
        for id, contact_id, version_id, step, arrived_at, entered_at, waits, memory in bulk.read(
            _INSIDE, [current_organization(), list(contact_ids)]
        )
    ]


def _wake(answers: Mapping[UUID, str], at: datetime) -> None:
    if answers:
        bulk.execute(_WAKE, [at, list(answers), list(answers.values()), current_organization()])


def _ask(answers: Mapping[UUID, str], at: datetime) -> None:
    bulk.execute(_ASK, [at, list(answers), list(answers.values()), current_organization()])


# Who comes in


def _bring(events: Sequence[Event], books: Books, actor: Actor) -> None:
    """Let those in whom an event brings that happened since the journey takes people as it does now."""
    numbers: Mapping[UUID, int] | None = None
    for journey_id, version_id, live_at in _open_journeys():
        wanted = _ways_in(version_id, books)
        brought: dict[UUID, Event] = {}
        late: set[UUID] = set()
        for event in events:
            if moment_of(event) >= live_at and any(is_met(event) for is_met in wanted):
                if event.recorded_at - event.at > LATE:
                    late.add(event.contact_id)
                else:
                    brought.setdefault(event.contact_id, event)
        count_kept_out(journey_id, version_id, TOO_LATE, len(late - brought.keys()))
        if not brought:
            continue
        numbers = numbers or contacts.numbers_of(sorted({event.contact_id for event in events}))
        people = [
            Candidate(id, numbers[id], occasion(f"event {event.number}"))
            for id, event in brought.items()
            if id in numbers
        ]
        let_in(journey_id, people, actor=actor, at=books.at)


def _ways_in(version_id: UUID, books: Books) -> list[Callable[[Event], bool]]:
    found: list[Callable[[Event], bool]] = []
    for way in course(version_id).graph.enter:
        if way.kind is EnterKind.EVENT and way.event is not None:
            found.append(books.happening(way.event).is_met_by)
        elif way.kind is EnterKind.FORM:
            found.append(_form(way.form))
    return found


def _form(key: str) -> Callable[[Event], bool]:
    return lambda event: event.kind is EventKind.FORM_COMPLETED and event.details.get("form") == key


def _open_journeys() -> Iterable[tuple[UUID, UUID, datetime]]:
    """Return (journey, version, since when it is live) of all that take people."""
    open_ = JourneyRow.objects.filter(status=Status.LIVE).values("id")
    rows = VersionRow.objects.filter(status=VersionStatus.LIVE, journey_id__in=open_)
    return rows.order_by("journey_id").values_list("journey_id", "id", "live_at")  # type: ignore[return-value]


def _anything_runs() -> bool:
    running = [Status.LIVE, Status.PAUSED, Status.CLOSED]
    return JourneyRow.objects.filter(status__in=running).exists()


def _skip(feed: Feed, last: int, head: int) -> int:
    """Pass over what happened while no journey ran."""
    if head != last:
        cursors.move(feed, head)
    return 0


_STEPS: Mapping[Feed, Callable[..., int]] = {
    Feed.EVENTS: follow_events,
    Feed.CONTACTS: follow_contacts,
    Feed.PERMISSIONS: follow_permissions,
    Feed.TASKS: follow_tasks,
    Feed.CALLS: follow_calls,
}
