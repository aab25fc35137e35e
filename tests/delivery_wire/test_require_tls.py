"""REQUIRETLS (RFC 8689): what tells something of a person holds the next host to TLS, where that host offers it and is verified."""

from __future__ import annotations

from dataclasses import replace

import pytest
import uvloop

from salus.delivery.protection.mta_sts import MtaSts
from salus.delivery.protection.policy import TlsPolicy
from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.handover import Fate, Outcome
from salus.delivery.transports.policies import PartnerPolicies
from salus.delivery.transports.routes import Host, StaticRoutes

from .peers import AUTHORITY, HOST, NAMED, Wire, hand_over, peer, settings

VERIFIED = MtaSts((HOST,), AUTHORITY.pem)


def sent(
    policy: TlsPolicy, offers: bytes, *, has_phi: bool, reply: bytes = b"250 ok"
) -> tuple[Outcome, bytes]:
    """Hand one message over; return what became of it and what the host heard within TLS."""

    async def script(wire: Wire) -> None:
        await wire.ready(offers)
        await wire.until(b"DATA\r\n")
        taken = reply.startswith(b"2")
        await wire.say(reply + (b"\r\n250 ok\r\n354 go\r\n" if taken else b"\r\n503 no\r\n503 no\r\n"))
        if taken:
            await wire.until(b"\r\n.\r\n")
            await wire.say(b"250 2.0.0 taken\r\n")
        await wire.rest()

    async def go() -> tuple[Outcome, bytes]:
        async with peer(script) as host:
            routes = StaticRoutes({"*": Host(HOST, host.port, "127.0.0.1")})
            courier = Courier(settings(), routes, PartnerPolicies({}, policy), still_stands)
            try:
                return await courier.send(replace(hand_over(), has_phi=has_phi)), bytes(host.within)
            finally:
                await courier.close()

    return uvloop.run(go())


OFFERED = b"PIPELINING\r\n250-REQUIRETLS\r\n250 SIZE 100000"
PLAIN = b"PIPELINING\r\n250 SIZE 100000"


@pytest.mark.parametrize(
    ("policy", "offers", "has_phi", "asked"),
    [
        (VERIFIED, OFFERED, True, True),
        (VERIFIED, OFFERED, False, False),
        (VERIFIED, PLAIN, True, False),
        (NAMED, OFFERED, True, False),
    ],
)
def test_it_is_asked_of_a_verified_host_that_offers_it(
    policy: TlsPolicy, offers: bytes, has_phi: bool, asked: bool
) -> None:
    outcome, heard = sent(policy, offers, has_phi=has_phi)
    assert outcome.fate is Fate.ACCEPTED
    assert outcome.requires_tls == asked
    assert (b" REQUIRETLS\r\n" in heard) == asked


def test_a_host_that_does_not_keep_to_its_offer_is_no_promise() -> None:
    outcome, _ = sent(VERIFIED, OFFERED, has_phi=True, reply=b"530 5.7.4 not here")
    assert (outcome.fate, outcome.requires_tls) == (Fate.PERMANENT, False)
