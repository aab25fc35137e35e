"""Rates that processes keep together, and days of warming up that nobody exceeds."""

from __future__ import annotations

import asyncio
import itertools
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from salus.kernel.time import FakeClock
from salus.shaping import layers
from salus.shaping.allotting import Allotments
from salus.shaping.contracts import Berth, Detour, Hold, Mail, Plan, Rate
from salus.shaping.document import Document, read
from salus.shaping.files import ours
from salus.shaping.keeper import SUSPENDED, WARMING, Keeper, Shaper
from salus.shaping.pacing import LONGEST, PATIENCE, Pacer
from tests.shaping.store import Shared

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ANA, BO = UUID(int=1), UUID(int=2)
GOOGLE = ("google", ("gmail-smtp-in.l.google.com",))
SMALL = ("mx.small.example", ("mx.small.example",))
POOL = """
[curve.fast]
google = [30, 60]
other = [100]
[pool.main]
[[pool.main.source]]
name = "cold.clinic.example"
addresses = ["127.0.0.2"]
warm_up = "fast"
since = 2026-03-02
"""
WARM = '[[pool.main.source]]\nname = "warm.clinic.example"\naddresses = ["127.0.0.3"]\n'


async def turns(pacers: list[Pacer], each: int) -> list[float]:
    """Take `each` turns of every pacer at once; return when they came, in order."""
    came: list[float] = []

    async def one(pacer: Pacer) -> None:
        assert not await pacer.turn()
        came.append(time.monotonic())

    await asyncio.gather(*(one(pacer) for pacer in pacers for _ in range(each)))
    return sorted(came)


@pytest.mark.parametrize("processes", [1, 3])
def test_a_rate_is_kept_by_all_processes_together(processes: int) -> None:
    shared, rate = Shared(), Rate(200, 1.0)

    async def go() -> list[float]:
        pacers = [
            Pacer(Rate(200, 1.0), lambda interval, count: shared.reserve("x", interval, min(count, 10)))
            for _ in range(processes)
        ]
        for each in pacers:
            each._at_once = 10  # what a second is worth would be the whole test
        return await turns(pacers, 60 // processes)

    came = asyncio.run(go())
    assert came[-1] - came[0] >= (60 - 10 * processes) * rate.interval * 0.9
    assert shared.asked == 6, "the database is asked once for ten"


def test_who_is_urgent_goes_first_and_who_would_wait_for_long_comes_back_at_a_time_of_their_own() -> None:
    async def go() -> tuple[list[str], list[float]]:
        pacer, order = Pacer(Rate(20, 1.0)), list[str]()

        async def one(name: str, urgent: bool) -> None:
            await pacer.turn(urgent=urgent)
            order.append(name)

        tasks = [asyncio.create_task(one(f"campaign {number}", urgent=False)) for number in range(4)]
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(one("result", urgent=True)))
        await asyncio.gather(*tasks)
        slow = Pacer(Rate(1, 60.0))
        waits = [await slow.turn() for _ in range(20)]
        return order, waits

    order, waits = asyncio.run(go())
    assert order.index("result") <= 1
    assert waits[0] == 0.0
    assert all(wait > PATIENCE for wait in waits[1:])
    spread = waits[1:14]
    assert all(50 < later - earlier < 70 for earlier, later in itertools.pairwise(spread))
    assert max(waits) == LONGEST


def test_slots_that_others_hold_are_not_waited_for_in_memory() -> None:
    shared = Shared()

    async def go() -> list[float]:
        return [
            await Pacer(Rate(1, 60.0), lambda interval, count: shared.reserve("x", interval, count)).turn()
            for _ in range(3)
        ]

    first, second, third = asyncio.run(go())
    assert first == 0.0
    assert second > PATIENCE
    assert third > second


def planned(text: str) -> tuple[list[Document], Plan]:
    documents = [ours(), read(text, "x.toml")]
    return documents, layers.plan(documents)


def test_a_warm_up_is_never_exceeded_however_many_send_and_the_rest_goes_to_a_warm_address() -> None:
    _, plan = planned(POOL + WARM)
    shared = Shared()

    async def go() -> list[str]:
        processes = [Allotments(shared) for _ in range(3)]
        found = [
            await each.choose(plan, plan.pools[0], "google", AT) for _ in range(50) for each in processes
        ]
        for each in processes:
            await each.close()
        return [each.name for each in found if each]

    names = asyncio.run(go())
    assert len(names) == 150
    assert names.count("cold.clinic.example") == 30 == shared.used["cold.clinic.example", "google", AT.date()]


def test_where_no_address_is_warm_mail_waits_until_tomorrow_and_what_was_not_used_is_given_back() -> None:
    documents, _ = planned(POOL)
    shared, clock = Shared(), FakeClock(AT)

    async def go() -> tuple[list[Berth | Hold], Berth | Hold, Berth | Hold]:
        keeper = Keeper(documents, shared, clock)
        shaper = keeper.of(ANA, "clinic", Mail.CAMPAIGN, str)
        today = [await shaper.berth(*GOOGLE) for _ in range(31)]
        elsewhere = await shaper.berth(*SMALL)
        clock.advance(timedelta(days=1))
        tomorrow = await shaper.berth(*GOOGLE)
        assert isinstance(tomorrow, Berth)
        shaper.unused(tomorrow)
        await keeper.close()
        return today, elsewhere, tomorrow

    today, elsewhere, tomorrow = asyncio.run(go())
    assert all(isinstance(each, Berth) for each in today[:30])
    assert today[30] == Hold(WARMING, (14 * 60 + 30) * 60)
    assert isinstance(elsewhere, Berth)
    assert isinstance(tomorrow, Berth)
    assert shared.used["cold.clinic.example", "google", AT.date() + timedelta(days=1)] == 0


