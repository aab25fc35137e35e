"""The host of `./bench chaos`: under the plan that the bench writes, whole connections end with QUIT, and fail there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
import uvloop

from benchmarks import chaos_sink
from benchmarks.chaos_sink import PLAN, Phase, Sink
from salus.delivery.laboratory import read_routes
from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.handover import Fate, Outcome
from salus.shaping import layers
from salus.shaping.document import read
from salus.shaping.files import ours
from tests.delivery_wire.peers import QUICK, hand_over, settings

CONNECTIONS = 8
"""That are filled by what is sent."""


def test_connections_that_live_end_with_quit_and_a_failure_there_costs_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = dict.fromkeys(Phase, 1_000_000)  # with this seed none of them fails
    monkeypatch.setattr(chaos_sink, "ONE_OF", others | {Phase.QUIT: 2})
    limits = layers.plan([ours(), read(PLAN, "shaping.toml")]).default.limits
    count = CONNECTIONS * limits.messages_per_connection
    sink = Sink(per_second=10_000, seed=7)
    routes, policies = read_routes(sink.start(tmp_path))
    wire = settings(
        timeouts=QUICK,
        messages_per_connection=limits.messages_per_connection,
        connections_at_first=1,
        connections_per_site=1,
    )

    async def go() -> list[Outcome]:
        courier = Courier(wire, routes, policies, still_stands)
        items = [
            hand_over(
                f"ana{number}@{sink.domain}",
                data=f"Message-ID: <{UUID(int=number)}@clinic.example>\r\n\r\nHello.\r\n".encode(),
                number=number,
            )
            for number in range(count)
        ]
        try:
            return list(await asyncio.gather(*(courier.send(item) for item in items)))
        finally:
            await courier.close()

    outcomes = uvloop.run(go())
    assert {outcome.fate for outcome in outcomes} == {Fate.ACCEPTED}
    assert sink.taken == {UUID(int=number): 1 for number in range(count)}
    assert sink.reached[Phase.QUIT] == sink.reached[Phase.CONNECT] == CONNECTIONS
    found = {how: sink.faults[f"{Phase.QUIT}: {how}"] for how in ("cut", "stalled")}
    assert sink.faults.total() == sum(found.values()) == CONNECTIONS // 2
    assert min(found.values()) >= CONNECTIONS // 4
