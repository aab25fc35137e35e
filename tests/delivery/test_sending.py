"""Open sendings: people come one batch after another, and nobody is written to twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from uuid import uuid5

import pytest
from django.db import connections

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.delivery import api
from salus.delivery.contracts import MessageSpec, Origin, Priority, Sent, State
from salus.delivery.models import MessageRow, OriginRow, QueueRow
from salus.delivery.rules import CANCELLED_BY_STAFF, PERSON_IS_GONE, priority_of
from salus.delivery.sealing import message_binding, open_content
from salus.gate.contracts import Reason
from salus.identity.models import OrganizationRow
from salus.kernel.errors import Conflict
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel, Profile, Promotes, Purpose, Remuneration
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for

from . import office
from .conftest import Desk, statements


def journey(desk: Desk, version_id: object = None) -> MessageSpec:
    """Return a journey's message."""
    spec = desk.spec(origin=Origin("journey", uuid5(new_id(), "remind")))
    return replace(spec, priority=priority_of(spec.facts))


def send(desk: Desk, spec: MessageSpec, *people: object, after: timedelta = timedelta(0)) -> list[Sent]:
    """Send to these people (all of the clinic, if none are named); return the answers in their order."""
    ids = list(people) or desk.people
    numbers = contacts.numbers_of(ids)  # type: ignore[arg-type]
    answers = api.send(
        spec,
        list(numbers.values()),
        not_before=desk.clock.now() + after,
        actor=desk.actor,
        at=desk.clock.now(),
    )
    return [answers[numbers[id]] for id in ids]  # type: ignore[index]


def test_who_is_cleared_waits_in_the_queue_at_once_and_who_is_refused_hears_why(desk: Desk) -> None:
    ada, bert = desk.admit("ada", "bert")
    permissions.opt_out(bert, office.TOPIC, Channel.EMAIL, evidence="by phone", actor=desk.actor)
    spec = journey(desk)
    first, second = send(desk, spec)
    assert (first.allowed, first.reason) == (True, "")
    assert (second.allowed, second.reason) == (False, Reason.OPTED_OUT)
    [waiting] = desk.queue(spec.origin)
    assert (waiting.message_id, waiting.priority, waiting.held) == (first.message_id, 0, False)
    assert waiting.not_before == desk.clock.now()
    [prepared] = desk.take().prepared
    assert prepared.contact_id == ada
    desk.settle(desk.outcome(prepared))
    assert desk.states(spec.origin) == {State.ACCEPTED: 1, State.REFUSED: 1}
    assert api.receipt(first.message_id or new_id()).origin == spec.origin


def test_more_people_come_later_and_the_sums_add_up(desk: Desk) -> None:
    spec = journey(desk)
    [ada] = desk.admit("ada")
    send(desk, spec, ada)
    desk.clock.advance(timedelta(days=90))
    bert, cora = desk.admit("bert", "cora")
    permissions.opt_out(cora, office.TOPIC, Channel.EMAIL, evidence="by phone", actor=desk.actor)
    send(desk, spec, bert, cora)
    progress = api.progress(spec.origin)
    assert progress.planned == sum(progress.states.values()) == 3
    assert progress.refused == {Reason.OPTED_OUT: 1}
    assert api.plan_counts(spec.origin).cleared == 2
    assert api.is_waiting(spec.origin)


def test_asked_again_it_answers_the_same_and_doubles_nothing(desk: Desk) -> None:
    ada, bert = desk.admit("ada", "bert")
    permissions.opt_out(bert, office.TOPIC, Channel.EMAIL, evidence="by phone", actor=desk.actor)
    spec = journey(desk)
    first = send(desk, spec)
    [prepared] = desk.take().prepared
    desk.settle(desk.outcome(prepared))
    permissions.opt_out(ada, office.TOPIC, Channel.EMAIL, evidence="by phone", actor=desk.actor)
    assert send(desk, spec) == first, "what was decided then was decided"
    assert desk.queue(spec.origin) == [], "what was handed over does not come back"
    assert len(audit.entries(Filters(action=Action.MESSAGE_PLAN, object_id=spec.origin.id))) == 1
    [entry] = audit.entries(Filters(action=Action.MESSAGE_RELEASE, object_id=spec.origin.id))
    assert dict(entry.details) == {"planned": 2, "cleared": 1}


def test_who_comes_twice_in_one_call_has_one_message(desk: Desk) -> None:
    desk.admit("ada")
    spec, [number] = journey(desk), office.numbers(desk.people)
    now = desk.clock.now()
    answers = api.send(spec, [number, number], not_before=now, actor=desk.actor, at=now)
    assert len(answers) == len(desk.queue(spec.origin)) == 1
    assert api.send(spec, [], not_before=now, actor=desk.actor, at=now) == {}


def test_two_workers_that_send_to_the_same_people_make_one_message_each(committed: Desk) -> None:
    with acting_for(committed.id):
        committed.admit("ada", "bert")
        spec = journey(committed)
    answers: list[list[Sent]] = []

    start = threading.Barrier(2, timeout=30)

    def work() -> None:
        with acting_for(committed.id):
            start.wait()
            found = send(committed, spec)
        answers.append(found)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert len(answers) == 2
    assert answers[0] == answers[1]
    with acting_for(committed.id):
        assert MessageRow.objects.filter(origin_id=spec.origin.id).count() == 2
        assert QueueRow.objects.filter(origin_id=spec.origin.id).count() == 2


