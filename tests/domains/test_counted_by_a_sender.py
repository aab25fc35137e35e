"""From real sessions to the report of the day: what a sender process saw of TLS is what the domains are told."""

from __future__ import annotations

import gc
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from salus.delivery import process
from salus.delivery.contracts import State
from salus.delivery.protection import tls
from salus.delivery.transports import lane, routes
from salus.delivery.transports.session import open_session
from salus.domains import api
from salus.domains.rules import telling
from salus.kernel.outbound import TLS_REPORTS
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for
from salus.shaping import api as shaping
from salus.shaping.document import read
from salus.shaping.files import ours
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind, Relation
from salus.wiring.catch.relay import Relay
from tests.delivery.conftest import Desk, furnish, open_clinic, sender_role
from tests.delivery.laboratory import hold_everything, running_relay
from tests.setup.names import name_server

GOOD, EXPIRED, UNTRUSTED = "lakepost.example", "oldpost.example", "selfpost.example"
MAIL_HOSTS = {GOOD: "mail", EXPIRED: "expired", UNTRUSTED: "untrusted"}
A_CONNECTION = "[default]\nconnections = 1\nconnections_at_first = 1\nmessages_per_connection = 4\n"
"""So that it is known how many sessions there have to be."""
REPORTS = "reports@mail.example.test"


class Roads:
    """The name server, and the mail hosts at their own ports of this machine; how often each was connected to."""

    def __init__(self, relay: Relay) -> None:
        self.relay, self.opened = relay, Counter[str]()

    async def open(self, host: str, address: str, port: int, **given: Any) -> Any:
        """Connect as the sender does, but for the port: 25 is not ours to listen on."""
        if port == routes.PORT:
            name = host.partition(".")[0]
            self.opened[name] += 1
            port = self.relay.ports[name]
        return await open_session(host, address, port, **given)


def zone() -> dict[str, list[str]]:
    """Return MX records and addresses of the domains; they publish no policy, and ask for reports."""
    found: dict[str, list[str]] = {}
    for domain, name in MAIL_HOSTS.items():
        host = f"{name}.example.test"
        found |= {
            f"{domain} MX": [f"10 {host}."],
            f"{host} A": ["127.0.0.1"],
            f"_smtp._tls.{domain}": [f"v=TLSRPTv1; rua=mailto:{REPORTS}"],
        }
    return found


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    with running_relay(tmp_path / "relay") as running:
        yield running


@pytest.fixture
def roads(relay: Relay, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Roads]:
    """Let sender processes find their way by this name server, and trust the laboratory's authority."""
    made = Roads(relay)
    monkeypatch.setattr(lane, "open_session", made.open)
    monkeypatch.setattr(routes, "is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setattr(process, "settle_memory", lambda: None)
    monkeypatch.setattr(shaping, "documents", lambda _: (ours(), read(A_CONNECTION, "x.toml")))
    monkeypatch.setenv("SSL_CERT_FILE", str(relay.directory / "authority.pem"))
    tls.client_context.cache_clear()
    with name_server(zone()) as address:
        settings.SALUS_RESOLVER = settings.SALUS_NAMESERVER = address
        settings.SALUS_LABORATORY_ROUTES = str(relay.routes_file)  # for the reports only
        yield made
    tls.client_context.cache_clear()


@pytest.fixture
def desk(database: Any, fast_passwords: None) -> Iterator[Desk]:
    hold_everything(database)
    desk = furnish(open_clinic())
    desk.clock = FakeClock(datetime.now(UTC) - timedelta(seconds=5))
    made: dict[str, Any] = {"actor": desk.actor, "at": desk.clock.now()}
    with acting_for(desk.id):
        vendor_id = vendors.create_vendor("Mail operators", relation=Relation.NO_PHI, **made)
        vendors.create_service(
            vendor_id, kind=Kind.TLS_REPORTS, name="TLS", address=TLS_REPORTS, may_carry=(), **made
        )
    yield desk
    hold_everything(database)


def told(relay: Relay) -> dict[str, dict[str, Any]]:
    """Return the reports that came, by domain."""
    found = {}
    for mail in relay.mailbox.newest(recipient=REPORTS):
        _, file = message_from_bytes(mail.data, policy=policy.default).iter_parts()
        report = json.loads(gzip.decompress(file.get_content()))
        [one] = report["policies"]
        found[one["policy"]["policy-domain"]] = one
    return found


def test_the_report_of_the_day_has_the_sessions_that_a_sender_had(
    desk: Desk, roads: Roads, relay: Relay, database: Any
) -> None:
    with acting_for(desk.id):
        for domain in MAIL_HOSTS:
            desk.admit(*(f"{domain[:3]}{number}" for number in range(telling.FEW)), domain=domain)
        origin = desk.release()
    with sender_role(database):
        process.run_sender(until_idle=True)
        process.run_sender(until_idle=True)  # the notices of those that are in the portal now
        gc.collect()
    with acting_for(desk.id):
        assert desk.states(origin) == {
            State.ACCEPTED: telling.FEW,
            State.PORTAL_UNNOTIFIED: 2 * telling.FEW,
        }
    assert roads.opened["mail"] == 3, "eleven messages, four in a session"
    tomorrow = datetime.combine(datetime.now(UTC).date() + timedelta(days=1), time(1, 30), UTC)
    api.send_tls_reports(desk.id, FakeClock(tomorrow))
    found = told(relay)
    assert set(found) == set(MAIL_HOSTS)
    assert {each["policy"]["policy-type"] for each in found.values()} == {"no-policy-found"}
    assert found[GOOD]["summary"] == {
        "total-successful-session-count": 3,
        "total-failure-session-count": 0,
    }
    for domain, result in ((EXPIRED, "certificate-expired"), (UNTRUSTED, "certificate-not-trusted")):
        tries = roads.opened[MAIL_HOSTS[domain]]
        assert tries >= 1
        assert found[domain]["summary"] == {
            "total-successful-session-count": 0,
            "total-failure-session-count": tries,
        }
        [detail] = found[domain]["failure-details"]
        assert (detail["result-type"], detail["failed-session-count"]) == (result, tries)
    assert "lak0" not in json.dumps(found)
