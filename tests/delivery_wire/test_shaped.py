"""The pool under a plan of shaping: from which address, how fast, what a refusal changes, and who goes first."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import uvloop

from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.handover import Fate, Outcome, Phase
from salus.delivery.transports.policies import PartnerPolicies
from salus.delivery.transports.routes import Host, StaticRoutes
from salus.delivery.transports.yard import Yard
from salus.kernel.time import FakeClock
from salus.shaping.contracts import Detour, Mail, Rate
from salus.shaping.document import read
from salus.shaping.files import ours
from salus.shaping.keeper import Keeper
from tests.delivery_wire.peers import HOST, NAMED, NOW, Peer, Wire, hand_over, peer, settings
from tests.shaping.store import Shared

T = TypeVar("T")
NAMED_SITE = f'[site.mill]\nhosts = ["{HOST}"]\n'
SOURCES = """
[pool.notices]
for = ["transactional"]
[[pool.notices.source]]
name = "notices.clinic.example"
addresses = ["127.0.0.3"]
[pool.rest]
[[pool.rest.source]]
name = "bulk.clinic.example"
addresses = ["127.0.0.2", "2001:db8::2"]
"""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return uvloop.run(coroutine)


class Harbor:
    """Couriers of two clinics in one process, on one plan."""

    def __init__(self, host: Peer, text: str, address: str = "127.0.0.1") -> None:
        self.shared, self.clock, self.yard = Shared(), FakeClock(NOW), Yard(settings())
        self.keeper = Keeper([ours(), read(text, "x.toml")], self.shared, self.clock)
        self.routes = StaticRoutes({"example.test": Host(HOST, host.port, address)})

    def courier(self, number: int = 1, mail: Mail = Mail.CAMPAIGN) -> Courier:
        return Courier(
            settings(),
            self.routes,
            PartnerPolicies({}, NAMED),
            still_stands,
            yard=self.yard,
            shaper=self.keeper.of(UUID(int=number), f"clinic-{number}", mail, str),
            urgent=mail is Mail.TRANSACTIONAL,
        )


async def take(wire: Wire, reply: bytes = b"250 Ok\r\n", after: float = 0.0) -> None:
    await wire.ready()
    while line := await wire.line():
        if line.startswith(b"DATA"):
            await wire.say(b"354 Go\r\n")
            await wire.until(b"\r\n.\r\n")
            await asyncio.sleep(after)
            await wire.say(reply)
        else:
            await wire.say(b"250 Ok\r\n")


def test_each_kind_of_mail_leaves_from_its_own_address_and_says_its_name() -> None:
    async def go() -> tuple[Counter[Fate], set[tuple[str, bytes]]]:
        async with peer(take) as host:
            harbor = Harbor(host, SOURCES)
            couriers = [harbor.courier(), harbor.courier(mail=Mail.TRANSACTIONAL)]
            outcomes = [await each.send(hand_over()) for each in couriers]
            seen = {
                (wire.writer.get_extra_info("peername")[0], bytes(wire.within).split(b"\r\n")[0])
                for wire in host.wires
            }
            for each in couriers:
                await each.close()
            return Counter(each.fate for each in outcomes), seen

    fates, seen = run(go())
    assert fates == {Fate.ACCEPTED: 2}
    assert seen == {
        ("127.0.0.2", b"EHLO bulk.clinic.example"),
        ("127.0.0.3", b"EHLO notices.clinic.example"),
    }


def test_over_ipv6_the_pair_s_other_address_is_used_and_one_without_it_does_not_go_by_another() -> None:
    async def go() -> list[Outcome]:
        async with peer(take) as host:
            harbor = Harbor(host, SOURCES, address="::1")
            found = []
            for mail in Mail:
                courier = harbor.courier(mail=mail)
                found.append(await courier.send(hand_over()))
                await courier.close()
            return found

    none, not_here = run(go())
    assert (none.phase, none.reason) == (Phase.CONNECT, "no_source_address")
    assert (not_here.phase, not_here.reason) == (Phase.CONNECT, "source_unavailable")


def test_a_message_rate_is_kept_and_what_would_wait_for_long_goes_back_to_the_queue() -> None:
    async def go() -> tuple[list[Outcome], float, Outcome]:
        async with peer(take) as host:
            harbor = Harbor(host, NAMED_SITE + 'message_rate = "50/s"\n')
            pacer = harbor.keeper.pacer("messages mill", Rate(50, 1.0), shared=True)
            pacer._at_once = 5  # what a second is worth would be the whole test
            courier = harbor.courier()
            began = time.monotonic()
            outcomes = await asyncio.gather(*(courier.send(hand_over(number=each)) for each in range(25)))
            seconds = time.monotonic() - began
            await courier.close()
        async with peer(take) as host:
            slow = Harbor(host, NAMED_SITE + 'message_rate = "1/min"\n').courier()
            await slow.send(hand_over())
            late = await slow.send(hand_over())
            await slow.close()
        return outcomes, seconds, late

    outcomes, seconds, late = run(go())
    assert {each.fate for each in outcomes} == {Fate.ACCEPTED}
    assert seconds >= 20 / 50 * 0.9
    assert (late.phase, late.reason) == (Phase.QUEUE, "paced")
    assert 50 < late.again_in < 130


def test_connections_come_no_faster_than_their_rate() -> None:
    async def go() -> tuple[int, float]:
        async with peer(take) as host:
            text = NAMED_SITE + 'connection_rate = "10/s"\nmessages_per_connection = 1\nconnections = 20\n'
            harbor = Harbor(host, text)
            courier = harbor.courier()
            began = time.monotonic()
            await asyncio.gather(*(courier.send(hand_over(number=each)) for each in range(14)))
            seconds = time.monotonic() - began
            await courier.close()
            return len(host.wires), seconds

    connections, seconds = run(go())
    assert connections >= 14
    assert seconds >= 0.3, "ten at once are a second's worth; the others wait"


def test_a_refusal_suspends_the_destination_for_both_clinics_and_nothing_of_its_words_is_kept() -> None:
    rule = '[[site.mill.on]]\nid = "slow-down"\nmatch = "slow down"\ncode = [451]\ndo = "suspend"\nfor = "10 min"\nwhose = "everybody"\n'

    async def refuse(wire: Wire) -> None:
        await take(wire, b"451 4.7.1 Slow down, Ana Sample <ana@example.test>\r\n")

    async def go() -> tuple[Harbor, list[Outcome], Outcome | Detour | None]:
        async with peer(refuse) as host:
            harbor = Harbor(host, NAMED_SITE + rule)
            one, other = harbor.courier(1), harbor.courier(2, Mail.TRANSACTIONAL)
            outcomes = [
                await one.send(hand_over()),
                await one.send(hand_over()),
                await other.send(hand_over()),
            ]
            ahead = await other.hold("example.test")
            await harbor.keeper.close()
            await one.close()
            await other.close()
            assert len(host.wires) == 1, "the second never connects"
            harbor.clock.advance(timedelta(minutes=11))
            assert await harbor.courier(1).hold("example.test") is None, "it ends by itself"
            return harbor, outcomes, ahead

    harbor, outcomes, ahead = run(go())
    assert [(each.fate, each.phase, each.reason) for each in outcomes[1:]] == [
        (Fate.BROKEN, Phase.QUEUE, "suspended")
    ] * 2
    assert outcomes[0].fate is Fate.TEMPORARY
    assert isinstance(ahead, Outcome)
    assert ahead.again_in == 600
    [(measure, _, said)] = harbor.shared.taken
    assert said == "451 4.7.1"
    assert "Ana" not in repr((measure, outcomes))


def test_who_is_urgent_gets_a_connection_though_a_campaign_holds_them_all() -> None:
    async def slowly(wire: Wire) -> None:
        await take(wire, after=0.03)

    async def go() -> tuple[float, list[Outcome]]:
        async with peer(slowly) as host:
            harbor = Harbor(host, NAMED_SITE + "connections = 2\nconnections_at_first = 2\n")
            campaign, notice = harbor.courier(1), harbor.courier(2, Mail.TRANSACTIONAL)
            bulk = [asyncio.create_task(campaign.send(hand_over(number=each))) for each in range(60)]
            await asyncio.sleep(0.2)
            began = time.monotonic()
            outcome = await notice.send(hand_over())
            seconds = time.monotonic() - began
            outcomes = await asyncio.gather(*bulk)
            for each in (campaign, notice):
                await each.close()
            return seconds, [outcome, *outcomes]

    seconds, outcomes = run(go())
    assert {each.fate for each in outcomes} == {Fate.ACCEPTED}
    assert seconds < 0.5, "60 messages on two connections take twice as long"


def test_an_urgent_connection_stays_though_a_campaign_wants_it_and_only_a_part_of_them_may() -> None:
    async def slowly(wire: Wire) -> None:
        await take(wire, after=0.03)

    async def go(most: int) -> tuple[list[Outcome], int, int]:
        async with peer(slowly) as host:
            limits = f"connections = {most}\nconnections_at_first = {most}\n"
            harbor = Harbor(host, NAMED_SITE + limits)
            campaign, notice = harbor.courier(1), harbor.courier(2, Mail.TRANSACTIONAL)
            bulk = [asyncio.create_task(campaign.send(hand_over(number=each))) for each in range(40 * most)]
            found = []
            for _ in range(3):
                await asyncio.sleep(0.15)
                found.append(await notice.send(hand_over()))
            [site] = harbor.yard.sites.values()
            kept = site.kept
            await asyncio.gather(*bulk)
            for each in (campaign, notice):
                await each.close()
            return found, kept, len(host.wires)

    outcomes, kept, connections = run(go(5))
    assert {each.fate for each in outcomes} == {Fate.ACCEPTED}
    assert (kept, connections) == (1, 5 + 1), "three notices go by one connection"
    outcomes, kept, connections = run(go(2))
    assert {each.fate for each in outcomes} == {Fate.ACCEPTED}
    assert kept == 0, "half of what there is would be too much"
    assert connections > 2 + 1


def test_clinics_share_the_connections_to_a_destination() -> None:
    async def slowly(wire: Wire) -> None:
        await take(wire, after=0.01)

    async def go() -> tuple[float, float, int]:
        async with peer(slowly) as host:
            harbor = Harbor(host, NAMED_SITE + "connections = 2\nconnections_at_first = 2\n")
            large, small = harbor.courier(1), harbor.courier(2)
            many = [asyncio.create_task(large.send(hand_over(number=each))) for each in range(150)]
            await asyncio.sleep(0.05)
            began = time.monotonic()
            await asyncio.gather(*(small.send(hand_over(number=each)) for each in range(10)))
            theirs = time.monotonic() - began
            await asyncio.gather(*many)
            return (
                theirs,
                time.monotonic() - began,
                max(site.connections for site in harbor.yard.sites.values()),
            )

    theirs, whole, most = run(go())
    assert theirs < whole / 2
    assert most <= 2


def test_a_destination_that_stays_away_is_left_alone_for_longer_each_time() -> None:
    yard = Yard(settings(rest_unreachable=10.0))

    async def go() -> list[int]:
        async with peer(take) as host:
            harbor = Harbor(host, NAMED_SITE)
            shaper = harbor.keeper.of(UUID(int=1), "", Mail.CAMPAIGN, str)
            berth = await shaper.berth("mill", (HOST,))
            site = yard.site(berth)  # type: ignore[arg-type]
            rests = []
            for _ in range(9):
                yard.rest(site, Outcome(Fate.BROKEN, Phase.CONNECT, "timeout"), 10.0)
                rests.append(round(site.resting_until - time.monotonic()))
                yard.rest(
                    site, Outcome(Fate.BROKEN, Phase.CONNECT, "timeout"), 10.0
                )  # the same again says nothing new
                site.resting_until = 0.0
            return rests

    assert run(go()) == [10, 20, 40, 80, 160, 320, 640, 640, 640]
