"""A clinic with a key for submitting, and a real `salus smtp` that takes what programs hand over TLS."""

from __future__ import annotations

import re
import signal
import smtplib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from salus.delivery.protection.authority import Authority
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Purpose
from salus.platform.tenancy import acting_for
from tests.delivery.conftest import Desk, furnish, open_clinic

DOMAIN = "lakepost.example.test"


@dataclass
class Place:
    """The clinic, its keys, and where it listens."""

    desk: Desk
    key: str
    weak_key: str
    client: ssl.SSLContext
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[str] | None = None
    clear: int = 0
    wrapped: int = 0

    def letter(self, to: str = "ada", **said: str | None) -> EmailMessage:
        """Return a message as a program writes one; `said` changes its headers (None takes one away)."""
        message = EmailMessage()
        headers: dict[str, str | None] = {
            "From": "Scheduling <orders@mail.cedar-row.example.org>",
            "To": f"{to}@{DOMAIN}",
            "Subject": "A time for you",
            "Message-ID": f"<{new_id().hex}@program.example.org>",
            "X-Salus-Purpose": Purpose.APPOINTMENT.value,
            "X-Salus-Topic": "visits",
            "X-Salus-Promotes": "nothing",
            "X-Salus-Remuneration": "none",
            "X-Salus-Discloses": "contact, dates_of_care",
        }
        headers |= {name.replace("_", "-"): value for name, value in said.items()}
        for name, value in headers.items():
            if value is not None:
                message[name] = value
        message.set_content("Your visit is on Tuesday.\n.\nA line after a dot.\n")
        message.add_alternative(
            "<html><body><p data-id='7'>Your <b>visit</b> is on Tuesday.</p></body></html>", subtype="html"
        )
        return message

    @contextmanager
    def client_in_clear(self) -> Iterator[smtplib.SMTP]:
        """Connect without TLS, greeted."""
        with smtplib.SMTP("127.0.0.1", self.clear, timeout=20) as client:
            client.ehlo()
            yield client

    @contextmanager
    def signed_in(self, key: str | None = None) -> Iterator[smtplib.SMTP]:
        """Connect to the port that is TLS from the start, with the key."""
        with smtplib.SMTP_SSL("localhost", self.wrapped, context=self.client, timeout=20) as client:
            client.login("salus", key or self.key)
            yield client

    def send(self, message: EmailMessage, to: str | None = None) -> tuple[int, str]:
        """Submit a message; return code and text of the answer to it."""
        with self.signed_in() as client:
            client.mail("orders@mail.cedar-row.example.org")
            client.rcpt(to or str(message["To"]))
            code, text = client.data(message.as_bytes(policy=message.policy.clone(linesep="\r\n")))
        return code, text.decode()

    def start(self) -> None:
        """Run the listener."""
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "salus.wiring", "smtp", "--host", "localhost"),
                *("--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0"),
                *("--certificate", str(self.folder / "cert.pem"), "--key", str(self.folder / "key.pem")),
            ],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        ports = [re.search(r":(\d+) \(", self.process.stdout.readline()) for _ in range(2)]
        self.clear, self.wrapped = (int(found[1]) for found in ports if found)

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End the listener."""
        assert self.process
        self.process.send_signal(how)
        return self.process.wait(20)


@pytest.fixture(scope="module")
def place(
    world: Any, django_db_blocker: Any, fast_passwords: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """A clinic with Ada, Bert and a shared address, and the listener before it."""
    folder = tmp_path_factory.mktemp("smtp")
    authority = Authority(datetime.now(UTC))
    issued = authority.issue(["localhost"])
    (folder / "cert.pem").write_bytes(issued.certificate)
    (folder / "key.pem").write_bytes(issued.key)
    with django_db_blocker.unblock():
        desk = furnish(open_clinic())
        with acting_for(desk.id):
            desk.admit("ada", "bert", "cora")
            keys = [
                _key(desk.id, scope, desk)
                for scope in (Permission.DELIVERY_MESSAGE_SUBMIT, Permission.GATE_DECIDE_RUN)
            ]
        client = ssl.create_default_context(cadata=authority.pem)
        made = Place(desk, keys[0], keys[1], client, folder, world.environment)
        made.start()
        yield made
        assert made.stop() == 0


def _key(organization_id: UUID, scope: Permission, desk: Desk) -> str:
    return identity.create_api_key("Orders", [scope], actor=desk.actor, allowed=Permission)
