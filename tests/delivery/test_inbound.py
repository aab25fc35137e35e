"""From the wire to the ledger: a report comes by SMTP to the return path of a message, and nothing of it is kept."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from django.db import connections

from salus.delivery import api
from salus.delivery.contracts import Returned, State
from salus.delivery.inbound import Inbound, context
from salus.delivery.models import ReturnRow
from salus.delivery.receiving import Receiver
from salus.delivery.return_paths import local_part
from salus.kernel.ids import new_id
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.wiring.cli import main
from salus.wiring.installation import Installation
from tests.conftest import World

from .conftest import Desk, furnish, open_clinic
from .test_returns import AWAY, accepted, bounce, complaint

HOST = "mx.mail.cedar-row.example.org"


@dataclass
class Door:
    """A clinic whose listener runs, and a client to talk to it."""

    desk: Desk
    inbound: Inbound
    port: int

    def message(self) -> tuple[UUID, str]:
        """Let one message to somebody new be accepted; return its id and its return path."""
        with acting_for(self.desk.id):
            self.desk.people.clear()
            self.desk.admit(f"ana-{new_id().hex}")
            message_id = accepted(self.desk)
            local = local_part(message_id, keys.blinder())
        return message_id, f"{local}@{self.desk.organization.sending_domain}"

    def post(self, recipient: str, raw: bytes) -> int:
        """Hand a message in; return the reply's code."""
        return post(self.port, recipient, raw)


def post(port: int, recipient: str, raw: bytes) -> int:
    """Hand a message in over TLS; return the reply's code."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="mx.lakepost.example.test", timeout=30) as client:
        client.starttls()
        client.ehlo()
        client.docmd("MAIL FROM:<>")
        code, _ = client.docmd(f"RCPT TO:<{recipient}>")
        if code == 250:
            code, _ = client.data(raw)
        return code


@pytest.fixture(scope="module")
def clinic(world: object, django_db_blocker: object, fast_passwords: None) -> Desk:
    """A clinic that the tests share."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        return furnish(open_clinic())


@pytest.fixture
def door(clinic: Desk, database: object) -> Iterator[Door]:
    """Run the listener in a thread of its own, as the process does."""
    inbound = Inbound(clinic.clock)
    receiver = Receiver(HOST, inbound.known, inbound.take, tls=context(HOST, None, None))
    loop, ports = asyncio.new_event_loop(), []

    async def start() -> None:
        server = await receiver.listen("127.0.0.1:0")
        ports.append(server.sockets[0].getsockname()[1])

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield Door(clinic, inbound, ports[0])
    for _ in range(8):  # each of the threads that use the database
        asyncio.run_coroutine_threadsafe(inbound._threads.run(connections.close_all), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    inbound.end()
    loop.close()


def test_a_report_to_a_return_path_stops_the_address_and_is_not_kept(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    message_id, path = door.message()
    assert door.post(path.upper().replace("BOUNCES", "Bounces"), bounce()) == 250
    with acting_for(door.desk.id):
        assert door.desk.row(message_id).state == State.BOUNCED
        [why] = permissions.standing(door.desk.people[0], door.desk.clock.now()).suppressions
        assert why.reason == "hard_bounce"
        [kept] = ReturnRow.objects.filter(message_id=message_id)
        assert (kept.reason, kept.status) == ("no_such_mailbox", "550 5.1.1")
        [stopped] = api.stopped(10, door.desk.clock.now())
    assert stopped.evidence[0].message_id == message_id
    assert door.post(path, bounce()) == 250, "known before"
    door.inbound.say()
    assert "1 bounced, 1 known" in caplog.text
    assert "ana@" not in caplog.text
    assert path.partition("@")[0] not in caplog.text


def test_forged_and_foreign_recipients_are_refused(door: Door) -> None:
    message_id, path = door.message()
    local, _, domain = path.partition("@")
    other = "a" if local[-1] != "a" else "b"
    for recipient in (
        f"{local[:-1]}{other}@{domain}",
        f"bounces+{message_id.hex}@{domain}",
        f"{local}@elsewhere.example",
        f"postmaster@{domain}",
        f"care@{domain}",
    ):
        assert door.post(recipient, bounce()) == 550
    with acting_for(door.desk.id):
        assert not ReturnRow.objects.filter(message_id=message_id).exists()


def test_what_another_clinic_signs_touches_no_message_of_ours(door: Door) -> None:
    message_id, path = door.message()
    with acting_for(open_clinic("Alder Way Clinic").id):
        local = local_part(message_id, keys.blinder())
    assert door.post(f"{local}@{path.partition('@')[2]}", bounce()) == 250  # the two share a domain
    assert door.inbound.came == {Returned.GONE: 1}
    with acting_for(door.desk.id):
        assert door.desk.row(message_id).state == State.ACCEPTED


def test_replies_of_people_are_told_and_those_of_robots_are_taken(door: Door) -> None:
    message_id, path = door.message()
    assert door.post(path, AWAY) == 250
    assert door.post(path, b"From: ana@lakepost.example.test\r\nSubject: Thanks\r\n\r\nThanks.\r\n") == 550
    assert door.inbound.came == {Returned.AUTO_REPLY: 1, Returned.NOT_A_REPORT: 1}
    with acting_for(door.desk.id):
        assert door.desk.row(message_id).state == State.ACCEPTED


def test_a_feedback_loop_names_the_message_by_a_return_path_that_is_ours(door: Door) -> None:
    message_id, path = door.message()
    local, _, domain = path.partition("@")
    loop = f"complaints@{domain}"
    assert door.post(loop, complaint(return_path=f"bounces+{message_id.hex}@{domain}")) == 250
    assert door.post(loop, complaint(return_path=f"{local}@elsewhere.example")) == 250
    assert door.post(loop, complaint()) == 250
    assert door.inbound.came == {Returned.GONE: 3}
    assert door.post(loop, bounce()) == 550
    assert door.post(loop, complaint(return_path=path)) == 250
    assert door.inbound.came[Returned.COMPLAINT] == 1
    with acting_for(door.desk.id):
        assert [each.sign for each in ReturnRow.objects.filter(message_id=message_id)] == ["complaint"]


def test_the_process_under_the_supervisor_takes_a_report_and_ends_in_order(world: World, door: Door) -> None:
    message_id, path = door.message()
    process = Installation(world.home, world.url).inbound({"--listen": "127.0.0.1:0", "--host": HOST})
    environment = {**world.environment, **process.environment}
    with subprocess.Popen(process.command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        said = running.stdout.readline()
        try:
            assert post(int(said.rpartition(":")[2]), path, bounce()) == 250
        finally:
            running.terminate()
    assert running.returncode == 0
    with acting_for(door.desk.id):
        assert door.desk.row(message_id).state == State.BOUNCED


@pytest.mark.parametrize(
    "words",
    [
        ["--listen", "25"],
        ["--listen", ":25"],
        ["--listen", "127.0.0.1:99999"],
        ["--listen", "127.0.0.1:x"],
        ["--host", "mx clinic"],
        ["--host", "mx\r\n250"],
        ["--key", "key.pem"],
    ],
)
def test_odd_options_are_refused(words: list[str]) -> None:
    assert main(["inbound", *words]) == 2
