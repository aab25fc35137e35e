"""From nothing to a message that arrived: README, `salus setup`, and a real relay (Postfix) with a certificate that is verified."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.setup.machine import free_port
from tests.setup.relay import Relay, running_relay

ANSWERS = """
[organization]
name = "Cedar Row Clinic"
postal_address = "40 Cedar Row, Ellery, WA 98100"
phone = "206-555-0142"
time_zone = "America/Los_Angeles"

[people]
privacy_officer_name = "Priya Anand"
privacy_officer_email = "priya@clinic.example"
security_officer_name = "Sam Okafor"
security_officer_email = "sam@clinic.example"
administrator_name = "Sam Okafor"
administrator_email = "sam@clinic.example"

[address]
public_url = "https://messages.clinic.example"

[sending]
route = "relay"
relay_address = "smtp://127.0.0.1:{port}"
relay_relation = "ours"
relay_attested_by = "Sam Okafor"
relay_evidence = "Our own Postfix; looked at its configuration."

[domain]
sending_domain = "mail.clinic.example"
spf = "ip4:192.0.2.7"

[keep]
vendors = ["Harbor Print and Post"]

[test]
test_to = "sam@clinic.example"
"""


@dataclass(frozen=True)
class Newcomer:
    """Somebody with a machine, a home folder for Salus, and the command `salus`."""

    home: Path
    authority: Path

    @property
    def surroundings(self) -> dict[str, str]:
        """Return what the commands find around them."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SALUS_", "DATABASE_URL", "DJANGO"))
        }
        return kept | {
            "SALUS_HOME": str(self.home),
            "SALUS_NAMESERVER": "127.0.0.1:1",
            # What the machine trusts; with the relay's authority, as an administrator installs it.
            "SSL_CERT_FILE": str(self.authority),
        }

    def salus(
        self, *words: str, answers: str = "", database_url: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run the command as the README says, with the clinic's own database server when one is named."""
        if answers:
            (self.home.parent / "answers.toml").write_text(answers)
            words = (*words, "--answers", str(self.home.parent / "answers.toml"))
        return subprocess.run(
            [sys.executable, "-m", "salus.wiring", *words],
            env=self.surroundings | ({"DATABASE_URL": database_url} if database_url else {}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Have `salus start` run meanwhile."""
        child = subprocess.Popen(
            [sys.executable, "-m", "salus.wiring", "start"],
            env=self.surroundings | {"SALUS_HTTP": f"127.0.0.1:{free_port()}"},
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert child.stdout
            assert any("Salus runs at" in line for line in child.stdout)
            yield
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(60)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's and Postfix's own users may reach, too."""
    with tempfile.TemporaryDirectory(prefix="salus-first-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def relay(folder: Path) -> Iterator[Relay]:
    (folder / "relay").mkdir()
    with running_relay(folder / "relay") as relay:
        yield relay


@pytest.fixture(scope="module")
def newcomer(folder: Path, relay: Relay) -> Newcomer:
    return Newcomer(folder / "home", relay.authority)


def test_a_newcomer_gets_to_a_message_that_arrived_over_verified_tls(
    newcomer: Newcomer, relay: Relay
) -> None:
    said = newcomer.salus("setup", answers=ANSWERS.format(port=relay.port))
    assert said.returncode == 0, said.stdout + said.stderr
    assert "taken over TLSv1.3" in said.stdout
    assert "127.0.0.1 proved its name (webpki)" in said.stdout
    assert said.stdout.count("https://messages.clinic.example/join/") == 2, "one person may be two officers"
    assert "v=spf1 ip4:192.0.2.7 -all" in said.stdout
    assert "SPF: unknown" in said.stdout, "DNS does not answer here, and that is said"

    mail = relay.wait_for_mail()
    assert re.search(r"using TLSv1\.3 with cipher TLS_", mail), "Postfix saw the same protection"
    assert mail.count("DKIM-Signature:") == 2
    assert "From: Cedar Row Clinic <care@mail.clinic.example>" in mail
    found = re.search(r"The word is: ([a-z]+)", mail)
    assert found, mail

    assert "not the word" in newcomer.salus("setup", "--word", "nonsense").stderr
    proven = newcomer.salus("setup", "--word", found[1])
    assert (proven.returncode, "The way of the mail is proven" in proven.stdout) == (0, True), proven.stderr
    for following in ("salus start", "salus keys recovery-kit", "salus doctor"):
        assert following in proven.stdout


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("https://messages", "http://messages"), "[address] public_url"),
        (('phone = "206-555-0142"', ""), "[organization] phone"),
        (('route = "relay"', 'route = "pigeon"'), "[sending] route"),
        (("spf = ", "spfx = "), "[domain] spfx"),
        (("ip4:192.0.2.7", "+all"), "[domain] spf"),
        (("[keep]", '[keep]\ndatabase = "server"'), "[machine] database"),
    ],
)
def test_a_wrong_answer_is_named_before_anything_is_made(
    folder: Path, change: tuple[str, str], place: str
) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        newcomer = Newcomer(Path(name) / "home", folder)
        said = newcomer.salus("setup", answers=ANSWERS.format(port=25).replace(*change))
        assert said.returncode == 2, said.stdout
        assert said.stderr.startswith(f"salus: {place}: ")
        assert not (newcomer.home / "installation.json").exists()


def test_the_test_message_does_not_go_to_a_relay_that_cannot_prove_its_name(
    folder: Path, newcomer: Newcomer
) -> None:
    (folder / "stranger").mkdir()
    with running_relay(folder / "stranger", name="somebody-else.example") as stranger:
        told = ANSWERS.format(port=stranger.port)  # everything else was done before: it is not done twice
        said = Newcomer(newcomer.home, stranger.authority).salus("setup", answers=told)
        assert said.returncode == 1, said.stdout
        assert "It was not taken: certificate_wrong_name" in said.stdout
        assert "as its certificate names it" in said.stdout
        assert said.stdout.count("/join/") == 2
        assert stranger.mails() == []


def test_whose_authority_is_not_trusted_is_told_how_to_trust_it(newcomer: Newcomer, relay: Relay) -> None:
    unknowing = Newcomer(newcomer.home, Path("/dev/null"))
    said = unknowing.salus("setup", answers=ANSWERS.format(port=relay.port))
    assert said.returncode == 1, said.stdout
    assert "It was not taken: certificate_untrusted" in said.stdout
    for word in ("update-ca-certificates", "SSL_CERT_FILE", "/usr/local/share/ca-certificates/"):
        assert word in said.stdout


def test_right_after_the_set_up_nothing_is_found_twice_and_whoever_was_invited_is_waited_for(
    newcomer: Newcomer,
) -> None:
    with newcomer.running():
        said = newcomer.salus("doctor", "--json")
    (report,) = json.loads(said.stdout)["reports"]
    told = [each["what"] for each in report["findings"]]
    assert len(told) == len(set(told)), told
    whats = {each["check"]: each["what"] for each in report["findings"]}
    assert (
        whats["privacy-officer"] == "No privacy officer can sign in yet: an invitation waits to be followed."
    )
    assert (
        whats["security-officer"]
        == "No security officer can sign in yet: an invitation waits to be followed."
    )
    assert "second-factor" not in whats
    (mend,) = {each["mend"] for each in report["findings"] if each["check"].endswith("-officer")}
    assert "salus staff invite" in mend


def test_doctor_without_a_database_says_so_and_fails(newcomer: Newcomer) -> None:
    said = newcomer.salus("doctor", "--json")
    assert said.returncode == 1
    assert "does not answer" in json.loads(said.stdout)["fault"]
    assert "does not answer" in newcomer.salus("doctor").stderr
