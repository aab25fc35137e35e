"""How TLS went is counted on real connections: once a session, by the words of the standard, with no address in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
import uvloop

from salus.delivery.contracts import TlsPath, TlsSeen
from salus.delivery.laboratory import read_routes
from salus.delivery.protection.dane import Dane, PerHost, Tlsa
from salus.delivery.protection.mta_sts import MtaSts
from salus.delivery.protection.policy import Named, Partner, Shortfall, TlsPolicy
from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.handover import Fate, HandOver, Outcome, Phase, broken, unprotected
from salus.delivery.transports.watching import FEW, MOST, Watch
from salus.wiring.catch.mailbox import Mailbox
from salus.wiring.catch.relay import Relay
from tests.delivery_wire.peers import NAMED, hand_over, settings


class Kept(list[TlsSeen]):
    """What was given away."""

    async def keep(self, seen: Sequence[TlsSeen]) -> None:
        self.extend(seen)


def watched(folder: Path, *items: HandOver, by_relay: bool = False) -> Kept:
    """Send messages one after the other to the hosts that misbehave on purpose; return what was counted."""
    kept = Kept()

    async def go() -> None:
        relay = Relay(folder, mailbox=Mailbox())
        await relay.start()
        try:
            routes, policies = read_routes(relay.routes_file)
            courier = Courier(settings(), routes, policies, still_stands, watch=Watch(kept.keep))
            for item in items:
                await courier.send(item)
            await courier.close()
        finally:
            await relay.stop()

    uvloop.run(go())
    return kept


def test_a_session_counts_once_however_many_messages_it_carries(tmp_path: Path) -> None:
    names = ["ysolde", "bartok", "YSOLDE", "quince"]
    (seen,) = watched(tmp_path, *(hand_over(f"{each}@mail.example.test") for each in names))
    assert (seen.domain, seen.path) == ("mail.example.test", TlsPath("no-policy-found"))
    assert [(result, reason, count) for (result, reason, _), count in seen.counts.items()] == [("", "", 1)]
    assert len(seen.people) == 3
    assert not any(name in repr(seen) for name in names)


@pytest.mark.parametrize(
    ("host", "result", "reason"),
    [
        ("no-starttls", "starttls-not-supported", ""),
        ("expired", "certificate-expired", ""),
        ("untrusted", "certificate-not-trusted", ""),
        ("wrong-name", "certificate-host-mismatch", ""),
        ("tls10", "validation-failure", "tls_too_old"),
    ],
)
def test_what_fails_is_named_as_the_standard_does(
    tmp_path: Path, host: str, result: str, reason: str
) -> None:
    items = [hand_over(f"{each}@{host}.example.test") for each in ("ana", "bo")]
    (seen,) = watched(tmp_path, *items)
    assert seen.counts == {(result, reason, ""): 1}


def test_what_says_nothing_about_tls_is_not_counted(tmp_path: Path) -> None:
    assert watched(tmp_path, hand_over("ana@nowhere.invalid")) == []


RECORD = Tlsa(3, 1, 1, b"\1" * 32)
STS = MtaSts(("mx.example.test",))
WHOLE = PerHost((("mx.example.test", Dane((RECORD,))),), STS, is_whole=True)
HALF = PerHost((("mx.example.test", Dane((RECORD,))), ("other.example.test", None)), STS, is_whole=False)
TLSA = TlsPath("tlsa", ("3 1 1 " + "01" * 32,))


@pytest.mark.parametrize(
    ("policy", "outcome", "path"),
    [
        (STS, unprotected(Phase.HANDSHAKE, Shortfall.EXPIRED), TlsPath("sts", hosts=("mx.example.test",))),
        (
            STS,
            unprotected(Phase.CONNECT, Shortfall.HOST_NOT_ALLOWED),
            TlsPath("sts", hosts=("mx.example.test",)),
        ),
        (WHOLE, unprotected(Phase.HANDSHAKE, Shortfall.NO_TLSA_MATCH), TLSA),
        (HALF, unprotected(Phase.HANDSHAKE, Shortfall.NO_TLSA_MATCH), TLSA),
        (HALF, broken(Phase.CONNECT, "policy_unknown"), TLSA),
        (HALF, unprotected(Phase.HANDSHAKE, Shortfall.EXPIRED), TlsPath("sts", hosts=("mx.example.test",))),
        (NAMED, unprotected(Phase.STARTTLS, Shortfall.NO_STARTTLS), TlsPath("no-policy-found")),
        (Partner(("mx.example.test",)), unprotected(Phase.HANDSHAKE, Shortfall.EXPIRED), None),
        (Named(), unprotected(Phase.ROUTE, Shortfall.POLICY_TOO_LOW), None),
        (Named(), Outcome(Fate.BROKEN, Phase.CONNECT, "unreachable"), None),
    ],
)
def test_each_policy_is_reported_as_what_it_is(
    policy: TlsPolicy, outcome: Outcome, path: TlsPath | None
) -> None:
    kept = Kept()
    watch = Watch(kept.keep)
    watch.note(hand_over(), policy, outcome)
    asyncio.run(watch.close())
    assert [each.path for each in kept] == ([path] if path else [])


def test_memory_is_bounded_and_a_database_that_is_away_costs_only_the_counts() -> None:
    gone = 0

    async def away(seen: Sequence[TlsSeen]) -> None:
        nonlocal gone
        gone += len(seen)
        raise OSError("away")

    async def go() -> None:
        times = iter([0.0, *[61.0] * 10_000])
        watch = Watch(away, monotonic=lambda: next(times))
        for number in range(MOST + 50):
            item = hand_over(f"p{number}@example.test", number=number)
            watch.note(item, NAMED, unprotected(Phase.HANDSHAKE, Shortfall.EXPIRED))
        assert len(watch._counted) == MOST
        assert max(len(each.people) for each in watch._domains.values()) == FEW
        await asyncio.sleep(0)
        assert watch._domains == {}, "it was given away after a minute"
        await watch.close()

    asyncio.run(go())
    assert gone == 1
