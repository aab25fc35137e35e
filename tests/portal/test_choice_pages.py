"""Choosing, stopping and seeing why."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from salus.delivery.contracts import CHOICES_LINK, State
from salus.kernel.vocabulary import Channel, Protection, Purpose
from salus.patients import api as patients
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind, NewEntry, Standing
from salus.platform.tenancy import acting_for
from salus.safeguards import api as safeguards

from ..permissions.cast import GOOD_FORM
from .conftest import World, add, person, text_of

EMAIL, SMS = Channel.EMAIL, Channel.SMS


def standing(world: World) -> Standing:
    with acting_for(world.organization.id):
        return permissions.standing(world.rosa, world.clock.now())


def append(world: World, kind: EntryKind, **more: Any) -> UUID:
    entry = NewEntry(world.rosa, kind, world.clock.now() - timedelta(days=9), "test", **more)
    with acting_for(world.organization.id):
        return permissions.append([entry], actor=world.actor)[0]


def ticked(page: Any) -> set[str]:
    return set(re.findall(r'type="checkbox" name="[^"]+" value="([^"]+)" checked', page.content.decode()))


def test_topics_that_come_are_ticked_by_channel(world_of_rosa: World) -> None:
    append(world_of_rosa, EntryKind.OPT_IN, topic="newsletter", channel=SMS)
    append(world_of_rosa, EntryKind.OPT_OUT, topic="events", channel=EMAIL)
    page = world_of_rosa.signed_in().get("/p/choices")
    assert ticked(page) == {"email:diabetes care", "sms:newsletter", "yes"}
    assert "You choose. Your care does not depend on it" in text_of(page)
    assert "Events" in text_of(page)


def test_saving_writes_down_only_what_changed(world_of_rosa: World) -> None:
    append(world_of_rosa, EntryKind.OPT_IN, topic="newsletter", channel=EMAIL)
    client = world_of_rosa.signed_in()
    version = standing(world_of_rosa).version
    same = {"box": ["email:diabetes care", "email:newsletter"], "fundraising": "yes"}
    assert "Nothing was changed." in text_of(client.post("/p/choices", same))
    assert standing(world_of_rosa).version == version
    answer = client.post("/p/choices", {"box": ["email:newsletter", "sms:newsletter"]})
    assert "Saved." in text_of(answer)
    assert ticked(answer) == {"email:newsletter", "sms:newsletter"}
    now = standing(world_of_rosa)
    assert now.opted_out("diabetes care", EMAIL) is not None
    assert now.opted_in("newsletter", SMS) is not None
    assert now.fundraising_opt_out is not None


def test_an_email_topic_chosen_again_is_confirmed_and_a_text_topic_is_not(world_of_rosa: World) -> None:
    append(world_of_rosa, EntryKind.OPT_OUT, topic="newsletter")
    client = world_of_rosa.signed_in()
    client.post("/p/choices", {"box": ["email:newsletter", "sms:newsletter", "email:diabetes care"]})
    now = standing(world_of_rosa)
    by_email, by_text = now.opted_in("newsletter", EMAIL), now.opted_in("newsletter", SMS)
    assert by_email is not None
    assert by_text is not None
    assert (by_email.confirmed, by_text.confirmed) == (True, False)


def test_boxes_that_were_never_offered_change_nothing(world_of_rosa: World) -> None:
    client = world_of_rosa.signed_in()
    made_up = ["email:made up", "fax:diabetes care", "nonsense", "email:diabetes care"]
    client.post("/p/choices", {"box": made_up, "fundraising": "yes"})
    assert standing(world_of_rosa).version == 0


def test_stop_all_stops_every_topic_and_gifts(world_of_rosa: World) -> None:
    client = world_of_rosa.signed_in()
    assert client.get("/p/choices/stop").status_code == 405
    assert "Appointment reminders go on." in text_of(client.post("/p/choices/stop"))
    now = standing(world_of_rosa)
    assert all(now.opted_out("anything", channel) for channel in Channel)
    assert now.fundraising_opt_out is not None
    assert ticked(client.get("/p/choices")) == set()


def test_a_patient_may_ask_that_everything_stays_in_the_portal(world_of_rosa: World) -> None:
    client, rosa = world_of_rosa.signed_in(), world_of_rosa.rosa
    assert client.get("/p/choices/protection").status_code == 405
    for where, wish in (("portal", Protection.PORTAL), ("elsewhere", Protection.PORTAL), ("usual", None)):
        client.post("/p/choices/protection", {"where": where})
        with acting_for(world_of_rosa.organization.id):
            assert safeguards.wishes([rosa]).get(rosa) is wish
    assert "Always here." in text_of(client.get("/p/choices"))


def test_what_was_signed_can_be_taken_back(world_of_rosa: World) -> None:
    signed = append(
        world_of_rosa,
        EntryKind.AUTHORIZATION,
        details=GOOD_FORM,
        valid_until=world_of_rosa.clock.now() + timedelta(days=90),
    )
    client = world_of_rosa.signed_in()
    assert "To tell me about new glucose meters" in text_of(client.get("/p/choices"))
    said = text_of(client.post(f"/p/choices/withdraw/{signed}"))
    assert "You took it back." in said
    assert "glucose meters" not in said
    assert standing(world_of_rosa).authorizations == ()


@pytest.mark.parametrize("by_staff", [False, True])
def test_what_law_protects_more_is_told_only_after_a_code_from_staff(
    world_of_rosa: World, by_staff: bool
) -> None:
    """Topic, purpose, rule and signed form of a protected letter tell what it is about, like the letter."""
    append(
        world_of_rosa,
        EntryKind.AUTHORIZATION,
        details={**GOOD_FORM, "specials": ["hiv"]},
        valid_until=world_of_rosa.clock.now() + timedelta(days=90),
    )
    letter: dict[str, Any] = {
        "topic": "sexual health",
        "disclosed": ("contact", "diagnosis", "hiv"),
        "rule_ids": ("D05", "S3"),
    }
    special = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, special=True, **letter)
    if by_staff:
        client = world_of_rosa.client()
        with acting_for(world_of_rosa.organization.id):
            issued = patients.issue_code(
                world_of_rosa.rosa, actor=world_of_rosa.actor, clock=world_of_rosa.clock
            )
        facts = {"code": issued.code.reveal(), "m": "4", "d": "17", "y": "1961"}
        assert client.post(world_of_rosa.link(special), facts).status_code == 303
    else:
        client = world_of_rosa.signed_in()
    choices, history = text_of(client.get("/p/choices")), text_of(client.get("/p/history"))
    for page, word in ((choices, "Sexual health"), (choices, "glucose meters"), (history, "D05, S3")):
        assert (word in page) is by_staff, word
    assert ("the law protects more" in history) is not by_staff
    boxes = {"box": ["email:diabetes care"], "fundraising": "yes"}
    client.post("/p/choices", boxes)
    stopped = standing(world_of_rosa).opted_out("sexual health", EMAIL)
    assert (stopped is not None) is by_staff, "a box that was not shown was not taken away"


def test_nobody_takes_back_what_somebody_else_signed(world_of_rosa: World) -> None:
    signed = append(
        world_of_rosa,
        EntryKind.AUTHORIZATION,
        details=GOOD_FORM,
        valid_until=world_of_rosa.clock.now() + timedelta(days=90),
    )
    bob = add(world_of_rosa.organization.id, person("7002", given_name="Bob", birth_date="1961-04-17"))
    client = world_of_rosa.signed_in(world_of_rosa.mailbox.deposit(bob))
    assert client.post(f"/p/choices/withdraw/{signed}").status_code == 404
    assert len(standing(world_of_rosa).authorizations) == 1


def test_a_get_on_the_unsubscribe_link_asks_and_changes_nothing(world_of_rosa: World) -> None:
    link = world_of_rosa.stop_link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    for _ in range(3):
        answer = world_of_rosa.client().get(link)
        assert answer.status_code == 200
        assert "we stop “Diabetes care” by e-mail. Appointment reminders go on." in text_of(answer)
    assert standing(world_of_rosa).version == 0


@pytest.mark.parametrize("multipart", [False, True])
def test_one_click_needs_no_cookie_and_is_not_redirected(world_of_rosa: World, multipart: bool) -> None:
    """RFC 8058 section 3.2: a POST with List-Unsubscribe=One-Click, urlencoded or multipart."""
    link = world_of_rosa.stop_link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    mail_program = world_of_rosa.client(enforce_csrf_checks=True)
    if multipart:
        answer = mail_program.post(link, {"List-Unsubscribe": "One-Click"})
    else:
        answer = mail_program.post(
            link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
        )
    assert answer.status_code == 200
    assert not answer.cookies
    now = standing(world_of_rosa)
    assert now.opted_out("diabetes care", EMAIL) is not None
    assert now.opted_out("diabetes care", SMS) is None
    assert now.opted_out("newsletter", EMAIL) is None


def test_one_click_twice_is_written_once_and_works_again_after_a_change_of_mind(world_of_rosa: World) -> None:
    link = world_of_rosa.stop_link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    client = world_of_rosa.client()
    for _ in range(3):
        assert "Done. You will not get these messages any more." in text_of(client.post(link))
    assert standing(world_of_rosa).version == 1
    assert "Done. You will not get" in text_of(client.get(link))
    world_of_rosa.clock.advance(timedelta(minutes=1))
    with acting_for(world_of_rosa.organization.id):
        permissions.opt_in(
            world_of_rosa.rosa,
            "diabetes care",
            EMAIL,
            evidence="desk",
            actor=world_of_rosa.actor,
            clock=world_of_rosa.clock,
        )
    world_of_rosa.clock.advance(timedelta(minutes=1))
    client.post(link)
    assert standing(world_of_rosa).opted_out("diabetes care", EMAIL) is not None


def test_stop_everything_from_a_link(world_of_rosa: World) -> None:
    link = world_of_rosa.stop_link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    world_of_rosa.client().post(link, {"scope": "everything"})
    now = standing(world_of_rosa)
    assert now.opted_out("newsletter", SMS) is not None
    assert now.fundraising_opt_out is not None


def test_stopping_gifts_stops_them_for_good(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(
        world_of_rosa.rosa, purpose=Purpose.FUNDRAISING_OWN, topic="giving"
    )
    link = world_of_rosa.stop_link(message_id)
    assert "we do not ask you for gifts any more." in text_of(world_of_rosa.client().get(link))
    world_of_rosa.client().post(link)
    now = standing(world_of_rosa)
    assert now.fundraising_opt_out is not None
    assert now.opted_out("giving", EMAIL) is not None


def test_nobody_says_that_reminders_go_on_when_reminders_were_stopped(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(
        world_of_rosa.rosa, purpose=Purpose.APPOINTMENT, topic="appointments"
    )
    link, client = world_of_rosa.stop_link(message_id), world_of_rosa.client()
    assert "we stop “Appointments” by e-mail. Stop these messages" in text_of(client.get(link))
    assert "Done. You will not get these messages any more. Changed" in text_of(client.post(link))


def test_bad_links_stop_nothing(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    wrong = world_of_rosa.token("portal", message_id)
    for address in ("/p/u/x", f"/p/u/{wrong}", f"/p/c/{wrong}", f"/p/w/{wrong}", f"/p/o/{wrong}"):
        assert world_of_rosa.client().get(address).status_code == 404
        assert world_of_rosa.client().post(address).status_code in {404, 405}
    assert standing(world_of_rosa).version == 0


def test_the_link_for_choices_leads_the_signed_in_to_all_of_them(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    address = f"/p/c/{world_of_rosa.token(CHOICES_LINK, message_id)}"
    assert "What may we write to you about?" in text_of(world_of_rosa.client().get(address))
    assert world_of_rosa.signed_in().get(address).headers["Location"] == "/p/choices"


def test_double_opt_in_is_confirmed_on_post_only(world_of_rosa: World) -> None:
    append(world_of_rosa, EntryKind.OPT_IN, topic="newsletter", channel=EMAIL)
    with acting_for(world_of_rosa.organization.id):
        token = permissions.opt_in_token(world_of_rosa.rosa, "newsletter", EMAIL, clock=world_of_rosa.clock)
    address, client = f"/p/o/{token}", world_of_rosa.client(enforce_csrf_checks=True)
    assert "You asked for “Newsletter” by e-mail." in text_of(client.get(address))
    held = standing(world_of_rosa).opted_in("newsletter", EMAIL)
    assert held is not None
    assert not held.confirmed
    for _ in range(2):
        assert "You get these messages from now on." in text_of(client.post(address))
    held = standing(world_of_rosa).opted_in("newsletter", EMAIL)
    assert held is not None
    assert held.confirmed
    assert standing(world_of_rosa).version == 2
    world_of_rosa.clock.advance(timedelta(days=8))
    assert client.get(address).status_code == 404


def test_an_old_opt_in_link_does_not_undo_an_opt_out(world_of_rosa: World) -> None:
    with acting_for(world_of_rosa.organization.id):
        token = permissions.opt_in_token(world_of_rosa.rosa, "newsletter", EMAIL, clock=world_of_rosa.clock)
    append(world_of_rosa, EntryKind.OPT_OUT, topic="newsletter")
    assert "so nothing was changed" in text_of(world_of_rosa.client().post(f"/p/o/{token}"))
    assert standing(world_of_rosa).opted_in("newsletter", EMAIL) is None


def test_who_wrote_to_me_and_why_in_plain_words(world_of_rosa: World) -> None:
    signed = append(
        world_of_rosa,
        EntryKind.AUTHORIZATION,
        details=GOOD_FORM,
        valid_until=world_of_rosa.clock.now() + timedelta(days=90),
    )
    world_of_rosa.mailbox.deposit(
        world_of_rosa.rosa,
        purpose=Purpose.THIRD_PARTY_PRODUCT,
        evidence_ids=(signed,),
        rule_ids=("D17",),
        state=State.ACCEPTED,
        reached="verified",
        in_portal=False,
    )
    world_of_rosa.mailbox.deposit(world_of_rosa.rosa, state=State.REFUSED, topic="never sent")
    said = text_of(world_of_rosa.signed_in().get("/p/history"))
    assert "It tells about a product of another company." in said
    assert "You signed a permission for it on February 20, 2026." in said
    assert "Rule D17" in said
    assert "It traveled by e-mail over a protected connection, to a server that proved its name." in said
    assert "Health law lets your own clinic write to you about this without asking first." in said
    assert "Something that you are treated for." in said
    assert said.count("Why it was allowed") == 2


def test_why_by_link_tells_nothing_that_the_message_does_not(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    answer = world_of_rosa.client().get(f"/p/w/{world_of_rosa.token(CHOICES_LINK, message_id)}")
    said = text_of(answer)
    assert "It helps with something that you are treated for here." in said
    assert "Rule D08" in said
    assert not any(word in said for word in ("Rosa", "A1c", "diabetes"))
