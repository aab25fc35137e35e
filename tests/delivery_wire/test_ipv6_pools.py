"""Pools over IPv6, on a real socket: each source leaves from its own address of that kind, or does not go there at all."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
import uvloop

from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.handover import Fate, Outcome, Phase
from salus.delivery.transports.policies import PartnerPolicies
from salus.delivery.transports.routes import Host, NoRoute, StaticRoutes
from salus.delivery.transports.yard import Yard
from salus.kernel.time import FakeClock
from salus.shaping.contracts import Mail
from salus.shaping.document import read
from salus.shaping.files import ours
from salus.shaping.keeper import Keeper
from tests.delivery_wire.peers import HOST, NAMED, NOW, hand_over, peer, settings
from tests.delivery_wire.test_shaped import take
from tests.shaping.store import Shared


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True


def _another() -> str:
    """Return an IPv6 address of this machine that is not loopback's; "" when it has none."""
    try:
        listed = [line.split() for line in Path("/proc/net/if_inet6").read_text().splitlines()]
    except OSError:
        return ""
    found = (str(ipaddress.IPv6Address(bytes.fromhex(each[0]))) for each in listed if each[3] == "00")
    return next((each for each in found if _reaches_loopback(each)), "")


def _reaches_loopback(source: str) -> bool:
    with socket.socket(socket.AF_INET6) as listening, socket.socket(socket.AF_INET6) as calling:
        listening.bind(("::1", 0))
        listening.listen()
        try:
            calling.bind((source, 0))
            calling.connect(listening.getsockname()[:2])
        except OSError:
            return False
    return True


pytestmark = pytest.mark.skipif(
    not _has_ipv6(), reason="this kernel has no IPv6: nothing of these pools is tested"
)


@dataclass(frozen=True)
class Both(StaticRoutes):
    """A mail host with an address of each kind, IPv6 first as `DnsRoutes` has them."""

    listed: tuple[str, ...] = ("::1", "127.0.0.1")

    async def addresses(self, host: Host) -> Sequence[str] | NoRoute:
        return self.listed


def pool(*addresses: str, name: str = "mta6.clinic.example") -> str:
    listed = ", ".join(f'"{each}"' for each in addresses)
    return f'[pool.main]\n[[pool.main.source]]\nname = "{name}"\naddresses = [{listed}]\n'


def sent(text: str, *listed: str, count: int = 1) -> tuple[list[Outcome], list[tuple[str, bytes]]]:
    """Send to a host at these addresses; return the outcomes, and from where each connection came with which name."""

    async def go() -> tuple[list[Outcome], list[tuple[str, bytes]]]:
        async with peer(take, *listed) as host:
            keeper = Keeper([ours(), read(text, "x.toml")], Shared(), FakeClock(NOW))
            courier = Courier(
                settings(),
                Both({"example.test": Host(HOST, host.port)}, listed),
                PartnerPolicies({}, NAMED),
                still_stands,
                yard=Yard(settings()),
                shaper=keeper.of(UUID(int=1), "clinic", Mail.CAMPAIGN, str),
            )
            outcomes = [await courier.send(hand_over(number=each)) for each in range(count)]
            seen = [
                (each.writer.get_extra_info("peername")[0], bytes(each.within).split(b"\r\n")[0])
                for each in host.wires
            ]
            await courier.close()
            return outcomes, seen

    return uvloop.run(go())


@pytest.mark.parametrize("source", [each for each in ("::1", _another() if _has_ipv6() else "") if each])
def test_a_source_of_ipv6_leaves_from_its_address_and_says_its_name(source: str) -> None:
    [outcome], seen = sent(pool(source), "::1")
    assert outcome.fate is Fate.ACCEPTED
    assert seen == [(source, b"EHLO mta6.clinic.example")]


def test_a_pair_takes_the_address_of_the_host_s_kind() -> None:
    for listed, expected in ((("::1", "127.0.0.1"), "::1"), (("127.0.0.1", "::1"), "127.0.0.2")):
        [outcome], seen = sent(pool("127.0.0.2", "::1"), *listed)
        assert outcome.fate is Fate.ACCEPTED
        assert [each for each, _ in seen] == [expected]


def test_a_source_without_ipv6_goes_to_the_host_s_other_address_and_by_no_other_source() -> None:
    [outcome], seen = sent(pool("127.0.0.2"), "::1", "127.0.0.1")
    assert outcome.fate is Fate.ACCEPTED
    assert [each for each, _ in seen] == ["127.0.0.2"]
    [outcome], seen = sent(pool("127.0.0.2"), "::1")
    assert (outcome.phase, outcome.reason) == (Phase.CONNECT, "no_source_address")
    assert seen == []


def test_sources_of_both_kinds_take_turns() -> None:
    text = pool("::1") + '[[pool.main.source]]\nname = "mta4.clinic.example"\naddresses = ["127.0.0.2"]\n'
    outcomes, seen = sent(text, "::1", "127.0.0.1", count=4)
    assert {each.fate for each in outcomes} == {Fate.ACCEPTED}
    assert set(seen) == {("::1", b"EHLO mta6.clinic.example"), ("127.0.0.2", b"EHLO mta4.clinic.example")}


def test_an_address_of_ipv6_that_this_machine_does_not_have_is_said() -> None:
    [outcome], seen = sent(pool("2001:db8::2"), "::1")
    assert (outcome.phase, outcome.reason) == (Phase.CONNECT, "source_unavailable")
    assert seen == []
