"""The first run of a real installation: in a browser by the address that works once, and at a terminal; both end alike."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from salus.delivery.laboratory import Authority
from salus.identity import api as identity
from salus.kernel.errors import BadInput
from salus.wiring.home import Home
from salus.wiring.setup import doorkeeper, steps
from salus.wiring.setup.questions import SECTIONS, Sort
from tests.browser import NARROW, WIDE, assert_accessible, assert_no_sideways_scroll, keep_picture
from tests.setup.machine import SALUS, Machine, free_port
from tests.setup.names import name_server

PASSWORD = "correct horse battery"
ANSWERS = {
    "name": "Cedar Row Clinic",
    "slug": "cedar-row-clinic",
    "sender_role": "provider",
    "postal_address": "40 Cedar Row, Ellery, WA 98100",
    "phone": "206-555-0142",
    "time_zone": "America/Los_Angeles",
    "privacy_officer_name": "Priya Anand",
    "privacy_officer_email": "priya@clinic.example",
    "security_officer_name": "Sam Okafor",
    "security_officer_email": "sam@clinic.example",
    "administrator_name": "Sam Okafor",
    "administrator_email": "sam@clinic.example",
    "public_url": "https://messages.clinic.example",
    "http": "127.0.0.1:8480",
    "database": "embedded",
    "key_provider": "file",
    "route": "relay",
    "relay_address": "smtps://relay.example:465",
    "relay_user": "cedar",
    "relay_password": PASSWORD,
    "relay_vendor": "Harbor Mail",
    "relay_relation": "associate",
    "relay_signed_on": "2026-01-15",
    "relay_valid_until": "2031-01-14",
    "relay_report_hours": "48",
    "relay_clauses": "yes",
    "relay_attested_by": "Sam Okafor",
    "relay_evidence": "Their report of May.",
    "sending_domain": "mail.clinic.example",
    "spf": "include:spf.relay.example",
    "backup": "",
    "kept_days": "2192",
    "vendors": "Harbor Print and Post, Elm Analytics",
    "test_to": "",
}
TEXTS = {
    "mail.clinic.example": ["v=spf1 include:spf.relay.example -all"],
    "_dmarc.clinic.example": ["v=DMARC1; p=none"],
}


@dataclass(frozen=True)
class Started:
    """`salus start`, its output, and the address that it printed."""

    machine: Machine
    child: subprocess.Popen[str]
    address: str

    def hear(self, words: str) -> str:
        """Return the line with these words; fails when the output ends before."""
        assert self.child.stdout
        found = next((line for line in self.child.stdout if words in line), "")
        assert found, f"{words!r} did not come"
        return found

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """Ask its web server as a TLS proxy does, with nothing else of its own."""
        asked = http.client.HTTPConnection("127.0.0.1", self.machine.port, timeout=20)
        asked.request("GET", path, headers={"Host": "localhost", **headers})
        return asked.getresponse()


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A fresh machine, in a folder that PostgreSQL's own user may reach."""
    with tempfile.TemporaryDirectory(prefix="salus-run-") as name, name_server(TEXTS) as nameserver:
        Path(name).chmod(0o755)
        yield Machine(Path(name) / "home", free_port(), nameserver, listening(Path(name)))


def listening(folder: Path) -> dict[str, str]:
    """Return where it listens for mail, as the environment says it, with a certificate for the submission."""
    authority = Authority(datetime.now(UTC))
    issued = authority.issue(["localhost"])
    (folder / "authority.pem").write_text(authority.pem)
    (folder / "certificate.pem").write_bytes(issued.certificate)
    (folder / "key.pem").write_bytes(issued.key)
    listens = {name: f"127.0.0.1:{free_port()}" for name in ("SALUS_INBOUND", "SALUS_SMTP", "SALUS_SMTP_TLS")}
    files = {"SALUS_SMTP_CERTIFICATE": "certificate.pem", "SALUS_SMTP_KEY": "key.pem"}
    return listens | {name: str(folder / file) for name, file in files.items()}


@pytest.fixture(scope="module")
def started(machine: Machine) -> Iterator[Started]:
    child = subprocess.Popen([*SALUS, "start"], env=machine.environment, stdout=subprocess.PIPE, text=True)
    try:
        started = Started(machine, child, "")
        yield replace(started, address=started.hear("/first-run/").strip())
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(60)
        if child.stdout:
            child.stdout.close()


def look_at(page: Page, name: str) -> None:
    for width in (NARROW, WIDE):
        page.set_viewport_size({"width": width, "height": 900})
        assert_no_sideways_scroll(page)
        assert_accessible(page)
        keep_picture(page, f"first-run-{name}")


def fill(page: Page, **answers: str) -> None:
    for key, text in answers.items():
        choice = page.locator(f"input[type=radio][name={key}][value='{text}']")
        if choice.count():
            choice.check()
        else:
            page.locator(f"[name={key}]").fill(text)


def go_on(page: Page, title: str) -> None:
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


