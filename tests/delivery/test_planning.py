"""Planning: one row a person, whatever happens in the middle, and sums that add up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.delivery import api, planner
from salus.delivery.contracts import Origin, State
from salus.delivery.models import MessageRow
from salus.delivery.rules import LEGAL_MOVES
from salus.delivery.sealing import CHOICES, TRACK, message_binding, open_content, seal_content
from salus.gate.contracts import Reason
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import Channel, Protection
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for

from . import office
from .conftest import Desk


def rows(origin: Origin) -> list[MessageRow]:
    return list(MessageRow.objects.filter(origin_id=origin.id).order_by("contact_number"))


def content(row: MessageRow) -> Any:
    return open_content(keys.sealer(), message_binding(row.organization_id, row.id), row.sealed)


def test_everybody_has_one_row_with_its_reason_and_the_sums_add_up(desk: Desk) -> None:
    ada, bert, _ = desk.admit("ada", "bert", "cora")
    desk.admit("dan", domain="")
    permissions.opt_out(bert, office.TOPIC, Channel.EMAIL, evidence="by phone", actor=desk.actor)
    origin, counts = desk.plan()
    assert (counts.planned, counts.cleared) == (4, 2)
    assert counts.refused == {Reason.OPTED_OUT: 1, Reason.NO_ADDRESS: 1}
    assert counts.planned == counts.cleared + sum(counts.refused.values())
    assert counts.cleared == sum(counts.by_rule.values()) == sum(counts.by_floor.values())
    progress = api.progress(origin)
    assert progress.planned == sum(progress.states.values()) == 4
    assert progress.refused == counts.refused
    assert {row.contact_id: row.reason for row in rows(origin)}[ada] == ""


def test_a_row_keeps_sealed_only_what_the_message_needs(desk: Desk) -> None:
    desk.admit("ada")
    origin, _ = desk.plan()
    [row] = rows(origin)
    opened = content(row)
    assert opened.to == "ada@lakepost.example.test"
    assert opened.values["contact"] == {"given_name": "Ada"}
    assert set(opened.tokens) == {TRACK, CHOICES}
    for word in (b"Ada", b"ada@", b"lakepost"):
        assert word not in bytes(row.sealed)
    other = MessageRow(id=new_id(), organization_id=row.organization_id, sealed=row.sealed)
    with pytest.raises(BadInput):
        content(other)


def test_a_refused_row_keeps_the_decision_and_nothing_of_the_person(desk: Desk) -> None:
    [ada] = desk.admit("ada")
    permissions.opt_out(ada, office.TOPIC, Channel.EMAIL, evidence="by phone", actor=desk.actor)
    origin, _ = desk.plan()
    [row] = rows(origin)
    opened = content(row)
    assert (opened.to, opened.values, opened.tokens) == ("", {}, {})
    assert opened.decision["rules"]


def test_the_same_chunk_twice_is_the_same_plan(desk: Desk) -> None:
    desk.admit("ada", "bert", "cora")
    spec, numbers = desk.spec(), office.numbers(desk.people)
    api.begin_plan(spec, actor=desk.actor, at=desk.clock.now())
    for chunk in (numbers[:2], numbers[1:], numbers):
        api.plan_chunk(spec.origin, chunk, actor=desk.actor, at=desk.clock.now())
    first = [(row.id, row.contact_number) for row in rows(spec.origin)]
    assert [number for _, number in first] == numbers
    counts = api.plan(spec, numbers, actor=desk.actor, clock=desk.clock)
    assert counts.planned == 3
    assert [(row.id, row.contact_number) for row in rows(spec.origin)] == first


def test_killed_in_the_middle_it_goes_on_and_nobody_is_doubled_or_missed(
    committed: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"p{place}" for place in range(7)]
    with acting_for(committed.id):
        committed.admit(*names)
        spec, numbers = committed.spec(), office.numbers(committed.people)
        api.begin_plan(spec, actor=committed.actor, at=committed.clock.now())

    def chunk(some: list[int]) -> None:
        with acting_for(committed.id):
            api.plan_chunk(spec.origin, some, actor=committed.actor, at=committed.clock.now())

    chunk(numbers[:3])
    sealed = iter((True, True, False))

    def dies(*arguments: Any) -> bytes:
        if not next(sealed):
            raise KeyboardInterrupt
        return seal_content(*arguments)

    monkeypatch.setattr(planner, "seal_content", dies)
    with pytest.raises(KeyboardInterrupt):
        chunk(numbers[3:])
    monkeypatch.undo()
    with acting_for(committed.id):
        assert [row.contact_number for row in rows(spec.origin)] == numbers[:3]
    for start in range(0, 7, 3):  # as a worker does it that begins anew
        chunk(numbers[start : start + 3])
    with acting_for(committed.id):
        assert [row.contact_number for row in rows(spec.origin)] == numbers
        assert api.finish_plan(spec.origin, actor=committed.actor).planned == 7


def test_an_origin_is_planned_with_one_specification_only(desk: Desk) -> None:
    desk.admit("ada")
    spec = desk.spec()
    desk.plan(spec)
    assert api.spec_of(spec.origin) == spec, "what is sealed is what was specified"
    other = office.template(desk.organization)
    with pytest.raises(Conflict, match="other content"):
        api.begin_plan(desk.spec(other, origin=spec.origin), actor=desk.actor, at=desk.clock.now())
    with pytest.raises(NotFound):
        api.spec_of(Origin("campaign", new_id()))


def test_somebody_who_is_gone_stops_the_plan(desk: Desk) -> None:
    ada, bert = desk.admit("ada", "bert")
    numbers = office.numbers(desk.people)
    contacts.erase_person(ada, actor=desk.actor)
    del bert
    with pytest.raises(Conflict, match="1 people of this audience"):
        api.plan(desk.spec(), numbers, actor=desk.actor, clock=desk.clock)


def test_a_domain_that_few_share_is_blinded_and_one_that_many_share_is_not(desk: Desk) -> None:
    many = [f"p{place}" for place in range(planner.SHARED_BY)]
    desk.admit(*many)
    [alone] = desk.admit("ada", domain="ada-example-and-sons.example.test")
    origin, _ = desk.plan()
    sites = {row.contact_id: row.site for row in rows(origin)}
    assert sites.pop(alone) == keys.blinder().blind("domain", "ada-example-and-sons.example.test").hex()
    assert set(sites.values()) == {"lakepost.example.test"}


def test_each_person_gets_their_language_when_there_is_a_version_in_it(desk: Desk) -> None:
    spanish = office.template(desk.organization, language="es")
    people = {}
    for name, language in (("ada", "en"), ("blanca", "es"), ("chen", "zh")):
        [people[name]] = desk.admit(name, language=language)
    origin, _ = desk.plan(desk.spec(es=spanish))
    found = {row.contact_id: (row.language, row.version_id) for row in rows(origin)}
    assert found == {
        people["ada"]: ("en", desk.version_id),
        people["blanca"]: ("es", spanish),
        people["chen"]: ("en", desk.version_id),
    }


def test_what_the_segment_reads_sets_the_floor(desk: Desk) -> None:
    desk.admit("ada")
    about_diabetes = office.template(desk.organization, office.EDUCATION)
    _, plain = desk.plan()
    _, clinical = desk.plan(desk.spec(about_diabetes, reads=office.ASKS_FOR_DIABETES))
    assert plain.by_floor == {"named": 1}
    assert clinical.by_floor == {"verified": 1}


def test_planning_is_recorded_with_its_sums(desk: Desk) -> None:
    desk.admit("ada")
    origin, _ = desk.plan()
    entries = audit.entries(Filters(action=Action.MESSAGE_PLAN, object_id=origin.id))
    assert {entry.outcome: dict(entry.details) for entry in entries} == {
        "started": {},
        "planned": {"planned": 1, "cleared": 1},
    }


def test_nothing_is_released_before_its_plan_has_ended(desk: Desk) -> None:
    desk.admit("ada")
    spec = desk.spec()
    api.begin_plan(spec, actor=desk.actor, at=desk.clock.now())
    with pytest.raises(Conflict):
        api.release(spec.origin, not_before=desk.clock.now(), actor=desk.actor)


@pytest.mark.parametrize("old", list(State))
def test_the_database_refuses_every_move_that_is_not_legal(desk: Desk, old: State) -> None:
    desk.admit("ada")
    origin, _ = desk.plan()
    [row] = rows(origin)
    for new in State:
        with transaction.atomic():
            id = place_in(row, old)
            move = MessageRow.objects.filter(id=id)
            if new is old or new in LEGAL_MOVES[old]:
                move.update(state=new)
            else:
                with (
                    pytest.raises(IntegrityError, match=f"cannot go from {old} to {new}"),
                    transaction.atomic(),
                ):
                    move.update(state=new)


def place_in(row: MessageRow, state: State) -> UUID:
    """Return a copy of a message that begins its life in a state."""
    copy = MessageRow.objects.get(id=row.id)
    copy.id, copy.contact_number, copy.state = new_id(), new_id().int % 2**40, state
    copy.save(force_insert=True)
    return copy.id


def test_an_outsider_sees_no_message_even_past_our_own_checks(
    committed: Desk, other_organization: UUID
) -> None:
    with acting_for(committed.id):
        committed.admit("ada")
        origin = committed.release()
    with acting_for(other_organization), connection.cursor() as cursor:
        for table in ("delivery_message", "delivery_queue", "delivery_origin"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,)
        with pytest.raises(NotFound):
            api.spec_of(origin)


def test_the_clock_of_a_decision_is_the_clock_of_the_plan(desk: Desk) -> None:
    desk.admit("ada")
    later = FakeClock(desk.clock.now())
    origin, _ = desk.plan()
    [row] = rows(origin)
    assert row.decided_at == later.now()
    assert row.floor == Protection.NAMED
    assert row.valid_until > row.decided_at
