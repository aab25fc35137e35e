"""Reading in the portal: the same bytes, only by their reader, only while the session lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from salus.delivery.contracts import State
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi

from .conftest import LETTER, World, add, person, text_of


def test_the_message_is_shown_with_its_body_in_a_frame(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    answer = world_of_rosa.signed_in(message_id).get(f"/p/messages/{message_id}")
    said = text_of(answer)
    assert "Your A1c check is due" in said
    assert "From Cedar Row Clinic, March 1, 2026" in said
    assert "You can read it here until April 30, 2026." in said
    assert f'src="/p/messages/{message_id}/body"' in answer.content.decode()
    assert "A1c" not in answer.content.decode().split("</title>")[0]  # a title shows in the window list
    assert world_of_rosa.mailbox.opened == [message_id]


def test_the_body_is_the_same_bytes_and_can_do_nothing(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    answer = world_of_rosa.signed_in(message_id).get(f"/p/messages/{message_id}/body")
    assert answer.content == LETTER.encode()
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_message_without_html_is_shown_as_text(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, html="")
    page = world_of_rosa.signed_in(message_id).get(f"/p/messages/{message_id}").content.decode()
    assert "Dear Rosa,<br>your A1c check is due." in page
    assert "<iframe" not in page


def test_hostile_text_is_shown_as_text(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, html="")
    letter = world_of_rosa.mailbox.letters[message_id]
    world_of_rosa.mailbox.letters[message_id] = replace(
        letter, subject=Phi("<script>1</script>"), text=Phi("<img src=x onerror=1>")
    )
    page = world_of_rosa.signed_in(message_id).get(f"/p/messages/{message_id}").content.decode()
    assert "<script>1" not in page
    assert "<img src=x" not in page


def test_the_list_tells_dates_and_states_but_no_subjects(world_of_rosa: World) -> None:
    for state in (State.PORTAL, State.OPENED):
        world_of_rosa.mailbox.deposit(world_of_rosa.rosa, state=state)
    world_of_rosa.mailbox.deposit(world_of_rosa.rosa, state=State.REFUSED)
    client = world_of_rosa.signed_in()
    assert client.get("/p/").headers["Location"] == "/p/messages"
    answer = client.get("/p/messages")
    said = text_of(answer)
    assert said.count("Message of March 1, 2026") == 3
    assert "Waits for you here" in said
    assert "You read it here" in said
    assert "A1c" not in said


def test_nobody_reads_without_a_session(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    client = world_of_rosa.client()
    for address in ("/p/", "/p/messages", f"/p/messages/{message_id}", "/p/choices", "/p/history"):
        answer = client.get(address)
        assert answer.status_code == 403
        assert "You are signed out" in text_of(answer)
        assert "A1c" not in text_of(answer)
    assert client.get(f"/p/messages/{message_id}/body").status_code == 403
    client.cookies["salus_patient"] = "nonsense"
    assert client.get(f"/p/messages/{message_id}").status_code == 403
    assert world_of_rosa.mailbox.opened == []


def test_nobody_reads_what_is_somebody_elses(world_of_rosa: World, make_world: Callable[..., World]) -> None:
    client = world_of_rosa.signed_in()
    bob = add(world_of_rosa.organization.id, person("7002", given_name="Bob"))
    elsewhere = make_world(name="Other Clinic")
    others = [world_of_rosa.mailbox.deposit(bob), elsewhere.mailbox.deposit(elsewhere.rosa), new_id()]
    for message_id in others:
        for address in (f"/p/messages/{message_id}", f"/p/messages/{message_id}/body"):
            answer = client.get(address)
            assert answer.status_code == 404
            assert "There is nothing here, or it is not for you." in text_of(answer)
    assert not set(others) & set(world_of_rosa.mailbox.opened)


@pytest.mark.parametrize("state", [State.EXPIRED, State.RECALLED])
def test_a_message_that_is_gone_cannot_be_read(world_of_rosa: World, state: State) -> None:
    gone = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, state=state)
    client = world_of_rosa.signed_in()
    answer = client.get(f"/p/messages/{gone}")
    assert answer.status_code == 410
    assert "A1c" not in text_of(answer)
    assert client.get(f"/p/messages/{gone}/body").status_code == 404


def test_a_message_ends_on_its_day_even_when_nobody_marked_it(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    letter = world_of_rosa.mailbox.letters[message_id]
    world_of_rosa.mailbox.letters[message_id] = replace(letter, expires_at=world_of_rosa.clock.now())
    assert world_of_rosa.signed_in().get(f"/p/messages/{message_id}").status_code == 410


def test_fifteen_idle_minutes_and_the_button_end_the_session(world_of_rosa: World) -> None:
    client = world_of_rosa.signed_in()
    world_of_rosa.clock.advance(timedelta(minutes=15))
    assert client.get("/p/messages").status_code == 403
    world_of_rosa.clock.advance(timedelta(hours=1))
    client = world_of_rosa.signed_in()
    cookie = client.cookies["salus_patient"].value
    assert client.get("/p/sign-out").status_code == 405
    assert "You can close this page now." in text_of(client.post("/p/sign-out"))
    client.cookies["salus_patient"] = cookie  # somebody kept it
    assert client.get("/p/messages").status_code == 403


def test_reading_is_in_the_audit_log(world_of_rosa: World) -> None:
    from salus.platform.tenancy import acting_for

    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    world_of_rosa.signed_in(message_id).get(f"/p/messages/{message_id}")
    with acting_for(world_of_rosa.organization.id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT actor_kind, object_id FROM audit_entry WHERE organization_id = %s AND action = %s",
            [world_of_rosa.organization.id, "portal:message:read"],
        )
        assert cursor.fetchall() == [("patient", message_id)]
