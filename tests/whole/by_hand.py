"""The hands of the test by hand: an installation, its people at their browsers, and the clinic's two files."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

from playwright.sync_api import Browser, FilePayload, Page, StorageState, expect

from salus.identity import second_factor
from salus.wiring.home import Home
from salus.wiring.installation import Installation

from .conftest import two_free_ports

PATIENCE = 90.0
"""Seconds to wait for what other processes do; a busy machine takes its time."""

HEADINGS = ("Record number", "First name", "Last name", "Born", "Mail", "State", "Relation", "Problems")
PEOPLE = (
    ("M-1001", "Amalthea", "Quillfeather", "02/14/1961", "amalthea@partner.example.test", "E11.9"),
    ("M-1002", "Orvin", "Thackwood", "11/30/1957", "orvin@partner.example.test", "E11.65;I10"),
    ("M-1003", "Zephira", "Lunbeck", "07/04/1970", "zephira@pinned.example.test", "E11.9"),
    ("M-1004", "Caspar", "Wynterbourne", "03/22/1966", "caspar@pinned.example.test", "E10.9"),
    ("M-1005", "Isaura", "Pellingham", "09/17/1958", "isaura@mail.example.test", "E11.9"),
    ("M-1006", "Thorolf", "Gantry", "01/05/1949", "thorolf@mail.example.test", "E11.9;J45.909"),
    ("M-1007", "Melisende", "Okonjo", "12/12/1972", "melisende@no-starttls.example.test", "E11.9"),
    ("M-1008", "Bertrand", "Saltmarsh", "05/28/1963", "bertrand@partner.example.test", "E11.9"),
    ("M-1009", "Ottoline", "Vane", "08/08/1955", "ottoline@partner.example.test", "E11.9"),
    ("M-1010", "Ignatius", "Farrow", "10/19/1968", "ignatius@partner.example.test", "E11.9"),
    ("M-1011", "Perpetua", "Hollin", "04/02/1951", "", "E11.9"),
    ("M-1012", "Leopold", "Brandreth", "06/25/1974", "leopold@partner-refuses.example.test", "E11.9"),
    ("M-1013", "Sidonie", "Marchetti", "02/29/1984", "sidonie@partner.example.test", "J45.909"),
)
"""Invented. One has asthma only, one has no address, the mailbox of one cannot be protected, of one does not exist."""
BROKEN_ROW = ("", "Nobody", "Known", "13/45/1990", "not an address", "NY", "patient", "E11.9")
PATIENT = PEOPLE[4]
"""Whose mailbox gives too little for a message on a diagnosis, and enough for a notice."""
MAILED = tuple(each[4] for each in PEOPLE[:6])
"""Whose mailboxes get something: four the letter, two a notice."""
SIGNED = tuple(each[0] for each in PEOPLE if each[0] not in {"M-1008", "M-1013"})
TOPIC = "care_tips"
SECRETS = frozenset(
    {part.lower() for each in PEOPLE for part in (each[1], each[2], each[4]) if part}
    | {each[3] for each in PEOPLE}
)
"""What may stand in no address, title or subject."""


def contacts_csv() -> str:
    """Return the clinic's people as their old system wrote them, with one row that nobody can use."""
    return written([HEADINGS, *((*who[:5], "NY", "patient", who[5]) for who in PEOPLE), BROKEN_ROW])


