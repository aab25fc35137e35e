"""A patient proves who they are: two facts, five tries, a short session."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.db import connection, connections

from salus.contacts import api as contacts
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.keys import api as keys
from salus.patients import api
from salus.patients.contracts import CodeNotSent, CodeSent, LockedOut, NotVerified, Proof, Verified
from salus.patients.models import AccessRow, SessionRow
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline

from .conftest import add_person, link_for
from .post import FakePost

BORN = date(1961, 4, 17)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def token(rosa: UUID, post: FakePost, clock: FakeClock) -> str:
    """The link of Rosa's notice."""
    return link_for(post.add(rosa), clock)


def emailed(token: str, post: FakePost, clock: FakeClock) -> str:
    sent = api.send_code(token, language="en", clock=clock)
    assert isinstance(sent, CodeSent)
    return post.codes[-1][1]


def signed_in(token: str, code: str, clock: FakeClock) -> Verified:
    outcome = api.verify(token, code=code, birth_date=BORN, clock=clock)
    assert isinstance(outcome, Verified)
    return outcome


def test_a_link_names_its_message_and_says_how_a_code_may_travel(
    token: str, rosa: UUID, post: FakePost, clock: FakeClock
) -> None:
    invitation = api.invitation(token, clock=clock)
    assert (invitation.contact_id, invitation.code_by_email, invitation.locked_until) == (rosa, True, None)
    post.no_email.add(invitation.message_id)
    assert not api.invitation(token, clock=clock).code_by_email


def test_code_and_birth_date_together_open_a_session(
    token: str, rosa: UUID, post: FakePost, clock: FakeClock
) -> None:
    outcome = signed_in(token, emailed(token, post, clock), clock)
    session = api.session(outcome.cookie, clock=clock)
    assert session is not None
    assert (session.contact_id, session.message_id, session.proof) == (rosa, outcome.message_id, Proof.EMAIL)
    assert api.actor_of(session).kind is ActorKind.PATIENT
    assert [event.kind for event in timeline.of_contact(rosa)] == ["portal_signed_in"]


@pytest.mark.parametrize("wrong", ["code", "date", "both", "no date", "no code"])
def test_whatever_is_wrong_the_answer_is_the_same(
    token: str, post: FakePost, clock: FakeClock, wrong: str
) -> None:
    code = emailed(token, post, clock)
    other = f"{(int(code) + 1) % 1_000_000:06d}"
    typed = {
        "code": (other, BORN),
        "date": (code, date(1961, 4, 18)),
        "both": (other, date(1961, 4, 18)),
        "no date": (code, None),
        "no code": ("", BORN),
    }[wrong]
    outcome = api.verify(token, code=typed[0], birth_date=typed[1], clock=clock)
    assert outcome == NotVerified(tries_left=4)


def test_a_code_works_once(token: str, post: FakePost, clock: FakeClock) -> None:
    code = emailed(token, post, clock)
    signed_in(token, code, clock)
    assert api.verify(token, code=code, birth_date=BORN, clock=clock) == NotVerified(tries_left=4)


def test_a_code_works_for_ten_minutes(token: str, post: FakePost, clock: FakeClock) -> None:
    code = emailed(token, post, clock)
    clock.advance(10 * MINUTE)
    assert isinstance(api.verify(token, code=code, birth_date=BORN, clock=clock), NotVerified)


def test_a_new_code_ends_the_one_before(token: str, post: FakePost, clock: FakeClock) -> None:
    first = emailed(token, post, clock)
    clock.advance(MINUTE)
    second = emailed(token, post, clock)
    if first != second:
        assert isinstance(api.verify(token, code=first, birth_date=BORN, clock=clock), NotVerified)
    signed_in(token, second, clock)


def test_after_five_wrong_tries_even_the_right_one_is_refused(
    token: str, post: FakePost, clock: FakeClock
) -> None:
    code = emailed(token, post, clock)
    for left in (4, 3, 2, 1):
        assert api.verify(token, code="0", birth_date=BORN, clock=clock) == NotVerified(left)
    locked = LockedOut(clock.now() + 30 * MINUTE)
    assert api.verify(token, code="0", birth_date=BORN, clock=clock) == locked
    assert api.verify(token, code=code, birth_date=BORN, clock=clock) == locked
    assert api.invitation(token, clock=clock).locked_until == locked.until
    assert api.send_code(token, language="en", clock=clock) == CodeNotSent(wait=True)
    clock.advance(30 * MINUTE)
    assert api.invitation(token, clock=clock).locked_until is None
    for left in (4, 3, 2, 1):
        assert api.verify(token, code="0", birth_date=BORN, clock=clock) == NotVerified(left)
    again = LockedOut(clock.now() + 60 * MINUTE)
    assert api.verify(token, code="0", birth_date=BORN, clock=clock) == again, "the second one is longer"
    clock.advance(60 * MINUTE)
    signed_in(token, emailed(token, post, clock), clock)
    assert api.verify(token, code="0", birth_date=BORN, clock=clock) == NotVerified(4), "it is forgotten"


