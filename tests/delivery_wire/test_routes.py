"""Where mail goes: every way to succeed and to fail is told apart, and none leads into our own network."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from salus.delivery.status import Kind
from salus.delivery.transports.dns import Failure, FakeDns
from salus.delivery.transports.handover import Fate
from salus.delivery.transports.routes import DnsRoutes, Host, NoRoute, Route, StaticRoutes, is_public

T = TypeVar("T")
PUBLIC = "198.41.0.4"


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_mail_hosts_come_in_groups_of_equal_preference_best_first() -> None:
    dns = FakeDns(
        mx={
            "clinic.example": [
                (20, "mx3.clinic.example."),
                (10, "MX1.clinic.example."),
                (10, "mx2.clinic.example."),
            ]
        }
    )
    found = run(DnsRoutes(dns).find("clinic.example"))
    assert isinstance(found, Route)
    assert [[host.name for host in group] for group in found.groups] == [
        ["mx1.clinic.example", "mx2.clinic.example"],
        ["mx3.clinic.example"],
    ]
    assert found.site == "(mx1|mx2).clinic.example"
    assert found.groups[0][0].port == 25


def test_without_mx_records_the_domain_is_its_own_host() -> None:
    found = run(DnsRoutes(FakeDns(hosts={"clinic.example": [PUBLIC]})).find("clinic.example"))
    assert isinstance(found, Route)
    assert found.groups == ((Host("clinic.example"),),)


@pytest.mark.parametrize(
    ("dns", "reason", "permanent"),
    [
        (FakeDns(), "no_such_domain", True),
        (FakeDns(mx={"a.example": [(0, ".")]}), "domain_takes_no_mail", True),
        (FakeDns(mx={"a.example": Failure.TROUBLE}), "dns_trouble", False),
        (FakeDns(mx={"a.example": Failure.TIMEOUT}), "dns_timeout", False),
        (FakeDns(mx={"a.example": Failure.NO_DATA}), "no_mail_host", True),
        (
            FakeDns(mx={"a.example": Failure.NO_DATA}, hosts={"a.example": Failure.TROUBLE}),
            "dns_trouble",
            False,
        ),
        (
            FakeDns(mx={"a.example": Failure.NO_DATA}, hosts={"a.example": ["10.0.0.1"]}),
            "private_address",
            False,
        ),
        (FakeDns(mx={"a.example": [(10, "not a host."), (20, "192.0.2.1.x y.")]}), "no_mail_host", True),
        (FakeDns(mx={"a.example": [(10, "198.41.0.4.")]}), "no_mail_host", True),
    ],
)
def test_each_failure_has_its_own_word_and_says_whether_to_try_again(
    dns: FakeDns, reason: str, permanent: bool
) -> None:
    found = run(DnsRoutes(dns).find("a.example"))
    assert found == NoRoute(reason, permanent)
    assert isinstance(found, NoRoute)
    outcome = found.outcome()
    assert outcome.fate is (Fate.PERMANENT if permanent else Fate.BROKEN)
    if permanent:
        assert outcome.verdict is not None
        assert outcome.verdict.kind is Kind.HARD


def test_hosts_are_limited_and_never_repeated() -> None:
    records = [(number, f"mx{number % 40}.a.example.") for number in range(80)]
    found = run(DnsRoutes(FakeDns(mx={"a.example": records})).find("a.example"))
    assert isinstance(found, Route)
    names = [host.name for group in found.groups for host in group]
    assert len(names) == len(set(names)) == 10


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1",
        "100.64.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1",
        "2002:0a00:0001::", "64:ff9b:1::1",
        "64:ff9b::10.0.0.1", "not an address", "",
    ],
)  # fmt: skip
def test_no_address_of_our_own_network_is_ever_connected_to(address: str) -> None:
    assert not is_public(address)
    dns = FakeDns(hosts={"mx.a.example": [address]})
    assert run(DnsRoutes(dns).addresses(Host("mx.a.example"))) == NoRoute("private_address", permanent=False)


@pytest.mark.parametrize("address", [PUBLIC, "2001:500:2::c"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


def test_the_two_families_take_turns_so_that_neither_hides_the_other() -> None:
    six = [f"2001:500:2::{number}" for number in range(1, 3)]
    dns = FakeDns(hosts={"mx.a.example": [*(f"198.41.0.{number}" for number in range(4, 10)), *six]})
    found = run(DnsRoutes(dns).addresses(Host("mx.a.example")))
    assert found == ("198.41.0.4", six[0], "198.41.0.5", six[1])


def test_private_addresses_among_public_ones_are_left_out_unless_a_laboratory_allows_them() -> None:
    dns = FakeDns(hosts={"mx.a.example": ["127.0.0.1", PUBLIC]})
    assert run(DnsRoutes(dns).addresses(Host("mx.a.example"))) == (PUBLIC,)
    assert run(DnsRoutes(dns, private=True).addresses(Host("mx.a.example"))) == ("127.0.0.1", PUBLIC)


def test_answers_are_kept_for_their_time_and_trouble_is_not() -> None:
    clock = Clock()
    dns = FakeDns(mx={"a.example": [(10, "mx.a.example.")], "b.example": Failure.TROUBLE}, ttl=100)
    routes = DnsRoutes(dns, monotonic=clock)

    async def ask() -> None:
        for _ in range(3):
            await routes.find("a.example")
            await routes.find("b.example")

    run(ask())
    assert dns.asked.count("a.example MX") == 1
    assert dns.asked.count("b.example MX") == 3
    clock.now = 101
    run(ask())
    assert dns.asked.count("a.example MX") == 2


def test_written_routes_know_their_domains_stars_and_nothing_else() -> None:
    one, star = Host("mx1", 2501, "127.0.0.1"), Host("mx2", 2502, "127.0.0.1")
    routes = StaticRoutes({"busy.example.test": one, "*.example.test": star})
    for domain, host in (("busy.example.test", one), ("a.example.test", star), ("b.a.example.test", star)):
        found = run(routes.find(domain))
        assert isinstance(found, Route)
        assert found.groups == ((host,),)
    assert run(routes.find("example.test")) == NoRoute("no_such_domain", permanent=True)
    assert run(routes.addresses(one)) == ("127.0.0.1",)
