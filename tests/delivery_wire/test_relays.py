"""The road by a relay: one host for everybody, TLS before anything is said, a login only within it."""

from __future__ import annotations

import base64
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
import uvloop

from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.dns import Answer
from salus.delivery.transports.handover import Fate, Outcome, Phase
from salus.delivery.transports.policies import PartnerPolicies
from salus.delivery.transports.relays import RelayRoutes
from salus.delivery.transports.routes import Host, Login, Route
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Protection
from tests.delivery_wire.peers import CONTEXT, HOST, NAMED, Script, Wire, hand_over, peer, settings

T = TypeVar("T")
LOGIN = base64.b64encode(b"\0cedar\0kestrel-secret")


class OnLoopback:
    """A resolver for which every host is this machine."""

    async def mail_hosts(self, domain: str) -> Answer[tuple[int, str]]:
        raise AssertionError("a relay is found without MX records")

    async def addresses(self, host: str) -> Answer[str]:
        return Answer(("127.0.0.1",), 60.0)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return uvloop.run(coroutine)


def sent(
    script: Script, *, scheme: str = "smtp", user: str = "cedar", floor: Protection = Protection.NAMED
) -> tuple[Outcome, bytes, bytes]:
    """Send one message by a relay that plays `script`; return its outcome, and what the relay heard."""

    async def go() -> tuple[Outcome, bytes, bytes]:
        async with peer(script) as host:
            password = "kestrel-secret" if user else ""
            routes = RelayRoutes(f"{scheme}://{HOST}:{host.port}", OnLoopback(), user=user, password=password)
            courier = Courier(settings(), routes, PartnerPolicies({}, NAMED), still_stands)
            outcome = await courier.send(hand_over("ana@anywhere.example", floor=floor))
            await courier.close()
            return outcome, host.clear, host.within

    return run(go())


async def take(wire: Wire, login: bytes = b"235 2.7.0 Welcome") -> None:
    """Take a message from whoever logs in."""
    while line := await wire.line():
        if line.startswith(b"AUTH"):
            await wire.say(login + b"\r\n")
        elif line.startswith(b"DATA"):
            await wire.say(b"354 Go\r\n")
            await wire.until(b"\r\n.\r\n")
            await wire.say(b"250 Ok\r\n")
        else:
            await wire.say(b"250 Ok\r\n")


async def with_starttls(wire: Wire) -> None:
    await wire.ready(b"AUTH LOGIN PLAIN\r\n250 SIZE 100000")
    await take(wire)


async def within_tls(wire: Wire) -> None:
    await wire.writer.start_tls(CONTEXT)
    wire.protected = True
    await wire.say(b"220 relay ESMTP\r\n")
    await wire.line()
    await wire.say(b"250-relay\r\n250-AUTH PLAIN\r\n250 PIPELINING\r\n")
    await take(wire)


@pytest.mark.parametrize(("scheme", "script"), [("smtp", with_starttls), ("smtps", within_tls)])
def test_a_message_goes_by_the_relay_and_the_login_only_within_tls(scheme: str, script: Script) -> None:
    outcome, clear, within = sent(script, scheme=scheme)
    assert outcome.fate is Fate.ACCEPTED
    assert outcome.tls
    assert (outcome.tls.level, outcome.tls.host) == (Protection.NAMED, HOST)
    assert b"AUTH PLAIN " + LOGIN in within
    assert b"RCPT TO:<ana@anywhere.example>" in within
    assert b"AUTH" not in clear
    assert b"ana@" not in clear


def test_without_a_login_none_is_said() -> None:
    outcome, _, within = sent(with_starttls, user="")
    assert outcome.fate is Fate.ACCEPTED
    assert b"AUTH" not in within


async def refuses_login(wire: Wire) -> None:
    await wire.ready(b"AUTH PLAIN\r\n250 SIZE 100000")
    await take(wire, b"535 5.7.8 No")


async def asks_no_login(wire: Wire) -> None:
    await wire.ready()
    await take(wire)


@pytest.mark.parametrize(
    ("script", "reason"), [(refuses_login, "login_refused"), (asks_no_login, "no_login_offered")]
)
def test_without_a_login_that_is_taken_the_message_waits(script: Script, reason: str) -> None:
    outcome, _, within = sent(script)
    assert (outcome.fate, outcome.phase, outcome.reason) == (Fate.BROKEN, Phase.LOGIN, reason)
    assert b"MAIL FROM" not in within
    assert "kestrel" not in repr(outcome)


async def knows_no_tls(wire: Wire) -> None:
    await wire.greet(b"SIZE 1000\r\n250 AUTH PLAIN")
    await wire.rest()


def test_a_relay_without_tls_hears_neither_login_nor_message_and_the_message_waits() -> None:
    outcome, clear, _ = sent(knows_no_tls)
    assert (outcome.fate, outcome.reason) == (Fate.BROKEN, "no_starttls")
    assert b"AUTH" not in clear
    assert b"MAIL" not in clear


def test_what_needs_more_than_a_relay_can_reach_is_kept_for_the_portal() -> None:
    outcome, clear, within = sent(with_starttls, floor=Protection.VERIFIED)
    assert outcome.fate is Fate.UNPROTECTED
    assert clear + within == b""


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("smtp://relay.harbor.example", Host("relay.harbor.example", 587)),
        ("smtps://Relay.Harbor.example", Host("relay.harbor.example", 465, within_tls=True)),
        ("smtp://10.0.0.7:2525", Host("10.0.0.7", 2525, "10.0.0.7")),
        ("smtps://[fd00::7]", Host("fd00::7", 465, "fd00::7", within_tls=True)),
    ],
)
def test_an_address_says_host_port_and_when_tls_begins(address: str, host: Host) -> None:
    routes = RelayRoutes(address, OnLoopback())
    found = run(routes.find("anywhere.example"))
    assert isinstance(found, Route)
    assert (found.groups, found.is_relay) == (((host,),), True)
    assert run(routes.find("elsewhere.example")) == found
    # A relay may be on a private network, which a mail host in DNS may not.
    assert run(routes.addresses(host)) == ((host.address or "127.0.0.1"),)


def test_a_host_that_cannot_be_is_refused_and_a_login_is_never_shown() -> None:
    with pytest.raises(BadInput):
        RelayRoutes("smtp://-", OnLoopback())
    host = Host("relay.harbor.example", login=Login("cedar", "kestrel-secret"))
    assert "kestrel" not in repr(host) + repr(host.login)
