"""Copies of the log outside: a witness gets checkpoints by mail over TLS, a log server every entry over TLS; failures are said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.delivery import api as delivery
from salus.delivery.protection import tls
from salus.delivery.transports import syslog
from salus.identity.contracts import Organization, Role
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.outbound import OutOfScope, Why
from salus.kernel.time import FakeClock, SystemClock
from salus.kernel.vocabulary import PhiClass
from salus.platform.tenancy import acting_for
from salus.reports import api, copies
from salus.reports.contracts import LogCopy
from salus.reports.models import LogCopyRow
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind, Relation
from salus.wiring.catch.relay import Relay
from salus.wiring.cli import main
from tests.browser import Console
from tests.delivery.laboratory import running_relay
from tests.delivery.office import staff
from tests.delivery_wire.peers import AUTHORITY
from tests.registered import attest
from tests.reports.syslog_server import LogServer, Way, log_server

MakeClinic = Callable[..., Organization]
HOUR = timedelta(hours=1)


class House:
    """A clinic with a clock, and what it registers."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.clock = FakeClock(SystemClock().now())
        self.actor = system(organization.id, "test")

    def register(self, kind: Kind, address: str) -> UUID:
        """Register a service that the clinic runs itself, attested."""
        made: dict[str, Any] = {"actor": self.actor, "at": self.clock.now()}
        with acting_for(self.organization.id):
            vendor_id = vendors.create_vendor("Our own", relation=Relation.OURS, **made)
            service_id = vendors.create_service(
                vendor_id, kind=kind, name="The keeper", address=address, may_carry=tuple(PhiClass), **made
            )
            attest(service_id, **made)
        return service_id

    def grow(self, count: int = 1) -> None:
        """Let something happen, and sign it."""
        with acting_for(self.organization.id):
            for _ in range(count):
                audit.record(Action.CONTACT_SEARCH, actor=self.actor, object_kind="contact")
        with acting_for(self.organization.id):
            audit.integrate()
            audit.checkpoint(self.clock)

    def send(self) -> LogCopy:
        """Send what is due and return how the only copy stands."""
        api.send_copies(self.organization.id, self.clock)
        return self.copy()

    def copy(self) -> LogCopy:
        with acting_for(self.organization.id):
            return api.log_copies(self.clock)[0]

    def is_due(self) -> bool:
        with acting_for(self.organization.id):
            return copies.is_due(self.clock.now())

    def records(self) -> list[tuple[str, str]]:
        """Return what the log says of copies, oldest first."""
        with acting_for(self.organization.id):
            found = audit.entries(Filters(action=Action.AUDIT_LOG_COPY))
        return [(each.outcome, each.reason) for each in reversed(found)]


@pytest.fixture
def house(make_clinic: MakeClinic) -> House:
    return House(make_clinic())


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """A real SMTP sink that speaks TLS with a verified certificate, and hosts that do not."""
    with running_relay(tmp_path_factory.mktemp("relay")) as running:
        yield running


