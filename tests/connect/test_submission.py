"""Submission by real clients over real TLS: what gets in is in the queue when they hear so, and nothing else gets in."""

from __future__ import annotations

import base64
import signal
import smtplib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.connect.contracts import Fault
from salus.delivery import api as delivery
from salus.delivery.contracts import State
from salus.delivery.models import MessageRow, QueueRow
from salus.gate.contracts import Reason
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for

from .conftest import DOMAIN, Place

pytestmark = pytest.mark.usefixtures("database")


def id_of(answer: tuple[int, str]) -> UUID:
    """Return the message that a 250 names."""
    assert answer[0] == 250, answer
    return UUID(answer[1].rsplit(" ", 1)[1])


def rows(place: Place) -> int:
    """Return how many messages there are."""
    with acting_for(place.desk.id):
        return MessageRow.objects.count()


def talk(place: Place, *lines: bytes) -> list[bytes]:
    """Say everything at once over TLS, and return all replies until the other side ends."""
    with (
        socket.create_connection(("127.0.0.1", place.wrapped), 20) as plain,
        place.client.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(b"".join(lines))
        heard = b""
        while more := secure.recv(65536):
            heard += more
    return heard.split(b"\r\n")[:-1]


def plain_login(key: str) -> bytes:
    """Return the AUTH command with its answer."""
    return b"AUTH PLAIN " + base64.b64encode(b"\0x\0" + key.encode()) + b"\r\n"


def body(message: EmailMessage) -> bytes:
    """Return a message as it stands between DATA and the dot."""
    raw = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
    return b"".join(b"." + each if each.startswith(b".") else each for each in raw.splitlines(keepends=True))


def test_a_message_is_in_the_queue_when_its_250_is_heard_and_goes_as_it_was_written(place: Place) -> None:
    message_id = id_of(place.send(place.letter()))
    desk = place.desk
    with acting_for(desk.id):
        row = desk.row(message_id)
        assert row.state == State.CLEARED
        assert QueueRow.objects.filter(message_id=message_id, held=False).exists()
        assert b"Tuesday" not in bytes(row.sealed)
        prepared = next(each for each in desk.take().prepared if each.lease.message_id == message_id)
        assert prepared.parts.subject == "A time for you"
        assert prepared.parts.text.startswith("Your visit is on Tuesday.\n.\nA line after a dot.\n")
        assert "<p>Your <b>visit</b> is on Tuesday.</p>" in prepared.parts.html
        assert delivery.receipt(message_id).origin.kind == "submission"


def test_starttls_then_login_works_too(place: Place) -> None:
    with place.client_in_clear() as client:
        assert "auth" not in client.esmtp_features
        client._host = "localhost"  # type: ignore[attr-defined]
        client.starttls(context=place.client)
        client.ehlo()
        assert {"auth", "size", "pipelining"} <= set(client.esmtp_features)
        client.user, client.password = "salus", place.key
        client.auth("LOGIN", client.auth_login)
        assert client.send_message(place.letter()) == {}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_in_clear_neither_a_key_nor_a_message_is_heard(place: Place) -> None:
    with place.client_in_clear() as client:
        assert client.docmd("AUTH", "PLAIN AHgAeA==")[0] == 538
        assert client.mail("a@mail.cedar-row.example.org")[0] == 530
    with socket.create_connection(("127.0.0.1", place.clear), 20) as plain:  # nothing is injected before TLS
        plain.recv(1000)
        plain.sendall(b"EHLO x\r\nSTARTTLS\r\nNOOP\r\nRSET\r\n")
        heard = b""
        while b"220 2.0.0" not in heard:
            heard += plain.recv(1000)
        assert b"250 2.0.0" not in heard
    old = ssl.create_default_context(cadata=None)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        smtplib.SMTP_SSL("localhost", place.wrapped, context=old, timeout=20)


def test_keys_that_are_wrong_weak_or_revoked_get_in_nowhere(place: Place) -> None:
    for wrong in ("nonsense", place.weak_key, place.key[:-1] + ("A" if place.key[-1] != "A" else "B")):
        with pytest.raises(smtplib.SMTPAuthenticationError):
            place.signed_in(wrong).__enter__()
    with acting_for(place.desk.id):
        raw = identity.create_api_key(
            "Short", [Permission.DELIVERY_MESSAGE_SUBMIT], actor=place.desk.actor, allowed=Permission
        )
        [mine] = [each.id for each in identity.api_keys_of_organization() if each.name == "Short"]
    with place.signed_in(raw) as client:
        with acting_for(place.desk.id):
            identity.revoke_api_key(mine, actor=place.desk.actor)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.send_message(place.letter())
    assert refused.value.smtp_code == 535


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        ({"To": f"nobody@{DOMAIN}"}, "550 5.1.1", Fault.UNKNOWN_RECIPIENT),
        ({"From": "a@elsewhere.example.org"}, "550 5.6.0", Fault.SENDER),
        ({"X-Salus-Purpose": None}, "550 5.6.0", Fault.NO_PURPOSE),
        ({"X-Salus-Purpose": "gossip"}, "550 5.6.0", Fault.NO_PURPOSE),
        ({"X-Salus-Topic": None}, "550 5.6.0", Fault.NO_TOPIC),
        ({"X-Salus-Topik": "visits"}, "550 5.6.0", Fault.UNKNOWN_HEADER),
        ({"X-Salus-Discloses": "everything"}, "550 5.6.0", Fault.BAD_WORD),
        ({"X-Salus-Remuneration": None}, "550 5.6.0", Fault.CLASSIFICATION),
        ({"X-Salus-Discloses": None}, "550 5.7.1", Reason.NO_PART2_CONSENT),
        ({"X-Salus-Discloses": "psychotherapy_notes"}, "550 5.7.1", Reason.NEVER_IN_MESSAGES),
    ],
)
def test_what_is_refused_hears_a_code_and_nothing_about_anybody(
    place: Place, said: dict[str, str | None], code: str, reason: str
) -> None:
    number, text = place.send(place.letter(**said))  # type: ignore[arg-type]
    assert f"{number} {text}".startswith(f"{code} {reason}")
    assert "@" not in text
    with acting_for(place.desk.id):
        assert not QueueRow.objects.filter(message_id__in=_last_refused()).exists()


