"""What patients write and staff answer: heard once, limited, asked of the gate, with files, never over a fence."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.delivery import api as delivery
from salus.delivery.contracts import State
from salus.delivery.models import MessageRow
from salus.files import api as files
from salus.files.contracts import Of, Owner
from salus.files.models import PieceRow
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission, Role
from salus.inbox import api, rules
from salus.inbox.contracts import NewLetter, Side, TooOften
from salus.inbox.models import EntryRow
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Special
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

from ..delivery import office
from ..files.samples import PDF, PNG, pdf

if TYPE_CHECKING:
    from playwright.sync_api import Page

WORDS = "May I take it with milk? CANARY-TALK-1"


class House:
    """A clinic, Ada who is its patient, and what is done for her."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.actor = Actor(ActorKind.STAFF, organization.id, new_id())
        with acting_for(organization.id):
            patch = office.patient(
                f"ada{new_id().hex}", f"ada.{new_id().hex[:8]}@lakepost.example.test", timezone.now()
            )
            [self.ada] = office.admit([patch], system(organization.id, "test"))

    def hear(
        self, text: str = WORDS, *, about: UUID | None = None, at: Any = None, data: bytes | None = None
    ) -> UUID:
        with acting_for(self.organization.id):
            return self._hear(text, about or new_id(), at or timezone.now(), data)

    def _hear(self, text: str, about: UUID, at: Any, data: bytes | None) -> UUID:
        actor, draft = system(self.organization.id, "portal"), new_id()
        taken = (
            [files.take(self.ada, "photo.png", [data], draft_id=draft, actor=actor, at=at).id] if data else []
        )
        api.hear(self.ada, about, text, file_ids=taken, draft_id=draft, actor=actor, at=at)
        [talk] = [each for each in api.conversations(waiting=False) if each.message_id == about]
        return talk.id

    def write(self, **changes: Any) -> Any:
        given: dict[str, Any] = {
            "contact_id": self.ada,
            "subject": "About milk",
            "text": "Yes, you may.",
            **changes,
        }
        with acting_for(self.organization.id):
            return api.write(NewLetter(**given), actor=self.actor, at=timezone.now())

    def read(self, conversation_id: UUID) -> Any:
        with acting_for(self.organization.id):
            return api.conversation(conversation_id, actor=self.actor)


@pytest.fixture
def house(make_clinic: Callable[..., Organization]) -> House:
    return House(make_clinic(demo=False))


@pytest.fixture
def demo(console: Console) -> House:
    return House(console.organization)


def test_what_a_patient_writes_waits_with_a_task_until_it_is_answered(house: House) -> None:
    id = house.hear(data=PNG)
    house.hear("And with honey?", about=house.read(id).message_id)
    with acting_for(house.organization.id):
        [task] = api.tasks(system(house.organization.id, "test"))
        assert api.conversation_of(task) == id
        assert "milk" not in task.title.reveal() + task.instructions.reveal()
        assert api.count_waiting() == 1
    talk = house.read(id)
    assert [each.text.reveal() for each in talk.said] == [WORDS, "And with honey?"]
    assert [file.name.reveal() for file in talk.said[0].files] == ["photo.png"]
    assert "milk" not in repr(talk)
    written = house.write(conversation_id=id)
    assert written.conversation_id == id
    talk = house.read(id)
    assert [each.side for each in talk.said] == [Side.PATIENT, Side.PATIENT, Side.STAFF]
    assert talk.said[-1].letter.text.reveal() == "Yes, you may."
    assert not talk.waiting
    with acting_for(house.organization.id):
        assert api.tasks(system(house.organization.id, "test")) == []
        assert api.conversations() == []


def test_an_answer_to_an_answer_is_the_same_conversation(house: House) -> None:
    written = house.write()
    with acting_for(house.organization.id):
        api.hear(
            house.ada,
            written.message_id,
            "Thank you",
            file_ids=[],
            draft_id=new_id(),
            actor=house.actor,
            at=timezone.now(),
        )
    talk = house.read(written.conversation_id)
    assert [each.side for each in talk.said] == [Side.STAFF, Side.PATIENT]
    assert talk.waiting


def test_words_are_sealed_and_no_look_goes_unrecorded(house: House) -> None:
    id = house.hear()
    house.read(id)
    with acting_for(house.organization.id):
        [row] = EntryRow.objects.all()
        assert b"CANARY" not in bytes(row.sealed or b"")
        found = audit.entries(Filters(action=Action.CONVERSATION_READ, object_id=id), limit=5)
        assert [each.patient_id for each in found] == [house.ada]


