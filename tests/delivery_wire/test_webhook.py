"""A call on the wire: signed, verified, bounded, and never led elsewhere."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import uvloop

from salus.delivery.transports.dns import Failure, FakeDns
from salus.delivery.transports.webhook import Answer, Post, Webhook, signature

from .peers import AUTHORITY
from .receivers import HOST, OK, MakeScript, Receiver, Script, answers, context_for, hear, receiving

NEW, OLD = b"n" * 32, b"o" * 32
BODY = b'{"type":"journey.step"}'


def post_to(url: str) -> Post:
    return Post(url, "msg_018f", BODY, (NEW, OLD), datetime.now(UTC))


def client(**changes: object) -> Webhook:
    """Return a client that knows the receiver's address, and trusts its throw-away authority."""
    dns = FakeDns(hosts={HOST: ["127.0.0.1"]})
    given = Webhook(dns, laboratory=True, authorities=AUTHORITY.pem, seconds=5)
    return replace(given, **changes)  # type: ignore[arg-type]


def make_call(
    script: MakeScript,
    webhook: Webhook | None = None,
    *,
    path: str = "/salus?from=clinic",
    context: ssl.SSLContext | None = None,
) -> tuple[Answer, Receiver]:
    """Post once to a receiver that follows `script`; return the answer, and the receiver."""

    async def run() -> tuple[Answer, Receiver]:
        async with receiving(script, context=context) as receiver:
            return await (webhook or client()).post(post_to(receiver.origin + path)), receiver

    return uvloop.run(run())


def says(*parts: bytes, pause: float = 0) -> MakeScript:
    """Return a script that hears a request and writes `parts`."""

    def script(receiver: Receiver) -> Script:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            receiver.heard.append(await hear(reader))
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)

        return run

    return script


def test_a_call_is_posted_once_with_its_body_its_id_and_both_signatures() -> None:
    answer, receiver = make_call(answers(OK))
    assert answer == Answer(204)
    (heard,) = receiver.heard
    assert heard.body == BODY
    assert heard.target == "/salus?from=clinic"
    assert heard.headers["host"] == f"{HOST}:{receiver.port}"
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["webhook-id"] == "msg_018f"
    signed = f"msg_018f.{heard.headers['webhook-timestamp']}.".encode() + BODY
    expected = [
        "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        for secret in (NEW, OLD)
    ]
    assert heard.headers["webhook-signature"].split(" ") == expected


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [secret])
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(("reply", "status"), [(b"500 Oh", 500), (b"301 Moved\r\nLocation: https://x", 301)])
def test_any_other_status_is_told_and_nothing_is_followed(reply: bytes, status: int) -> None:
    answer, receiver = make_call(answers(b"HTTP/1.1 " + reply + b"\r\n\r\n"))
    assert answer.status == status
    assert receiver.connections == 1


def test_interim_answers_are_waited_out() -> None:
    answer, _ = make_call(
        answers(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody")
    )
    assert answer == Answer(200)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (says(b"HTTP/1.1 200 OK\r\n", *[b"X-Filler: " + b"a" * 1000 + b"\r\n"] * 40), "answer_too_long"),
        (says(b"\x00" * 40_000), "answer_too_long"),
        (says(b"220 mx.example.test ESMTP\r\n\r\n"), "not_http"),
        (says(b"HTTP/1.1 200 OK\r\nX-Half"), "not_http"),
        (says(b"HTTP/1.1 100 Continue\r\n\r\n" * 10), "not_http"),
        (says(), "closed"),
        (says(b"H", b"T", b"T", b"P", *[b"/"] * 100, pause=0.1), "timeout"),
        (says(b"", pause=30), "timeout"),
    ],
    ids=["endless-headers", "zeros", "smtp", "half", "interim-for-ever", "silent-end", "drip", "silence"],
)
def test_a_hostile_receiver_ends_the_attempt_and_nothing_else(script: MakeScript, reason: str) -> None:
    answer, _ = make_call(script, client(seconds=1.0))
    assert answer == Answer(None, reason)