def _last_refused() -> list[UUID]:
    return list(MessageRow.objects.filter(state=State.REFUSED).values_list("id", flat=True))


def test_who_opted_out_gets_nothing_and_the_refusal_is_kept(place: Place) -> None:
    with acting_for(place.desk.id):
        permissions.opt_out(
            place.desk.people[1], "visits", Channel.EMAIL, evidence="by phone", actor=place.desk.actor
        )
    number, text = place.send(place.letter("bert"))
    assert (number, text.split(" (")[0]) == (550, f"5.7.1 {Reason.OPTED_OUT}")
    with acting_for(place.desk.id):
        assert place.desk.row(UUID(text.split("(")[1].rstrip(")"))).reason == Reason.OPTED_OUT


def test_a_refused_try_is_recorded_under_its_key_without_a_word_of_it(place: Place) -> None:
    place.send(place.letter(to="nobody"))
    with acting_for(place.desk.id):
        found = audit.entries(Filters(action=Action.API_KEY_USE))[0]
    assert found.details["reason"] == Fault.UNKNOWN_RECIPIENT
    assert "nobody" not in repr(found)


def test_the_same_message_twice_is_one_and_its_id_is_not_reused(place: Place) -> None:
    message = place.letter()
    first = id_of(place.send(message))
    assert id_of(place.send(message)) == first
    message.replace_header("Subject", "Another time")
    number, text = place.send(message)
    assert (number, text) == (550, f"5.6.0 {Fault.OTHER_CONTENT}")
    keyed = [place.letter(**{"X-Salus-Idempotency-Key": "order-7"}) for _ in range(2)]
    assert len({id_of(place.send(each)) for each in keyed}) == 1


def test_a_second_recipient_comes_in_a_transaction_of_its_own(place: Place) -> None:
    with place.signed_in() as client:
        client.mail("orders@mail.cedar-row.example.org")
        assert client.rcpt(f"ada@{DOMAIN}")[0] == 250
        assert client.rcpt(f"cora@{DOMAIN}")[0] == 452
        assert client.data(body(place.letter()))[0] == 250