def test_who_is_gone_has_an_answer_and_no_message_and_the_others_go(desk: Desk) -> None:
    ada, bert = desk.admit("ada", "bert")
    numbers = contacts.numbers_of([ada, bert])
    contacts.erase_person(ada, actor=desk.actor)
    now = desk.clock.now()
    spec = journey(desk)
    for _ in range(2):
        answers = api.send(spec, list(numbers.values()), not_before=now, actor=desk.actor, at=now)
        assert answers[numbers[ada]] == Sent(None, allowed=False, reason=PERSON_IS_GONE)
        assert answers[numbers[bert]].allowed
    assert api.progress(spec.origin).planned == 1


def test_of_a_paused_sending_new_messages_wait_until_it_is_resumed(desk: Desk) -> None:
    ada, bert = desk.admit("ada", "bert")
    spec = journey(desk)
    send(desk, spec, ada)
    api.pause(spec.origin, actor=desk.actor)
    assert send(desk, spec, bert)[0].allowed
    assert {each.held for each in desk.queue(spec.origin)} == {True}
    assert desk.take().prepared == []
    api.resume(spec.origin, actor=desk.actor)
    assert len(desk.take().prepared) == 2


def test_of_a_cancelled_sending_nobody_new_gets_any_and_hears_why(desk: Desk) -> None:
    ada, bert, cora = desk.admit("ada", "bert", "cora")
    permissions.opt_out(cora, office.TOPIC, Channel.EMAIL, evidence="by phone", actor=desk.actor)
    spec = journey(desk)
    before = send(desk, spec, ada)
    assert api.cancel(spec.origin, actor=desk.actor, at=desk.clock.now()) == 1
    late, refused = send(desk, spec, bert, cora)
    assert (late.allowed, late.reason) == (False, CANCELLED_BY_STAFF)
    assert refused.reason == Reason.OPTED_OUT, "what the gate says comes first"
    assert send(desk, spec, ada) == before
    assert desk.queue(spec.origin) == []
    assert desk.states(spec.origin) == {State.CANCELLED: 1, State.REFUSED: 2}
    row = desk.row(late.message_id or new_id())
    opened = open_content(keys.sealer(), message_binding(desk.id, row.id), row.sealed)
    assert (opened.to, opened.values, opened.tokens) == ("", {}, {})
    assert api.plain_reason(CANCELLED_BY_STAFF) == "Stopped by staff"


def test_nothing_leaves_before_its_time(desk: Desk) -> None:
    desk.admit("ada")
    send(desk, journey(desk), after=timedelta(hours=9))
    assert desk.take().prepared == []
    desk.clock.advance(timedelta(hours=9))
    assert len(desk.take().prepared) == 1


def test_an_origin_of_other_content_and_one_planned_as_a_whole_are_not_sent_from(desk: Desk) -> None:
    desk.admit("ada")
    spec = journey(desk)
    send(desk, spec)
    other = replace(spec, versions={"en": office.template(desk.organization)})
    with pytest.raises(Conflict, match="other content"):
        send(desk, other)
    campaign = desk.spec()
    desk.release(campaign)
    with pytest.raises(Conflict, match="other content"):
        send(desk, campaign)
    with pytest.raises(Conflict, match="other content"):
        api.begin_plan(spec, actor=desk.actor, at=desk.clock.now())


def test_an_organization_that_became_strict_clears_strictly_and_its_journey_goes_on(desk: Desk) -> None:
    ada, bert = desk.admit("ada", "bert")
    lenient = replace(office.EDUCATION, purpose=Purpose.NEWSLETTER, conditions=())
    version_id = office.template(desk.organization, lenient)
    strict = desk.spec(version_id, origin=Origin("journey", new_id()))
    floor = replace(strict, facts=replace(strict.facts, profile=Profile.FEDERAL_FLOOR))
    OrganizationRow.objects.update(profile=Profile.FEDERAL_FLOOR)
    assert send(desk, floor, ada)[0].allowed
    OrganizationRow.objects.update(profile=Profile.STRICT, name="Cedar Row Health")
    renamed = replace(strict, sender=replace(strict.sender, name="Cedar Row Health"))
    assert send(desk, renamed, bert)[0].reason == Reason.NO_OPT_IN


def test_it_takes_as_many_statements_for_many_people_as_for_few(desk: Desk) -> None:
    few = desk.admit("ada", "bert")
    many = desk.admit(*(f"p{place}" for place in range(60)))
    spec = journey(desk)
    send(desk, spec, few[0])
    with statements() as for_few:
        send(desk, spec, few[1])
    with statements() as for_many:
        send(desk, spec, *many)
    assert len(for_many) == len(for_few) < 30


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, Priority.TRANSACTIONAL),
        ({"purpose": Purpose.PUBLIC_HEALTH_ALERT}, Priority.TRANSACTIONAL),
        ({"purpose": Purpose.NEWSLETTER}, Priority.JOURNEY),
        ({"purpose": Purpose.PREVENTIVE_REMINDER}, Priority.JOURNEY),
        ({"promotes": Promotes.THIRD_PARTY}, Priority.JOURNEY),
        ({"purpose": Purpose.REFILL, "promotes": Promotes.OWN_HEALTH}, Priority.TRANSACTIONAL),
        ({"purpose": Purpose.REFILL, "remuneration": Remuneration.ABOVE_COST}, Priority.JOURNEY),
    ],
)
def test_what_a_message_is_for_says_how_urgent_it_is(change: dict[str, object], expected: Priority) -> None:
    assert priority_of(replace(office.REMINDER, **change)) is expected  # type: ignore[arg-type]


def test_an_open_sending_is_released_from_its_first_message_on(desk: Desk) -> None:
    desk.admit("ada")
    spec = journey(desk)
    send(desk, spec)
    row = OriginRow.objects.get(id=spec.origin.id)
    assert (row.status, row.is_open, row.planned) == (OriginRow.RELEASED, True, None)
    [sending] = api.sendings("journey", desk.clock.now())
    assert (sending.origin, dict(sending.states)) == (spec.origin, {State.CLEARED: 1})