def test_the_lockout_belongs_to_the_person_and_not_to_the_link(
    rosa: UUID, post: FakePost, clock: FakeClock
) -> None:
    links = [link_for(post.add(rosa), clock) for _ in range(5)]
    for link in links:
        api.verify(link, code="000000", birth_date=None, clock=clock)
    assert isinstance(api.verify(links[0], code="000000", birth_date=None, clock=clock), LockedOut)


def test_no_code_travels_by_email_when_delivery_says_no(token: str, post: FakePost, clock: FakeClock) -> None:
    post.no_email.add(api.invitation(token, clock=clock).message_id)
    assert api.send_code(token, language="en", clock=clock) == CodeNotSent(wait=False)
    assert post.codes == []


def test_a_path_that_fails_at_the_last_moment_carries_no_code(
    token: str, rosa: UUID, post: FakePost, clock: FakeClock
) -> None:
    post.broken = True
    assert api.send_code(token, language="en", clock=clock) == CodeNotSent(wait=False)
    assert AccessRow.objects.get(contact_id=rosa).code is None


def test_a_mailbox_is_not_flooded_with_codes(token: str, post: FakePost, clock: FakeClock) -> None:
    emailed(token, post, clock)
    assert api.send_code(token, language="en", clock=clock) == CodeNotSent(wait=True)
    assert len(post.codes) == 1


def test_a_code_of_staff_works_and_lifts_the_lockout(
    token: str, rosa: UUID, actor: Actor, clock: FakeClock
) -> None:
    for _ in range(5):
        api.verify(token, code="1", birth_date=BORN, clock=clock)
    issued = api.issue_code(rosa, actor=actor, clock=clock)
    assert issued.until == clock.now() + 10 * MINUTE
    session = api.session(signed_in(token, issued.code.reveal(), clock).cookie, clock=clock)
    assert session is not None
    assert session.proof is Proof.STAFF


def test_staff_cannot_hand_out_a_code_that_would_open_nothing(
    tenant: UUID, actor: Actor, clock: FakeClock
) -> None:
    nameless = add_person(actor, "7002", birth_date="")
    with pytest.raises(Conflict, match="No birth date"):
        api.issue_code(nameless, actor=actor, clock=clock)
    with pytest.raises(NotFound):
        api.issue_code(new_id(), actor=actor, clock=clock)


def test_without_a_birth_date_on_file_nothing_opens(
    tenant: UUID, actor: Actor, post: FakePost, clock: FakeClock
) -> None:
    token = link_for(post.add(add_person(actor, "7002", birth_date="")), clock)
    assert api.send_code(token, language="en", clock=clock) == CodeNotSent(wait=False)
    assert isinstance(api.verify(token, code="", birth_date=None, clock=clock), NotVerified)


@pytest.mark.parametrize("spoiled", ["", "nonsense", "A" * 80])
def test_a_bad_link_opens_nothing(tenant: UUID, post: FakePost, clock: FakeClock, spoiled: str) -> None:
    with pytest.raises(BadInput):
        api.invitation(spoiled, clock=clock)
    with pytest.raises(BadInput):
        api.verify(spoiled, code="1", birth_date=BORN, clock=clock)


def test_a_link_ends_and_a_link_for_something_else_is_none(
    token: str, rosa: UUID, post: FakePost, clock: FakeClock
) -> None:
    other = keys.seal_token("choices", post.add(rosa).bytes, lifetime=timedelta(days=1), clock=clock)
    with pytest.raises(BadInput):
        api.invitation(other, clock=clock)
    unknown = link_for(new_id(), clock)
    with pytest.raises(BadInput):
        api.invitation(unknown, clock=clock)
    clock.advance(timedelta(days=31))
    with pytest.raises(BadInput):
        api.invitation(token, clock=clock)


