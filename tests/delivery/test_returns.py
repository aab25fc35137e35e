"""What comes back late: it moves the message, stops the address by rule with its evidence, and a person may lift it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from salus.delivery import api, arf, dsn, returns, suppressing
from salus.delivery.contracts import Returned, Sign, State
from salus.delivery.dsn import NoReport
from salus.delivery.models import ReturnRow
from salus.delivery.rules import BOUNCES_COUNT_FOR, SOFT_DAYS
from salus.identity.contracts import Role
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind

from . import office
from .conftest import Desk

DAY = timedelta(days=1)


def bounce(status: str = "5.1.1", action: str = "failed", text: str = "User unknown") -> bytes:
    """Return a report as a mail host sends it."""
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.lakepost.example.test\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt failed.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.lakepost.example.test\r\n\r\n"
        f"Final-Recipient: rfc822; ana@lakepost.example.test\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} {text}\r\n--b--\r\n"
    ).encode()


def complaint(feedback: str = "abuse", return_path: str = "") -> bytes:
    """Return what a feedback loop sends, with the return path that it saw."""
    return (
        "From: fbl@lakepost.example.test\r\nSubject: Complaint\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {feedback}\r\nUser-Agent: Loop/1\r\nVersion: 1\r\n"
        f"Original-Mail-From: <{return_path}>\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nReturn-Path: <{return_path}>\r\nSubject: Your visit\r\n\r\n"
        "Dear Ana\r\n--b--\r\n"
    ).encode()


AWAY = b"From: ana@lakepost.example.test\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n\r\nUntil Monday.\r\n"


def accepted(desk: Desk) -> UUID:
    """Send one message that the peer takes; return its id."""
    if not desk.people:
        desk.admit("ana")
    desk.release()
    (prepared,) = desk.take().prepared
    desk.settle(desk.outcome(prepared))
    return prepared.lease.message_id


def come(desk: Desk, message_id: UUID, raw: bytes) -> Returned:
    """Let something come back for a message."""
    return returns.record(message_id, returns.read(raw), actor=desk.actor, at=desk.clock.now())


def standing(desk: Desk) -> list[str]:
    """Return why the person's addresses are stopped."""
    found = permissions.standing(desk.people[0], desk.clock.now())
    return [each.reason for each in found.suppressions]


def test_a_hard_bounce_moves_the_message_and_stops_the_address_once(desk: Desk) -> None:
    message_id = accepted(desk)
    assert come(desk, message_id, bounce()) is Returned.BOUNCED
    row = desk.row(message_id)
    assert (row.state, row.reason) == (State.BOUNCED, "no_such_mailbox")
    assert standing(desk) == ["hard_bounce"]
    (stopped,) = api.stopped(10, desk.clock.now())
    assert (stopped.because, stopped.stands) == ("hard_bounce", True)
    assert [each.status for each in stopped.evidence] == ["550 5.1.1"]
    assert come(desk, message_id, bounce()) is Returned.KNOWN
    assert ReturnRow.objects.count() == 1
    found = api.receipt(message_id)
    assert found.steps[-1]["reported"] is True
    assert not found.faults
    told = str(found.steps)
    assert "lakepost" not in told.replace("mx.lakepost.example.test", "")


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        (bounce(action="delayed", status="4.4.1"), Returned.DELAYED),
        (bounce(action="delivered", status="2.0.0"), Returned.NOTED),
        (complaint("not-spam"), Returned.NOTED),
        (complaint("auth-failure"), Returned.NOTED),
        (complaint("what-is-this"), Returned.NOTED),
        (AWAY, Returned.AUTO_REPLY),
        (b"From: ana@lakepost.example.test\r\nSubject: Thanks\r\n\r\nThanks.\r\n", Returned.NOT_A_REPORT),
        (b"", Returned.NOT_A_REPORT),
        (
            bounce().replace(b"Status:", b"X:").replace(b"Action:", b"X:").replace(b"550 5", b"x"),
            Returned.UNREADABLE,
        ),
    ],
)
def test_what_says_nothing_of_the_address_changes_nothing(desk: Desk, raw: bytes, outcome: Returned) -> None:
    message_id = accepted(desk)
    assert come(desk, message_id, raw) is outcome
    assert desk.row(message_id).state == State.ACCEPTED
    assert not standing(desk)
    assert not ReturnRow.objects.exists()


@pytest.mark.parametrize(
    ("status", "text", "sign"),
    [
        ("5.7.1", "Message looks like spam", Sign.POLICY),
        ("5.7.1", "Blocked using Spamhaus", Sign.REPUTATION),
        ("5.3.4", "Too large", Sign.MESSAGE),
        ("5.2.2", "Mailbox full", Sign.SOFT),
    ],
)
def test_what_refuses_us_or_the_message_bounces_it_and_stops_nothing(
    desk: Desk, status: str, text: str, sign: Sign
) -> None:
    message_id = accepted(desk)
    assert come(desk, message_id, bounce(status, text=text)) is Returned.BOUNCED
    assert not standing(desk)
    assert api.signs_since(desk.clock.now() - DAY)[sign] == 1


def test_soft_bounces_stop_an_address_when_they_go_on_for_days(desk: Desk) -> None:
    for day in range(SOFT_DAYS):
        assert not standing(desk) if desk.people else True
        message_id = accepted(desk)
        assert come(desk, message_id, bounce("5.2.2", text="Mailbox full")) is Returned.BOUNCED
        if day < SOFT_DAYS - 1:
            desk.clock.advance(DAY)
    assert standing(desk) == ["soft_bounces"]
    (stopped,) = api.stopped(10, desk.clock.now())
    assert len(stopped.evidence) == SOFT_DAYS
    actor = office.staff(desk.organization, Role.PRIVACY_OFFICER)
    desk.clock.advance(DAY)
    api.lift(stopped.entry_id, Phi("They emptied it."), actor=actor, at=desk.clock.now())
    come(desk, accepted(desk), bounce("5.2.2", text="Mailbox full"))
    assert not standing(desk)  # what counted once does not count again


