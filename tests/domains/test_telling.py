"""Reports about TLS: who asked is told a day later, by mail or https, of nobody whom few people's mail would give away."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.delivery import ports
from salus.delivery.contracts import PolicyReport, TlsPath, TlsReport, TlsSeen
from salus.delivery.protection import tls
from salus.delivery.reporting import document
from salus.domains import api
from salus.domains.models import TallyRow
from salus.domains.rules import telling
from salus.identity.contracts import Organization
from salus.kernel.acting import system
from salus.kernel.errors import BadInput
from salus.kernel.outbound import TLS_REPORTS
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind, Relation
from salus.wiring.catch.relay import Relay
from tests.delivery.laboratory import running_relay
from tests.delivery_wire.peers import AUTHORITY
from tests.delivery_wire.receivers import context_for
from tests.setup.names import name_server

MakeClinic = Callable[..., Organization]
DAY = datetime(2026, 11, 24, 18, tzinfo=UTC)
NEXT = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
DOMAIN = "lakepost.example.test"
OK, OLD = ("", "", "mx.lakepost.example.test"), ("validation-failure", "tls_too_old", "")
STS = TlsPath("sts", hosts=("mx.lakepost.example.test",))


def people(count: int, start: int = 0) -> frozenset[bytes]:
    return frozenset(number.to_bytes(8) for number in range(start, start + count))


class House:
    """A clinic that has registered where reports go, unless told not to."""

    def __init__(self, organization: Organization, *, registered: bool = True) -> None:
        self.organization, self.clock = organization, FakeClock(DAY)
        made: dict[str, Any] = {"actor": system(organization.id, "test"), "at": DAY}
        if registered:
            with acting_for(organization.id):
                vendor_id = vendors.create_vendor("Mail operators", relation=Relation.NO_PHI, **made)
                vendors.create_service(
                    vendor_id, kind=Kind.TLS_REPORTS, name="TLS", address=TLS_REPORTS, may_carry=(), **made
                )

    def see(
        self, count: int = telling.FEW, *, start: int = 0, domain: str = DOMAIN, path: TlsPath = STS
    ) -> None:
        """Let mail go to so many people."""
        with acting_for(self.organization.id):
            ports.tally([TlsSeen(domain, path, {OK: 40, OLD: 2}, people(count, start))], self.clock.now())

    def tell(self, at: datetime = NEXT) -> None:
        self.clock = FakeClock(at)
        api.send_tls_reports(self.organization.id, self.clock)

    def left(self) -> int:
        with acting_for(self.organization.id):
            return TallyRow.objects.count()

    def records(self) -> list[tuple[str, dict[str, str | int]]]:
        with acting_for(self.organization.id):
            found = audit.entries(Filters(action=Action.TLS_REPORT_SEND))
        return [(each.outcome, dict(each.details)) for each in found]


@pytest.fixture
def house(make_clinic: MakeClinic) -> House:
    return House(make_clinic())


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    with running_relay(tmp_path_factory.mktemp("relay")) as running:
        yield running


@contextmanager
def asking(settings: Any, relay: Relay, *rua: str) -> Iterator[None]:
    """Let the domain ask for reports at these places."""
    texts = {f"_smtp._tls.{DOMAIN}": [f"v=TLSRPTv1; rua={','.join(rua)}"]} if rua else {}
    with name_server(texts) as address:
        settings.SALUS_NAMESERVER, settings.SALUS_LABORATORY_ROUTES = address, str(relay.routes_file)
        yield


def caught(relay: Relay, mailbox: str) -> list[Any]:
    found = [each for each in relay.mailbox.newest() if mailbox in each.recipients]
    return [message_from_bytes(each.data, policy=policy.default) for each in found]


def test_who_asked_by_mail_gets_the_file_and_nothing_in_it_is_about_anybody(
    house: House, relay: Relay, settings: Any
) -> None:
    mailbox = "one@mail.example.test"
    house.see(6)
    house.see(6, start=6)  # another sender, other people
    house.see(3, path=TlsPath("no-policy-found"))
    with asking(settings, relay, f"mailto:{mailbox}!10m"), acting_for(house.organization.id):
        assert not telling.is_due(DAY.date(), DAY)
    with asking(settings, relay, f"mailto:{mailbox}!10m"):
        house.tell(datetime(2026, 11, 25, 0, 30, tzinfo=UTC))
        assert caught(relay, mailbox) == [], "the day is hardly over"
        house.tell()
    (mail,) = caught(relay, mailbox)
    submitter = house.organization.sending_domain
    assert (mail["TLS-Report-Domain"], mail["TLS-Report-Submitter"]) == (DOMAIN, submitter)
    assert f"Report Domain: {DOMAIN} Submitter: {submitter}" in " ".join(mail["Subject"].split())
    assert mail.get_content_type() == "multipart/report"
    assert mail.get_param("report-type") == "tlsrpt"
    signatures = mail.get_all("DKIM-Signature")
    assert all("tls-report-domain" in each.lower().replace(" ", "") for each in signatures)
    plain, file = mail.iter_parts()
    assert house.organization.name not in plain.get_content(), "it is called as its domain, which they know"
    assert file.get_content_type() == "application/tlsrpt+gzip"
    assert file.get_filename().startswith(f"{submitter}!{DOMAIN}!1795478400!1795564799!")
    told = json.loads(gzip.decompress(file.get_content()))
    assert told["organization-name"] == submitter
    assert told["date-range"] == {
        "start-datetime": "2026-11-24T00:00:00Z",
        "end-datetime": "2026-11-24T23:59:59Z",
    }
    by_kind = {each["policy"]["policy-type"]: each for each in told["policies"]}
    assert by_kind["sts"]["policy"]["policy-domain"] == DOMAIN
    assert by_kind["sts"]["policy"]["mx-host"] == ["mx.lakepost.example.test"]
    assert by_kind["sts"]["summary"] == {
        "total-successful-session-count": 80,
        "total-failure-session-count": 4,
    }
    assert by_kind["sts"]["failure-details"] == [
        {"result-type": "validation-failure", "failed-session-count": 4, "failure-reason-code": "tls_too_old"}
    ]
    assert by_kind["no-policy-found"]["summary"]["total-successful-session-count"] == 40
    assert house.left() == 0
    assert house.records() == [("ok", {"sent": 1, "failed": 0})]


def test_a_domain_of_few_people_is_never_told_and_what_was_seen_goes(
    house: House, relay: Relay, settings: Any
) -> None:
    house.see(telling.FEW - 1)
    house.see(telling.FEW - 1)  # the same people again
    with asking(settings, relay, "mailto:few@mail.example.test"):
        house.tell()
    assert caught(relay, "few@mail.example.test") == []
    assert (house.left(), house.records()) == (0, [])


def test_without_a_service_in_the_register_nobody_is_told(
    make_clinic: MakeClinic, relay: Relay, settings: Any
) -> None:
    house = House(make_clinic(), registered=False)
    house.see()
    with asking(settings, relay, "mailto:closed@mail.example.test"):
        house.tell()
    assert caught(relay, "closed@mail.example.test") == []
    assert house.left() == 0


@pytest.mark.parametrize("rua", [(), ("ftp://x.example/",), ("mailto:not an address",)])
def test_who_asks_for_nothing_gets_nothing(
    house: House, relay: Relay, settings: Any, rua: tuple[str, ...]
) -> None:
    house.see()
    with asking(settings, relay, *rua):
        house.tell()
    assert house.left() == 0


def test_what_cannot_be_protected_or_asked_is_tried_again_and_then_given_up(
    house: House, relay: Relay, settings: Any
) -> None:
    house.see()
    with asking(settings, relay, "mailto:reports@no-starttls.example.test"):
        house.tell()
        assert house.left() == 1
        assert house.records()[0] == ("failed", {"sent": 0, "failed": 1})
        house.tell(NEXT + timedelta(hours=12))
        assert house.left() == 1
        house.tell(NEXT + timedelta(days=2))
    assert house.left() == 0
    assert len(house.records()) == 2


def test_the_round_asks_when_a_day_is_over_and_not_again_at_once(house: House) -> None:
    from salus.domains.telling import is_due

    house.see()
    with acting_for(house.organization.id):
        assert not is_due(FakeClock(DAY))
        assert is_due(FakeClock(NEXT))
        TallyRow.objects.update(tried_at=NEXT)
        assert not is_due(FakeClock(NEXT + timedelta(hours=1)))
        assert is_due(FakeClock(NEXT + timedelta(hours=4)))


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    (tmp_path / "authority.pem").write_text(AUTHORITY.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    tls.client_context.cache_clear()
    yield
    tls.client_context.cache_clear()


@contextmanager
def web(status: int) -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    """Run a web server that takes reports; yield its port and what it heard."""
    heard: list[tuple[str, bytes]] = []

    class Asked(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.headers["Content-Type"], body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Asked)
    server.socket = context_for("localhost").wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server.server_port, heard
    server.shutdown()
    server.server_close()


def test_by_https_the_file_is_posted_and_a_refusal_is_tried_again(
    house: House, relay: Relay, settings: Any, trusted: None
) -> None:
    house.see()
    with web(500) as (port, heard), asking(settings, relay, f"https://localhost:{port}/v1"):
        house.tell()
    assert (len(heard), house.left()) == (1, 1)
    with web(201) as (port, heard), asking(settings, relay, f"https://localhost:{port}/v1"):
        house.tell(NEXT + timedelta(hours=4))
    ((kind, body),) = heard
    assert kind == "application/tlsrpt+gzip"
    assert json.loads(gzip.decompress(body))["policies"][0]["policy"]["policy-domain"] == DOMAIN
    assert house.left() == 0


@pytest.mark.parametrize(
    "key",
    [("Ana Alvarez", "", ""), ("validation-failure", "Ana", ""), ("validation-failure", "", "not a host")],
)
def test_a_report_that_would_say_something_else_is_refused(key: tuple[str, str, str]) -> None:
    report = TlsReport("a", DOMAIN, DAY, (PolicyReport(STS, {key: 1}),))
    with pytest.raises(BadInput):
        document(report, "mail.clinic.example")