def test_a_session_ends_when_idle_and_when_signed_out(token: str, post: FakePost, clock: FakeClock) -> None:
    cookie = signed_in(token, emailed(token, post, clock), clock).cookie
    clock.advance(14 * MINUTE)
    assert api.session(cookie, clock=clock) is not None
    clock.advance(14 * MINUTE)
    assert api.session(cookie, clock=clock) is not None
    clock.advance(15 * MINUTE)
    assert api.session(cookie, clock=clock) is None
    clock.advance(-15 * MINUTE)
    assert api.session(cookie, clock=clock) is None

    cookie = signed_in(token, emailed(token, post, clock), clock).cookie
    api.end_session(cookie, clock=clock)
    api.end_session(cookie, clock=clock)
    assert api.session(cookie, clock=clock) is None
    assert api.session("nonsense", clock=clock) is None


def test_the_session_of_an_erased_person_is_over(
    token: str, rosa: UUID, actor: Actor, post: FakePost, clock: FakeClock
) -> None:
    cookie = signed_in(token, emailed(token, post, clock), clock).cookie
    contacts.erase_person(rosa, actor=actor)
    assert api.session(cookie, clock=clock) is None


def test_old_sessions_are_forgotten(token: str, post: FakePost, clock: FakeClock) -> None:
    signed_in(token, emailed(token, post, clock), clock)
    assert api.forget_old(clock=clock) == 0
    clock.advance(timedelta(days=8))
    assert api.forget_old(clock=clock) == 1
    assert SessionRow.objects.count() == 0


def test_the_code_is_nowhere_in_the_database(token: str, post: FakePost, clock: FakeClock) -> None:
    code = emailed(token, post, clock)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, '') FROM patients_access AS t")
        dump = cursor.fetchone()[0]
    assert code not in dump
    assert code.encode().hex() not in dump


def test_every_step_is_in_the_audit_log(
    token: str, rosa: UUID, actor: Actor, post: FakePost, clock: FakeClock
) -> None:
    code = emailed(token, post, clock)
    api.verify(token, code="1", birth_date=BORN, ip="192.0.2.7", clock=clock)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ip FROM audit_entry WHERE organization_id = %s", [actor.organization_id]
        )
        networks = {ip for (ip,) in cursor.fetchall()} - {""}
    assert networks == {api.network("192.0.2.7")}, "where a patient was is not told, only that it is the same"
    assert "192" not in str(networks)
    cookie = signed_in(token, code, clock).cookie
    api.end_session(cookie, clock=clock)
    for _ in range(6):
        api.verify(token, code="1", birth_date=BORN, clock=clock)
    api.issue_code(rosa, actor=actor, clock=clock)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT action, outcome FROM audit_entry WHERE organization_id = %s AND patient_id = %s "
            "AND action LIKE 'patients:%%' ORDER BY id",
            [actor.organization_id, rosa],
        )
        found = cursor.fetchall()
    assert found == [
        ("patients:session:challenge", "ok"),
        ("patients:session:sign_in", "refused"),
        ("patients:session:sign_in", "ok"),
        ("patients:session:sign_out", "ok"),
        *[("patients:session:sign_in", "refused")] * 4,
        ("patients:session:lock_out", "refused"),
        ("patients:code:issue", "ok"),
    ]


def test_another_organization_cannot_use_link_or_cookie(
    organization: UUID, other_organization: UUID, post: FakePost, clock: FakeClock
) -> None:
    with acting_for(organization):
        rosa = add_person(system(organization, "test"))
        token = link_for(post.add(rosa), clock)
        cookie = signed_in(token, emailed(token, post, clock), clock).cookie
    with acting_for(other_organization):
        with pytest.raises(BadInput):
            api.invitation(token, clock=clock)
        assert api.session(cookie, clock=clock) is None
        assert SessionRow.objects.count() == 0
        with pytest.raises(NotFound):
            api.issue_code(rosa, actor=system(other_organization, "test"), clock=clock)


def test_a_hundred_tries_at_the_same_moment_are_counted_one_by_one(
    organization: UUID, post: FakePost, clock: FakeClock
) -> None:
    with acting_for(organization):
        rosa = add_person(system(organization, "test"))
        token = link_for(post.add(rosa), clock)
    outcomes: list[object] = []

    def guess(numbers: range) -> None:
        try:
            for number in numbers:
                with acting_for(organization):
                    outcomes.append(api.verify(token, code=f"{number:06d}", birth_date=BORN, clock=clock))
        finally:
            connections.close_all()

    guessers = [threading.Thread(target=guess, args=(range(start, start + 5),)) for start in (0, 5, 10, 15)]
    for guesser in guessers:
        guesser.start()
    for guesser in guessers:
        guesser.join(60)
    assert len(outcomes) == 20
    assert sum(isinstance(outcome, NotVerified) for outcome in outcomes) == 4