def test_soft_bounces_of_one_day_or_of_a_silent_host_stop_nothing(desk: Desk) -> None:
    for _ in range(SOFT_DAYS):
        come(desk, accepted(desk), bounce("5.2.2", text="Mailbox full"))
    assert not standing(desk)
    for _ in range(SOFT_DAYS):
        desk.clock.advance(DAY)
        come(desk, accepted(desk), bounce("4.4.1", text="No answer from host"))
    assert not standing(desk)


def test_soft_bounces_of_another_address_do_not_count(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppressing, "_sent_to", lambda address, ids: list(ids)[:1])
    for _ in range(SOFT_DAYS):
        come(desk, accepted(desk), bounce("5.2.2", text="Mailbox full"))
        desk.clock.advance(DAY)
    assert not standing(desk)


def test_a_complaint_stops_the_address_at_once_however_late_and_once(desk: Desk) -> None:
    message_id = accepted(desk)
    desk.clock.advance(BOUNCES_COUNT_FOR * 3)
    assert come(desk, message_id, complaint()) is Returned.COMPLAINT
    assert standing(desk) == ["complaint"]
    assert desk.row(message_id).state == State.ACCEPTED
    assert come(desk, message_id, complaint()) is Returned.KNOWN
    assert len(api.stopped(10, desk.clock.now())) == 1


def test_a_bounce_that_is_too_late_changes_nothing(desk: Desk) -> None:
    message_id = accepted(desk)
    desk.clock.advance(BOUNCES_COUNT_FOR + DAY)
    assert come(desk, message_id, bounce()) is Returned.LATE
    assert desk.row(message_id).state == State.ACCEPTED
    assert not standing(desk)


def test_a_message_or_a_person_that_is_gone_has_an_outcome(desk: Desk) -> None:
    assert come(desk, new_id(), bounce()) is Returned.GONE
    assert come(desk, new_id(), complaint()) is Returned.GONE


def test_of_a_person_who_was_erased_nothing_is_kept(desk: Desk) -> None:
    first, second = accepted(desk), accepted(desk)
    come(desk, first, bounce("5.2.2", text="Mailbox full"))
    api.erase_person(desk.people[0], actor=desk.actor, clock=desk.clock)
    assert not ReturnRow.objects.exists()
    assert come(desk, second, bounce()) is Returned.GONE
    assert come(desk, second, complaint()) is Returned.GONE
    assert not ReturnRow.objects.exists()


def test_a_message_that_waits_stays_and_its_address_is_stopped(desk: Desk) -> None:
    desk.admit("ana")
    desk.release()
    (prepared,) = desk.take().prepared
    message_id = prepared.lease.message_id
    assert come(desk, message_id, bounce()) is Returned.NOTED
    assert desk.row(message_id).state == State.LEASED
    assert standing(desk) == ["hard_bounce"]


def test_a_person_lifts_it_with_a_reason_that_the_ledger_keeps(desk: Desk) -> None:
    come(desk, accepted(desk), bounce())
    (stopped,) = api.stopped(10, desk.clock.now())
    officer = office.staff(desk.organization, Role.PRIVACY_OFFICER)
    desk.clock.advance(DAY)
    at = desk.clock.now()
    for why in ("", "  ", "x" * 301):
        with pytest.raises(BadInput):
            api.lift(stopped.entry_id, Phi(why), actor=officer, at=at)
    with pytest.raises(NotFound):
        api.lift(stopped.entry_id, Phi("So"), actor=office.staff(desk.organization, Role.ANALYST), at=at)
    with pytest.raises(NotFound):
        api.lift(new_id(), Phi("So"), actor=officer, at=at)
    api.lift(stopped.entry_id, Phi("Typing error, mended"), actor=officer, at=at)
    assert not standing(desk)
    assert not api.one_stopped(stopped.entry_id, at).stands
    with pytest.raises(Conflict):
        api.lift(stopped.entry_id, Phi("Again"), actor=officer, at=at)
    entries = permissions.entries_of(desk.people[0], actor=officer)
    lifted = next(each for each in entries if each.kind is EntryKind.SUPPRESSION_LIFTED)
    assert (lifted.ends, lifted.details["reason"]) == (stopped.entry_id, "Typing error, mended")


def test_the_list_has_pages(desk: Desk) -> None:
    desk.admit("ana", "ben", "cleo")
    desk.release()
    for each in desk.take().prepared:
        desk.settle(desk.outcome(each))
        come(desk, each.lease.message_id, bounce())
    first = api.stopped(2, desk.clock.now())
    rest = api.stopped(2, desk.clock.now(), before=first[-1].entry_id)
    assert len({each.entry_id for each in (*first, *rest)}) == 3
    with pytest.raises(NotFound):
        api.stopped(2, desk.clock.now(), before=new_id())


def test_reports_and_complaints_are_told_apart() -> None:
    assert isinstance(returns.read(bounce()), dsn.Dsn)
    found = returns.read(complaint(return_path="Bounces+x@Clinic.example"))
    assert isinstance(found, arf.Complaint)
    assert found.return_paths == ("bounces+x@clinic.example",)
    assert returns.read(AWAY) is NoReport.AUTO_REPLY