@pytest.mark.browser
@pytest.mark.slow
def test_one_browser_is_led_through_it(started: Started, page_at: Callable[..., Page]) -> None:
    token = started.address.rpartition("/")[2]
    for path in ("", "part/organization", "x", f"{token}x", token[:-1], "part/x"):
        assert started.get(f"/first-run/{path}").status == 404, path

    page = page_at(WIDE)
    page.goto(started.address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your organization")
    assert token not in page.url
    assert started.get(f"/first-run/{token}").status == 404, "it worked once"
    assert page_at(WIDE).goto(page.url).status == 404, "no other browser is let in"  # type: ignore[union-attr]
    look_at(page, "organization")

    fill(page, **{key: ANSWERS[key] for key in ("name", "postal_address", "phone", "time_zone")})
    fill(page, slug="No Slug")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Use up to 40 small letters, digits and hyphens.")).to_be_visible()
    look_at(page, "refused")
    fill(page, slug="")  # made from the name
    for before, part in pairwise(SECTIONS):
        go_on(page, part.title)
        if part.key == "address":
            fill(page, public_url="http://messages.clinic.example")
            page.get_by_role("button", name="Go on").click()
            expect(page.get_by_text("Plain http is served on this machine only.")).to_be_visible()
        if part.key == "domain" and before.key == "sending":
            page.get_by_role("link", name="Back").click()
            expect(page.get_by_role("heading", level=1)).to_have_text(before.title)
            assert not page.locator("[name=relay_address]").count(), (
                "mail goes straight: no relay is asked for"
            )
            fill(page, route="relay")
            page.get_by_role("button", name="Go on").click()
            expect(page.get_by_label("Address of the relay")).to_be_visible()
            fill(
                page,
                **{
                    each: ANSWERS[each]
                    for each in ANSWERS
                    if each.startswith("relay_") and "word" not in each and each != "relay_evidence"
                },
            )
            page.get_by_role("button", name="Go on").click()  # who attests is asked what they saw
            expect(page.get_by_label("What they saw for it")).to_be_visible()
            fill(page, relay_evidence=ANSWERS["relay_evidence"])
            look_at(page, "sending")
            go_on(page, part.title)
        if part.key == "sending":
            fill(page, route="direct")
        else:
            asked = {each.key for each in part.questions if each.when(ANSWERS)}
            fill(page, **{key: ANSWERS[key] for key in ANSWERS if key in asked})
        look_at(page, part.key)
    go_on(page, "Is this right?")
    assert page.locator("body").inner_text().count(PASSWORD) == 0
    look_at(page, "check")

    page.reload()  # what was answered is kept, and the browser is still let in
    expect(page.get_by_text("smtps://relay.example:465")).to_be_visible()
    page.get_by_label("Password at the relay").fill(PASSWORD)
    page.get_by_role("button", name="Set up Cedar Row Clinic").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cedar Row Clinic is set up")
    shown = page.locator("main").inner_text()
    assert shown.count("https://messages.clinic.example/join/") == 2
    assert re.search(r"SPF\s+Found\s+mail.clinic.example TXT", shown)
    assert len(re.findall(r"DKIM\s+Not there yet", shown)) == 2
    assert "DMARC only watches" in shown
    look_at(page, "done")

    started.hear("It is set up")
    started.hear("Salus runs at https://messages.clinic.example")
    assert not (started.machine.home / "keys" / "first-run-browser").exists()
    cookie = "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())
    late = doorkeeper.new_token(Home(started.machine.home))
    proxied = {"X-Forwarded-Proto": "https", "Cookie": cookie}
    for path in ("", "part/organization", token, late):
        assert started.get(f"/first-run/{path}", **proxied).status == 404, "there is an organization"


@pytest.mark.slow
def test_after_it_only_what_came_to_the_proxy_by_https_is_answered(started: Started) -> None:
    answer = started.get("/sign-in", **{"X-Forwarded-Proto": "https", "Host": "messages.clinic.example"})
    assert answer.status in (200, 301, 302)
    assert "max-age" in str(answer.getheader("Strict-Transport-Security"))
    assert started.get("/sign-in", Host="messages.clinic.example").status == 403
    assert started.get("/sign-in", **{"X-Forwarded-Proto": "http"}).status == 403


@pytest.mark.slow
@pytest.mark.parametrize("listener", ["SALUS_INBOUND", "SALUS_SMTP", "SALUS_SMTP_TLS"])
def test_what_listens_for_mail_greets(started: Started, listener: str) -> None:
    host, _, port = started.machine.more[listener].rpartition(":")
    deadline = time.monotonic() + 60  # it was started last
    while True:
        try:
            connection = socket.create_connection((host, int(port)), timeout=20)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, f"{listener} is silent"
            time.sleep(0.1)
    if listener.endswith("_TLS"):
        trusting = ssl.create_default_context(cafile=started.machine.home.parent / "authority.pem")
        connection = trusting.wrap_socket(connection, server_hostname="localhost")
    with connection, connection.makefile("rb") as answers:
        assert answers.readline().startswith(b"220 ")


@pytest.mark.slow
def test_a_second_start_at_a_port_that_is_taken_is_refused_before_anything_starts(started: Started) -> None:
    def start(home: str, port: int, **more: str) -> subprocess.CompletedProcess[str]:
        second = replace(started.machine, home=started.machine.home.parent / home, port=port, more=more)
        return subprocess.run(
            [*SALUS, "start"], env=second.environment, capture_output=True, text=True, timeout=60, check=False
        )

    taken = started.machine.port
    said = start("second", taken)
    assert (said.returncode, said.stdout) == (1, "")
    found = re.fullmatch(
        r"salus: SALUS_HTTP: Port (\d+) is taken by another Salus, process \d+\. Stop it, or name .+\n",
        said.stderr,
    )
    assert found, said.stderr
    assert found[1] == str(taken)
    mail = started.machine.more["SALUS_INBOUND"]
    said = start("second", free_port(), SALUS_INBOUND=mail)
    assert said.stderr.startswith(
        f"salus: SALUS_INBOUND: Port {mail.rpartition(':')[2]} is taken by another Salus"
    )
    said = start("second", free_port(), SALUS_SMTP=f"127.0.0.1:{free_port()}")
    assert (said.returncode, "needs a certificate and its key" in said.stderr) == (2, True)
    assert {each.name for each in (started.machine.home.parent / "second").iterdir()} == {"salus.lock"}
    assert "runs in this home already" in start(started.machine.home.name, taken).stderr
    assert started.get("/healthz", **{"X-Forwarded-Proto": "https"}).status == 200, "the first goes on"


@pytest.mark.slow
def test_the_terminal_goes_on_after_an_end_and_leaves_the_same(started: Started) -> None:
    machine = replace(started.machine, home=started.machine.home.parent / "terminal")
    with machine.terminal("setup") as terminal:
        terminal.answer("\nName", ANSWERS["name"])
        assert "made from the name" in terminal.answer("\nShort name [cedar-row-clinic]", "No Slug")
        assert "small letters" in terminal.answer("\nShort name", "")
        terminal.await_("\nWhat it is [provider]: ")
        terminal.type("\x03")
        assert terminal.finish() == 130
    assert (machine.home / "setup.json").stat().st_mode & 0o077 == 0
    assert {each.name for each in machine.home.iterdir()} == {"setup.json"}, "nothing was made"

    with machine.terminal("setup") as terminal:
        asked = [each for part in SECTIONS for each in part.questions if each.when(ANSWERS)]
        assert "Some questions were answered before" in terminal.await_("\nEvery message names its sender.")
        for question in asked[2:]:
            terminal.await_(f"\n{question.label}")
            hint = terminal.await_(": ")
            assert hint.endswith("leaves it out)") is (not question.required), question.key
            terminal.type(f"{ANSWERS[question.key]}\n")
        terminal.await_("Records to publish in DNS:")
        assert terminal.finish() == 0
        assert [each.key for each in asked if each.sort is Sort.SECRET] == ["relay_password"]
        assert PASSWORD not in terminal.said, "a password is not shown"
        assert terminal.said.count("https://messages.clinic.example/join/") == 2
        assert "SPF: there" in terminal.said
    assert PASSWORD not in (machine.home / "setup.json").read_text()
    assert machine.left() == started.machine.left(), "the page leaves the same"

    with machine.terminal("setup", "--again") as terminal:
        terminal.await_("\nName [Cedar Row Clinic]: ")
        terminal.type("\x04")  # the end of what is typed
        assert terminal.finish() == 130


def test_a_token_works_once_and_a_new_one_shuts_the_old_browser_out(tmp_path: Path) -> None:
    home = Home(tmp_path)
    early, token = doorkeeper.new_token(home), doorkeeper.new_token(home)
    assert doorkeeper.spend(home, early) is None, "a start after it made another"
    assert doorkeeper.spend(home, "") is None
    cookie = doorkeeper.spend(home, token)
    assert cookie
    assert doorkeeper.knows(home, cookie)
    assert doorkeeper.spend(home, token) is None
    assert not doorkeeper.knows(home, token)
    kept = "".join(path.read_text() for path in home.keys.iterdir())
    assert cookie not in kept
    assert token not in kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in home.keys.iterdir())
    doorkeeper.new_token(home)
    assert not doorkeeper.knows(home, cookie)
    doorkeeper.close(home)
    assert list(home.keys.iterdir()) == []


def test_start_waits_for_a_set_up_that_is_going_on(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert not doorkeeper.is_at_work(home)
    with doorkeeper.at_work(home):
        assert doorkeeper.is_at_work(home)
    assert not doorkeeper.is_at_work(home)


def test_a_set_up_that_is_refused_leaves_nothing(database: object) -> None:
    before = identity.organizations()
    strangers = {key: f"refused-{value}" for key, value in ANSWERS.items() if key.endswith("_email")}
    ends_before_it_begins = {"slug": "refused-clinic", "relay_valid_until": "2025-12-31"}
    with pytest.raises(BadInput):
        steps.set_up({**ANSWERS, **strangers, **ends_before_it_begins})
    assert identity.organizations() == before
