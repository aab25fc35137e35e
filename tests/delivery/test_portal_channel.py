"""Messages that are written to the portal: the mail is not tried, and a notice tells that one waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from salus.delivery import api, judging
from salus.delivery.codes import CODE, NOTICE
from salus.delivery.contracts import MessageSpec, Origin, State
from salus.delivery.deposits import notice_origin_id
from salus.delivery.models import MessageRow
from salus.gate.contracts import Reason
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel, Protection
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind, NewEntry

from . import office
from .conftest import Desk


def to_portal(desk: Desk, channel: Channel = Channel.PORTAL) -> MessageSpec:
    """Return a journey's message for the portal."""
    spec = desk.spec(origin=Origin("journey", new_id()))
    return replace(spec, facts=replace(spec.facts, channel=channel))


def deposit(desk: Desk, spec: MessageSpec) -> Any:
    """Send to everybody and let a sender do the first half: the one message is in the portal."""
    numbers, now = office.numbers(desk.people), desk.clock.now()
    [sent] = api.send(spec, numbers, not_before=now, actor=desk.actor, at=now).values()
    assert sent.allowed
    [prepared] = desk.take().prepared
    assert prepared.floor is Protection.PORTAL, "a sender tries no mail for it"
    desk.settle(judging.straight_to_portal(prepared, desk.clock.now()))
    return prepared


def notice_of(spec: MessageSpec) -> MessageRow:
    return MessageRow.objects.get(origin_id=notice_origin_id(spec.origin.id))


def test_it_waits_in_the_portal_and_a_notice_by_mail_says_so(desk: Desk) -> None:
    [ada] = desk.admit("ada")
    spec = to_portal(desk)
    prepared = deposit(desk, spec)
    id = prepared.lease.message_id
    assert prepared.content.to == ""
    assert "Dear Ada" in api.portal_message(id).text.reveal()
    [notice] = desk.take().prepared
    assert (notice.origin.kind, notice.content.to) == (NOTICE, "ada@lakepost.example.test")
    assert "Ada" not in notice.parts.text
    desk.settle(desk.outcome(notice))
    assert desk.states(spec.origin) == {State.PORTAL: 1}
    assert api.progress(spec.origin).reasons[State.PORTAL] == {"portal_was_chosen": 1}
    [told] = api.messages_of_contact(ada)
    assert (told.channel, told.in_portal) == (Channel.PORTAL, True)
    assert api.receipt(notice.lease.message_id).channel == Channel.EMAIL


def test_its_reader_may_sign_in_with_a_code_that_goes_where_the_notice_went(desk: Desk) -> None:
    desk.admit("ada")
    id = deposit(desk, to_portal(desk)).lease.message_id
    assert api.send_code(id, Phi("482913"), language="en", at=desk.clock.now()) is None, "no notice yet"
    [notice] = desk.take().prepared
    desk.settle(desk.outcome(notice))
    address = api.send_code(id, Phi("482913"), language="en", at=desk.clock.now())
    assert address == Phi("ada@lakepost.example.test")
    [code] = desk.take().prepared
    assert (code.origin.kind, code.notice_for) == (CODE, None)
    assert "482913" in code.parts.text


@pytest.mark.parametrize("reason", [Reason.SUPPRESSED, Reason.OPTED_OUT])
def test_who_cannot_be_told_by_mail_is_a_matter_for_staff(desk: Desk, reason: Reason) -> None:
    [ada] = desk.admit("ada")
    kinds = {Reason.SUPPRESSED: EntryKind.SUPPRESSION, Reason.OPTED_OUT: EntryKind.OPT_OUT}
    said: dict[Reason, Any] = {
        Reason.SUPPRESSED: {"details": {"reason": "hard_bounce", "address": "ada@lakepost.example.test"}},
        Reason.OPTED_OUT: {"topic": office.TOPIC},
    }
    entry = NewEntry(ada, kinds[reason], desk.clock.now(), "in a test", channel=Channel.EMAIL, **said[reason])
    permissions.append([entry], actor=desk.actor)
    spec = to_portal(desk)
    deposit(desk, spec)
    batch = desk.take()
    assert batch.prepared == []
    desk.settle(batch=batch)
    assert (notice_of(spec).state, notice_of(spec).reason) == (State.CANCELLED, reason)
    assert desk.states(spec.origin) == {State.PORTAL_UNNOTIFIED: 1}


def test_of_whom_no_address_is_known_nobody_knows_that_they_may_be_written_to(desk: Desk) -> None:
    desk.admit("ada", domain="")
    now = desk.clock.now()
    [sent] = api.send(
        to_portal(desk), office.numbers(desk.people), not_before=now, actor=desk.actor, at=now
    ).values()
    assert sent.reason == Reason.ADDRESS_SOURCE


def test_who_opted_out_everywhere_gets_nothing_in_the_portal_either(desk: Desk) -> None:
    [ada] = desk.admit("ada")
    permissions.opt_out(ada, office.TOPIC, Channel.PORTAL, evidence="by phone", actor=desk.actor)
    now = desk.clock.now()
    [sent] = api.send(
        to_portal(desk), office.numbers(desk.people), not_before=now, actor=desk.actor, at=now
    ).values()
    assert (sent.allowed, sent.reason) == (False, Reason.OPTED_OUT)


def test_the_second_check_keeps_it_away_from_the_mail(desk: Desk) -> None:
    [ada] = desk.admit("ada")
    spec, now = to_portal(desk), desk.clock.now()
    api.send(spec, office.numbers(desk.people), not_before=now, actor=desk.actor, at=now)
    permissions.opt_out(ada, "another_topic", Channel.EMAIL, evidence="by phone", actor=desk.actor)
    [prepared] = desk.take().prepared
    assert (prepared.floor, prepared.channel) == (Protection.PORTAL, Channel.PORTAL)


def test_text_messages_are_refused_until_there_is_a_way_to_send_them(desk: Desk) -> None:
    desk.admit("ada")
    now = desk.clock.now()
    with pytest.raises(BadInput, match="Text messages cannot be sent yet"):
        api.send(
            to_portal(desk, Channel.SMS),
            office.numbers(desk.people),
            not_before=now,
            actor=desk.actor,
            at=now,
        )
