"""The check that it is you, as pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from salus.delivery.contracts import PORTAL_LINK, State
from salus.kernel.ids import new_id
from salus.patients import api as patients
from salus.platform.tenancy import acting_for
from salus.portal.web.gates import SESSION_COOKIE

from .conftest import World, add, person, text_of

FACTS = {"m": "4", "d": "17", "y": "1961"}


def code_for(world: World, link: str) -> str:
    answer = world.client().post(f"{link}/code")
    assert answer.status_code == 200
    return world.mailbox.codes[-1][1]


def test_a_link_shows_the_clinic_and_nothing_of_the_message(world_of_rosa: World) -> None:
    link = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    answer = world_of_rosa.client().get(link)
    said = text_of(answer)
    assert answer.status_code == 200
    assert "Check that it is you" in said
    assert "Cedar Row Clinic" in said
    assert not any(word in said for word in ("Rosa", "A1c", "diabetes", "Example"))
    assert world_of_rosa.mailbox.codes == []


def test_opening_the_link_many_times_sends_no_code(world_of_rosa: World) -> None:
    link = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    client = world_of_rosa.client()
    for address in (link, f"{link}?code", f"{link}?lang=es"):
        client.get(address)
        client.head(address)
    assert client.get(f"{link}/code").status_code == 405
    assert world_of_rosa.mailbox.codes == []


def test_a_code_is_sent_on_a_button_and_the_page_says_where_to(world_of_rosa: World) -> None:
    link = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    answer = world_of_rosa.client().post(f"{link}/code")
    assert "We sent a 6-digit code to r•••@lakepost.example.org. It works for 10 minutes." in text_of(answer)
    again = world_of_rosa.client().post(f"{link}/code")
    assert "We sent a code a moment ago." in text_of(again)
    assert len(world_of_rosa.mailbox.codes) == 1


def test_code_and_birth_date_lead_to_the_message(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    link = world_of_rosa.link(message_id)
    client = world_of_rosa.client()
    answer = client.post(link, {"code": code_for(world_of_rosa, link), **FACTS})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/p/messages/{message_id}"
    cookie = answer.cookies[SESSION_COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/p/")
    assert client.get(link).status_code == 303  # signed in already


@pytest.mark.parametrize("changed", [{"code": "000000"}, {"d": "18"}, {"code": "000000", "y": "1960"}])
def test_the_words_never_say_which_was_wrong(world_of_rosa: World, changed: dict[str, str]) -> None:
    link = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    typed = {"code": code_for(world_of_rosa, link), **FACTS, **changed}
    if typed["code"] == "000000" and world_of_rosa.mailbox.codes[-1][1] == "000000":
        typed["code"] = "000001"
    answer = world_of_rosa.client().post(link, typed)
    assert answer.status_code == 422
    assert "The code and the birth date do not match. Please check both. You have 4 tries left." in text_of(
        answer
    )
    assert SESSION_COOKIE not in answer.cookies


def test_empty_fields_and_impossible_days_cost_no_try(world_of_rosa: World) -> None:
    link = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    client = world_of_rosa.client()
    for typed, said in (
        ({"code": "", **FACTS}, "Please fill this in."),
        ({"code": "123456", "m": "", "d": "17", "y": "1961"}, "Please fill this in."),
        ({"code": "123456", "m": "2", "d": "30", "y": "1961"}, "There is no such day."),
    ):
        for _ in range(3):
            answer = client.post(link, typed)
            assert answer.status_code == 422
            assert said in text_of(answer)
    assert client.post(link, {"code": code_for(world_of_rosa, link), **FACTS}).status_code == 303


def test_what_was_typed_is_kept_for_the_next_look(world_of_rosa: World) -> None:
    link = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    page = (
        world_of_rosa.client()
        .post(link, {"code": "12 34", "m": "4", "d": "17", "y": "1961"})
        .content.decode()
    )
    assert 'value="12 34"' in page
    assert '<option value="4" selected>April</option>' in page
    assert 'value="1961"' in page


def test_five_wrong_tries_lock_and_the_page_says_what_to_do(world_of_rosa: World) -> None:
    link = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    client = world_of_rosa.client()
    for left in (4, 3, 2):
        assert f"You have {left} tries left." in text_of(client.post(link, {"code": "1", **FACTS}))
    assert "You have 1 try left." in text_of(client.post(link, {"code": "1", **FACTS}))
    for _ in range(2):
        answer = client.post(link, {"code": "1", **FACTS})
        assert answer.status_code == 429
        assert "Too many tries. Wait at least 30 minutes, or call us." in text_of(answer)
    assert client.get(link).status_code == 429
    assert client.post(f"{link}/code").status_code == 429
    world_of_rosa.clock.advance(timedelta(minutes=30))
    assert client.get(link).status_code == 200


def test_a_special_message_asks_for_a_code_from_staff(world_of_rosa: World) -> None:
    link = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa, special=True))
    client = world_of_rosa.client()
    said = text_of(client.get(link))
    assert "Call us at 206-555-0142" in said
    assert "Send me a code" not in said
    client.post(f"{link}/code")
    assert world_of_rosa.mailbox.codes == []
    with acting_for(world_of_rosa.organization.id):
        issued = patients.issue_code(world_of_rosa.rosa, actor=world_of_rosa.actor, clock=world_of_rosa.clock)
    assert client.post(link, {"code": issued.code.reveal(), **FACTS}).status_code == 303


def test_a_session_by_email_code_does_not_open_a_special_message(world_of_rosa: World) -> None:
    client = world_of_rosa.signed_in()
    special = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, special=True)
    answer = client.get(f"/p/messages/{special}")
    assert answer.status_code == 403
    assert "A1c" not in text_of(answer)
    assert client.get(f"/p/messages/{special}/body").status_code == 404
    link = world_of_rosa.link(special)
    assert "6-digit code" in text_of(client.get(link))  # the form, for the code from staff
    with acting_for(world_of_rosa.organization.id):
        issued = patients.issue_code(world_of_rosa.rosa, actor=world_of_rosa.actor, clock=world_of_rosa.clock)
    client.post(link, {"code": issued.code.reveal(), **FACTS})
    assert client.get(f"/p/messages/{special}").status_code == 200


@pytest.mark.parametrize("state", [State.EXPIRED, State.RECALLED])
def test_a_message_that_is_gone_is_gone_before_anything_is_asked(world_of_rosa: World, state: State) -> None:
    link = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa, state=state, in_portal=False))
    for answer in (world_of_rosa.client().get(link), world_of_rosa.client().post(f"{link}/code")):
        assert answer.status_code == 410
        assert "This message is no longer here. Call us and we will send it again." in text_of(answer)


def test_bad_links_read_alike(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    good = world_of_rosa.token(PORTAL_LINK, message_id)
    bad = [
        "x",
        good[:-4],
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        world_of_rosa.token("choices", message_id),
        world_of_rosa.token(PORTAL_LINK, new_id()),
    ]
    pages = set()
    for token in bad:
        answer = world_of_rosa.client().get(f"/p/m/{token}")
        assert answer.status_code == 404
        assert "This link does not work any more" in text_of(answer)
        pages.add(text_of(answer).replace("Cedar Row Clinic", "").replace("Message center", "")[:200])
    world_of_rosa.clock.advance(timedelta(days=61))
    assert world_of_rosa.client().get(f"/p/m/{good}").status_code == 404


def test_not_me_asks_first_and_stops_email_on_post(world_of_rosa: World) -> None:
    from salus.permissions import api as permissions

    link = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    client = world_of_rosa.client()
    assert "Is this not for you?" in text_of(client.get(f"{link}/not-me"))
    with acting_for(world_of_rosa.organization.id):
        assert permissions.versions([world_of_rosa.rosa]) == {world_of_rosa.rosa: 0}
    for _ in range(2):
        assert "We do not write to this address any more." in text_of(client.post(f"{link}/not-me"))
    with acting_for(world_of_rosa.organization.id):
        standing = permissions.standing(world_of_rosa.rosa, world_of_rosa.clock.now())
    assert [(each.channel, each.reason) for each in standing.suppressions] == [("email", "wrong_person")]
    assert standing.version == 1


def test_the_language_follows_the_message_and_then_the_button(world_of_rosa: World) -> None:
    link = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa, language="es"))
    client = world_of_rosa.client()
    page = client.get(link)
    assert "Confirme que es usted" in text_of(page)
    assert '<html lang="es">' in page.content.decode()
    english = client.get(f"{link}?lang=en")
    assert "Check that it is you" in text_of(english)
    assert "Check that it is you" in text_of(client.get(link))  # remembered
    client.get(f"{link}?lang=es")
    client.post(f"{link}/code")
    said = text_of(client.post(link, {"code": "1", **FACTS}))
    assert "El código y la fecha de nacimiento no coinciden. Revise los dos. Le quedan 4 intentos." in said
    assert world_of_rosa.mailbox.codes[-1][2] == "es"
    assert client.get(f"{link}?lang=xx").status_code == 200


def test_forms_need_their_token_against_forgery(world_of_rosa: World) -> None:
    link = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    strict = world_of_rosa.client(enforce_csrf_checks=True)
    assert strict.post(f"{link}/code").status_code == 403
    assert strict.post(link, {"code": "1", **FACTS}).status_code == 403
    assert world_of_rosa.mailbox.codes == []


def test_the_link_of_one_person_does_not_open_the_session_of_another(
    world_of_rosa: World, make_world: Callable[..., World]
) -> None:
    client = world_of_rosa.signed_in()
    bob = add(world_of_rosa.organization.id, person("7002", given_name="Bob"))
    assert "Check that it is you" in text_of(
        client.get(world_of_rosa.link(world_of_rosa.mailbox.deposit(bob)))
    )
    elsewhere = make_world(name="Other Clinic")
    link = elsewhere.link(elsewhere.mailbox.deposit(elsewhere.rosa))
    answer = client.get(link)
    assert answer.status_code == 200
    assert "Other Clinic" in text_of(answer)
