"""The listener: what is taken, what is refused, and what a stranger may cost."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from salus.delivery.inbound import context
from salus.delivery.receiving import Bounds, Receiver

OURS = "bounces+ours@clinic.example"
DIALOGUE = f"EHLO mx\r\nMAIL FROM:<>\r\nRCPT TO:<{OURS}>\r\nDATA\r\n".encode()
TLS = context("mx.clinic.example", None, None)
SMALL = Bounds(octets=2000, connections=3, per_address=2, per_minute=5, messages=2, mistakes=3, seconds=0.5)


@dataclass
class Taken:
    """What the server took."""

    messages: list[bytes] = field(default_factory=list)
    broken: bool = False

    async def known(self, recipient: str) -> str | None:
        if self.broken:
            raise OSError
        return recipient if recipient == OURS else None

    async def take(self, meant: str, raw: bytes) -> str:
        if self.broken:
            raise OSError
        self.messages.append(raw)
        return "250 2.0.0 Ok"


class Client:
    """A client of raw octets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def hear(self) -> str:
        """Return the last line of the next reply, "" when the connection was ended."""
        while True:
            line = (await self.reader.readline()).decode()
            if line[3:4] != "-":
                return line.strip()

    async def replies(self, count: int) -> list[str]:
        return [(await self.hear())[:3] for _ in range(count)]


Play = Callable[[Callable[[], Awaitable[Client]], Taken], Awaitable[None]]


def play(part: Play, bounds: Bounds = SMALL) -> Taken:
    """Run a part against a real server on loopback; return what it took."""

    async def run() -> Taken:
        taken = Taken()
        receiver = Receiver("mx.clinic.example", taken.known, taken.take, tls=TLS, bounds=bounds)
        server = await receiver.listen("127.0.0.1:0")
        port = server.sockets[0].getsockname()[1]

        async def connect() -> Client:
            return Client(*await asyncio.open_connection("127.0.0.1", port))

        async with asyncio.timeout(20):
            await part(connect, taken)
        server.close()
        return taken

    return asyncio.run(run())


def test_a_report_is_taken_as_it_came_with_its_dots_undone() -> None:
    async def part(connect: Callable[[], Awaitable[Client]], taken: Taken) -> None:
        client = await connect()
        await client.say(DIALOGUE)
        assert await client.replies(5) == ["220", "250", "250", "250", "354"]
        await client.say(b"Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n")
        assert await client.replies(2) == ["250", "221"]

    assert play(part).messages == [b"Subject: x\r\n\r\n.dot\r\n"]


def test_within_tls_everything_begins_anew_and_what_was_slipped_in_before_is_dropped() -> None:
    async def part(connect: Callable[[], Awaitable[Client]], taken: Taken) -> None:
        client = await connect()
        await client.say(b"EHLO mx\r\nSTARTTLS\r\nMAIL FROM:<>\r\nRCPT TO:<" + OURS.encode() + b">\r\n")
        assert await client.replies(3) == ["220", "250", "220"]
        unverified = ssl.create_default_context()
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        await client.writer.start_tls(unverified)
        await client.say(b"MAIL FROM:<>\r\n")
        assert await client.replies(1) == ["503"]
        await client.say(b"STARTTLS\r\n" + DIALOGUE + b"x\r\n.\r\n")
        assert await client.replies(6) == ["503", "250", "250", "250", "354", "250"]

    assert play(part).messages == [b"x\r\n"]


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (b"RCPT TO:<bounces+forged@clinic.example>", "550"),
        (b"RCPT TO:<ana@elsewhere.example>", "550"),
        (b"RCPT TO:<>", "550"),
        (b"RCPT TO:<" + b"a" * 400 + b"@clinic.example>", "501"),
        (b"RCPT TO:<bounces+\xff@clinic.example>", "501"),
        (b"RCPT TO:<a b@clinic.example>", "501"),
        (b"RCPT TO:<a\n@clinic.example>", "554"),
        (b"NOOP\0", "554"),
        (b"DATA", "503"),
        (b"MAIL FROM:<>", "503"),
        (b"TURN", "500"),
        (b"", "500"),
        (b"VRFY ana", "252"),
    ],
)
def test_what_is_not_ours_or_not_smtp_is_refused(said: bytes, reply: str) -> None:
    async def part(connect: Callable[[], Awaitable[Client]], taken: Taken) -> None:
        client = await connect()
        await client.say(b"EHLO mx\r\nMAIL FROM:<>\r\n" + said + b"\r\n")
        assert (await client.replies(4))[-1] == reply

    play(part)


