"""Files beside a message, what is only to be looked at, and what a patient writes back."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from django.test import Client

from salus.delivery.contracts import State
from salus.files import api as files
from salus.files import rules as file_rules
from salus.files.contracts import FileFacts, Of, Owner
from salus.files.models import FileRow, PieceRow
from salus.inbox import api as inbox
from salus.inbox import rules as inbox_rules
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.portal.words import catalog

from ..files.samples import PDF, PNG, pdf
from .conftest import World, add, person, text_of


def attach(world: World, message_id: UUID, *all_data: bytes) -> list[FileFacts]:
    """Attach files to a message of Rosa's, as staff do."""
    with acting_for(world.organization.id):
        draft = new_id()
        taken = [
            files.take(
                world.rosa, "scan.bin", [data], draft_id=draft, actor=world.actor, at=world.clock.now()
            ).id
            for data in all_data
        ]
        owner = Owner(Of.MESSAGE, message_id)
        return list(files.attach(taken, owner, contact_id=world.rosa, draft_id=draft))


def upload(data: bytes, name: str = "photo.png") -> io.BytesIO:
    file = io.BytesIO(data)
    file.name = name
    return file


def whole(answer: object) -> bytes:
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_a_file_is_downloaded_so_that_it_can_do_nothing(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    [sheet] = attach(world_of_rosa, message_id, PDF)
    client = world_of_rosa.signed_in(message_id)
    assert "scan.pdf" in text_of(client.get(f"/p/messages/{message_id}"))
    answer = client.get(f"/p/messages/{message_id}/files/{sheet.id}")
    assert whole(answer) == PDF
    neutral = f"file-{sheet.id.hex[-6:]}.pdf"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{neutral}"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].endswith("sandbox")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Length"] == str(len(PDF))


def test_files_are_for_their_reader_in_their_message_only(
    world_of_rosa: World, make_world: Callable[..., World]
) -> None:
    mine, other = (world_of_rosa.mailbox.deposit(world_of_rosa.rosa) for _ in range(2))
    [sheet] = attach(world_of_rosa, mine, PDF)
    client = world_of_rosa.signed_in()
    for address in (f"/p/messages/{other}/files/{sheet.id}", f"/p/messages/{mine}/files/{new_id()}"):
        assert client.get(address).status_code == 404
    address = f"/p/messages/{mine}/files/{sheet.id}"
    assert world_of_rosa.client().get(address).status_code == 403
    elsewhere = make_world(name="Other Clinic")
    assert elsewhere.signed_in().get(address).status_code == 404
    bob = add(world_of_rosa.organization.id, person("7002", given_name="Bob"))
    bobs = world_of_rosa.mailbox.deposit(bob)
    assert client.get(f"/p/messages/{bobs}/files/{sheet.id}").status_code == 404


@pytest.mark.parametrize("state", [State.RECALLED, State.EXPIRED])
def test_files_of_what_is_gone_are_gone(world_of_rosa: World, state: State) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    [sheet] = attach(world_of_rosa, message_id, PDF)
    client = world_of_rosa.signed_in(message_id)
    letters = world_of_rosa.mailbox.letters
    letters[message_id] = replace(letters[message_id], state=state)
    assert client.get(f"/p/messages/{message_id}/files/{sheet.id}").status_code == 404
    told = client.get(f"/p/messages/{message_id}")
    assert told.status_code == 410
    assert ("took this message back" in text_of(told)) is (state is State.RECALLED)
    assert client.post(f"/p/messages/{message_id}/reply", {"text": "hello"}).status_code == 410


def test_a_weak_session_gets_no_file_of_what_needs_more(world_of_rosa: World) -> None:
    special = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, special=True)
    [sheet] = attach(world_of_rosa, special, PDF)
    client = world_of_rosa.signed_in()
    assert client.get(f"/p/messages/{special}/files/{sheet.id}").status_code == 404
    assert client.post(f"/p/messages/{special}/reply", {"text": "hello"}).status_code == 403


def test_what_is_only_to_be_looked_at_has_a_mark_and_no_way_to_keep_it(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa, view_only=True)
    picture, sheet = attach(world_of_rosa, message_id, PNG, PDF)
    client = world_of_rosa.signed_in(message_id)
    page = client.get(f"/p/messages/{message_id}").content.decode()
    assert f"Seen March 1, 2026 · {message_id.hex[-12:]}" in page
    assert "nobody can rule them out" in page
    assert "download" not in page
    assert "Show as plain text" not in page
    assert f'src="/p/messages/{message_id}/files/{picture.id}"' in page
    address = f"/p/messages/{message_id}/files/{picture.id}"
    seen = client.get(address, headers={"Sec-Fetch-Dest": "image"})
    assert seen.headers["Content-Disposition"] == "inline"
    assert whole(seen) == PNG
    assert client.get(address, headers={"Sec-Fetch-Dest": "document"}).status_code == 404
    assert client.get(f"/p/messages/{message_id}/files/{sheet.id}").status_code == 404
    body = f"/p/messages/{message_id}/body"
    assert client.get(body, headers={"Sec-Fetch-Dest": "document"}).status_code == 404
    assert client.get(body, headers={"Sec-Fetch-Dest": "iframe"}).status_code == 200


