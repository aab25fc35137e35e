"""How sure we must be who reads: data by class, asked for when a message needs more, never by the path that failed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from salus.delivery.preparing import _SPECIALS
from salus.kernel.vocabulary import PhiClass, Special
from salus.patients.contracts import NEEDED, Proof, Strength, needed
from salus.portal import rules

from .conftest import World, code_for, text_of


def test_every_class_has_its_strength_and_the_special_ones_need_a_second_way() -> None:
    assert set(NEEDED) == {*PhiClass, *Special}
    for special in _SPECIALS:
        assert NEEDED[special] is Strength.SECOND_WAY, f"{special}: delivery sends no code by e-mail for it"
    assert {each for each in NEEDED if NEEDED[each] is Strength.SECOND_WAY} == _SPECIALS


@pytest.mark.parametrize(
    ("disclosed", "failed", "strength"),
    [
        ((), False, Strength.MAILBOX),
        (("contact", "diagnosis"), False, Strength.MAILBOX),
        (("contact", "hiv"), False, Strength.SECOND_WAY),
        (("something_new",), False, Strength.SECOND_WAY),
        (("contact",), True, Strength.SECOND_WAY),
    ],
)
def test_the_strictest_class_decides_and_an_unknown_one_is_the_strictest(
    disclosed: tuple[str, ...], failed: bool, strength: Strength
) -> None:
    assert needed(disclosed, path_failed=failed) is strength


def test_a_code_by_mail_is_the_weakest_proof() -> None:
    assert {proof: proof.strength for proof in Proof} == {
        Proof.EMAIL: Strength.MAILBOX,
        Proof.STAFF: Strength.SECOND_WAY,
        Proof.PASSKEY: Strength.SECOND_WAY,
    }
    assert rules.READABLE


@pytest.mark.parametrize("facts", [{"special": True}, {"path_failed": True}])
def test_a_weak_session_is_asked_for_more_and_a_code_from_staff_opens_it(
    world_of_rosa: World, facts: dict[str, bool]
) -> None:
    client = world_of_rosa.signed_in()
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, **facts)  # type: ignore[arg-type]
    asked = client.get(f"/p/messages/{message_id}")
    assert asked.status_code == 403
    assert "needs more than a code by e-mail" in text_of(asked)
    assert "A1c" not in text_of(asked)
    assert client.get(f"/p/messages/{message_id}/body").status_code == 404
    assert world_of_rosa.mailbox.opened == []
    before = client.cookies["salus_patient"].value
    code = code_for(world_of_rosa)
    answer = client.post(f"/p/messages/{message_id}/stronger", {"code": code})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/p/messages/{message_id}")
    assert "Your A1c check is due" in text_of(client.get(f"/p/messages/{message_id}"))
    stolen = world_of_rosa.client()
    stolen.cookies["salus_patient"] = before
    assert stolen.get("/p/messages").status_code == 403, "the weaker session is over"


def test_a_code_that_came_by_mail_does_not_make_a_session_stronger(world_of_rosa: World) -> None:
    client = world_of_rosa.signed_in()
    special = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, special=True)
    other = world_of_rosa.link(world_of_rosa.mailbox.deposit(world_of_rosa.rosa))
    world_of_rosa.clock.advance(timedelta(minutes=2))
    world_of_rosa.client().post(f"{other}/code")
    code = world_of_rosa.mailbox.codes[-1][1]
    answer = client.post(f"/p/messages/{special}/stronger", {"code": code})
    assert answer.status_code == 422
    assert "This code does not match." in text_of(answer)
    assert client.get(f"/p/messages/{special}").status_code == 403


def test_wrong_codes_lock_and_an_empty_one_costs_no_try(world_of_rosa: World) -> None:
    client = world_of_rosa.signed_in()
    special = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, special=True)
    address = f"/p/messages/{special}/stronger"
    assert client.post(address, {"code": " "}).status_code == 422
    for left in (4, 3, 2, 1):
        assert f"{left} tr" in text_of(client.post(address, {"code": "000000"}))
    assert client.post(address, {"code": "000000"}).status_code == 429
    assert client.post(address, {"code": "000000"}).status_code == 429
    code = code_for(world_of_rosa)  # staff lift a lockout
    assert client.post(address, {"code": code}).status_code == 303


def test_nobody_steps_up_without_a_session_or_by_a_get(world_of_rosa: World) -> None:
    special = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, special=True)
    code = code_for(world_of_rosa)
    visitor: Client = world_of_rosa.client()
    assert visitor.post(f"/p/messages/{special}/stronger", {"code": code}).status_code == 403
    assert world_of_rosa.signed_in().get(f"/p/messages/{special}/stronger").status_code == 405


def test_a_passkey_is_made_only_after_a_second_way_and_shown_ones_must_be_real(world_of_rosa: World) -> None:
    client = world_of_rosa.signed_in()
    assert client.post("/p/passkeys/ask").status_code == 404
    assert "first sign in with a code from us" in text_of(client.get("/p/passkeys"))
    assert client.post("/p/passkeys", {"answer": "{}"}).status_code == 404
    special = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, special=True)
    client.post(f"/p/messages/{special}/stronger", {"code": code_for(world_of_rosa)})
    asked = client.post("/p/passkeys/ask").json()["publicKey"]
    assert asked["user"]["name"] == "Cedar Row Clinic", "no person's name is on the device"
    for answer in (
        "",
        "nonsense",
        "[]",
        "{}",
        '{"id": "x", "rawId": "eA", "type": "public-key", "response": {}}',
    ):
        assert client.post("/p/passkeys", {"answer": answer}).status_code == 422
    world_of_rosa.clock.advance(timedelta(minutes=2))
    weak = world_of_rosa.signed_in()
    weak.post("/p/passkey/ask")
    for answer in ("", "{}"):
        assert weak.post(f"/p/messages/{special}/passkey", {"answer": answer}).status_code == 422
    link = world_of_rosa.link(special)
    visitor = world_of_rosa.client()
    assert visitor.post(f"{link}/passkey/ask").json()["publicKey"].get("allowCredentials", []) == []
    assert visitor.post(f"{link}/passkey", {"answer": "{}"}).status_code == 303
    assert visitor.get(f"/p/messages/{special}").status_code == 403