@pytest.fixture
def mail(relay: Relay, settings: Any) -> Relay:
    settings.SALUS_LABORATORY_ROUTES = str(relay.routes_file)
    return relay


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let this machine trust the tests' authority, as a clinic's trusts its own."""
    (tmp_path / "authority.pem").write_text(AUTHORITY.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    tls.client_context.cache_clear()
    yield
    tls.client_context.cache_clear()


@pytest.fixture
def server(trusted: None) -> Iterator[LogServer]:
    with log_server() as running:
        yield running


def address_at(relay: Relay, behavior: str) -> str:
    """Return an address whose mail goes to the host with this behavior."""
    assert behavior in relay.ports
    return f"witness@{behavior}.example.test"


def test_a_witness_gets_a_checkpoint_that_the_log_can_be_held_against(house: House, mail: Relay) -> None:
    mailbox = address_at(mail, "mail")
    house.register(Kind.WITNESS, f"mailto:{mailbox}")
    house.grow()
    assert house.is_due()
    copy = house.send()
    assert (copy.reason, copy.tries) == ("", 0)
    caught = next(each for each in mail.mailbox.newest() if mailbox in each.recipients)
    text = message_from_bytes(caught.data, policy=policy.default).get_content()
    found = re.search(r"^salus/.*?^— .*?\n", text.replace("\r\n", "\n"), re.DOTALL | re.MULTILINE)
    assert found
    with acting_for(house.organization.id):
        assert audit.verify(found.group()).verified
        assert audit.verifier_key() in text.replace("\n", "")
    assert house.records() == [("ok", "")]


def test_a_witness_is_written_to_once_an_hour_or_when_asked(house: House, mail: Relay) -> None:
    service_id = house.register(Kind.WITNESS, f"mailto:{address_at(mail, 'mail')}")
    house.grow()
    first = house.send()
    house.grow()
    assert not house.is_due()
    with acting_for(house.organization.id):
        api.send_copy_soon(service_id, actor=house.actor, clock=house.clock)
    assert house.send().reached > first.reached
    house.grow()
    house.clock.advance(HOUR)
    assert house.is_due()
    with acting_for(house.organization.id):
        api.set_copy_hours(service_id, 0, actor=house.actor, clock=house.clock)
    assert not house.is_due()


@pytest.mark.parametrize("behavior", ["no-starttls", "untrusted"])
def test_what_cannot_be_protected_is_not_sent_but_tried_again_and_said(
    house: House, mail: Relay, behavior: str
) -> None:
    mailbox = address_at(mail, behavior)
    house.register(Kind.WITNESS, f"mailto:{mailbox}")
    house.grow()
    for tries in (1, 2, 3):
        copy = house.send()
        assert (copy.sent_at, copy.tries, copy.failing) == (None, tries, tries == 3)
        assert not house.is_due()  # not at once
        house.clock.advance(HOUR)
    assert copy.why
    assert house.is_due()
    assert [each for each in mail.mailbox.newest() if mailbox in each.recipients] == []
    assert house.records() == [("failed", copy.reason)]  # once, not each time


def test_the_register_closes_the_way_to_a_witness(house: House, mail: Relay) -> None:
    service_id = house.register(Kind.WITNESS, f"mailto:{address_at(mail, 'mail')}")
    house.grow()
    with acting_for(house.organization.id):
        vendors.switch_service(service_id, False, actor=house.actor, at=house.clock.now())
        assert api.log_copies(house.clock) == ()
    assert not house.is_due()
    with pytest.raises(OutOfScope) as refused:
        delivery.send_checkpoint(house.organization.id, service_id, clock=house.clock)
    assert refused.value.why is Why.SWITCHED_OFF


def test_only_a_witness_is_written_to_and_only_what_was_signed(house: House, mail: Relay) -> None:
    witness = house.register(Kind.WITNESS, f"mailto:{address_at(mail, 'mail')}")
    web = house.register(Kind.WITNESS, "https://witness.example.org/add")
    assert not house.is_due()  # nothing was signed
    with pytest.raises(BadInput):
        delivery.send_checkpoint(house.organization.id, web, clock=house.clock)
    with pytest.raises(BadInput):
        delivery.send_log(house.organization.id, witness, ["x"], clock=house.clock)


def test_a_log_server_gets_every_entry_once_and_in_order(house: House, server: LogServer) -> None:
    house.register(Kind.SYSLOG, server.address)
    house.grow(3)
    first = house.send()
    house.grow(2)
    last = house.send()
    assert (first.reason, last.reason) == ("", "")
    told = [json.loads(each.partition("@cee: ")[2]) for each in server.heard]
    assert [each["position"] for each in told] == list(range(last.reached))
    with acting_for(house.organization.id):
        known = {str(each.id) for each in audit.entries(limit=1000) if each.position is not None}
    assert {each["id"] for each in told} == known
    assert house.records() == [("ok", "")]  # its own record went out with the second batch


def test_a_turn_sends_many_batches(house: House, server: LogServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "BATCH", 2)
    house.register(Kind.SYSLOG, server.address)
    house.grow(7)
    copy = house.send()
    assert len(server.heard) == copy.reached
    assert server.connections == -(-copy.reached // 2)


@pytest.mark.parametrize(("way", "reason"), [(Way.CUTS, "closed"), (Way.SILENT, "timeout")])
def test_what_a_log_server_may_not_have_read_comes_again(
    house: House, server: LogServer, way: Way, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syslog.send, "__kwdefaults__", {"patience": 0.3})
    server.way = way
    house.register(Kind.SYSLOG, server.address)
    house.grow(3)
    copy = house.send()
    assert (copy.reason, copy.reached, copy.tries) == (reason, 0, 1)
    assert not house.is_due()
    server.way = Way.JUST_CLOSES
    house.clock.advance(copies.WAITS[0])
    copy = house.send()
    assert (copy.reason, len(server.heard)) == ("", copy.reached)
    assert house.records() == [("failed", reason), ("ok", "")]


def test_a_log_server_of_another_name_is_told_nothing(house: House, trusted: None) -> None:
    with log_server("logs.elsewhere.example") as server:
        house.register(Kind.SYSLOG, server.address)
        house.grow()
        assert house.send().reason == "certificate_wrong_name"
        assert server.heard == []


def test_a_log_server_that_is_away_or_not_trusted_is_told_nothing(house: House) -> None:
    with log_server() as server:
        tls.client_context.cache_clear()
        with pytest.raises(syslog.NotTaken, match="certificate_untrusted"):
            syslog.send(server.address, ["x"], datetime.now().astimezone())
    with pytest.raises(syslog.NotTaken, match="unreachable"):
        syslog.send(server.address, ["x"], datetime.now().astimezone())


def test_a_worker_that_dies_leaves_an_attempt_that_is_made_again(house: House, server: LogServer) -> None:
    service_id = house.register(Kind.SYSLOG, server.address)
    house.grow()
    with acting_for(house.organization.id):
        LogCopyRow.objects.create(service_id=service_id, tried_at=house.clock.now(), tries=1)
    assert not house.is_due()
    house.clock.advance(copies.WAITS[0])
    assert house.send().reached


def test_bad_settings_and_other_peoples_are_refused(
    house: House, mail: Relay, make_clinic: MakeClinic
) -> None:
    service_id = house.register(Kind.WITNESS, f"mailto:{address_at(mail, 'mail')}")
    with acting_for(house.organization.id):
        with pytest.raises(BadInput):
            api.set_copy_hours(service_id, 5, actor=house.actor)
        marketer: Actor = staff(house.organization, Role.MARKETER)
        with pytest.raises(NotFound):
            api.set_copy_hours(service_id, 6, actor=marketer)
        with pytest.raises(NotFound):
            api.send_copy_soon(service_id, actor=marketer)
    other = make_clinic()
    with acting_for(other.id):
        assert api.log_copies() == ()
        with pytest.raises(NotFound):
            api.send_copy_soon(service_id, actor=system(other.id, "test"))


def test_the_command_writes_to_witnesses_now(
    house: House, mail: Relay, database: Any, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.HOME = database.home
    words = ["audit", "witness", "--organization", house.organization.slug]
    assert main(words) != 0
    assert "no witness" in capsys.readouterr().err
    house.register(Kind.WITNESS, f"mailto:{address_at(mail, 'mail')}")
    assert main(words) == 0
    assert "took the checkpoint of" in capsys.readouterr().out
    assert main([*words, "--every", "24"]) == 0
    assert house.copy().hours == 24
    assert main([*words, "--every", "3"]) != 0
    house.register(Kind.WITNESS, f"mailto:{address_at(mail, 'no-starttls')}")
    assert main(words) == 1
    assert "NOT SENT" in capsys.readouterr().out


def test_the_page_of_the_log_says_how_copies_stand_and_sets_them(house: House, mail: Relay) -> None:
    client = Console("", house.organization).client("security_officer")
    assert "Nobody outside keeps a copy" in client.get("/log/").content.decode()
    service_id = house.register(Kind.WITNESS, f"mailto:{address_at(mail, 'no-starttls')}")
    house.grow()
    house.send()
    page = client.get("/log/").content.decode()
    assert "The keeper" in page
    assert "it is tried again" in page
    here = f"/log/copies/{service_id}/"
    assert client.post(here, {"hours": "6"}).status_code == 302
    assert house.copy().hours == 6
    assert client.post(here, {"hours": "7"}).status_code == 400
    assert client.post(here).status_code == 302
    assert house.is_due()
    assert Console("", house.organization).client("marketer").post(here).status_code == 404
