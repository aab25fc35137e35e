"""Counts over many sendings, and what persons did with messages, each in one question however many there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from salus.delivery import api, tracking
from salus.delivery.contracts import By, Engaged, Engagement, Origin, Progress, State
from salus.delivery.models import MessageRow
from salus.kernel.errors import NotFound
from salus.kernel.ids import new_id
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind

from .conftest import Desk, statements


def sent(desk: Desk, origin: Origin) -> list[MessageRow]:
    return list(MessageRow.objects.filter(origin_id=origin.id).order_by("contact_number"))


def story(desk: Desk) -> list[Origin]:
    """Two sendings to two people who open and click, and machines that do it too."""
    desk.admit("ada", "bert")
    origins = [desk.release() for _ in range(2)]
    desk.settle(*(desk.outcome(each) for each in desk.take(3).prepared))
    (first, second), (third, _) = (sent(desk, each) for each in origins)
    for row, kind, by in (
        (first, Engaged.OPENED, By.PERSON),
        (first, Engaged.OPENED, By.PROXY),
        (first, Engaged.CLICKED, By.PERSON),
        (second, Engaged.OPENED, By.PROXY),
        (second, Engaged.CLICKED, By.SCANNER),
        (third, Engaged.READ, By.PERSON),
    ):
        tracking.engaged(row, kind, by)
    return origins


def test_of_many_messages_what_persons_did_with_each(desk: Desk) -> None:
    origins = story(desk)
    (first, second), (third, fourth) = (sent(desk, each) for each in origins)
    ids = [first.id, second.id, third.id, fourth.id, new_id()]
    with statements() as asked:
        found = api.engaged(ids)
    assert len(asked) == 1
    assert [found[id] for id in ids] == [
        {Engaged.OPENED, Engaged.CLICKED},
        set(),
        {Engaged.READ},
        set(),
        set(),
    ]
    assert api.engaged([]) == {}


def test_what_others_counted_is_noted_once_with_the_time_they_tell(desk: Desk) -> None:
    desk.admit("ada")
    origin = desk.release()
    [row] = sent(desk, origin)
    at = desk.clock.now() - timedelta(days=3)
    for _ in range(2):
        api.record_engagement(row.id, Engaged.CLICKED, By.PERSON, at=at)
    [event] = timeline.of_message(row.contact_id, row.id)
    assert (event.kind, event.at, event.details) == (EventKind.MESSAGE_CLICKED, at, {"by": By.PERSON})
    assert api.engaged([row.id]) == {row.id: {Engaged.CLICKED}}
    with pytest.raises(NotFound):
        api.record_engagement(new_id(), Engaged.CLICKED, By.PERSON, at=at)


def test_many_sendings_are_counted_as_each_by_itself(desk: Desk) -> None:
    origins = story(desk)
    nobody = new_id()
    ids = [*(each.id for each in origins), nobody]
    with statements() as asked:
        progress, engagement = api.progress_of(ids), api.engagement_of(ids)
    assert len(asked) == 3
    for each in origins:
        assert progress[each.id] == api.progress(each)
        assert engagement[each.id] == api.engagement(each)
        assert progress[each.id].planned == sum(progress[each.id].states.values()) == 2
    assert sum(each.states.get(State.ACCEPTED, 0) for each in progress.values()) == 3
    first = engagement[origins[0].id]
    assert first.opened == {By.PERSON: 1, By.PROXY: 1}
    assert (first.clicked, first.read, first.readers) == ({By.PERSON: 1, By.SCANNER: 1}, 0, 1)
    empty: Any = {}
    assert progress[nobody] == Progress(0, empty, 0, empty, empty)
    assert engagement[nobody] == Engagement()
