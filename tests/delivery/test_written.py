"""Messages of a program's own words: sealed in their row, closed as the law wants, and never two under one id."""

from __future__ import annotations

from dataclasses import replace

import pytest

from salus.contacts import api as contacts
from salus.delivery import api
from salus.delivery.api import Words
from salus.delivery.contracts import MessageSpec, Origin, Priority, Sent, State
from salus.delivery.models import Deposit, MessageRow
from salus.delivery.sealing import message_binding, open_content
from salus.identity.models import OrganizationRow
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Profile
from salus.keys import api as keys

from . import office
from .conftest import Desk

WORDS = Words("Your order {{ 1 }}", "It is ready. {% if x %}\n", "<p>It is {{ contact.email }} ready.</p>")


def submission(desk: Desk) -> MessageSpec:
    """Return what a program submits: a sending without a template."""
    spec = desk.spec(origin=Origin("submission", new_id()))
    return replace(spec, versions={}, priority=Priority.TRANSACTIONAL)


def send(desk: Desk, spec: MessageSpec, words: Words | None = WORDS) -> Sent:
    """Send the words to the first person of the clinic."""
    [number] = office.numbers(desk.people[:1])
    at = desk.clock.now()
    return api.send(spec, [number], not_before=at, actor=desk.actor, at=at, words=words)[number]


def test_the_words_go_as_they_are_with_the_closing_lines_below(desk: Desk) -> None:
    desk.admit("ada")
    sent = send(desk, submission(desk))
    assert sent.allowed
    [prepared] = desk.take().prepared
    parts = prepared.parts
    assert parts.subject == WORDS.subject
    assert WORDS.html in parts.html
    assert parts.text.startswith(WORDS.text)
    assert "Why did I get this?" in parts.text
    assert "<img" not in parts.html  # nobody counts who opens what a program wrote
    row = desk.row(prepared.lease.message_id)
    assert b"ready" not in bytes(row.sealed)
    desk.settle(desk.outcome(prepared))
    assert desk.row(row.id).state == State.ACCEPTED
    assert api.receipt(row.id).template_version_id is None


def test_a_plain_text_is_a_plain_page(desk: Desk) -> None:
    desk.admit("ada")
    send(desk, submission(desk), Words("Ready", "a < b\nsecond line\n"))
    [prepared] = desk.take().prepared
    assert "a &lt; b\nsecond line" in prepared.parts.html


def test_without_words_there_is_nothing_to_send(desk: Desk) -> None:
    desk.admit("ada")
    with pytest.raises(BadInput):
        send(desk, submission(desk), None)


def test_the_same_again_is_one_message_and_other_words_under_its_id_are_refused(desk: Desk) -> None:
    desk.admit("ada")
    spec = submission(desk)
    first = send(desk, spec)
    assert send(desk, spec) == first
    with pytest.raises(Conflict):
        send(desk, spec, replace(WORDS, text="Something else"))
    assert MessageRow.objects.filter(origin_id=spec.origin.id).count() == 1


def test_a_second_check_keeps_the_words_and_what_they_tell(desk: Desk) -> None:
    [ada] = desk.admit("ada")
    spec = submission(desk)
    sent = send(desk, spec)
    [number] = contacts.numbers_of([ada]).values()
    before = desk.row(sent.message_id or new_id()).contact_version
    contacts.change_attributes([(number, {"given_name": "Adele"})], actor=desk.actor)
    [prepared] = desk.take().prepared
    assert WORDS.html in prepared.parts.html
    assert desk.row(prepared.lease.message_id).contact_version > before


def test_a_deposit_keeps_the_words_and_its_notice_says_none_of_them(desk: Desk) -> None:
    desk.admit("ada")
    sent = send(desk, submission(desk))
    [prepared] = desk.take().prepared
    desk.settle(desk.outcome(prepared, State.PORTAL, reason="no_protected_path"))
    assert Deposit.objects.filter(message_id=sent.message_id or new_id()).exists()
    OrganizationRow.objects.filter(id=desk.id).update(profile=Profile.FEDERAL_FLOOR)
    [notice] = desk.take().prepared  # asked anew, because the organization chose other rules
    assert "ready" not in notice.parts.text + notice.parts.subject
    found = api.portal_message(sent.message_id or new_id())
    assert WORDS.html in found.html.reveal()


def test_the_erased_leave_no_words_behind(desk: Desk) -> None:
    [ada] = desk.admit("ada")
    spec = submission(desk)
    sent = send(desk, spec)
    api.erase_person(ada, actor=desk.actor, clock=desk.clock)
    row = desk.row(sent.message_id or new_id())
    assert not open_content(keys.sealer(), message_binding(desk.id, row.id), row.sealed).values
    assert send(desk, spec, replace(WORDS, text="other")).message_id == sent.message_id
