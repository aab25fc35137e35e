"""Peers that never stop and peers that never begin: each costs one connection, little memory, and a bounded time."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import uvloop

from salus.delivery.transports.handover import Fate, Outcome, Phase
from salus.delivery.transports.routes import Login
from salus.delivery.transports.session import Ended, ProtectedSession, open_session
from salus.delivery.transports.settings import Timeouts
from tests.delivery_wire.peers import (
    CONTEXT,
    HOST,
    NAMED,
    Run,
    Script,
    Wire,
    always,
    hand_over,
    peer,
    settings,
)

SHORT = 0.3
SOON = Timeouts(
    connect=SHORT, greeting=SHORT, hello=SHORT, handshake=SHORT, mail=SHORT, rcpt=SHORT, data=SHORT,
    block=SHORT, dot=SHORT, quit=SHORT,
)  # fmt: skip
LOGIN = Login("clinic", "secret")


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine on either event loop."""
    return uvloop.run if request.param == "uvloop" else asyncio.run


async def opened(port: int, *, timeouts: Timeouts = SOON, login: Login | None = None) -> ProtectedSession:
    return await open_session(
        HOST,
        "127.0.0.1",
        port,
        policy=NAMED,
        settings=settings(timeouts=timeouts),
        at=datetime.now(UTC),
        login=login,
    )


async def attempt(port: int, *, data: bytes | None = None, login: Login | None = None) -> Outcome:
    try:
        session = await opened(port, login=login)
    except Ended as ended:
        return ended.outcome
    outcome = await session.deliver(hand_over(data=data) if data else hand_over(), always)
    await session.quit()
    return outcome


# ---- peers that never stop, as fast as a socket takes it


@dataclass
class Flood:
    """A peer on a blocking socket of its own thread; `written` counts what it could get rid of."""

    port: int
    written: int = 0


@contextmanager
def flooding(chunk: bytes, *, within_tls: bool) -> Iterator[Flood]:
    """Listen, let one client in (to the envelope, with TLS), then write `chunk` again and again until it goes."""
    listener = socket.create_server(("127.0.0.1", 0))
    flood = Flood(listener.getsockname()[1])

    def play() -> None:
        client = listener.accept()[0]
        client.settimeout(10)
        with contextlib.suppress(OSError):
            if within_tls:
                client.sendall(b"220 mx\r\n")
                client.recv(1000)
                client.sendall(b"250-mx\r\n250 STARTTLS\r\n")
                client.recv(1000)
                client.sendall(b"220 Go\r\n")
                client = CONTEXT.wrap_socket(client, server_side=True)
                client.recv(1000)
                client.sendall(b"250-mx\r\n250 PIPELINING\r\n")
                client.recv(1000)
            while True:
                client.sendall(chunk)
                flood.written += len(chunk)
        client.close()

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield flood
    finally:
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


FLOODS = {
    "garbage": random.Random(7).randbytes(65536).replace(b"\n", b"x"),
    "an endless line": b"2" * 65536,
    "a reply of endless lines": b"250-more\r\n" * 6000,
    "a reply of long lines": (b"250-" + b"x" * 1900 + b"\r\n") * 30,
    "replies without end": b"250 Ok\r\n" * 8000,
    "lines without end": b"\r\n" * 30000,
    "zeros": bytes(65536),
}


@pytest.mark.parametrize("within_tls", [False, True], ids=["in clear", "within TLS"])
@pytest.mark.parametrize("chunk", FLOODS.values(), ids=FLOODS.keys())
def test_a_peer_that_never_stops_costs_one_connection_and_no_memory(
    run: Run, chunk: bytes, within_tls: bool
) -> None:
    async def go(port: int) -> tuple[Outcome, Outcome]:
        async with peer(good) as other:
            session = await opened(other.port)
            outcome = await attempt(port)
            beside = await session.deliver(hand_over(), always)
            await session.quit()
            return outcome, beside

    with flooding(chunk, within_tls=within_tls) as flood:
        tracemalloc.start()
        try:
            outcome, beside = run(go(flood.port))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert outcome.fate is Fate.BROKEN
    assert not outcome.message_sent
    assert outcome.reason != "timeout"
    assert beside.fate is Fate.ACCEPTED
    assert peak < 4 * 2**20, f"{peak} octets"
    # What was read and refused, and what fits into two sockets' buffers of the system.
    assert flood.written < 16 * 2**20, f"{flood.written} octets were taken from it"


async def good(wire: Wire) -> None:
    await wire.ready()
    while True:
        for answer in (b"250 Ok", b"250 Ok", b"354 Go"):
            await wire.line()
            await wire.say(answer + b"\r\n")
        await wire.until(b"\r\n.\r\n")
        await wire.say(b"250 Ok\r\n")


# ---- peers that stop, or give one octet after the other, in every phase


async def silent(wire: Wire) -> None:
    await wire.rest()


async def one_line_by_octets(wire: Wire) -> None:
    while True:
        for octet in b"250-never ends":
            await wire.say(bytes([octet]))
            await asyncio.sleep(SHORT / 20)


async def one_reply_by_lines(wire: Wire) -> None:
    while True:
        await wire.say(b"250-more\r\n")
        await asyncio.sleep(SHORT / 20)


async def nearly_a_reply(wire: Wire) -> None:
    await wire.say(b"250-Ok\r\n25")
    await wire.rest()


HOLDS = [silent, one_line_by_octets, one_reply_by_lines, nearly_a_reply]
ENVELOPE = {Phase.MAIL: 0, Phase.RCPT: 1, Phase.DATA: 2, Phase.DOT: 3}


