"""Both listeners against any octets: whatever comes is answered by replies and an end, and nothing is taken by chance."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salus.connect.contracts import Submitted
from salus.connect.session import Bounds as SubmissionBounds
from salus.connect.session import Submission
from salus.delivery.inbound import context
from salus.delivery.receiving import Bounds, Receiver
from salus.platform.smtp import TEXT_LINE

TLS = context("mx.clinic.example", None, None)
OURS = "bounces+ours@clinic.example"
KEY = "salus_key"
REPLIES = re.compile(rb"(?:[2-5][0-9]{2}[ -][ -~]*\r\n)*")
OCTETS = 4000
PIECES = st.sampled_from(
    [
        b"EHLO x\r\n",
        b"HELO\r\n",
        b"EHLO x\r\nMAIL FROM:<>\r\n",
        b"MAIL FROM:<a@b.example> SIZE=99999999999999999999\r\n",
        b"MAIL FROM:<a@b.example> BODY=8BITMIME\r\n",
        b"MAIL FROM:<a\rRCPT TO:<b>\r\n",
        f"RCPT TO:<{OURS}>\r\n".encode(),
        b"RCPT TO:<\xff@b>\r\n",
        b"DATA\r\n",
        b"DATA\n",
        b"Subject: a\r\n\r\nb\r\n",
        b"\r\n.\r\n",
        b"\n.\n",
        b"\r.\r",
        b"..\r\n",
        b"RSET\r\n",
        b"NOOP\r\n",
        b"QUIT",
        b"STARTTLS\r\n",
        b"AUTH PLAIN AHgAc2FsdXNfa2V5\r\n",
        b"AUTH PLAIN\r\n",
        b"AUTH LOGIN\r\n",
        b"AUTH PLAIN =\r\n",
        b"AUTH PLAIN ////\r\n",
        b"c2FsdXNfa2V5\r\n",
        b"*\r\n",
        b"\r\n",
        b"\n",
        b"\0",
        b"x" * 3000,
        b"\x16\x03\x01\x02\x00\x01",
    ]
)
SAID = st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=25).map(b"".join)


@dataclass
class Host:
    """Both listeners, and what they took."""

    inbound: int = 0
    submission: int = 0
    taken: list[bytes] = field(default_factory=list)

    def hears(self, port: int, said: bytes) -> bytes:
        """Say everything at once and end; return all that is answered until the other side ends."""
        heard = b""
        with socket.create_connection(("127.0.0.1", port), timeout=8) as client:
            try:
                client.sendall(said)
                client.shutdown(socket.SHUT_WR)
                while octets := client.recv(65536):
                    heard += octets
            except ConnectionError:
                return heard
        return heard


@contextmanager
def listening(bounds: Bounds, submission_bounds: SubmissionBounds) -> Iterator[Host]:
    host = Host()
    ready, loop = threading.Event(), asyncio.new_event_loop()
    over = asyncio.Event()

    async def known(recipient: str) -> str | None:
        return recipient if recipient == OURS else None

    async def take_back(meant: str, raw: bytes) -> str:
        host.taken.append(raw)
        return "250 2.0.0 Ok"

    async def may(key: str, ip: str) -> bool:
        return key == KEY

    async def take(submitted: Submitted) -> str:
        host.taken.append(submitted.raw)
        return "250 2.0.0 Ok"

    async def serve() -> None:
        receiver = Receiver("mx.clinic.example", known, take_back, tls=TLS, bounds=bounds)
        # As behind a door that is TLS already: all of the dialogue can be reached without a handshake for each.
        submission = Submission("smtp.clinic.example", TLS, may, take, submission_bounds)
        servers = [
            await asyncio.start_server(door, "127.0.0.1", 0, limit=TEXT_LINE)
            for door in (receiver.starttls, submission.implicit)
        ]
        host.inbound, host.submission = (each.sockets[0].getsockname()[1] for each in servers)
        ready.set()
        await over.wait()
        for each in servers:
            each.close()
        if rest := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(rest, timeout=6)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield host
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    many = Bounds(octets=OCTETS, connections=500, per_address=500, per_minute=10**9, seconds=5.0)
    with listening(many, SubmissionBounds(octets=OCTETS, connections=500, per_address=500)) as found:
        yield found


class Warnings(logging.Handler):
    """Keeps what was warned of: a fault that nobody foresaw."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@pytest.fixture(scope="module")
def warnings() -> Iterator[Warnings]:
    handler = Warnings()
    names = ("salus.connect.session", "salus.platform.smtp", "asyncio")
    for name in names:
        logging.getLogger(name).addHandler(handler)
    yield handler
    for name in names:
        logging.getLogger(name).removeHandler(handler)


@pytest.mark.parametrize("door", ["inbound", "submission"])
def test_what_is_said_at_once_reaches_the_end_of_the_dialogue(host: Host, door: str) -> None:
    login = b"AUTH PLAIN AHgAc2FsdXNfa2V5\r\n" if door == "submission" else b"NOOP\r\n"
    rcpt = f"RCPT TO:<{OURS}>\r\n".encode()
    said = b"EHLO x\r\n" + login + b"MAIL FROM:<>\r\n" + rcpt + b"DATA\r\na: b\r\n\r\n..\r\n.\r\nQUIT\r\n"
    assert host.hears(getattr(host, door), said).endswith(b"250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n")
    assert host.taken == [b"a: b\r\n\r\n.\r\n"]
    host.taken.clear()


@pytest.mark.parametrize("door", ["inbound", "submission"])
@given(said=SAID)
@settings(max_examples=250, deadline=4000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])  # fmt: skip
def test_any_octets_are_answered_by_replies_and_an_end(
    host: Host, warnings: Warnings, door: str, said: bytes
) -> None:
    heard = host.hears(getattr(host, door), said)
    # A handshake that was begun is answered by an alert of TLS: what stands before it are replies all the same.
    clear = heard.partition(b"\x15\x03")[0] if b"STARTTLS" in said.upper() else heard
    assert REPLIES.fullmatch(clear), clear
    assert not warnings.said
    for raw in host.taken:
        assert len(raw) <= OCTETS + 2
        assert b"\r\n.\r\n" not in b"\r\n" + raw or b".." in said
        assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
    host.taken.clear()


@pytest.mark.parametrize("door", ["inbound", "submission"])
@pytest.mark.parametrize(
    "said",
    [b"x" * 100, b"EHLO x\r\nAUTH PLAIN AHgAc2FsdXNfa2V5\r\nMAIL FROM:<>\r\nRCPT TO:<" + OURS.encode() + b">\r\nDATA\r\nSubject: "],
    ids=["a command", "a message"],
)  # fmt: skip
def test_a_line_by_octets_is_over_in_its_time(door: str, said: bytes) -> None:
    """Whoever gives an octet now and then has as long for a line as whoever gives none."""
    with listening(Bounds(seconds=0.4), SubmissionBounds(seconds=0.4)) as host:
        stop = threading.Event()
        with socket.create_connection(("127.0.0.1", getattr(host, door)), timeout=5) as client:
            client.sendall(said)

            def drip() -> None:
                while not stop.wait(0.05):
                    try:
                        client.sendall(b"x")
                    except OSError:
                        return

            thread = threading.Thread(target=drip)
            thread.start()
            try:
                while client.recv(65536):
                    pass
            except ConnectionError:
                pass
            finally:
                stop.set()
                thread.join()
        assert not host.taken
