"""How long messages wait in the portal, what becomes of them after that, and why they are taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from salus.audit.models import EntryRow as AuditRow
from salus.delivery import api, judging
from salus.delivery.api import Words
from salus.delivery.contracts import Origin, PortalRule, Priority, RecallReason, State
from salus.delivery.models import Deposit, MessageRow
from salus.files import api as files
from salus.files.contracts import Of, Owner
from salus.identity import api as identity
from salus.identity.contracts import Permission, Role
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel
from tests.browser import NARROW, Console, assert_accessible, assert_no_sideways_scroll, keep_picture, sign_in

from ..files.samples import PNG
from . import office
from .conftest import Desk

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

WORDS = Words("About your visit", "Please bring the blue card.")


def letter(desk: Desk, **kept: object) -> UUID:
    """Write to the first person, and let a sender bring it to the portal; return its id."""
    if not desk.people:
        desk.admit("ada")
    spec = desk.spec(origin=Origin("letter", new_id()))
    facts = replace(spec.facts, channel=Channel.PORTAL)
    spec = replace(spec, versions={}, facts=facts, priority=Priority.TRANSACTIONAL)
    [number], now = office.numbers(desk.people[:1]), desk.clock.now()
    sent = api.send(spec, [number], not_before=now, actor=desk.actor, at=now, words=WORDS)[number]
    assert sent.message_id
    api.keep_letter(sent.message_id, **{"view_only": False, "days": None, **kept})  # type: ignore[arg-type]
    [prepared] = [each for each in desk.take().prepared if each.lease.message_id == sent.message_id]
    desk.settle(judging.straight_to_portal(prepared, now))
    return sent.message_id


def administrator(desk: Desk) -> Actor:
    return replace(desk.actor, permissions=frozenset({Permission.ORGANIZATION_SETTINGS_EDIT}))


def test_the_rule_says_how_long_and_a_letter_may_say_otherwise(desk: Desk) -> None:
    usual = letter(desk)
    api.set_portal_rule(PortalRule(days=10, kept_days=0), actor=administrator(desk))
    now = desk.clock.now()
    assert api.portal_message(usual).expires_at == now + timedelta(days=60)
    assert api.portal_message(letter(desk)).expires_at == now + timedelta(days=10)
    short = letter(desk, days=2, view_only=True)
    assert api.portal_message(short).expires_at == now + timedelta(days=2)
    assert api.portal_message(short).view_only
    assert not api.portal_message(usual).view_only


@pytest.mark.parametrize(
    ("rule", "place"),
    [((0, 1), "days"), ((366, 1), "days"), ((1, -1), "kept_days"), ((1, 2191), "kept_days")],
)
def test_a_rule_that_cannot_be_is_refused(desk: Desk, rule: tuple[int, int], place: str) -> None:
    with pytest.raises(BadInput) as refused:
        api.set_portal_rule(PortalRule(*rule), actor=administrator(desk))
    assert refused.value.place == place
    assert api.portal_rule() == PortalRule()
    with pytest.raises(BadInput):
        api.keep_letter(new_id(), view_only=False, days=0)


def test_a_letter_is_told_to_its_sender_with_when_it_was_opened(desk: Desk) -> None:
    id = letter(desk)
    [told] = api.letters_of([id, new_id()]).values()
    assert (told.state, told.opened_at) == (State.PORTAL, None)
    assert told.text.reveal() == WORDS.text
    assert WORDS.text not in repr(told)
    api.portal_opened(id, desk.clock.now())
    assert api.letters_of([id])[id].opened_at == desk.clock.now()


def test_what_ended_is_erased_with_its_files_after_the_days_of_the_rule_and_the_receipt_stays(
    desk: Desk,
) -> None:
    id = letter(desk, days=5)
    contact, draft = desk.people[0], new_id()
    kept = files.take(contact, "a.png", [PNG], draft_id=draft, actor=desk.actor, at=desk.clock.now())
    owner = Owner(Of.MESSAGE, id)
    files.attach([kept.id], owner, contact_id=contact, draft_id=draft)
    ended = desk.clock.now() + timedelta(days=5)
    assert api.erase_ended(actor=desk.actor, at=ended) == 0
    assert api.expire_deposits(actor=desk.actor, at=ended) == 1
    assert api.erase_ended(actor=desk.actor, at=ended + timedelta(days=29)) == 0
    assert files.files_of([owner])
    assert api.erase_ended(actor=desk.actor, at=ended + timedelta(days=30)) == 1
    assert api.erase_ended(actor=desk.actor, at=ended + timedelta(days=30)) == 0
    assert not files.files_of([owner])
    assert bytes(Deposit.objects.get(message_id=id).sealed) == b""
    assert not api.letters_of([id])[id].text.reveal()
    receipt = api.receipt(id)
    assert receipt.state is State.EXPIRED
    assert receipt.rule_ids
    assert receipt.deposit
    assert receipt.deposit.erased_at


@pytest.mark.parametrize("opened", [False, True])
def test_a_recall_says_why_and_whether_it_had_been_read(desk: Desk, opened: bool) -> None:
    id = letter(desk)
    if opened:
        api.portal_opened(id, desk.clock.now())
    api.recall(id, reason=RecallReason.WRONG_PERSON, actor=desk.actor, at=desk.clock.now())
    deposit = api.receipt(id).deposit
    assert deposit
    assert deposit.recall_reason == "wrong_person"
    entry = AuditRow.objects.get(action="delivery:message:recall", object_id=id)
    assert (entry.reason, entry.details["opened"]) == ("wrong_person", int(opened))


@pytest.mark.parametrize(
    ("before", "after"),
    [(State.RECALLED, State.OPENED), (State.EXPIRED, State.PORTAL), (State.PORTAL, State.ACCEPTED)],
)
def test_the_database_refuses_moves_that_the_rules_do_not_have(
    desk: Desk, before: State, after: State
) -> None:
    id = letter(desk)
    if before is not State.PORTAL:
        MessageRow.objects.filter(id=id).update(state=before)
    with pytest.raises(IntegrityError), transaction.atomic():
        MessageRow.objects.filter(id=id).update(state=after)


@pytest.mark.parametrize("field", ["recalled_at", "erased_at"])
def test_the_database_refuses_what_was_taken_back_or_erased_and_did_not_end(desk: Desk, field: str) -> None:
    id = letter(desk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Deposit.objects.filter(message_id=id).update(**{field: desk.clock.now()})


@pytest.mark.parametrize("role", list(Role))
def test_the_page_of_the_rule_is_for_who_may_see_settings(console: Console, role: Role) -> None:
    may = identity.permissions_of([role])
    client = console.client(role)
    shown = client.get("/settings/portal/")
    assert shown.status_code == (200 if Permission.ORGANIZATION_SETTINGS_READ in may else 404)
    answer = client.post("/settings/portal/", {"days": "9", "kept_days": "0"})
    assert answer.status_code == (302 if Permission.ORGANIZATION_SETTINGS_EDIT in may else 404)
    if Permission.ORGANIZATION_SETTINGS_EDIT in may:
        assert client.post("/settings/portal/", {"days": "0", "kept_days": "x"}).status_code == 422
        assert b"can be read for <b>9</b> days" in client.get("/settings/portal/").content


def test_nobody_else_sets_the_rule(desk: Desk) -> None:
    with pytest.raises(NotFound):
        api.set_portal_rule(PortalRule(9, 9), actor=replace(desk.actor, permissions=frozenset()))


@pytest.mark.browser
def test_the_page_looks_right(console: Console, page_at: Callable[..., Page]) -> None:
    page = page_at(NARROW)
    sign_in(page, "administrator")
    page.goto(f"{console.url}/settings/portal/")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "portal-rule")
