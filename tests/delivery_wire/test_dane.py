"""DANE: each row of the outcome table, usages 2 and 3, and a real validating resolver over a zone that is signed here."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvloop

from salus.delivery.laboratory import Authority, Issued, read_certificate
from salus.delivery.process import warn_of
from salus.delivery.protection.certificates import read
from salus.delivery.protection.dane import Dane, PerHost, Tlsa
from salus.delivery.protection.mta_sts import MtaSts
from salus.delivery.protection.policy import Shortfall, TlsPolicy
from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.dns import DnsFailure, Failure, FakeDns, Resolver, resolver_at
from salus.delivery.transports.handover import Fate, Outcome
from salus.delivery.transports.policies import PartnerPolicies, Policies
from salus.delivery.transports.routes import DnsRoutes, Host, NoRoute, Route
from salus.delivery.transports.tlsa import DanePolicies
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Protection

from .peers import AUTHORITY, HOST, NAMED, Wire, hand_over, peer, settings
from .resolver import Zone, validating

T = TypeVar("T")
DOMAIN = "example.test"
ADDRESS = "198.41.0.4"
NOW = datetime.now(UTC)
PRIVATE = Authority(NOW)
"""An authority that no trust store has."""
OTHER = Authority(NOW)
LEAF = PRIVATE.issue([HOST])
STS = PartnerPolicies(otherwise=MtaSts((HOST,), AUTHORITY.pem))


def run(main: Coroutine[Any, Any, T]) -> T:
    return uvloop.run(main)


def sha256(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()


def ca_der(authority: Authority) -> bytes:
    return ssl.PEM_cert_to_DER_cert(authority.pem)


def of_key(issued: Issued) -> Tlsa:
    return Tlsa(3, 1, 1, bytes.fromhex(read_certificate(issued.der).key_fingerprint))


MATCH = of_key(LEAF)
WRONG = Tlsa(3, 1, 1, b"\0" * 32)
ANCHOR = Tlsa(2, 0, 1, sha256(ca_der(PRIVATE)))


@pytest.mark.parametrize(
    ("record", "usable"),
    [
        (MATCH, True),
        (Tlsa(2, 1, 2, b"x" * 64), True),
        (Tlsa(3, 0, 0, LEAF.der), True),
        (Tlsa(0, 0, 1, b"x" * 32), False),
        (Tlsa(1, 1, 1, b"x" * 32), False),
        (Tlsa(4, 1, 1, b"x" * 32), False),
        (Tlsa(3, 2, 1, b"x" * 32), False),
        (Tlsa(3, 1, 3, b"x" * 32), False),
        (Tlsa(3, 1, 1, b"x" * 31), False),
        (Tlsa(3, 0, 0, b""), False),
    ],
)
def test_a_record_is_usable_when_mail_can_match_it(record: Tlsa, usable: bool) -> None:
    assert record.usable is usable


@pytest.mark.parametrize(
    "record",
    [
        MATCH,
        Tlsa(3, 0, 0, LEAF.der),
        Tlsa(3, 0, 1, sha256(LEAF.der)),
        Tlsa(3, 0, 2, hashlib.sha512(LEAF.der).digest()),
    ],
)
def test_one_match_of_usage_3_is_enough_and_neither_name_nor_date_counts(record: Tlsa) -> None:
    years_later = NOW + timedelta(days=20_000)
    certificate = read(LEAF.der)
    assert Dane((WRONG, record)).judge("mx.other.test", certificate, years_later) is None
    assert Dane((WRONG,)).judge(HOST, certificate, NOW) is Shortfall.NO_TLSA_MATCH


def test_an_anchor_of_usage_2_must_have_issued_what_holds_now_for_one_of_the_names() -> None:
    policy = Dane((ANCHOR,), (HOST, DOMAIN))
    chain = (ca_der(PRIVATE),)
    assert policy.judge(HOST, read(LEAF.der, chain), NOW) is None
    assert policy.judge(HOST, read(PRIVATE.issue([DOMAIN]).der, chain), NOW) is None
    refused = [
        (read(LEAF.der), "the anchor is not shown"),
        (read(PRIVATE.issue([HOST], expired=True).der, chain), "expired"),
        (read(PRIVATE.issue(["mx.other.test"]).der, chain), "of another"),
        (read(OTHER.issue([HOST]).der, chain), "the anchor is shown and issued nothing"),
        (read(OTHER.issue([HOST]).der, (ca_der(OTHER),)), "another anchor"),
    ]
    for certificate, why in refused:
        assert policy.judge(HOST, certificate, NOW) is Shortfall.NO_TLSA_MATCH, why
    assert policy.judge(HOST, read(LEAF.der, (b"garbage", *chain)), NOW) is Shortfall.UNTRUSTED


def test_a_key_of_an_unknown_kind_is_a_certificate_that_cannot_be_read() -> None:
    elliptic, unknown = bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d027f")
    strange = LEAF.der.replace(elliptic, unknown)
    assert strange != LEAF.der
    with pytest.raises(ValueError, match="unknown kind"):
        read(strange)
    policy = Dane((Tlsa(2, 1, 1, b"x" * 32),), (HOST,))
    assert policy.judge(HOST, read(LEAF.der, (strange,)), NOW) is Shortfall.UNTRUSTED


def zone(**changes: Any) -> FakeDns:
    """Return a domain with one mail host whose certificate is announced, all of it signed; or with `changes`."""
    values = {"mx": {DOMAIN: [(10, HOST)]}, "hosts": {HOST: [ADDRESS]}, "tlsas": {HOST: [MATCH]}, **changes}
    return FakeDns(**values)


def look(dns: FakeDns, otherwise: Policies = STS) -> TlsPolicy | NoRoute:
    async def go() -> TlsPolicy | NoRoute:
        route = await DnsRoutes(dns).find(DOMAIN)
        assert isinstance(route, Route)
        return await DanePolicies(dns, otherwise).policy_for(DOMAIN, route)

    return run(go())


BOUND = PerHost(((HOST, Dane((MATCH,))),), STS.otherwise, is_whole=True)
WAITS = PerHost(((HOST, None),), STS.otherwise, is_whole=True)


@pytest.mark.parametrize(
    ("dns", "policy"),
    [
        # Insecure chain: not even asked.
        (zone(insecure={f"{DOMAIN} MX"}), STS.otherwise),
        (zone(insecure={f"{HOST} A"}), STS.otherwise),
        (zone(insecure={f"{HOST} TLSA"}), STS.otherwise),
        # Secure and usable: it must match, whatever MTA-STS says.
        (zone(), BOUND),
        (zone(tlsas={HOST: [Tlsa(0, 0, 1, b"x" * 32), MATCH]}), BOUND),
        # Secure and none usable: the usual policy, which asks for more than encryption.
        (zone(tlsas={HOST: [Tlsa(1, 1, 1, b"x" * 32)]}), STS.otherwise),
        # Secure, and there are none: as usual.
        (zone(tlsas={HOST: Failure.NO_NAME}), STS.otherwise),
        (zone(tlsas={HOST: Failure.NO_DATA}), STS.otherwise),
        # Secure, and nobody knows: wait.
        (zone(tlsas={HOST: Failure.TROUBLE}), WAITS),
        (zone(tlsas={HOST: Failure.TIMEOUT}), WAITS),
        (zone(hosts={HOST: Failure.TROUBLE}), WAITS),
    ],
)
def test_each_row_of_the_outcome_table(dns: FakeDns, policy: TlsPolicy) -> None:
    assert look(dns) == policy
    if policy is STS.otherwise and f"{HOST} TLSA" not in dns.insecure and dns.insecure:
        assert f"{HOST} TLSA" not in dns.asked


def test_usage_2_is_bound_to_the_names_of_host_and_domain() -> None:
    found = look(zone(tlsas={HOST: [ANCHOR, MATCH]}))
    assert isinstance(found, PerHost)
    assert found.at_host(HOST) == Dane((ANCHOR, MATCH), (HOST, DOMAIN))


def test_a_domain_reaches_what_each_of_its_hosts_reaches() -> None:
    two = {"mx": {DOMAIN: [(10, HOST), (20, "mx2.example.test")]}}
    hosts: dict[str, Any] = {HOST: [ADDRESS], "mx2.example.test": [ADDRESS]}
    named = PartnerPolicies(otherwise=NAMED)
    half = look(zone(**two, hosts=hosts), named)
    assert isinstance(half, PerHost)
    assert half.reaches is Protection.NAMED
    assert half.at_host("mx2.example.test") == NAMED
    assert half.allows_host("mx2.example.test")
    hosts["mx2.example.test"] = Failure.NO_NAME
    whole = look(zone(**two, hosts=hosts), named)
    assert isinstance(whole, PerHost)
    assert whole.reaches is Protection.VERIFIED


def test_what_the_usual_policy_cannot_say_makes_dane_wait_too() -> None:
    class Away:
        async def policy_for(self, domain: str, route: Route) -> TlsPolicy | NoRoute:
            return NoRoute("policy_unknown", permanent=False)

    assert look(zone(), Away()) == NoRoute("policy_unknown", permanent=False)


def server_context(issued: Issued, *chain: Authority) -> ssl.SSLContext:
    import tempfile

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "c.pem", Path(folder) / "k.pem"
        certificate.write_bytes(issued.certificate + b"".join(each.pem.encode() for each in chain))
        key.write_bytes(issued.key)
        context.load_cert_chain(certificate, key)
    return context


def sent(dns: Any, context: ssl.SSLContext, floor: Protection = Protection.VERIFIED) -> tuple[Outcome, bytes]:
    """Send a message to the domain, whose host has this certificate; return what it heard within TLS."""

    async def takes(wire: Wire) -> None:
        await wire.greet()
        await wire.secure(context)
        await wire.line()
        await wire.say(b"250-mx\r\n250-PIPELINING\r\n250 SIZE 100000\r\n")
        await wire.until(b"DATA\r\n")
        await wire.say(b"250 ok\r\n250 ok\r\n354 go\r\n")
        await wire.until(b"\r\n.\r\n")
        await wire.say(b"250 2.0.0 taken\r\n")
        await wire.rest()

    async def go() -> tuple[Outcome, bytes]:
        async with peer(takes) as host:
            found = DnsRoutes(dns)

            class Here:
                """The domain's own hosts, on the port of the test's peer."""

                async def find(self, domain: str) -> Route | NoRoute:
                    route = await found.find(domain)
                    if isinstance(route, NoRoute):
                        return route
                    here = tuple(Host(each.name, host.port) for group in route.groups for each in group)
                    return Route(route.site, (here,), is_secure=route.is_secure)

                async def addresses(self, host: Host) -> tuple[str, ...]:
                    return ("127.0.0.1",)

            courier = Courier(settings(), Here(), DanePolicies(dns, STS), still_stands)
            try:
                return await courier.send(hand_over(floor=floor)), host.within
            finally:
                await courier.close()

    return run(go())


SIGNED = Zone(
    DOMAIN,
    [
        f"@ 300 IN MX 10 {HOST}.",
        f"mx 300 IN A {ADDRESS}",
        f"_25._tcp.mx 300 IN TLSA 3 1 1 {MATCH.data.hex()}",
        "half 300 IN MX 10 mx.plain.test.",
        "none 300 IN MX 10 mx2",
        f"mx2 300 IN A {ADDRESS}",
        f"implicit 300 IN A {ADDRESS}",
    ],
)
PLAIN = Zone("plain.test", ["@ 300 IN MX 10 mx", f"mx 300 IN A {ADDRESS}"], signed=False)
BOGUS = Zone("bogus.test", ["@ 300 IN MX 10 mx", f"mx 300 IN A {ADDRESS}"], bogus=True)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with validating(tmp_path_factory.mktemp("unbound"), [SIGNED, PLAIN, BOGUS]) as port:
        yield port


def resolver(port: int) -> Resolver:
    return Resolver(5.0, nameservers=["127.0.0.1"], port=port, validates=True)


def test_a_validating_resolver_says_what_is_proved_and_what_is_not(port: int) -> None:
    async def go() -> None:
        dns = resolver(port)
        assert (await dns.mail_hosts(DOMAIN)).is_secure
        assert (await dns.addresses(HOST)).is_secure, "that there is no AAAA is proved too"
        assert (await dns.tlsa(HOST)).values == (MATCH,)
        assert not (await dns.mail_hosts("plain.test")).is_secure
        for name, failure in (("mx2.example.test", Failure.NO_NAME), ("bogus.test", Failure.TROUBLE)):
            with pytest.raises(DnsFailure) as raised:
                await dns.tlsa(name)
            assert raised.value.failure is failure
            assert raised.value.is_secure is (failure is Failure.NO_NAME)
        assert await dns.validates(DOMAIN)
        believed = Resolver(5.0, nameservers=["127.0.0.1"], port=port)
        assert not (await believed.mail_hosts(DOMAIN)).is_secure, "nobody said that it may be believed"

    run(go())


def test_a_route_is_secure_as_its_records_are_and_bogus_ones_make_mail_wait(port: int) -> None:
    async def go() -> None:
        routes = DnsRoutes(resolver(port))
        found = {name: await routes.find(name) for name in (DOMAIN, "implicit.example.test", "plain.test")}
        assert [each.is_secure for each in found.values() if isinstance(each, Route)] == [True, True, False]
        assert await routes.find("bogus.test") == NoRoute("dns_trouble", permanent=False)

    run(go())


@pytest.mark.parametrize(
    ("domain", "bound"), [(DOMAIN, True), ("half.example.test", False), ("none.example.test", False)]
)
def test_dane_binds_whom_the_signed_zone_binds(port: int, domain: str, bound: bool) -> None:
    async def go() -> TlsPolicy | NoRoute:
        dns = resolver(port)
        route = await DnsRoutes(dns).find(domain)
        assert isinstance(route, Route)
        return await DanePolicies(dns, STS).policy_for(domain, route)

    assert isinstance(run(go()), PerHost) is bound


def test_a_self_made_certificate_that_is_announced_is_verified_and_the_receipt_says_how(port: int) -> None:
    outcome, heard = sent(resolver(port), server_context(LEAF))
    assert outcome.fate is Fate.ACCEPTED
    assert outcome.tls is not None
    assert (outcome.tls.level, outcome.tls.peer) == (Protection.VERIFIED, "dane")
    assert b"RCPT TO:<ana@example.test>" in heard


def test_what_dane_refuses_mta_sts_does_not_allow(port: int) -> None:
    trusted = server_context(AUTHORITY.issue([HOST]))
    outcome, heard = sent(resolver(port), trusted, Protection.NAMED)
    assert (outcome.fate, outcome.reason) == (Fate.UNPROTECTED, "no_tlsa_match")
    assert heard == b""
    outcome, _ = sent(zone(tlsas={HOST: Failure.NO_NAME}), trusted)
    assert outcome.tls is not None
    assert outcome.tls.peer == "mta-sts", "the same certificate does where DANE binds nobody"


def test_an_anchor_that_the_host_shows_is_followed() -> None:
    outcome, _ = sent(zone(tlsas={HOST: [ANCHOR]}), server_context(LEAF, PRIVATE))
    assert outcome.fate is Fate.ACCEPTED
    outcome, _ = sent(zone(tlsas={HOST: [ANCHOR]}), server_context(OTHER.issue([HOST]), PRIVATE))
    assert (outcome.fate, outcome.reason) == (Fate.UNPROTECTED, "no_tlsa_match")


def test_a_host_of_which_nobody_knows_makes_the_message_wait_and_hears_nothing() -> None:
    outcome, heard = sent(zone(tlsas={HOST: Failure.TROUBLE}), server_context(LEAF))
    assert (outcome.fate, outcome.reason) == (Fate.BROKEN, "policy_unknown")
    assert heard == b""


def test_a_resolver_is_named_by_its_address(port: int, caplog: pytest.LogCaptureFixture) -> None:
    async def go() -> None:
        named = resolver_at(f"127.0.0.1:{port}")
        assert (await named.mail_hosts(DOMAIN)).is_secure
        await warn_of(resolver_at(""), "")
        assert not caplog.records
        await warn_of(named, "127.0.0.1")

    run(go())
    assert "does not vouch for the root" in caplog.text, "here nobody serves the root"


@pytest.mark.parametrize(
    "address", ["192.0.2.1:53", "resolver.example", "127.0.0.1:none", "[::1", "127.0.0.1:99999"]
)
def test_what_is_no_resolver_of_this_machine_is_refused(address: str) -> None:
    with pytest.raises(BadInput):
        resolver_at(address)


@pytest.mark.parametrize("servers", [[], ["192.0.2.1"], ["127.0.0.1", "192.0.2.1"]])
def test_only_a_resolver_of_this_machine_is_believed(servers: list[str]) -> None:
    with pytest.raises(BadInput):
        Resolver(nameservers=servers, validates=True)


def test_many_messages_ask_once() -> None:
    dns = zone()

    async def go() -> None:
        route = await DnsRoutes(dns).find(DOMAIN)
        assert isinstance(route, Route)
        policies = DanePolicies(dns, STS)
        await asyncio.gather(*(policies.policy_for(DOMAIN, route) for _ in range(20)))

    run(go())
    assert dns.asked.count(f"{HOST} TLSA") == 1
