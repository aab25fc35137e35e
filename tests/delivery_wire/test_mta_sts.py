"""MTA-STS: what domains publish is read as RFC 8461 says, kept, refreshed, and what is enforced is held to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
import uvloop

from salus.delivery.protection.mta_sts import LONGEST_AGE, Mode, MtaSts, Published, policy_id, read
from salus.delivery.protection.policy import Named, Partner, TlsPolicy
from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.dns import Failure, FakeDns
from salus.delivery.transports.fetch import Fetch, Fetched, Request
from salus.delivery.transports.handover import Fate, Outcome
from salus.delivery.transports.policies import FoundPolicies
from salus.delivery.transports.routes import Host, NoRoute, Route, StaticRoutes
from salus.delivery.transports.sts import KeptPolicy, StoreAway, StsPolicies
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Protection

from .peers import AUTHORITY, HOST, NAMED, Wire, hand_over, peer, settings
from .receivers import MakeScript, Receiver, Script, context_for, receiving

T = TypeVar("T")
DOMAIN = "example.test"
FILE = "version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: {age}\r\n"
RECORD = "v=STSv1; id=20260301T1;"


def present() -> datetime:
    return datetime.now(UTC)


def run(main: Coroutine[Any, Any, T]) -> T:
    return uvloop.run(main)


def file(mode: str = "enforce", mx: str = HOST, age: int = 86_400 * 7) -> bytes:
    return FILE.format(mode=mode, mx=mx, age=age).encode()


@dataclass
class Memory:
    """Keeps policies; `away` as a database may be."""

    kept: dict[str, KeptPolicy] = field(default_factory=dict)
    away: bool = False

    async def get(self, domain: str) -> KeptPolicy | None:
        if self.away:
            raise StoreAway("OperationalError")
        return self.kept.get(domain)

    async def put(self, domain: str, kept: KeptPolicy) -> None:
        self.kept[domain] = kept


@dataclass(frozen=True)
class Web(Fetch):
    """Answers with the last of `answers`; notes what was asked."""

    answers: list[Fetched] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    async def fetch(self, request: Request) -> Fetched:
        await asyncio.sleep(0)
        self.asked.append(request)
        return self.answers[-1]


class World:
    """A domain, its web server, our store, and the time; each look-up is by a sender that starts afresh."""

    def __init__(self, body: bytes | None = None, record: list[str] | Failure | None = None) -> None:
        self.dns = FakeDns(txt={f"_mta-sts.{DOMAIN}": [RECORD] if record is None else record})
        self.web = Web(FakeDns(), answers=[Fetched(200, file() if body is None else body, kind="text/plain")])
        self.store = Memory()
        self.now = datetime.fromisoformat("2026-03-01T09:30:00+00:00")

    def policies(self) -> StsPolicies:
        return StsPolicies(self.dns, self.web, self.store, lambda: self.now, otherwise=NAMED)

    def look(self, domain: str = DOMAIN) -> TlsPolicy | NoRoute:
        return run(self.policies().policy_for(domain, ROUTE))


ROUTE = Route("example.test", ())
ENFORCED = MtaSts((HOST,), AUTHORITY.pem)


@pytest.mark.parametrize(
    ("records", "id"),
    [
        ([RECORD], "20260301T1"),
        (["v=STSv1;id=a", "v=spf1 -all"], "a"),
        (["v=STSv1; other=x; id=b; id=c"], "b"),
        ([], ""),
        (["v=STSv1"], ""),
        (["v=STSv1; id="], ""),
        (["v=STSv1; id=not-alnum"], ""),
        (["v=STSv1; id=" + "x" * 33], ""),
        (["v=STSv10; id=a"], ""),
        (["id=a; v=STSv1"], ""),
        (["v=STSv1; id=a", "v=STSv1; id=b"], ""),
    ],
)
def test_one_record_with_an_id_counts_and_nothing_else(records: list[str], id: str) -> None:
    assert policy_id(records) == id


@pytest.mark.parametrize(
    ("text", "published"),
    [
        (file(mx="*.Example.test"), Published(Mode.ENFORCE, 604_800, ("*.example.test",))),
        (
            b"version: STSv1\nmode: testing\nmx: a.test\nmx: b.test\nmax_age: 9999999999\nnew: x\nmode: none\nno colon",
            Published(Mode.TESTING, LONGEST_AGE, ("a.test", "b.test")),
        ),
        (b"version: STSv1\nmode: none\nmax_age: 0\n", Published(Mode.NONE, 0, ())),
    ],
)
def test_a_policy_is_read_whatever_else_stands_in_it(text: bytes, published: Published) -> None:
    assert read(text) == published


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"<html>" + file(),
        file().replace(b"STSv1", b"STSv2"),
        file(mode="hope"),
        file().replace(b"max_age: 604800", b"max_age: -1"),
        file().replace(b"max_age: 604800", b"max_age: 99999999999"),
        file().replace(b"max_age: 604800", b""),
        file().replace(f"mx: {HOST}".encode(), b""),
        file(mx="*"),
        file(mx="a.*.test"),
        file(mx="[192.0.2.1]"),
        b"version: STSv1\nmode: enforce\nmax_age: 9\n" + b"mx: a.test\n" * 101,
    ],
)
def test_what_is_no_policy_is_refused(text: bytes) -> None:
    with pytest.raises(BadInput):
        read(text)


def test_an_enforced_policy_is_kept_for_those_who_come_after() -> None:
    world = World()
    assert world.look() == ENFORCED
    assert world.look() == ENFORCED
    assert [each.url for each in world.web.asked] == [f"https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt"]
    assert world.web.asked[0].body is None


@pytest.mark.parametrize("mode", ["testing", "none"])
def test_what_is_not_enforced_asks_no_more_than_usual(mode: str) -> None:
    assert World(file(mode)).look() == NAMED


@pytest.mark.parametrize(
    "answer",
    [
        Fetched(0, reason="timeout"),
        Fetched(302, file(), kind="text/plain"),
        Fetched(404, file(), kind="text/plain"),
        Fetched(200, file(), kind="text/html"),
        Fetched(200, b"Welcome", kind="text/plain"),
    ],
)
def test_a_policy_that_cannot_be_fetched_is_none_but_what_is_kept_holds_on(answer: Fetched) -> None:
    world = World()
    world.web.answers.append(answer)
    assert world.look() == NAMED
    world.web.answers.pop()
    assert world.look() == ENFORCED
    world.web.answers.append(answer)
    world.dns.txt[f"_mta-sts.{DOMAIN}"] = ["v=STSv1; id=other"]
    assert world.look() == ENFORCED
    world.now += timedelta(days=7)
    assert world.look() == NAMED, "it has expired"


@pytest.mark.parametrize(
    "answer", [Failure.NO_NAME, Failure.NO_DATA, Failure.TROUBLE, Failure.TIMEOUT, ["x"]]
)
def test_whoever_hides_the_record_does_not_outlast_what_is_kept(answer: list[str] | Failure) -> None:
    world = World()
    world.look()
    world.dns.txt[f"_mta-sts.{DOMAIN}"] = answer
    assert world.look() == ENFORCED
    assert World(record=answer).look() == NAMED


def test_a_new_id_and_a_new_day_fetch_it_anew() -> None:
    world = World()
    world.look()
    world.web.answers.append(Fetched(200, file(mx="mx9.example.test"), kind="text/plain"))
    assert world.look() == ENFORCED
    world.dns.txt[f"_mta-sts.{DOMAIN}"] = ["v=STSv1; id=2"]
    assert world.look() == MtaSts(("mx9.example.test",), AUTHORITY.pem)
    world.web.answers.append(Fetched(200, file("none"), kind="text/plain"))
    world.now += timedelta(days=1)
    assert world.look() == NAMED
    assert len(world.web.asked) == 3


def test_a_store_that_is_away_makes_the_message_wait() -> None:
    world = World()
    world.store.away = True
    assert world.look() == NoRoute("policy_unknown", permanent=False)


def test_many_messages_at_once_ask_once_and_each_domain_has_its_own() -> None:
    world = World()

    async def go() -> list[TlsPolicy | NoRoute]:
        policies = world.policies()
        domains = [DOMAIN] * 20 + ["sub.example.test"]
        return list(await asyncio.gather(*(policies.policy_for(each, ROUTE) for each in domains)))

    found = run(go())
    assert found == [ENFORCED] * 20 + [NAMED]
    assert len(world.web.asked) == 1


def test_what_was_agreed_with_a_partner_goes_before_what_is_published() -> None:
    world, partner = World(), Partner(names=("mx.partner.example",))
    policies = FoundPolicies({DOMAIN: partner}, world.policies())
    assert run(policies.policy_for(DOMAIN, ROUTE)) == partner
    assert world.dns.asked == []


def serves(reply: bytes) -> MakeScript:
    def script(receiver: Receiver) -> Script:
        async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.test:")
            assert b"\r\nAccept: text/plain\r\n" in head
            writer.write(reply)
            await writer.drain()

        return play

    return script


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\n\r\n" + body


async def takes(wire: Wire) -> None:
    await wire.ready()
    await wire.until(b"DATA\r\n")
    await wire.say(b"250 ok\r\n250 ok\r\n354 go\r\n")
    await wire.until(b"\r\n.\r\n")
    await wire.say(b"250 2.0.0 taken\r\n")
    await wire.rest()


def sent(reply: bytes, *, name: str = f"mta-sts.{DOMAIN}", expired: bool = False) -> tuple[Outcome, bytes]:
    """Send a message that demands a verified peer to a domain whose web server answers `reply`; return what the host heard."""

    async def go() -> tuple[Outcome, bytes]:
        dns = FakeDns(txt={f"_mta-sts.{DOMAIN}": [RECORD]}, hosts={f"mta-sts.{DOMAIN}": ["127.0.0.1"]})
        fetch = Fetch(dns, laboratory=True, authorities=AUTHORITY.pem, seconds=2)
        async with (
            receiving(serves(reply), context=context_for(name, expired=expired)) as web,
            peer(takes) as host,
        ):
            at = hand_over(floor=Protection.VERIFIED)
            policies = StsPolicies(dns, fetch, Memory(), present, otherwise=NAMED, port=web.port)
            routes = StaticRoutes({"*": Host(HOST, host.port, "127.0.0.1")})
            courier = Courier(settings(), routes, FoundPolicies({}, policies), still_stands)
            try:
                return await courier.send(at), host.clear + host.within
            finally:
                await courier.close()

    return run(go())


@pytest.mark.parametrize("mx", [HOST, "*.example.test"])
def test_a_host_that_the_policy_names_is_verified_and_the_receipt_says_how(mx: str) -> None:
    outcome, _ = sent(ok(file(mx=mx)))
    assert outcome.fate is Fate.ACCEPTED
    assert outcome.tls is not None
    assert (outcome.tls.level, outcome.tls.peer) == (Protection.VERIFIED, "mta-sts")


def test_a_host_that_the_policy_does_not_name_hears_nothing() -> None:
    outcome, heard = sent(ok(file(mx="mx.other.test")))
    assert (outcome.fate, outcome.reason) == (Fate.UNPROTECTED, "host_not_allowed")
    assert heard == b""


@pytest.mark.parametrize(
    "given",
    [
        {"reply": b"HTTP/1.1 301 Moved\r\nLocation: https://mta-sts.example.test/x\r\n\r\n"},
        {"reply": ok(file() + b"x: " + b"y" * 65_536)},
        {"reply": ok(file()).replace(b"Text/Plain", b"text/html")},
        {"reply": ok(file()), "name": DOMAIN},
        {"reply": ok(file()), "expired": True},
    ],
)
def test_a_web_server_that_does_not_answer_as_it_must_verifies_nobody(given: dict[str, Any]) -> None:
    outcome, heard = sent(**given)
    assert (outcome.fate, outcome.reason) == (Fate.UNPROTECTED, "policy_too_low")
    assert heard == b""


def test_the_policy_of_everybody_is_that_of_the_machine() -> None:
    dns = FakeDns()
    assert run(StsPolicies(dns, Fetch(dns), Memory(), present).policy_for(DOMAIN, ROUTE)) == Named()
