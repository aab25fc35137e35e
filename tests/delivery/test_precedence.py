"""Who makes what somebody waits for goes first, for a moment; nobody pauses for long, or for ever."""

from __future__ import annotations

import asyncio
import threading
import time

from salus.delivery.precedence import RightOfWay


class Ticking:
    """A clock that says what it is told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_whoever_gives_the_right_of_way_goes_on_as_soon_as_the_other_is_done() -> None:
    right, went_on = RightOfWay(), threading.Event()
    right.give()  # nobody asked: at once
    right.ask()

    def work() -> None:
        right.give()
        went_on.set()

    thread = threading.Thread(target=work)
    thread.start()
    paused = not went_on.wait(0.05)
    right.done()
    thread.join(5)
    assert paused
    assert went_on.is_set()


def test_a_pause_ends_by_itself_and_who_paused_works_for_as_long_before_the_next() -> None:
    right = RightOfWay()
    right.LONGEST = 0.05
    right.ask()
    began = time.monotonic()
    right.give()
    first = time.monotonic() - began
    right.ask()
    began = time.monotonic()
    right.give()
    assert first >= 0.05
    assert time.monotonic() - began < first, "no second pause right after the first"


def test_what_was_asked_for_long_ago_holds_nobody_up() -> None:
    clock = Ticking()
    right = RightOfWay(clock)
    right.ask()
    clock.now += RightOfWay.LONGEST
    right.give()
    assert clock.now == 100.0 + RightOfWay.LONGEST


def test_in_the_event_loop_a_pause_lets_the_others_work_and_ends_when_they_are_done() -> None:
    async def work() -> list[str]:
        right, did = RightOfWay(), []
        await right.give_in_loop()  # nobody asked: at once
        right.ask()

        async def campaign() -> None:
            await right.give_in_loop()
            did.append("campaign")

        async def urgent() -> None:
            for _ in range(3):
                await asyncio.sleep(RightOfWay.PEEP)
                did.append("urgent")
            right.done()

        await asyncio.gather(campaign(), urgent())
        return did

    assert asyncio.run(work()) == ["urgent"] * 3 + ["campaign"]
