"""No code path can write MAIL FROM in clear: by type, by a look at the source, and by trying."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path

import pytest
import uvloop
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import salus
from salus.delivery.protection.policy import Shortfall, TlsFacts
from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.handover import Fate, Outcome
from salus.delivery.transports.lines import Lines
from salus.delivery.transports.policies import PartnerPolicies
from salus.delivery.transports.routes import Host, StaticRoutes
from salus.delivery.transports.session import PlainSession, ProtectedSession
from salus.delivery.transports.settings import Limits, Timeouts
from salus.kernel.vocabulary import Protection
from tests.delivery_wire.peers import HOST, NAMED, Wire, hand_over, peer, settings

FACTS = TlsFacts(Protection.NAMED, HOST, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "webpki", "0" * 64)
SHORT = Timeouts(
    connect=1, greeting=0.05, hello=0.05, handshake=0.05, mail=0.05, rcpt=0.05, data=0.05, dot=0.05, quit=0.02
)


def sources() -> list[Path]:
    root = Path(inspect.getfile(salus)).parent
    return [path for path in root.rglob("*.py") if "catch" not in path.parts]


def test_the_command_is_written_in_one_function_of_one_class() -> None:
    found = [path for path in sources() if "MAIL FROM:<" in path.read_text()]
    assert [path.name for path in found] == ["session.py"]
    assert found[0].read_text().count("MAIL FROM:<") == 1
    assert "MAIL FROM:<" in inspect.getsource(ProtectedSession)
    assert "MAIL FROM:" not in inspect.getsource(PlainSession)


def test_nothing_else_opens_a_connection_for_mail() -> None:
    openers = ("create_connection", "open_connection", "smtplib", "start_tls(")
    found = {path.name for path in sources() if any(word in path.read_text() for word in openers)}
    # Calls of vendors' services and log servers are no mail, and open TLS from the first byte; the listeners only answer.
    assert found <= {"session.py", "outside.py", "syslog.py", "smtp.py"} | {
        path.name for path in sources() if "audiences" in path.parts
    }


def test_a_session_in_clear_has_no_way_to_send() -> None:
    public = {name for name in vars(PlainSession) if not name.startswith("_")}
    assert public == {"greet", "secure", "wrap"}
    for way in (PlainSession.secure, PlainSession.wrap):
        assert inspect.signature(way).return_annotation == "ProtectedSession", "it only leads within TLS"
    for clear in (PlainSession.greet, PlainSession.wrap):
        assert "write" not in inspect.getsource(clear)


def test_a_sending_session_cannot_be_made_over_a_connection_in_clear() -> None:
    async def hello(wire: Wire) -> None:
        await wire.greet()
        await wire.rest()

    async def go() -> bytes:
        async with peer(hello) as host:
            loop = asyncio.get_running_loop()
            _, lines = await loop.create_connection(lambda: Lines(Limits()), "127.0.0.1", host.port)
            with pytest.raises(RuntimeError, match="defect"):
                ProtectedSession(lines, FACTS, settings())
            assert lines.over
            await asyncio.sleep(0.01)
            return host.clear

    assert uvloop.run(go()) == b""


replies = st.lists(
    st.sampled_from(
        [
            b"220 mx ESMTP\r\n",
            b"250-mx\r\n250 STARTTLS\r\n",
            b"250-mx\r\n250-PIPELINING\r\n250 SIZE 1000\r\n",
            b"250 Ok\r\n",
            b"354 Go\r\n",
            b"421 Bye\r\n",
            b"454 No\r\n",
            b"554 No\r\n",
            b"220 Go\r\n250 Ok\r\n",
            b"\x16\x03\x03\x00\x05hello",
            b"garbage\r\n",
            b"",
        ]
    ),
    max_size=6,
)


@given(replies)
@hypothesis_settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_host_says_in_clear_it_never_hears_of_the_message(said: list[bytes]) -> None:
    async def script(wire: Wire) -> None:
        for reply in said:
            await wire.say(reply)
            if not await wire.line():
                return
        await wire.rest()

    async def go() -> tuple[Outcome, bytes]:
        async with peer(script) as host:
            routes = StaticRoutes({"example.test": Host(HOST, host.port, "127.0.0.1")})
            courier = Courier(settings(timeouts=SHORT), routes, PartnerPolicies({}, NAMED), still_stands)
            outcome = await courier.send(hand_over())
            await courier.close()
            await asyncio.sleep(0)
            return outcome, host.clear

    outcome, clear = uvloop.run(go())
    assert outcome.fate in (Fate.BROKEN, Fate.TEMPORARY, Fate.UNPROTECTED)
    assert not outcome.message_sent
    for word in (b"MAIL", b"RCPT", b"DATA", b"ana", b"bounces", b"Hello"):
        assert word not in clear


def test_a_floor_that_the_policy_cannot_reach_opens_no_connection_at_all() -> None:
    async def script(wire: Wire) -> None:
        await wire.rest()

    async def go() -> tuple[Outcome, int]:
        async with peer(script) as host:
            routes = StaticRoutes({"example.test": Host(HOST, host.port, "127.0.0.1")})
            courier = Courier(settings(), routes, PartnerPolicies({}, NAMED), still_stands)
            outcome = await courier.send(hand_over(floor=Protection.VERIFIED))
            await courier.close()
            return outcome, len(host.wires)

    outcome, connections = uvloop.run(go())
    assert outcome.unprotected is not None
    assert outcome.unprotected.reason is Shortfall.POLICY_TOO_LOW
    assert connections == 0