@pytest.mark.parametrize(
    ("text", "place"),
    [("", "text"), (" \n ", "text"), ("x" * 4001, "text"), ("a\0b", "text"), ("\ud800", "text")],
)
def test_words_that_cannot_be_are_refused(house: House, text: str, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        house.hear(text)
    assert refused.value.place == place


def test_a_patient_writes_only_so_often(house: House) -> None:
    now = timezone.now()
    for _ in range(rules.LIMITS[0][1]):
        house.hear(at=now)
    with pytest.raises(TooOften):
        house.hear(at=now)
    house.hear(at=now + rules.LIMITS[0][0])


def test_the_limits_count_every_window() -> None:
    now = timezone.now()
    assert rules.may_write([], now)
    assert not rules.may_write([now - timedelta(minutes=each) for each in range(6)], now)
    spread = [now - timedelta(hours=each) for each in range(1, 21)]
    assert not rules.may_write(spread, now)
    assert rules.may_write(spread[:19], now)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"subject": "a\r\nBcc: x@y.example"}, "subject"),
        ({"subject": "x" * 121}, "subject"),
        ({"subject": " "}, "subject"),
        ({"text": ""}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"days": 0}, "days"),
        ({"files": (new_id(),)}, "files"),
        ({"tells": frozenset({Special.PSYCHOTHERAPY_NOTES})}, "tells"),
    ],
)
def test_a_letter_that_cannot_be_is_refused(house: House, changes: dict[str, Any], place: str) -> None:
    with pytest.raises(BadInput) as refused:
        house.write(**changes)
    assert refused.value.place == place
    with acting_for(house.organization.id):
        assert not MessageRow.objects.exists()


def test_a_letter_goes_to_the_portal_and_nothing_of_it_by_mail(house: House) -> None:
    written = house.write(view_only=True, days=3)
    with acting_for(house.organization.id):
        row = MessageRow.objects.get(id=written.message_id)
        assert row.state == State.CLEARED
        assert row.floor == 4, "the portal, whatever is known of the reader's mail server"
        assert delivery.letters_of([row.id])[row.id].view_only


def test_the_same_key_is_one_letter_and_other_words_under_it_are_refused(house: House) -> None:
    first = house.write(key="k-1")
    assert house.write(key="k-1") == first
    with pytest.raises(Conflict):
        house.write(key="k-1", text="No, you may not.")
    assert house.write(key="k-2") != first


def test_what_the_gate_refuses_goes_nowhere_with_its_files(house: House) -> None:
    draft = new_id()
    with acting_for(house.organization.id):
        patch = office.patient("noone", None, timezone.now())
        [nobody] = office.admit([patch], system(house.organization.id, "test"))
        taken = files.take(nobody, "a.png", [PNG], draft_id=draft, actor=house.actor, at=timezone.now())
    written = house.write(contact_id=nobody, files=(taken.id,), draft_id=draft)
    assert written.reason
    assert written.conversation_id is None
    with acting_for(house.organization.id):
        assert not PieceRow.objects.exists()
        assert MessageRow.objects.get(id=written.message_id).state == State.REFUSED
        assert not EntryRow.objects.exists()


def test_a_letter_joins_no_conversation_of_somebody_else(house: House) -> None:
    id = house.hear()
    with acting_for(house.organization.id):
        patch = office.patient("bob", "bob@lakepost.example.test", timezone.now())
        [bob] = office.admit([patch], system(house.organization.id, "test"))
    with pytest.raises(NotFound):
        house.write(contact_id=bob, conversation_id=id)
    with pytest.raises(NotFound):
        house.write(contact_id=new_id())


def test_another_organization_finds_nothing(house: House, make_clinic: Callable[..., Organization]) -> None:
    id = house.hear(data=PNG)
    file_id = house.read(id).said[0].files[0].id
    other = make_clinic(demo=False)
    with acting_for(other.id):
        for look in (
            lambda: api.conversation(id, actor=system(other.id, "test")),
            lambda: api.file_of(id, file_id),
            lambda: api.settle(id, actor=system(other.id, "test"), at=timezone.now()),
        ):
            with pytest.raises(NotFound):
                look()


def test_a_person_gets_what_they_wrote_and_is_erased_with_it(house: House) -> None:
    house.hear(data=PNG)
    actor = system(house.organization.id, "test")
    with acting_for(house.organization.id):
        [told] = api.export_person(house.ada, purpose="access", actor=actor)["conversations"]
        assert (told["text"], told["files"]) == (WORDS, ["photo.png"])
        assert api.erase_person(house.ada, actor=actor).erased["conversations"] == 1
        assert api.erase_person(house.ada, actor=actor).erased["conversations"] == 0
        assert not EntryRow.objects.exists()


def whole(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def upload(name: str, data: bytes) -> io.BytesIO:
    file = io.BytesIO(data)
    file.name = name
    return file


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