def test_an_endless_body_is_not_read() -> None:
    answer, _ = make_call(says(b"HTTP/1.1 200 OK\r\n\r\n", *[b"a" * 65_536] * 200), client(seconds=2.0))
    assert answer == Answer(200)


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (context_for("elsewhere.example"), "certificate_wrong_name"),
        (context_for(HOST, expired=True), "certificate_expired"),
    ],
    ids=["name", "date"],
)
def test_a_receiver_that_is_not_who_it_should_be_hears_nothing(context: ssl.SSLContext, reason: str) -> None:
    answer, receiver = make_call(answers(OK), context=context)
    assert answer == Answer(None, reason)
    assert not receiver.heard


def test_an_authority_that_the_machine_does_not_know_is_not_trusted() -> None:
    answer, receiver = make_call(answers(OK), client(authorities=""))
    assert answer == Answer(None, "certificate_untrusted")
    assert not receiver.heard


def test_a_suite_without_authenticated_encryption_is_refused() -> None:
    context = context_for(HOST)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    answer, receiver = make_call(answers(OK), context=context)
    assert answer == Answer(None, "handshake_failed")
    assert not receiver.heard


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1", "64:ff9b::a00:1"],
)
def test_outside_a_laboratory_a_name_that_leads_to_our_own_network_is_not_followed(address: str) -> None:
    webhook = client(dns=FakeDns(hosts={HOST: [address]}), laboratory=False)
    answer, receiver = make_call(answers(OK), webhook)
    assert answer == Answer(None, "private_address")
    assert not receiver.connections


@pytest.mark.parametrize("url", ["https://10.0.0.1/x", "https://[::1]/x", "https://[::ffff:7f00:1]/x"])
def test_outside_a_laboratory_an_address_of_our_own_network_is_not_called(url: str) -> None:
    assert uvloop.run(client(laboratory=False).post(post_to(url))) == Answer(None, "private_address")


def test_http_is_for_loopback_in_a_laboratory_only() -> None:
    async def run(webhook: Webhook, host: str) -> Answer:
        async with receiving(answers(OK), plain=True) as receiver:
            return await webhook.post(post_to(f"http://{host}:{receiver.port}/"))

    assert uvloop.run(run(client(), "127.0.0.1")) == Answer(204)
    assert uvloop.run(run(client(), "localhost")) == Answer(204)
    assert uvloop.run(run(client(), HOST)) == Answer(None, "not_https")
    assert uvloop.run(run(client(laboratory=False), "127.0.0.1")) == Answer(None, "not_https")


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(Failure.NO_NAME, "no_such_host"), (Failure.NO_DATA, "no_such_host"), (Failure.TROUBLE, "dns_trouble")],
)
def test_a_host_that_dns_does_not_know_is_told_apart_from_trouble(failure: Failure, reason: str) -> None:
    webhook = client(dns=FakeDns(hosts={HOST: failure}))
    assert uvloop.run(webhook.post(post_to(f"https://{HOST}/"))) == Answer(None, reason)


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    webhook = client(dns=FakeDns(hosts={HOST: ["::1", "127.0.0.1"]}))
    answer, _ = make_call(answers(OK), webhook)
    assert answer == Answer(204)


def test_nobody_at_any_address_is_told() -> None:
    webhook = client()
    answer = uvloop.run(webhook.post(post_to(f"https://{HOST}:1/")))
    assert answer == Answer(None, "unreachable")


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: y", "/é", "/\x00"])
def test_an_address_cannot_add_to_the_request(path: str) -> None:
    answer, receiver = make_call(answers(OK), path=path)
    assert answer == Answer(None, "bad_address")
    assert not receiver.connections


def test_what_is_posted_shows_nowhere() -> None:
    shown = repr(post_to(f"https://{HOST}/secret-path"))
    assert "secret-path" not in shown
    assert "journey" not in shown
    assert "nnnn" not in shown
