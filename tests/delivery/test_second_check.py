"""The second check: whoever changed since the plan is asked about again, just before hand-over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from salus.contacts import api as contacts
from salus.delivery import preparing
from salus.delivery.contracts import Origin, State
from salus.delivery.leasing import LEASE, mark_begun
from salus.delivery.models import MessageRow
from salus.gate import api as gate
from salus.gate.contracts import Reason
from salus.identity.models import OrganizationRow
from salus.kernel.vocabulary import Channel, Profile, Protection, Purpose
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind, NewEntry

from . import office
from .conftest import Desk


def change(desk: Desk, name: str, address: str = "", **values: Any) -> None:
    """Change what is known of a person, as an import would."""
    patch = office.patient(name, address or f"{name}@lakepost.example.test", desk.clock.now(), **values)
    contacts.merge([patch], actor=desk.actor)


def only(desk: Desk, origin: Origin) -> Any:
    """Return the one message of a sending."""
    [row] = MessageRow.objects.filter(origin_id=origin.id)
    return row


def test_who_did_not_change_goes_as_planned(desk: Desk) -> None:
    desk.admit("ada")
    desk.release()
    [prepared] = desk.take().prepared
    assert prepared.content.to == "ada@lakepost.example.test"
    assert "Dear Ada" in prepared.parts.text
    assert prepared.floor is Protection.NAMED
    assert prepared.parts.renderer


def test_who_opted_out_between_plan_and_send_is_stopped_with_the_reason(desk: Desk) -> None:
    ada, _ = desk.admit("ada", "bert")
    origin = desk.release()
    permissions.opt_out(ada, office.TOPIC, Channel.EMAIL, evidence="by phone", actor=desk.actor)
    batch = desk.take()
    [stopped] = batch.stopped
    assert stopped.reason == Reason.OPTED_OUT
    assert [each.contact_id for each in batch.prepared] != [ada]
    desk.settle(batch=batch)
    row = desk.row(stopped.lease.message_id)
    assert (row.state, row.reason, row.contact_id) == (State.CANCELLED, Reason.OPTED_OUT, ada)
    assert desk.states(origin) == {State.LEASED: 1, State.CANCELLED: 1}
    assert [each.message_id for each in desk.queue(origin)] == [batch.prepared[0].lease.message_id]


def test_who_changed_and_still_may_is_bound_anew_and_gets_the_new_words(desk: Desk) -> None:
    desk.admit("ada")
    origin = desk.release()
    before = only(desk, origin)
    change(desk, "ada", given_name="Adelheid")
    [prepared] = desk.take().prepared
    after = only(desk, origin)
    assert "Dear Adelheid" in prepared.parts.text
    assert after.contact_version > before.contact_version
    assert after.decided_at == desk.clock.now()
    assert preparing.still_standing([after.id], desk.clock.now()) == {after.id}


def test_who_has_another_address_now_gets_it_there(desk: Desk) -> None:
    desk.admit("ada")
    desk.release()
    change(desk, "ada", "ada.new@harbor.example.test")
    [prepared] = desk.take().prepared
    assert prepared.content.to == "ada.new@harbor.example.test"


def test_a_message_cleared_under_other_rules_is_asked_about_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Salus was upgraded while it waited: what the old tables allowed, the new ones may not."""
    desk.admit("ada", "bert")
    desk.release()
    asked: list[int] = []
    decide = gate.assemble_and_clear

    def listen(facts: Any, numbers: Any, *more: Any) -> Any:
        asked.extend(numbers)
        return decide(facts, numbers, *more)

    monkeypatch.setattr(gate, "assemble_and_clear", listen)
    assert len(desk.take(1).prepared) == 1
    assert asked == [], "the same rules: nobody is asked about twice"
    monkeypatch.setattr(gate, "RULES_VERSION", "another")
    assert len(desk.take().prepared) == 1
    assert len(asked) == 1


