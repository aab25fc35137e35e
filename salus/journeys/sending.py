"""Messages of send steps: held while others write to the same person, handed to delivery, and what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from salus.delivery import api as delivery
from salus.delivery.contracts import Sent
from salus.journeys import ranking
from salus.journeys.contracts import Step
from salus.journeys.models import SendingRow
from salus.journeys.rules.position import Stay, Why
from salus.journeys.specifying import Group, Specifier, origin_of
from salus.journeys.walking import Walker
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound

HELD_AT_MOST = timedelta(days=7)
"""Whoever cannot be written to within so long is passed over: it would be old news."""
ASK_AGAIN, UNUSABLE = timedelta(hours=1), "message_unusable"
EDITIONS = 100
"""How often what a step discloses may change while a version lives: each time begins a sending of its own."""


def send(
    journey_id: UUID,
    walkers: Sequence[Walker],
    priority: int,
    specifier: Callable[[UUID], Specifier],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Write to these people, as far as the gate lets it and nobody else writes; they take what became of it."""
    wrote = []
    for group, step, those in groups(_free(walkers, priority, at)):
        try:
            answers = _hand_over(journey_id, group, step, those, specifier(group[0]), actor=actor, at=at)
        except (BadInput, NotFound):  # it may be mended, and others are not held up by it
            for each in those:
                _hold(each, at + ASK_AGAIN, UNUSABLE, at)
            continue
        for each in those:
            answer = answers[each.number]
            _take(each, answer, at)
            if answer.allowed and not each.facts.transactional(step):
                wrote.append(each)
    ranking.keep(wrote, priority, at)


def groups(walkers: Iterable[Walker]) -> list[tuple[Group, Step, list[Walker]]]:
    """Return people by sending, the sendings in the order of their ids: whoever locks several does so in this order."""
    found: defaultdict[Group, list[Walker]] = defaultdict(list)
    steps: dict[Group, Step] = {}
    for each in walkers:
        assert each.do is not None
        group = (each.version_id, each.do.step.key, *each.do.nth)
        found[group].append(each)
        steps[group] = each.do.step
    return [(group, steps[group], found[group]) for group in sorted(found, key=origin_of)]


def note(journey_id: UUID, group: Group, origin_id: UUID, at: datetime) -> None:
    """Remember what an origin of delivery stands for."""
    version_id, step, entry, times = group
    row = SendingRow(
        id=origin_id,
        journey_id=journey_id,
        version_id=version_id,
        step=step,
        entry=entry,
        times=times,
        created_at=at,
    )
    SendingRow.objects.bulk_create([row], ignore_conflicts=True)


def _free(walkers: Sequence[Walker], priority: int, at: datetime) -> list[Walker]:
    """Return who may be written to now; the others stay, or are passed over when they stayed for too long."""
    free: list[Walker] = []
    asked: list[Walker] = []
    for each in walkers:
        assert each.do is not None
        (free if each.facts.transactional(each.do.step) else asked).append(each)
    held = ranking.held(asked, priority, at) if asked else {}
    for each in asked:
        if each.contact_id not in held:
            free.append(each)
            continue
        until, why = held[each.contact_id]
        _hold(each, until, why, at)
    return free


def _hold(walker: Walker, until: datetime, why: str, at: datetime) -> None:
    over = walker.position.arrived_at + HELD_AT_MOST
    if at < over:
        walker.take(Stay(min(until, over), Why.HELD), at)
    else:
        _take(walker, Sent(None, allowed=False, reason=why), at)


def _hand_over(
    journey_id: UUID,
    group: Group,
    step: Step,
    walkers: Sequence[Walker],
    specifier: Specifier,
    *,
    actor: Actor,
    at: datetime,
) -> Mapping[int, Sent]:
    """Give the messages to delivery; what a step discloses now may differ from how its sending began."""
    numbers = [each.number for each in walkers]
    for edition in range(EDITIONS):
        origin_id = origin_of(group, edition)
        try:
            answers = delivery.send(
                specifier.message(step, origin_id), numbers, not_before=at, actor=actor, at=at
            )
        except Conflict:
            continue
        note(journey_id, group, origin_id, at)
        return answers
    raise Conflict("What this step discloses changed too often.", next_step="Begin a new version.")


def _take(walker: Walker, answer: Sent, at: datetime) -> None:
    sent = walker.course.sent(
        walker.position, answer.message_id, allowed=answer.allowed, reason=answer.reason
    )
    walker.take(sent, at)