def test_what_a_patient_writes_lands_with_staff_and_is_shown_to_them(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    client = world_of_rosa.signed_in(message_id)
    address = f"/p/messages/{message_id}/reply"
    answer = client.post(
        address, {"text": "Is noon <b>fine</b>?", "files": [upload(PNG), upload(PDF, "card.pdf")]}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/p/messages/{message_id}?sent")
    page = client.get(f"/p/messages/{message_id}?sent")
    assert "Sent. We answer within one working day. In an emergency, call 911." in text_of(page)
    assert "Is noon &lt;b&gt;fine&lt;/b&gt;?" in page.content.decode()
    assert "card.pdf" in text_of(page)
    with acting_for(world_of_rosa.organization.id):
        [talk] = inbox.conversations()
        [said] = inbox.conversation(talk.id, actor=world_of_rosa.actor).said
        assert said.text.reveal() == "Is noon <b>fine</b>?"
        assert [each.name.reveal() for each in said.files] == ["photo.png", "card.pdf"]
        assert len(inbox.tasks(world_of_rosa.actor)) == 1
    own = client.get(f"/p/messages/{message_id}/files/{said.files[0].id}")
    assert whole(own) == PNG


def test_a_form_that_is_sent_twice_is_heard_once_and_other_words_are_another_message(
    world_of_rosa: World,
) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    client, page = world_of_rosa.signed_in(message_id), f"/p/messages/{message_id}"

    def once() -> str:
        [found] = re.findall(r'name="once" value="([0-9a-f]{32})"', client.get(page).content.decode())
        return str(found)

    first, other = once(), once()
    assert first != other
    for text, of in (
        ("Noon?", first),
        ("Noon?", first),
        ("Or one?", first),
        ("Or one?", first),
        ("Noon?", other),
    ):
        form = {"text": text, "once": of, "files": upload(PNG)}
        assert client.post(f"{page}/reply", form).headers["Location"] == f"{page}?sent"
    with acting_for(world_of_rosa.organization.id):
        [talk] = inbox.conversations()
        said = inbox.conversation(talk.id, actor=world_of_rosa.actor).said
        assert sorted(each.text.reveal() for each in said) == ["Noon?", "Noon?", "Or one?"]
        assert {len(each.files) for each in said} == {1}
        assert FileRow.objects.count() == 3


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"MZ" + bytes(90), "We cannot take this kind of file."),
        (pdf(b"<< /S /JavaScript >>"), "has a program"),
        (pdf(b"<< /Encrypt 1 0 R >>"), "has a password"),
        (b"", "This file is empty."),
    ],
)
def test_a_bad_file_is_said_and_what_was_typed_stays(world_of_rosa: World, data: bytes, says: str) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    client = world_of_rosa.signed_in(message_id)
    form = {"text": "Typed with care", "files": [upload(PNG), upload(data)]}
    answer = client.post(f"/p/messages/{message_id}/reply", form)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert "Typed with care" in text_of(answer)
    with acting_for(world_of_rosa.organization.id):
        assert not PieceRow.objects.exists()
        assert inbox.conversations() == []


def test_too_many_and_too_large_are_said(world_of_rosa: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_rules, "LARGEST", 200)
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    client, address = world_of_rosa.signed_in(message_id), f"/p/messages/{message_id}/reply"
    many = client.post(address, {"text": "a", "files": [upload(PNG)] * 1 + [upload(PNG) for _ in range(5)]})
    assert "At most 5 files at a time." in text_of(many)
    large = client.post(address, {"text": "a", "files": upload(PNG * 3)})
    assert "This file is too large." in text_of(large)
    announced = client.post(address, {"text": "a", "files": upload(PNG * 9000)})
    assert "This file is too large." in text_of(announced), "it is answered before it is read"
    with acting_for(world_of_rosa.organization.id):
        assert not PieceRow.objects.exists()


def test_nothing_and_too_much_are_said(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    client, address = world_of_rosa.signed_in(message_id), f"/p/messages/{message_id}/reply"
    assert "Please fill this in." in text_of(client.post(address, {"text": " "}))
    assert "too long" in text_of(client.post(address, {"text": "x" * 4001}))
    assert "choose your files again" in text_of(client.post(address, {"text": " ", "files": upload(PNG)}))
    for _ in range(inbox_rules.LIMITS[0][1]):
        assert client.post(address, {"text": "hello"}).status_code == 303
    stopped = client.post(address, {"text": "one more"})
    assert stopped.status_code == 422
    assert "You wrote often in a short time." in text_of(stopped)
    assert "one more" in text_of(stopped)


def test_a_form_of_another_site_changes_nothing(world_of_rosa: World) -> None:
    message_id = world_of_rosa.mailbox.deposit(world_of_rosa.rosa)
    cookie = world_of_rosa.signed_in(message_id).cookies["salus_patient"].value
    client = Client(headers={"host": "localhost"}, enforce_csrf_checks=True)
    client.cookies["salus_patient"] = cookie
    answer = client.post(f"/p/messages/{message_id}/reply", {"text": "hello", "files": upload(PNG)})
    assert answer.status_code == 403
    with acting_for(world_of_rosa.organization.id):
        assert inbox.conversations() == []
        assert not PieceRow.objects.exists()


def test_nobody_writes_about_what_is_somebody_elses(world_of_rosa: World) -> None:
    bob = add(world_of_rosa.organization.id, person("7002", given_name="Bob"))
    bobs = world_of_rosa.mailbox.deposit(bob)
    assert world_of_rosa.signed_in().post(f"/p/messages/{bobs}/reply", {"text": "hello"}).status_code == 404
    assert world_of_rosa.client().post(f"/p/messages/{bobs}/reply", {"text": "hello"}).status_code == 403


def test_every_refusal_of_a_file_has_its_words() -> None:
    from salus.files.contracts import Why

    assert all(f"file_{why.value}" in catalog()["say"] for why in Why)
