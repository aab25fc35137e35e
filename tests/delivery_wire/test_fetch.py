"""A question to a service outside: verified, bounded, and led nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import uvloop

from salus.delivery.transports.dns import FakeDns
from salus.delivery.transports.fetch import BODY, HEAD, Fetch, Fetched, Request

from .peers import AUTHORITY
from .receivers import HOST, Receiver, answers, context_for, receiving

FETCH = Fetch(FakeDns(hosts={HOST: ["127.0.0.1"]}), laboratory=True, authorities=AUTHORITY.pem, seconds=2)


def ask(reply: bytes, fetch: Fetch = FETCH, *, name: str = HOST, **request: Any) -> tuple[Fetched, Receiver]:
    """Post a form to a receiver that answers with `reply`; return what came of it, and the receiver."""

    async def run() -> tuple[Fetched, Receiver]:
        async with receiving(answers(reply), context=context_for(name)) as receiver:
            given = Request(f"{receiver.origin}/token?a=b", datetime.now(UTC), body=b"code=7")
            return await fetch.fetch(replace(given, **request)), receiver

    return uvloop.run(run())


@pytest.mark.parametrize(
    "reply",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}and more',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\n{"a\r\n5\r\n": 1}\r\n0\r\n\r\n',
        b'HTTP/1.0 200\r\n\r\n{"a": 1}',
    ],
)
def test_an_answer_is_read_however_its_length_is_told(reply: bytes) -> None:
    fetched, receiver = ask(reply, headers={"Authorization": "Bearer x"})
    assert fetched == Fetched(200, b'{"a": 1}')
    (heard,) = receiver.heard
    assert heard.target == "/token?a=b"
    assert heard.body == b"code=7"
    assert heard.headers["content-type"] == "application/x-www-form-urlencoded"
    assert heard.headers["authorization"] == "Bearer x"


def test_a_redirect_is_an_answer_and_not_a_way() -> None:
    reply = b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n"
    assert ask(reply)[0] == Fetched(302)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"", "closed"),
        (b"SSH-2.0-x\r\n\r\n", "not_http"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "not_http"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "not_http"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "answer_too_long"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BODY + 1), "answer_too_long"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % (BODY + 1), "answer_too_long"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not_http"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (BODY + 1), "answer_too_long"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (HEAD * 2) + b"\r\n\r\n", "answer_too_long"),
    ],
)
def test_what_is_no_answer_is_a_word(reply: bytes, reason: str) -> None:
    assert ask(reply)[0] == Fetched(0, reason=reason)


def test_a_peer_with_another_name_hears_nothing() -> None:
    fetched, receiver = ask(b"HTTP/1.1 200 OK\r\n\r\n", name="other.example")
    assert fetched.status == 0
    assert receiver.heard == []


@pytest.mark.parametrize(
    ("request_of", "reason"),
    [
        ({"url": f"http://{HOST}/"}, "not_https"),
        ({"url": "https://nobody.example/"}, "no_such_host"),
        ({"headers": {"X": "a\r\nHost: other"}}, "bad_address"),
    ],
)
def test_what_may_not_be_asked_is_not(request_of: dict[str, Any], reason: str) -> None:
    fetched, receiver = ask(b"HTTP/1.1 200 OK\r\n\r\n", **request_of)
    assert fetched == Fetched(0, reason=reason)
    assert receiver.heard == []


def test_outside_of_a_laboratory_our_own_network_is_closed() -> None:
    fetched, receiver = ask(b"HTTP/1.1 200 OK\r\n\r\n", replace(FETCH, laboratory=False))
    assert fetched == Fetched(0, reason="private_address")
    assert receiver.connections == 0