def until(phase: Phase, hold: Script) -> Script:
    """Return a peer that behaves until the reply of `phase` is due, and then does `hold`."""

    async def script(wire: Wire) -> None:
        if phase is Phase.GREETING:
            return await hold(wire)
        await wire.say(b"220 mx\r\n")
        await wire.line()
        if phase is Phase.HELLO:
            return await hold(wire)
        await wire.say(b"250-mx\r\n250 STARTTLS\r\n")
        if phase is Phase.STARTTLS:
            await wire.line()
            return await hold(wire)
        await wire.secure()
        await wire.line()
        await wire.say(b"250-mx\r\n250 AUTH PLAIN\r\n")
        await wire.line()
        if phase is Phase.LOGIN:
            return await hold(wire)
        await wire.say(b"235 Ok\r\n")
        for answer in (b"250 Ok", b"250 Ok", b"354 Go")[: ENVELOPE[phase]]:
            await wire.line()
            await wire.say(answer + b"\r\n")
        if phase is Phase.DOT:
            await wire.until(b"\r\n.\r\n")
        else:
            await wire.line()
        return await hold(wire)

    return script


PHASES = [Phase.GREETING, Phase.HELLO, Phase.STARTTLS, Phase.LOGIN, Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DOT]  # fmt: skip


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("hold", HOLDS)
def test_no_drop_that_falls_makes_a_phase_longer(phase: Phase, hold: Script) -> None:
    async def go() -> tuple[Outcome, float]:
        async with peer(until(phase, hold)) as host:
            begun = time.monotonic()
            outcome = await attempt(host.port, login=LOGIN)
            return outcome, time.monotonic() - begun

    outcome, seconds = uvloop.run(go())
    fate = Fate.UNCERTAIN if phase is Phase.DOT else Fate.BROKEN
    assert (outcome.fate, outcome.phase, outcome.reason) == (fate, phase, "timeout")
    assert SHORT * 0.9 < seconds < SHORT + 1.0


def test_a_handshake_by_octets_is_over_in_its_time(run: Run) -> None:
    async def script(wire: Wire) -> None:
        await wire.say(b"220 mx\r\n")
        await wire.line()
        await wire.say(b"250-mx\r\n250 STARTTLS\r\n")
        await wire.line()
        await wire.say(b"220 Go\r\n")
        await wire.reader.read(1)  # of the client's first words of TLS
        for octet in b"\x16\x03\x03\x3f\xff" + bytes(1000):
            await wire.say(bytes([octet]))
            await asyncio.sleep(SHORT / 20)

    async def go() -> tuple[Outcome, float]:
        async with peer(script) as host:
            begun = time.monotonic()
            return await attempt(host.port), time.monotonic() - begun

    outcome, seconds = run(go())
    assert (outcome.fate, outcome.phase, outcome.reason) == (Fate.BROKEN, Phase.HANDSHAKE, "timeout")
    assert seconds < SHORT + 1.0


def test_a_good_bye_by_octets_keeps_nobody() -> None:
    async def script(wire: Wire) -> None:
        await wire.ready()
        await wire.line()
        await one_line_by_octets(wire)

    async def go() -> float:
        async with peer(script) as host:
            session = await opened(host.port)
            begun = time.monotonic()
            await session.quit()
            return time.monotonic() - begun

    assert uvloop.run(go()) < SHORT + 1.0


def test_a_peer_that_reads_slowly_is_given_up_while_the_message_is_still_ours(run: Run) -> None:
    """Each block is taken within its time, and yet all of them would take longer than the lease."""
    patient = Timeouts(connect=1, greeting=1, hello=1, handshake=1, mail=0.1, rcpt=0.1, data=0.1, block=1, dot=0.1, quit=0.1)  # fmt: skip
    data = b"Subject: x\r\n\r\n" + (b"y" * 76 + b"\r\n") * 300_000

    async def script(wire: Wire) -> None:
        wire.writer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        await wire.ready(offers=b"8BITMIME\r\n250 HELP")
        for answer in (b"250 Ok", b"250 Ok", b"354 Go"):
            await wire.line()
            await wire.say(answer + b"\r\n")
        while await wire.reader.read(65536):
            await asyncio.sleep(0.02)

    async def go() -> tuple[Outcome, float]:
        async with peer(script) as host:
            session = await opened(host.port, timeouts=patient)
            begun = time.monotonic()
            outcome = await session.deliver(hand_over(data=data, lease=2.0), always)
            return outcome, time.monotonic() - begun

    outcome, seconds = run(go())
    assert (outcome.fate, outcome.phase, outcome.reason) == (Fate.BROKEN, Phase.BLOCK, "timeout")
    assert seconds < 2.0


@pytest.mark.parametrize(
    "order",
    [b"354 Go\r\n250 Ok\r\n250 Ok\r\n", b"250 Ok\r\n354 Go\r\n250 Ok\r\n", b"250 Ok\r\n250 Ok\r\n250 Ok\r\n", b"250 Ok\r\n220 mx\r\n250 Ok\r\n", b"334 \r\n250 Ok\r\n354 Go\r\n"],
)  # fmt: skip
def test_replies_in_another_order_are_no_replies(run: Run, order: bytes) -> None:
    async def script(wire: Wire) -> None:
        await wire.ready()
        await wire.line()
        await wire.say(order)
        await wire.rest()

    async def go() -> tuple[Outcome, bytes]:
        async with peer(script) as host:
            return await attempt(host.port), host.within

    outcome, within = run(go())
    assert (outcome.fate, outcome.reason) == (Fate.BROKEN, "protocol")
    assert b"Hello." not in within
