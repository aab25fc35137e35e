"""The pool of connections: shared, bounded, patient with peers, and every message gets its one outcome."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvloop

from salus.delivery.laboratory import read_routes
from salus.delivery.protection.policy import Partner
from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.handover import Fate, HandOver, Outcome, Phase
from salus.delivery.transports.policies import PartnerPolicies
from salus.delivery.transports.routes import Host, NoRoute, Route, StaticRoutes
from salus.kernel.errors import BadInput, Unavailable
from salus.kernel.vocabulary import Protection
from salus.wiring.catch.behaviors import BEHAVIORS
from salus.wiring.catch.relay import Relay
from tests.delivery_wire.peers import (
    HOST,
    MESSAGE,
    NAMED,
    PATIENT,
    Peer,
    Script,
    Wire,
    hand_over,
    peer,
    settings,
)

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return uvloop.run(coroutine)


def courier_to(host: Peer, recheck: object = still_stands, **changes: object) -> Courier:
    routes = StaticRoutes({"example.test": Host(HOST, host.port, "127.0.0.1")})
    return Courier(settings(**changes), routes, PartnerPolicies({}, NAMED), recheck)  # type: ignore[arg-type]


@asynccontextmanager
async def going(courier: Courier) -> AsyncIterator[Courier]:
    try:
        yield courier
    finally:
        await courier.close()


async def take_all(wire: Wire) -> None:
    await wire.ready()
    while line := await wire.line():
        if line.startswith(b"DATA"):
            await wire.say(b"354 Go\r\n")
            await wire.until(b"\r\n.\r\n")
        await wire.say(b"250 Ok\r\n")


def sent(count: int) -> list[HandOver]:
    return [hand_over(f"ana{number}@example.test", number=number) for number in range(count)]


def fates(outcomes: list[Outcome]) -> Counter[str]:
    return Counter(outcome.fate for outcome in outcomes)


def test_many_messages_share_few_connections() -> None:
    async def go() -> tuple[list[Outcome], int]:
        async with peer(take_all) as host, going(courier_to(host)) as courier:
            outcomes = await asyncio.gather(*(courier.send(item) for item in sent(300)))
            assert courier.load().waiting == 0
            return outcomes, len(host.wires)

    outcomes, connections = run(go())
    assert fates(outcomes) == {Fate.ACCEPTED: 300}
    assert 5 <= connections <= 40


def test_a_connection_is_used_again_after_a_pause_and_ends_when_it_idles() -> None:
    async def go() -> list[int]:
        async with peer(take_all) as host, going(courier_to(host, idle=0.15)) as courier:
            seen = []
            for number in range(3):
                await courier.send(hand_over(number=number))
                await asyncio.sleep(0.02)
                seen.append(len(host.wires))
            await asyncio.sleep(0.3)
            assert courier.load().connections == 0
            await courier.send(hand_over(number=9))
            return [*seen, len(host.wires)]

    assert run(go()) == [1, 1, 1, 2]


def test_a_connection_carries_no_more_messages_than_allowed() -> None:
    async def go() -> tuple[list[Outcome], list[int]]:
        async with (
            peer(take_all) as host,
            going(
                courier_to(host, messages_per_connection=4, connections_per_site=1, connections_at_first=1)
            ) as c,
        ):
            outcomes = await asyncio.gather(*(c.send(item) for item in sent(10)))
            await asyncio.sleep(0.01)
            return outcomes, [bytes(wire.within).count(b"MAIL FROM") for wire in host.wires]

    outcomes, counts = run(go())
    assert fates(outcomes) == {Fate.ACCEPTED: 10}
    assert counts == [4, 4, 2]


def test_a_connection_that_the_peer_closed_meanwhile_costs_no_message() -> None:
    async def one_message_each(wire: Wire) -> None:
        await wire.ready()
        while line := await wire.line():
            if line.startswith(b"DATA"):
                await wire.say(b"354 Go\r\n")
                await wire.until(b"\r\n.\r\n")
                await wire.say(b"250 Ok\r\n")
                return
            await wire.say(b"250 Ok\r\n")

    async def go() -> tuple[list[Outcome], int]:
        async with peer(one_message_each) as host, going(courier_to(host)) as courier:
            outcomes = [await courier.send(item) for item in sent(4)]
            return outcomes, len(host.wires)

    outcomes, connections = run(go())
    assert fates(outcomes) == {Fate.ACCEPTED: 4}
    assert connections == 4


def test_a_421_on_a_kept_connection_is_answered_with_a_fresh_one() -> None:
    async def says_421_second_time(wire: Wire) -> None:
        await wire.ready()
        count = 0
        while line := await wire.line():
            if line.startswith(b"MAIL") and count:
                await wire.say(b"421 4.4.2 Idle too long\r\n")
                return
            if line.startswith(b"DATA"):
                await wire.say(b"354 Go\r\n")
                await wire.until(b"\r\n.\r\n")
                count += 1
            await wire.say(b"250 Ok\r\n")

    async def go() -> list[Outcome]:
        async with peer(says_421_second_time) as host, going(courier_to(host)) as courier:
            return [await courier.send(item) for item in sent(3)]

    assert fates(run(go())) == {Fate.ACCEPTED: 3}


def test_an_unreachable_destination_answers_everybody_at_once_and_rests() -> None:
    async def nobody(wire: Wire) -> None:
        return

    async def go() -> tuple[list[Outcome], list[Outcome], int]:
        async with peer(nobody) as host, going(courier_to(host, rest_unreachable=0.2)) as courier:
            first = await asyncio.gather(*(courier.send(item) for item in sent(50)))
            tried = len(host.wires)
            second = [await courier.send(item) for item in sent(5)]
            assert len(host.wires) == tried, "it was tried again while at rest"
            await asyncio.sleep(0.25)
            await courier.send(hand_over())
            assert len(host.wires) == tried + 1
            return first, second, tried

    first, second, tried = run(go())
    assert fates(first) == {Fate.BROKEN: 50}
    assert {outcome.phase for outcome in second} == {Phase.QUEUE}
    assert tried <= 5


def test_a_destination_without_tls_sends_all_to_the_portal_after_few_tries() -> None:
    async def no_tls(wire: Wire) -> None:
        await wire.greet(offers=b"PIPELINING\r\n250 SIZE 1000")
        await wire.rest()

    async def go() -> tuple[list[Outcome], int]:
        async with peer(no_tls) as host, going(courier_to(host)) as courier:
            outcomes = await asyncio.gather(*(courier.send(item) for item in sent(100)))
            outcomes += [await courier.send(item) for item in sent(20)]
            assert b"MAIL" not in host.clear
            return outcomes, len(host.wires)

    outcomes, connections = run(go())
    assert fates(outcomes) == {Fate.UNPROTECTED: 120}
    assert connections <= 5


def test_a_busy_destination_is_slowed_down_and_then_left_alone() -> None:
    async def busy(wire: Wire) -> None:
        await wire.ready()
        while line := await wire.line():
            await wire.say(
                b"451 4.3.2 Not now\r\n"
                if line.startswith(b"RCPT")
                else b"250 Ok\r\n"
                if not line.startswith(b"DATA")
                else b"503 No\r\n"
            )

    async def go() -> tuple[list[Outcome], int]:
        async with peer(busy) as host, going(courier_to(host)) as courier:
            outcomes = await asyncio.gather(*(courier.send(item) for item in sent(200)))
            return outcomes, host.within.count(b"MAIL FROM")

    outcomes, tried = run(go())
    assert fates(outcomes) == {Fate.TEMPORARY: 200}
    assert tried < 20


def test_a_host_that_limits_connections_costs_hardly_a_message() -> None:
    live: set[int] = set()

    async def three_at_most(wire: Wire) -> None:
        if len(live) == 3:
            await wire.say(b"421 4.7.0 Too many connections\r\n")
            return
        live.add(id(wire))
        try:
            await take_all(wire)
        finally:
            live.discard(id(wire))

    async def go() -> list[Outcome]:
        async with peer(three_at_most) as host, going(courier_to(host)) as courier:
            return list(await asyncio.gather(*(courier.send(item) for item in sent(500))))

    found = fates(run(go()))
    assert found[Fate.ACCEPTED] >= 495, found


def test_the_next_host_is_tried_when_the_first_cannot_be_reached_or_protected() -> None:
    async def no_tls(wire: Wire) -> None:
        await wire.greet(offers=b"HELP\r\n250 SIZE 1")
        await wire.rest()

    class TwoHosts:
        def __init__(self, first: int, second: int) -> None:
            self.hosts = (Host(HOST, first, "127.0.0.1"), Host(HOST, second, "127.0.0.1"))

        async def find(self, domain: str) -> Route | NoRoute:
            return Route("site", tuple((host,) for host in self.hosts))

        async def addresses(self, host: Host) -> tuple[str, ...]:
            return (host.address,)

    async def go(first: Script, second: Script) -> tuple[Outcome, bytes]:
        async with peer(first) as one, peer(second) as two:
            routes = TwoHosts(one.port, two.port)
            async with going(
                Courier(settings(), routes, PartnerPolicies({}, NAMED), still_stands)
            ) as courier:
                outcome = await courier.send(hand_over())
                return outcome, one.clear

    async def closed(wire: Wire) -> None:
        return

    outcome, clear = run(go(no_tls, take_all))
    assert outcome.fate is Fate.ACCEPTED
    assert b"MAIL" not in clear
    assert run(go(closed, take_all))[0].fate is Fate.ACCEPTED
    # Only when no host may come back protected is it the portal's.
    assert run(go(no_tls, no_tls))[0].fate is Fate.UNPROTECTED
    assert run(go(no_tls, closed))[0].fate is Fate.BROKEN
    assert run(go(closed, no_tls))[0].fate is Fate.BROKEN


@pytest.mark.parametrize("messages", [5, 1000])
def test_two_policies_for_one_site_share_its_window_and_neither_starves(messages: int) -> None:
    names = Partner(names=(HOST,), authorities=NAMED.authorities)

    async def go() -> tuple[list[Outcome], int]:
        most = 0

        async def counted(wire: Wire) -> None:
            nonlocal most
            most = max(most, courier.load().connections)
            await take_all(wire)

        async with peer(counted) as host:
            to = Host(HOST, host.port, "127.0.0.1")
            routes = StaticRoutes({"example.test": to, "partner.test": to})
            courier = Courier(
                settings(
                    connections_per_site=2, connections_at_first=2, messages_per_connection=messages, idle=60
                ),
                routes,
                PartnerPolicies({"partner.test": names}, NAMED),
                still_stands,
            )
            items = sent(40) + [
                hand_over(f"bo{n}@partner.test", floor=Protection.VERIFIED) for n in range(40)
            ]
            async with going(courier), asyncio.timeout(10):
                return list(await asyncio.gather(*(courier.send(item) for item in items))), most

    outcomes, most = run(go())
    assert fates(outcomes) == {Fate.ACCEPTED: 80}
    assert {outcome.tls.level for outcome in outcomes if outcome.tls} == {
        Protection.NAMED,
        Protection.VERIFIED,
    }
    assert most <= 2


def test_an_idle_connection_makes_room_for_another_destination() -> None:
    async def go() -> list[Outcome]:
        async with peer(take_all) as one, peer(take_all) as two:
            routes = StaticRoutes(
                {"one.test": Host(HOST, one.port, "127.0.0.1"), "two.test": Host(HOST, two.port, "127.0.0.1")}
            )
            courier = Courier(
                settings(connections=1, idle=60), routes, PartnerPolicies({}, NAMED), still_stands
            )
            async with going(courier), asyncio.timeout(5):
                return [
                    await courier.send(hand_over(f"ana@{name}.test")) for name in ("one", "two", "one", "two")
                ]

    assert fates(run(go())) == {Fate.ACCEPTED: 4}


def test_closing_finishes_what_is_under_way_and_gives_back_what_waits() -> None:
    started = asyncio.Event()

    async def slow(wire: Wire) -> None:
        await wire.ready()
        while line := await wire.line():
            if line.startswith(b"DATA"):
                await wire.say(b"354 Go\r\n")
                await wire.until(b"\r\n.\r\n")
                started.set()
                await asyncio.sleep(0.1)
            await wire.say(b"250 Ok\r\n")

    async def go() -> list[Outcome]:
        async with peer(slow) as host:
            courier = courier_to(host, connections_at_first=2, connections_per_site=2)
            sending = [asyncio.ensure_future(courier.send(item)) for item in sent(10)]
            await started.wait()
            await courier.close()
            late = await courier.send(hand_over())
            assert (late.fate, late.reason) == (Fate.BROKEN, "closing")
            return list(await asyncio.gather(*sending))

    found = fates(run(go()))
    assert found[Fate.ACCEPTED] in (1, 2)
    assert found[Fate.BROKEN] == 10 - found[Fate.ACCEPTED]


def test_a_fault_of_our_own_is_raised_to_the_sender_and_hangs_nobody() -> None:
    async def broken_recheck(item: HandOver) -> bool:
        raise RuntimeError("the database is away")

    async def go() -> None:
        async with peer(take_all) as host, going(courier_to(host, broken_recheck)) as courier:
            with pytest.raises(RuntimeError, match="database"):
                await courier.send(hand_over(checked=10))
            assert (await courier.send(hand_over())).fate is Fate.ACCEPTED
            assert host.within.count(b"MAIL FROM") == 1

    run(go())


def test_bad_authorities_are_raised_to_the_sender_and_hang_nobody() -> None:
    async def go() -> None:
        async with peer(take_all) as host:
            routes = StaticRoutes({"example.test": Host(HOST, host.port, "127.0.0.1")})
            bad = PartnerPolicies({"example.test": Partner(authorities="not PEM")})
            async with going(Courier(settings(), routes, bad, still_stands)) as courier, asyncio.timeout(5):
                with pytest.raises(BadInput):
                    await courier.send(hand_over())

    run(go())


def test_a_domain_that_does_not_exist_bounces_without_a_connection() -> None:
    async def go() -> Outcome:
        async with peer(take_all) as host, going(courier_to(host)) as courier:
            return await courier.send(hand_over("ana@nowhere.test"))

    outcome = run(go())
    assert (outcome.fate, outcome.phase, outcome.reason) == (Fate.PERMANENT, Phase.ROUTE, "no_such_domain")


# ---- against the development relay, whose hosts misbehave on purpose

EXPECTED = {
    "mail": (Fate.ACCEPTED, "accepted"),
    "partner": (Fate.ACCEPTED, "accepted"),
    "pinned": (Fate.ACCEPTED, "accepted"),
    "no-starttls": (Fate.UNPROTECTED, "no_starttls"),
    "starttls-refused": (Fate.UNPROTECTED, "starttls_refused"),
    "injected": (Fate.UNPROTECTED, "plaintext_after_starttls"),
    "tls10": (Fate.UNPROTECTED, "tls_too_old"),
    "weak-cipher": (Fate.UNPROTECTED, "handshake_failed"),
    "expired": (Fate.UNPROTECTED, "certificate_expired"),
    "wrong-name": (Fate.UNPROTECTED, "certificate_wrong_name"),
    "untrusted": (Fate.UNPROTECTED, "certificate_untrusted"),
    "busy": (Fate.TEMPORARY, "system_trouble"),
    "greylist": (Fate.TEMPORARY, "greylisted"),
    "refuses": (Fate.PERMANENT, "no_such_mailbox"),
    "full": (Fate.PERMANENT, "mailbox_full"),
    "spam": (Fate.PERMANENT, "policy"),
    "partner-busy": (Fate.TEMPORARY, "system_trouble"),
    "partner-refuses": (Fate.PERMANENT, "no_such_mailbox"),
    "throttle": (Fate.ACCEPTED, "accepted"),
    "slow": (Fate.UNCERTAIN, "timeout"),
    "unhurried": (Fate.ACCEPTED, "accepted"),
    "hangs-up": (Fate.UNCERTAIN, "closed"),
    "stalls": (Fate.UNCERTAIN, "timeout"),
    "no-pipelining": (Fate.ACCEPTED, "accepted"),
    "small": (Fate.PERMANENT, "too_large"),
}


@asynccontextmanager
async def relay(folder: Path, dot: float = 10) -> AsyncIterator[tuple[Relay, Courier]]:
    found = Relay(folder)
    await found.start()
    routes, policies = read_routes(found.routes_file)
    try:
        async with going(
            Courier(settings(timeouts=replace(PATIENT, dot=dot)), routes, policies, still_stands)
        ) as courier:
            yield found, courier
    finally:
        await found.stop()


def test_every_host_of_the_relay_behaves_as_it_says(tmp_path: Path) -> None:
    data = MESSAGE + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 40

    async def go() -> dict[str, tuple[Fate, str]]:
        async with relay(tmp_path, dot=1.5) as (found, courier):
            names = [each.name for each in BEHAVIORS if each.name != "slow"]
            outcomes = await asyncio.gather(
                *(courier.send(hand_over(f"ana@{name}.example.test", data=data)) for name in names)
            )
            again = await courier.send(hand_over("ana@greylist.example.test", data=data))
            assert again.fate is Fate.ACCEPTED
            anywhere = await courier.send(hand_over("ana@anywhere.example.test", data=data))
            assert anywhere.fate is Fate.ACCEPTED
            for mail in found.mailbox.newest():
                assert mail.data == data
                assert mail.tls_version == "TLSv1.3"
            return {name: (each.fate, each.reason) for name, each in zip(names, outcomes, strict=True)}

    expected = {name: found for name, found in EXPECTED.items() if name != "slow"}
    assert set(EXPECTED) == {each.name for each in BEHAVIORS}
    assert run(go()) == expected


def test_the_relay_s_partners_are_verified(tmp_path: Path) -> None:
    async def go() -> list[Outcome]:
        async with relay(tmp_path) as (_, courier):
            return [
                await courier.send(hand_over(f"ana@{name}.example.test", floor=Protection.VERIFIED))
                for name in ("partner", "pinned", "mail")
            ]

    partner, pinned, mail = run(go())
    for outcome in (partner, pinned):
        assert outcome.fate is Fate.ACCEPTED
        assert outcome.tls is not None
        assert (outcome.tls.level, outcome.tls.peer) == (Protection.VERIFIED, "partner")
    assert mail.fate is Fate.UNPROTECTED


def test_a_sender_without_a_relay_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="salus catch"):
        read_routes(tmp_path / "routes.json")
    (tmp_path / "authority.pem").write_text("x")
    for text in ("{", "[]", '{"authority": "authority.pem", "format": "other"}'):
        (tmp_path / "routes.json").write_text(text)
        with pytest.raises(BadInput):
            read_routes(tmp_path / "routes.json")
