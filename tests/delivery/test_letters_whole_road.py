"""A letter's whole road without a fake: staff write, the gate asks, the portal keeps, its reader proves it, reads, answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from salus.delivery import api, judging
from salus.delivery.codes import NOTICE
from salus.delivery.contracts import State
from salus.delivery.sealing import PORTAL
from salus.files import api as files
from salus.inbox import api as inbox
from salus.inbox.contracts import NewLetter, Side, Written
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Special
from salus.patients import api as patients
from salus.patients.contracts import PatientSession, Proof, Verified
from salus.portal import api as portal
from salus.portal.contracts import Locked

from ..files.samples import PDF, PNG
from .conftest import Desk

SAID = "Take it at noon. CANARY-LETTER-3"


@pytest.fixture(autouse=True)
def the_time(desk: Desk) -> Any:
    """Let the portal tell the time by the clinic's clock."""
    before = portal.clock()
    portal.use_clock(desk.clock)
    yield
    portal.use_clock(before)


def write(desk: Desk, **changes: Any) -> Written:
    """Write to Ada as a member of staff, with a sheet."""
    if not desk.people:
        desk.admit("ada")
    writer, draft = replace(desk.actor, id=new_id()), new_id()
    sheet = files.take(desk.people[0], "plan.pdf", [PDF], draft_id=draft, actor=writer, at=desk.clock.now())
    new = NewLetter(desk.people[0], "Your plan", SAID, files=(sheet.id,), draft_id=draft, **changes)
    return inbox.write(new, actor=writer, at=desk.clock.now())


def carry(desk: Desk) -> str:
    """Do what senders do with the letter and its notice; return the token of the notice's link."""
    [prepared] = desk.take().prepared
    desk.settle(judging.straight_to_portal(prepared, desk.clock.now()))
    [notice] = desk.take().prepared
    assert notice.origin.kind == NOTICE
    everything = f"{notice.parts.subject} {notice.parts.html} {notice.parts.text}"
    assert not [word for word in ("CANARY", "plan", "Ada", "noon") if word in everything]
    desk.settle(desk.outcome(notice))
    return notice.content.tokens[PORTAL]


def come_in(desk: Desk, token: str) -> PatientSession:
    """Sign Ada in with a code that staff hand out."""
    code = patients.issue_code(desk.people[0], actor=desk.actor, clock=desk.clock).code.reveal()
    done = patients.verify(token, code=code, birth_date=date(1961, 4, 17), clock=desk.clock)
    assert isinstance(done, Verified)
    session = patients.session(done.cookie, clock=desk.clock)
    assert session is not None
    return session


def told(message_id: UUID | None) -> Any:
    assert message_id is not None
    return api.letters_of([message_id])[message_id]


def test_from_the_desk_to_the_reader_and_back(desk: Desk) -> None:
    written = write(desk, days=7)
    session = come_in(desk, carry(desk))
    assert written.message_id
    read = portal.read(session, written.message_id)
    assert not isinstance(read, Locked)
    assert SAID in read.text.reveal()
    assert read.expires_at == desk.clock.now() + timedelta(days=7)
    assert told(written.message_id).opened_at == desk.clock.now()
    [sheet] = portal.beside(session, written.message_id).files
    given = portal.file(session, written.message_id, sheet.id)
    assert not isinstance(given, Locked)
    assert b"".join(given[1]) == PDF
    taken = files.take(
        desk.people[0], "photo.png", [PNG], draft_id=session.id, actor=desk.actor, at=desk.clock.now()
    )
    assert portal.reply(session, written.message_id, "And with milk?", file_ids=[taken.id]) is None
    assert written.conversation_id
    talk = inbox.conversation(written.conversation_id, actor=desk.actor)
    assert [each.side for each in talk.said] == [Side.STAFF, Side.PATIENT]
    assert talk.waiting


@pytest.mark.parametrize("special", [Special.HIV, Special.MENTAL_HEALTH, Special.GENETIC])
def test_what_staff_say_it_touches_decides_what_opens_it(desk: Desk, special: Special) -> None:
    written = write(desk, tells=frozenset({special}))
    if written.reason:
        assert told(written.message_id).state is State.REFUSED, "the gate wants more for this one"
        return
    token = carry(desk)
    assert not patients.invitation(token, clock=desk.clock).code_by_email
    strong = come_in(desk, token)
    assert written.message_id
    weak = replace(strong, proof=Proof.EMAIL)
    assert portal.read(weak, written.message_id) is Locked.STRONGER
    assert not isinstance(portal.read(strong, written.message_id), Locked)


def test_taken_back_it_is_gone_for_the_reader_with_its_files(desk: Desk) -> None:
    written = write(desk)
    session = come_in(desk, carry(desk))
    assert written.message_id
    [sheet] = portal.beside(session, written.message_id).files
    api.recall(written.message_id, actor=desk.actor, at=desk.clock.now())
    assert portal.read(session, written.message_id) is Locked.RECALLED
    assert portal.file(session, written.message_id, sheet.id) is Locked.RECALLED
    assert portal.reply(session, written.message_id, "Hello?") is Locked.RECALLED


def test_only_pictures_of_what_is_only_to_be_looked_at(desk: Desk) -> None:
    with pytest.raises(BadInput, match="takes pictures"):
        write(desk, view_only=True)
