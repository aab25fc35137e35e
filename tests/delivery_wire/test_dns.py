"""The adapter for DNS against a name server on this machine: each answer and each failure has its meaning."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
import uvloop

from salus.delivery.transports.dns import DnsFailure, Failure, Resolver
from salus.delivery.transports.routes import DnsRoutes, NoRoute, Route

T = TypeVar("T")

ZONE = {
    ("clinic.example.", "MX"): ["20 mx2.clinic.example.", "10 mx1.clinic.example."],
    ("mx1.clinic.example.", "A"): ["198.41.0.4"],
    ("mx1.clinic.example.", "AAAA"): ["2001:500:2::c"],
    ("mx2.clinic.example.", "A"): ["10.0.0.1"],
    ("none.example.", "MX"): ["0 ."],
    ("host.example.", "A"): ["198.41.0.4"],
}
NAMES = {name for name, _ in ZONE}


class NameServer(asyncio.DatagramProtocol):
    """Answers from `ZONE`; "broken" names get SERVFAIL, "silent" ones nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(), question.rdtype.name
        if "silent" in name:
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if "broken" in name:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif records := ZONE.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(name, 120, "IN", kind, *records))
        elif name not in NAMES:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def resolver() -> AsyncIterator[Resolver]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    try:
        yield Resolver(seconds=0.5, nameservers=["127.0.0.1"], port=port)
    finally:
        transport.close()


def run(main: Coroutine[Any, Any, T]) -> T:
    return uvloop.run(main)


def test_records_are_read_with_their_time_to_live() -> None:
    async def go() -> None:
        async with resolver() as found:
            mail = await found.mail_hosts("clinic.example")
            assert sorted(mail.values) == [(10, "mx1.clinic.example."), (20, "mx2.clinic.example.")]
            assert mail.ttl == 120
            addresses = await found.addresses("mx1.clinic.example")
            assert addresses.values == ("198.41.0.4", "2001:500:2::c")

    run(go())


@pytest.mark.parametrize(
    ("domain", "failure"),
    [
        ("nowhere.example", Failure.NO_NAME),
        ("host.example", Failure.NO_DATA),
        ("broken.example", Failure.TROUBLE),
        ("silent.example", Failure.TIMEOUT),
    ],
)
def test_each_way_to_fail_is_told_apart(domain: str, failure: Failure) -> None:
    async def go() -> None:
        async with resolver() as found:
            with pytest.raises(DnsFailure) as raised:
                await found.mail_hosts(domain)
            assert raised.value.failure is failure

    run(go())


def test_routes_come_out_of_real_answers() -> None:
    async def go() -> None:
        async with resolver() as found:
            routes = DnsRoutes(found)
            route = await routes.find("clinic.example")
            assert isinstance(route, Route)
            assert route.site == "mx1.clinic.example"
            first, second = route.groups[0][0], route.groups[1][0]
            assert await routes.addresses(first) == ("198.41.0.4", "2001:500:2::c")
            assert await routes.addresses(second) == NoRoute("private_address", permanent=False)
            assert await routes.find("none.example") == NoRoute("domain_takes_no_mail", permanent=True)
            assert await routes.find("nowhere.example") == NoRoute("no_such_domain", permanent=True)
            assert isinstance(await routes.find("host.example"), Route)
            assert await routes.find("broken.example") == NoRoute("dns_trouble", permanent=False)
            assert await routes.find("silent.example") == NoRoute("dns_timeout", permanent=False)

    run(go())