def test_an_organization_that_became_strict_sends_nothing_that_only_the_floor_allows(desk: Desk) -> None:
    """Its other settings are those of now too: what the plan was made for does not outlive them."""
    desk.admit("ada")
    lenient = replace(office.EDUCATION, purpose=Purpose.NEWSLETTER, conditions=())
    version_id = office.template(desk.organization, lenient)
    spec = desk.spec(version_id)
    floor = replace(spec, facts=replace(spec.facts, profile=Profile.FEDERAL_FLOOR))
    OrganizationRow.objects.update(profile=Profile.FEDERAL_FLOOR)
    origin = desk.release(floor)
    assert desk.states(origin) == {State.CLEARED: 1}, "the floor lets a newsletter to a patient go"
    OrganizationRow.objects.update(profile=Profile.STRICT)
    batch = desk.take()
    assert batch.prepared == []
    assert [each.reason for each in batch.stopped] == [Reason.NO_OPT_IN]


def test_who_asked_for_another_address_meanwhile_gets_it_there_only(desk: Desk) -> None:
    [ada] = desk.admit("ada")
    desk.release()
    permissions.append(
        [
            NewEntry(
                ada,
                EntryKind.CONFIDENTIAL_ADDRESS,
                desk.clock.now() - timedelta(seconds=30),
                "form 12",
                channel=Channel.EMAIL,
                details={"value": "ada.private@harbor.example.test"},
            )
        ],
        actor=desk.actor,
    )
    [prepared] = desk.take().prepared
    assert prepared.content.to == "ada.private@harbor.example.test"


def test_who_is_gone_is_stopped(desk: Desk) -> None:
    [ada] = desk.admit("ada")
    origin = desk.release()
    contacts.erase_person(ada, actor=desk.actor)
    batch = desk.take()
    assert [each.reason for each in batch.stopped] == ["person_is_gone"]
    desk.settle(batch=batch)
    assert desk.states(origin) == {State.CANCELLED: 1}


def test_a_clearance_whose_time_is_over_is_asked_for_again(desk: Desk) -> None:
    desk.admit("ada")
    origin = desk.release()
    row = only(desk, origin)
    row.valid_until = desk.clock.now() + timedelta(minutes=2)
    row.save(update_fields=["valid_until"])
    desk.clock.advance(timedelta(minutes=3))
    [prepared] = desk.take().prepared
    assert prepared.decided_at == desk.clock.now()
    assert only(desk, origin).valid_until > desk.clock.now()


def test_a_change_during_the_hand_over_is_seen_before_mail_from(desk: Desk) -> None:
    ada, _ = desk.admit("ada", "bert")
    desk.release()
    batch = desk.take()
    ids = {each.contact_id: each.lease.message_id for each in batch.prepared}
    assert preparing.still_standing(list(ids.values()), desk.clock.now()) == set(ids.values())
    permissions.opt_out(ada, office.TOPIC, Channel.EMAIL, evidence="by phone", actor=desk.actor)
    assert preparing.still_standing(list(ids.values()), desk.clock.now()) == set(ids.values()) - {ids[ada]}


def test_a_message_that_a_dead_sender_had_begun_is_flagged_before_its_mark_is_taken_away(desk: Desk) -> None:
    desk.admit("ada", "bert")
    origin = desk.release()
    first = desk.take().prepared
    mark_begun([first[0].lease])
    desk.clock.advance(LEASE + timedelta(seconds=1))
    again = {each.lease.message_id: each for each in desk.take().prepared}
    assert again[first[0].lease.message_id].uncertain
    assert not again[first[1].lease.message_id].uncertain
    assert [row.begun for row in desk.queue(origin)] == [False, False]
    desk.settle(*(desk.outcome(each) for each in again.values()))
    assert desk.row(first[0].lease.message_id).uncertain


def test_what_is_not_to_be_sent_any_more_is_dropped_from_the_queue(desk: Desk) -> None:
    desk.admit("ada")
    origin = desk.release()
    only(desk, origin)
    MessageRow.objects.filter(origin_id=origin.id).update(state=State.CANCELLED)
    batch = desk.take()
    assert [each.reason for each in batch.stopped] == [""]
    assert desk.settle(batch=batch) == set()
    assert desk.queue(origin) == []
    assert only(desk, origin).state == State.CANCELLED


def test_preparing_again_renders_the_same_words(desk: Desk) -> None:
    desk.admit("ada")
    desk.release()
    [first] = desk.take().prepared
    desk.clock.advance(LEASE + timedelta(seconds=1))
    [again] = desk.take().prepared
    assert (again.parts, again.content) == (first.parts, first.content)