def heard(shaper: Shaper, berth: Berth, times: int, text: str = "[TSS04] deferred", code: int = 421) -> None:
    for _ in range(times):
        shaper.heard(berth, code, "4.7.0", text)


YAHOO = ("yahoo", ("mta5.am0.yahoodns.net",))


def test_what_a_provider_says_of_our_network_holds_for_everybody_and_in_every_process_until_it_ends() -> None:
    shared, clock = Shared(), FakeClock(AT)

    async def go() -> list[object]:
        one, other = Keeper([ours()], shared, clock), Keeper([ours()], shared, clock)
        ana, bo = one.of(ANA, "ana", Mail.CAMPAIGN, str), other.of(BO, "bo", Mail.TRANSACTIONAL, str)
        berth = await ana.berth(*YAHOO)
        assert isinstance(berth, Berth)
        heard(ana, berth, 1)
        found: list[object] = [ana.hold(*YAHOO)]
        heard(ana, berth, 5)
        found.append(ana.hold(*YAHOO))
        await one.close()
        found.append(bo.hold(*YAHOO))
        await other.refresh()
        found.append(bo.hold(*YAHOO))
        found.append(bo.hold(*GOOGLE))
        clock.advance(timedelta(hours=2, seconds=1))
        found.append(bo.hold(*YAHOO))
        return found

    before, here, not_yet, there, elsewhere, after = asyncio.run(go())
    assert (before, not_yet, elsewhere, after) == (None, None, None, None)
    assert here == there == Hold(SUSPENDED, LONGEST)
    assert [(rule, said) for _, rule, said in shared.taken] == [("yahoo-complaints", "421 4.7.0")], "once"


def test_a_destination_without_a_name_is_throttled_for_who_was_refused_alone_and_counted_apart() -> None:
    shared, clock = Shared(), FakeClock(AT)

    async def go() -> tuple[Berth | Hold, Berth | Hold]:
        keeper = Keeper([ours()], shared, clock)
        ana = keeper.of(ANA, "ana", Mail.CAMPAIGN, lambda name: f"blind-{len(name)}")
        bo = keeper.of(BO, "bo", Mail.CAMPAIGN, lambda name: f"other-{len(name)}")
        berth = await ana.berth(*SMALL)
        assert isinstance(berth, Berth)
        heard(ana, berth, 2, "Too many connections")
        return await ana.berth(*SMALL), await bo.berth(*SMALL)

    theirs, others = asyncio.run(go())
    assert isinstance(theirs, Berth)
    assert isinstance(others, Berth)
    assert (theirs.limits.connections, theirs.owner, theirs.key) == (1, str(ANA), "blind-16")
    assert (others.limits.connections, others.owner) == (20, "")


def test_a_switch_leads_to_another_pool() -> None:
    rule = '[[site.google.on]]\nid = "x"\nmatch = "x"\ndo = "switch"\nto = "spare"\nfor = "1 h"\n'
    spare = '[pool.spare]\norganizations = ["nobody"]\n' + WARM.replace("main", "spare")
    documents, _ = planned(POOL + spare + rule)

    async def go() -> list[str]:
        shaper = Keeper(documents, Shared(), FakeClock(AT)).of(ANA, "ana", Mail.CAMPAIGN, str)
        names = []
        for _ in range(2):
            berth = await shaper.berth(*GOOGLE)
            assert isinstance(berth, Berth)
            assert berth.source
            names.append(berth.source.name)
            heard(shaper, berth, 1, "x")
        return names

    assert asyncio.run(go()) == ["cold.clinic.example", "warm.clinic.example"]


def test_a_switch_to_a_relay_is_said_before_anything_is_made_and_lets_nothing_out_from_here() -> None:
    rule = '[[site.google.on]]\nid = "x"\nmatch = "x"\ndo = "switch"\nto = "relay:spare"\nfor = "1 h"\n'
    documents, _ = planned(POOL + rule)
    clock = FakeClock(AT)

    async def go() -> list[object]:
        shaper = Keeper(documents, Shared(), clock).of(ANA, "ana", Mail.CAMPAIGN, str)
        berth = await shaper.berth(*GOOGLE)
        assert isinstance(berth, Berth)
        heard(shaper, berth, 1, "x")
        found = [
            shaper.hold(*GOOGLE),
            await shaper.berth(*GOOGLE),
            await shaper.berth(*GOOGLE, by_relay=True),
        ]
        clock.advance(timedelta(hours=1))
        return [*found, shaper.hold(*GOOGLE)]

    before, from_here, by_relay, after = asyncio.run(go())
    assert before == Detour("spare", 900.0)
    assert from_here == Hold("switched", 0.0)
    assert isinstance(by_relay, Berth)
    assert after is None


def test_processes_of_a_machine_share_what_they_may_have_at_once() -> None:
    async def go() -> list[int]:
        found = []
        for processes in (1, 2, 50):
            keeper = Keeper([ours()], Shared(), FakeClock(AT), share=lambda count=processes: count)  # type: ignore[misc]
            berth = await keeper.of(ANA, "ana", Mail.CAMPAIGN, str).berth(*SMALL)
            assert isinstance(berth, Berth)
            found.append(berth.limits.connections)
        return found

    assert asyncio.run(go()) == [20, 10, 1]