def test_commands_in_one_piece_are_answered_in_order(place: Place) -> None:
    letters = [place.letter(), place.letter("cora")]
    said = [
        line
        for each in letters
        for line in (
            b"MAIL FROM:<a@mail.cedar-row.example.org> BODY=8BITMIME\r\nRCPT TO:<",
            str(each["To"]).encode() + b">\r\nDATA\r\n" + body(each) + b".\r\n",
        )
    ]
    heard = talk(place, b"EHLO x\r\n", plain_login(place.key), *said, b"QUIT\r\n")
    codes = [line[:3] for line in heard if line[3:4] == b" "]
    assert codes == [b"220", b"250", b"235", *[b"250", b"250", b"354", b"250"] * 2, b"221"]


@pytest.mark.parametrize("end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\r\n", b"\0\r\n"])
def test_no_message_is_smuggled_behind_a_line_end_that_is_none(place: Place, end: bytes) -> None:
    before = rows(place)
    hidden = b"MAIL FROM:<a@mail.cedar-row.example.org>\r\nRCPT TO:<cora@lakepost.example.test>\r\nDATA\r\n"
    heard = talk(
        place,
        *(b"EHLO x\r\n", plain_login(place.key)),
        b"MAIL FROM:<a@mail.cedar-row.example.org>\r\nRCPT TO:<ada@lakepost.example.test>\r\nDATA\r\n",
        *(body(place.letter()), b"x" + end, hidden, body(place.letter()), b".\r\nQUIT\r\n"),
    )
    assert heard[-1] == b"554 5.6.0 bare_line_end"
    assert rows(place) == before


def test_what_is_too_large_or_too_long_is_refused_and_costs_nothing(place: Place) -> None:
    before = rows(place)
    with place.signed_in() as client:
        assert client.docmd("MAIL", "FROM:<a@mail.cedar-row.example.org> SIZE=99999999")[0] == 552
        client.mail("a@mail.cedar-row.example.org")
        client.rcpt(f"ada@{DOMAIN}")
        assert client.data((b"x" * 900 + b"\r\n") * 1300)[0] == 552
        assert client.noop()[0] == 250
    long = talk(place, b"EHLO x\r\n", b"NOOP " + b"x" * 40_000 + b"\r\n")
    assert long[-1].startswith(b"500 5.5.2")
    assert rows(place) == before


def test_header_injection_by_encoded_words_is_refused(place: Place) -> None:
    message = place.letter()
    raw = body(message).replace(
        b"Subject: A time for you", b"Subject: =?utf-8?q?Hi=0D=0ABcc=3A_x=40y.example?="
    )
    with place.signed_in() as client:
        client.mail("a@mail.cedar-row.example.org")
        client.rcpt(f"ada@{DOMAIN}")
        code, text = client.docmd("DATA")[0], b""
        assert code == 354
        client.send(raw + b".\r\n")
        code, text = client.getreply()
    assert (code, text.decode()) == (550, f"5.6.0 {Fault.NO_SUBJECT}")


def test_twenty_at_once_are_all_told_the_truth(place: Place) -> None:
    def several(_: int) -> list[UUID]:
        with place.signed_in() as client:
            answers: list[Any] = []
            for _each in range(3):
                client.mail("orders@mail.cedar-row.example.org")
                client.rcpt(f"ada@{DOMAIN}")
                code, text = client.data(body(place.letter()))
                answers.append(id_of((code, text.decode())))
        return answers

    with ThreadPoolExecutor(20) as pool:
        told = [each for answers in pool.map(several, range(20)) for each in answers]
    assert len(set(told)) == 60
    with acting_for(place.desk.id):
        assert QueueRow.objects.filter(message_id__in=told).count() == 60


def test_a_kill_right_after_the_250_loses_nothing(place: Place) -> None:
    message = place.letter(**{"X-Salus-Idempotency-Key": new_id().hex})
    told = id_of(place.send(message))
    place.stop(signal.SIGKILL)
    with acting_for(place.desk.id):
        assert QueueRow.objects.filter(message_id=told).exists()
        found = [each for each in place.desk.take(500).prepared if each.lease.message_id == told]
        assert [each.parts.subject for each in found] == ["A time for you"]
    place.start()
    assert id_of(place.send(message)) == told  # a client that did not hear the 250 tries again
