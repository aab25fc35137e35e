"""Pages and calls of conversations: answers with files, what is refused, who may, and how it looks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.test import Client

from salus.files import api as files
from salus.files.contracts import Of, Owner
from salus.files.models import FileRow, PieceRow
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission, Role
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)

from ..files.samples import PDF, PNG, pdf

if TYPE_CHECKING:
    from playwright.sync_api import Page

from .house import House, upload, whole


@pytest.fixture
def house(make_clinic: Callable[..., Organization]) -> House:
    return House(make_clinic(demo=False))


@pytest.fixture
def demo(console: Console) -> House:
    return House(console.organization)


def test_staff_answer_with_files_and_give_the_patients_out(demo: House, console: Console) -> None:
    id = demo.hear(data=PNG)
    client = console.client("care_coordinator")
    shown = client.get(f"/conversations/{id}/").content.decode()
    assert "May I take it with milk?" in shown
    file_id = demo.read(id).said[0].files[0].id
    given = client.get(f"/conversations/{id}/files/{file_id}")
    assert whole(given) == PNG
    assert given.headers["Content-Disposition"].startswith("attachment;")
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in given.headers["Content-Security-Policy"]
    assert given.headers["Cache-Control"] == "no-store"
    form = {
        "subject": "About milk",
        "text": "See the sheet.",
        "files": [upload("sheet.pdf", PDF), upload("b.png", PNG)],
    }
    assert client.post(f"/conversations/{id}/answer", form).status_code == 302
    said = demo.read(id).said[-1]
    assert [file.name.reveal() for file in said.files] == ["sheet.pdf", "b.png"]
    with acting_for(demo.organization.id):
        assert Owner(Of.MESSAGE, said.letter.message_id) in files.files_of(
            [Owner(Of.MESSAGE, said.letter.message_id)]
        )


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("run.png", b"MZ" + bytes(90), "This kind of file is not taken"),
        ("form.pdf", pdf(b"<< /JavaScript >>"), "holds a program"),
        ("empty.txt", b"", "choose"),
    ],
)
def test_a_bad_file_is_said_nothing_typed_is_lost_and_nothing_is_kept(
    demo: House, console: Console, name: str, data: bytes, says: str
) -> None:
    id = demo.hear()
    with acting_for(demo.organization.id):
        before = PieceRow.objects.count()
    client = console.client("care_coordinator")
    form = {
        "subject": "About milk",
        "text": "Typed with care",
        "files": [upload("b.png", PNG), upload(name, data)],
    }
    answer = client.post(f"/conversations/{id}/answer", form)
    if not data:
        says = "This file is empty"
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert "Typed with care" in answer.content.decode()
    with acting_for(demo.organization.id):
        assert PieceRow.objects.count() == before


def name_of(page: bytes) -> str:
    """Return by which name a form makes one letter."""
    [found] = re.findall(r'name="once" value="([0-9a-f]{32})"', page.decode())
    return str(found)


def test_a_form_that_is_sent_twice_is_one_letter(demo: House, console: Console) -> None:
    id = demo.hear()
    client = console.client("care_coordinator")
    once = name_of(client.get(f"/conversations/{id}/").content)
    form = {"subject": "About milk", "text": "Yes, you may.", "once": once}
    for _ in range(2):
        answer = client.post(f"/conversations/{id}/answer", {**form, "files": upload("b.png", PNG)})
        assert answer.headers["Location"] == f"/conversations/{id}/"
    assert len(demo.read(id).said) == 2
    with acting_for(demo.organization.id):
        assert FileRow.objects.count() == 1
    changed = client.post(f"/conversations/{id}/answer", {**form, "text": "No, you may not."})
    assert changed.status_code == 422
    assert "was sent already" in changed.content.decode()
    fresh = name_of(changed.content)
    assert fresh != once
    again = client.post(f"/conversations/{id}/answer", {**form, "text": "No, you may not.", "once": fresh})
    assert again.status_code == 302
    assert [each.letter.text.reveal() for each in demo.read(id).said[1:]] == [
        "Yes, you may.",
        "No, you may not.",
    ]


def test_what_was_refused_is_tried_again_under_another_name(demo: House, console: Console) -> None:
    client, address = console.client("care_coordinator"), f"/letters/new/{demo.ada}/"
    once = name_of(client.get(address).content)
    refused = client.post(address, {"subject": "a", "text": "", "once": once})
    assert refused.status_code == 422
    assert name_of(refused.content) != once


def test_pictures_only_where_it_is_only_to_be_looked_at(demo: House, console: Console) -> None:
    client = console.client("care_coordinator")
    form = {"subject": "a", "text": "b", "view_only": "on", "files": upload("a.pdf", PDF)}
    answer = client.post(f"/letters/new/{demo.ada}/", form)
    assert answer.status_code == 422
    assert "takes pictures" in answer.content.decode()


def test_a_form_without_its_token_is_stale_and_keeps_nothing(demo: House, console: Console) -> None:
    id = demo.hear()
    client = console.client("care_coordinator", enforce_csrf_checks=True)
    answer = client.post(
        f"/conversations/{id}/answer", {"subject": "a", "text": "b", "files": upload("a.png", PNG)}
    )
    assert answer.status_code == 403
    assert len(demo.read(id).said) == 1


@pytest.mark.parametrize("role", list(Role))
def test_only_who_may_reads_and_writes(demo: House, console: Console, role: Role) -> None:
    id, may = demo.hear(), identity.permissions_of([role])
    client = console.client(role)
    reads = Permission.INBOX_CONVERSATION_READ in may
    assert client.get("/conversations/").status_code == (200 if reads else 404)
    assert client.get(f"/conversations/{id}/").status_code == (200 if reads else 404)
    writes = Permission.INBOX_LETTER_WRITE in may
    assert client.get(f"/letters/new/{demo.ada}/").status_code == (200 if writes else 404)
    assert client.post(f"/conversations/{id}/settle").status_code == (302 if writes else 404)


def program(organization: Organization) -> Client:
    scopes = (Permission.INBOX_CONVERSATION_READ, Permission.INBOX_LETTER_WRITE)
    with acting_for(organization.id):
        key = identity.create_api_key("desk", scopes, actor=system(organization.id, "test"), allowed=scopes)
    return Client(headers={"host": "localhost", "authorization": f"Bearer {key}"})


def test_a_program_attaches_writes_follows_and_fetches(house: House) -> None:
    client = program(house.organization)
    put = client.post(
        f"/api/v1/contacts/{house.ada}/files?name=sheet.pdf", PDF, content_type="application/octet-stream"
    )
    assert put.status_code == 200, put.content
    assert put.json()["type"] == "application/pdf"
    body = {"contact_id": str(house.ada), "subject": "Sheet", "text": "Here.", "files": [put.json()["id"]]}
    sent = client.post(
        "/api/v1/letters", body, content_type="application/json", headers={"Idempotency-Key": "1"}
    )
    assert sent.status_code == 200, sent.content
    assert sent.json()["allowed"]
    again = client.post(
        "/api/v1/letters", body, content_type="application/json", headers={"Idempotency-Key": "1"}
    )
    assert again.json() == sent.json()
    id = sent.json()["conversation_id"]
    [said] = client.get(f"/api/v1/conversations/{id}").json()["said"]
    assert (said["side"], said["text"], said["files"][0]["name"]) == ("staff", "Here.", "sheet.pdf")
    file = client.get(f"/api/v1/conversations/{id}/files/{said['files'][0]['id']}")
    assert whole(file) == PDF
    house.hear(about=UUID(sent.json()["message_id"]))
    assert [each["id"] for each in client.get("/api/v1/conversations").json()["conversations"]] == [id]
    assert client.post(f"/api/v1/conversations/{id}/settle").status_code == 204
    assert client.get("/api/v1/conversations").json()["conversations"] == []


def test_what_a_program_does_wrong_is_said(house: House) -> None:
    client = program(house.organization)
    bad = client.post(
        f"/api/v1/contacts/{house.ada}/files", b"MZ" + bytes(80), content_type="application/pdf"
    )
    assert bad.status_code == 400
    assert "not taken" in json.dumps(bad.json())
    body = {"contact_id": str(house.ada), "subject": "a", "text": "b", "files": [str(new_id())]}
    assert client.post("/api/v1/letters", body, content_type="application/json").status_code == 400
    body = {"contact_id": str(new_id()), "subject": "a", "text": "b"}
    assert client.post("/api/v1/letters", body, content_type="application/json").status_code == 404
    assert client.get(f"/api/v1/conversations/{new_id()}").status_code == 404
    lost = client.post(f"/api/v1/contacts/{new_id()}/files", PNG, content_type="image/png")
    assert lost.status_code == 404


@pytest.mark.browser
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_pages_look_right(
    demo: House, console: Console, page_at: Callable[..., Page], width: int
) -> None:
    id = demo.hear(data=PNG)
    demo.write(conversation_id=id, view_only=True)
    demo.hear("Thank you. And at night?", about=demo.read(id).message_id)
    page = page_at(width)
    sign_in(page, "care_coordinator")
    for name, address in (
        ("conversations", "/conversations/"),
        ("conversation", f"/conversations/{id}/"),
        ("letter", f"/letters/new/{demo.ada}/"),
    ):
        page.goto(console.url + address)
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        keep_picture(page, f"inbox-{name}")