def written(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a CSV."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def permissions_csv(today: datetime) -> str:
    """Return who signed, who opted out, and with whom a restriction was agreed."""
    form = {
        "information": "My e-mail address and what I am treated for",
        "discloser": "Willow Bank Clinic",
        "recipient": "The outreach team of Willow Bank Clinic",
        "purpose_text": "To write to me about what I am treated for",
        "signed_at": "2026-01-10",
        "signature": "written",
        "signer": "self",
        "states_right_to_revoke": "yes",
        "states_how_to_revoke": "yes",
        "states_revocation_exceptions": "yes",
        "states_no_conditioning": "yes",
        "states_redisclosure": "yes",
        "purposes": "condition_education",
        "classes": "contact;diagnosis",
    }
    headings = ["record_number", "kind", "topic", "channel", "date", "evidence", "valid_until", *form]
    until = today.replace(year=today.year + 1, day=1).date().isoformat()
    rows = [
        [number, "authorization", "", "", "2026-01-10", "form A-7, signed on paper", until, *form.values()]
        for number in SIGNED
    ]
    nothing = dict.fromkeys(form, "")
    rows.append(["M-1009", "opt_out", TOPIC, "email", "2026-03-01", "telephone", "", *nothing.values()])
    restricted = nothing | {"purposes": "condition_education"}
    rows.append(["M-1010", "restriction", "", "", "2026-02-01", "letter, agreed", "", *restricted.values()])
    return written([headings, *rows])


@dataclass
class Clinic:
    """One organization and the sign-ins of its people, one a role."""

    id: str
    name: str
    phone: str
    people: dict[str, dict[str, str]] = field(repr=False)


@dataclass
class House:
    """A running installation, and everybody's browser."""

    installation: Installation
    browser: Browser
    seen: list[tuple[str, str]] = field(default_factory=list)
    """(address, title) of every page that anybody opened."""
    complaints: list[str] = field(default_factory=list)
    """What browsers complained about: script errors, and what the content security policy stopped."""
    kept: dict[tuple[str, str], StorageState] = field(default_factory=dict, repr=False)
    """The cookies of everybody who signed in, by clinic and role."""

    @property
    def url(self) -> str:
        """Return the address of console and portal."""
        return f"http://localhost:{self.installation.http.rpartition(':')[2]}"

    def backstage(self, *words: str) -> Any:
        """Have something done or counted inside the installation; return its answer."""
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("backstage.py")), *words],
            env={
                **surroundings(),
                **self.installation.environment,
                "DJANGO_SETTINGS_MODULE": "salus.wiring.settings",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    def clinic(self, name: str, slug: str) -> Clinic:
        """Make an organization with its people."""
        return Clinic(**self.backstage("staff", name, slug))

    def mails(self, **query: str) -> list[dict[str, Any]]:
        """Return what the relay caught, newest first."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return list(json.loads(self.inbox(f"mails.json?{asked}")))

    def inbox(self, path: str) -> bytes:
        """Read something of the inbox of the relay."""
        with urlopen(f"http://127.0.0.1:{self.installation.inbox_port}/{path}", timeout=30) as answer:
            return bytes(answer.read())

    def page(self, width: int = 1280, kept: StorageState | None = None) -> Page:
        """Open a browser that nobody used before, or with the cookies that were kept."""
        context = self.browser.new_context(viewport={"width": width, "height": 900}, storage_state=kept)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._listen(said.text))
        page.on("domcontentloaded", lambda shown: self.seen.append((shown.url, shown.title())))
        return page

    def _listen(self, said: str) -> None:
        if "Content Security Policy" in said or "Content-Security-Policy" in said or "htmx:" in said:
            self.complaints.append(said)

    def signed_in(self, clinic: Clinic, role: str, width: int = 1280) -> Page:
        """Sign a person in at a browser of their own, through the form, with password and code.

        Who has signed in before comes with the same session: a code works once.
        """
        person, kept = clinic.people[role], self.kept.get((clinic.id, role))
        page = self.page(width, kept)
        page.goto(self.url + "/")
        if kept is not None:
            return page
        page.get_by_label("E-mail").fill(person["email"])
        page.get_by_label("Password").fill(person["password"])
        page.get_by_role("button", name="Go on").click()
        secret = parse_qs(urlsplit(person["otpauth"]).query)["secret"][0]
        page.get_by_role("textbox", name="Code").fill(second_factor.code_now(secret, datetime.now(UTC)))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("link", name="Home", exact=True)).to_be_visible()
        self.kept[clinic.id, role] = page.context.storage_state()
        return page


def surroundings() -> dict[str, str]:
    """Return the environment without what points at another installation."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("SALUS_", "DATABASE_URL"))
    }


@contextmanager
def running_house(browser: Browser) -> Iterator[House]:
    """Run an installation of its own: database, engine, worker, sender, web server, relay."""
    with tempfile.TemporaryDirectory(prefix="salus-by-hand-") as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs under another user who must reach its folder
        home, port = Home(Path(folder) / "home"), two_free_ports()
        routes = {"SALUS_LABORATORY_ROUTES": str(home.path / "catch" / "routes.json")}
        installation = Installation(home, None, f"127.0.0.1:{port}", port + 1, routes)
        with ExitStack() as running:
            with patch.dict(os.environ, surroundings(), clear=True):
                supervisor = running.enter_context(installation.running())
                supervisor.start(
                    installation.catch(),
                    installation.engine(),
                    installation.worker(),
                    installation.sender(),
                    installation.web(),
                )
            yield House(installation, browser)


def wait(what: str, until: Callable[[], Any]) -> Any:
    """Wait for what another process does; return what it was."""
    deadline = time.monotonic() + PATIENCE
    while not (found := until()):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.2)
    return found


def csv_file(name: str, text: str) -> FilePayload:
    """Return a file for a form; it never touches the disk."""
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
