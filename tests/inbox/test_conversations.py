"""What patients write and staff answer: heard once, limited, asked of the gate, with files, never over a fence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.delivery import api as delivery
from salus.delivery.contracts import State
from salus.delivery.models import MessageRow
from salus.files import api as files
from salus.files.models import PieceRow
from salus.identity.contracts import Organization
from salus.inbox import api, rules
from salus.inbox.contracts import Side, TooOften
from salus.inbox.models import EntryRow
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Special
from salus.platform.tenancy import acting_for

from ..delivery import office
from ..files.samples import PNG
from .house import WORDS, House


@pytest.fixture
def house(make_clinic: Callable[..., Organization]) -> House:
    return House(make_clinic(demo=False))


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