def test_what_is_too_large_is_refused_before_after_and_for_good() -> None:
    async def part(connect: Callable[[], Awaitable[Client]], taken: Taken) -> None:
        client = await connect()
        await client.say(b"EHLO mx\r\nMAIL FROM:<> SIZE=99999999\r\n")
        assert await client.replies(3) == ["220", "250", "552"]
        await client.say(DIALOGUE + b"x" * 3000 + b"\r\n.\r\nQUIT\r\n")
        assert await client.replies(6) == ["250", "250", "250", "354", "552", "221"]
        endless = await connect()
        await endless.say(DIALOGUE + b"x\r\n" * 9000)
        assert (await endless.replies(6))[-1] == "421"
        assert await endless.hear() == ""

    assert not play(part).messages


def test_endless_lines_mistakes_and_silence_end_the_connection() -> None:
    async def part(connect: Callable[[], Awaitable[Client]], taken: Taken) -> None:
        long = await connect()
        await long.say(b"x" * 100_000)
        assert await long.replies(2) == ["220", "500"]
        wrong = await connect()
        await wrong.say(b"WHAT\r\n" * 10)
        assert (await wrong.replies(5))[-1] == "421"
        silent = await connect()
        assert await silent.replies(1) == ["220"]
        assert await silent.hear() == ""

    play(part)


def test_connections_messages_and_recipients_are_counted() -> None:
    async def part(connect: Callable[[], Awaitable[Client]], taken: Taken) -> None:
        first, second, third = await connect(), await connect(), await connect()
        assert [(await each.hear())[:3] for each in (first, second, third)] == ["220", "220", "421"]
        await first.say(DIALOGUE[:-6] + b"RCPT TO:<" + OURS.encode() + b">\r\n")
        assert await first.replies(4) == ["250", "250", "250", "452"]
        await second.say((DIALOGUE + b"x\r\n.\r\n") * 2 + b"MAIL FROM:<>\r\n")
        assert (await second.replies(11))[-1] == "421"
        first.writer.close()
        await asyncio.sleep(0)
        for _ in range(2):
            again = await connect()
            while (await again.hear())[:3] == "421":
                again = await connect()
            await again.say(b"EHLO mx\r\nMAIL FROM:<>\r\nQUIT\r\n")
            said = await again.replies(3)
        assert said[1] in {"250", "451"}

    assert len(play(part).messages) == 2


def test_too_many_in_a_minute_come_again_later() -> None:
    async def part(connect: Callable[[], Awaitable[Client]], taken: Taken) -> None:
        client = await connect()
        await client.say(b"EHLO mx\r\n" + b"MAIL FROM:<>\r\nRSET\r\n" * 6)
        assert (await client.replies(14))[-2] == "451"

    play(part)


def test_a_fault_of_ours_says_come_again() -> None:
    async def part(connect: Callable[[], Awaitable[Client]], taken: Taken) -> None:
        client = await connect()
        taken.broken = True
        await client.say(DIALOGUE)
        assert (await client.replies(4))[-1] == "451"
        taken.broken = False
        await client.say(b"RCPT TO:<" + OURS.encode() + b">\r\nDATA\r\n")
        assert (await client.replies(3))[-1] == "354"
        taken.broken = True
        await client.say(b"x\r\n.\r\n")
        assert await client.replies(1) == ["451"]

    assert not play(part).messages


@pytest.mark.parametrize("end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\r\n", b"\0\r\n"])
def test_no_message_is_smuggled_behind_a_line_end_that_is_none(end: bytes) -> None:
    async def part(connect: Callable[[], Awaitable[Client]], taken: Taken) -> None:
        client = await connect()
        await client.say(DIALOGUE + b"a" + end + DIALOGUE + b"b\r\n.\r\nQUIT\r\n")
        assert await client.replies(6) == ["220", "250", "250", "250", "354", "554"]
        assert await client.hear() == ""

    assert not play(part).messages
