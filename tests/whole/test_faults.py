"""kill -9 of every process in the middle of an import, a plan and a send: nothing is lost, nothing is doubled in silence."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest

from salus.platform import supervisor as supervising
from salus.platform.supervisor import Supervisor
from salus.wiring.home import Home
from salus.wiring.installation import Installation

from .conftest import two_free_ports

pytestmark = pytest.mark.slow

PEOPLE, THERE, BROKEN = 14_000, 2_600, 7
UNHURRIED = 420
"""Of those who are written to: how many have their mail at a host that takes its time."""
PATIENCE = 240.0
OVER = -1
"""What was to be disturbed is over already: the machine is quicker than the killer."""


class Machine:
    """An installation with its processes, and somebody who kills them."""

    def __init__(
        self, installation: Installation, supervisor: Supervisor, hands: subprocess.Popen[str]
    ) -> None:
        self.installation, self._supervisor, self._hands = installation, supervisor, hands
        self.killed: Counter[str] = Counter()

    def ask(self, name: str, *arguments: object) -> Any:
        """Have something done; while the database or the engine is away, again and again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.try_to(name, *arguments)
            if "is" in found:
                return found["is"]
            assert "refused" not in found, f"{name}: {found['refused']}"
            assert time.monotonic() < deadline, f"{name}: {found['fault']}"
            self.rest()

    def try_to(self, name: str, *arguments: object) -> dict[str, Any]:
        """Have something done once."""
        assert self._hands.stdin is not None
        assert self._hands.stdout is not None
        self._hands.stdin.write(json.dumps([name, arguments]) + "\n")
        self._hands.stdin.flush()
        found: dict[str, Any] = json.loads(self._hands.stdout.readline())
        return found

    def wait(self, what: str, until: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
        """Wait for something while dead processes are started again; return what it was."""
        deadline = time.monotonic() + seconds
        while not (found := until()):
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            self.rest()
        return found

    def rest(self, seconds: float = 0.03) -> None:
        """Let time pass."""
        self._supervisor.tend()
        time.sleep(seconds)

    def kill(self, *names: str) -> None:
        """Kill processes, each with -9; one that is just being started again is waited for."""
        for name in names:
            pid = self.wait(f"{name} lives", lambda name=name: self._supervisor.pids().get(name))  # type: ignore[misc]
            os.kill(pid, signal.SIGKILL)
            self.killed[name] += 1
        for name in names:
            self.wait(f"{name} is dead", lambda name=name: self._is_another(name))  # type: ignore[misc]

    def _is_another(self, name: str) -> bool:
        return name not in self._supervisor.pids()

    def caught(self) -> Counter[str]:
        """Return how many mails the relay caught of each message, by the token in the return path."""
        found: Counter[str] = Counter()
        before = ""
        while page := self._get(f"mails.json?before={before}"):
            for mail in page:
                token = re.fullmatch(r"bounces\+([a-z2-7]{48})@.*", mail["from"])
                assert token, mail["from"]
                found[base64.b32decode(token[1].upper())[:16].hex()] += 1
            before = str(page[-1]["number"])
        assert found.total() == self._get("stats.json")["received"]
        return found

    def _get(self, path: str) -> Any:
        with urlopen(f"http://127.0.0.1:{self.installation.inbox_port}/{path}", timeout=30) as answer:
            return json.load(answer)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """An installation of its own, all its processes running."""
    monkeypatch.setattr(supervising, "_LONGEST_PAUSE", 1.0)  # it is a test's whole life, not a crash loop
    for name in [each for each in os.environ if each.startswith("SALUS_")]:
        monkeypatch.delenv(name)
    with tempfile.TemporaryDirectory(prefix="salus-faults-") as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs under another user who must reach its folder
        home, port = Home(Path(folder) / "home"), two_free_ports()
        routes = {"SALUS_LABORATORY_ROUTES": str(home.path / "catch" / "routes.json")}
        installation = Installation(home, None, f"127.0.0.1:{port}", port + 1, routes)
        with installation.running() as supervisor, hands_of(installation) as hands:
            supervisor.start(
                installation.catch(),
                installation.engine(),
                installation.worker(),
                installation.sender(),
                installation.web(),
            )
            yield Machine(installation, supervisor, hands)
        assert left_behind(home.path) == [], "a process outlived the installation"


def left_behind(home: Path) -> list[str]:
    """Return the command lines of processes that still run for this home."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("SALUS_HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
    return found


@contextmanager
def hands_of(installation: Installation) -> Iterator[subprocess.Popen[str]]:
    """The process that acts for staff."""
    command = [sys.executable, str(Path(__file__).with_name("driving.py"))]
    hands = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **installation.environment, "DJANGO_SETTINGS_MODULE": "salus.wiring.settings"},
    )
    try:
        yield hands
    finally:
        hands.kill()
        hands.communicate()


def write_people(path: Path) -> None:
    """Write the clinic's patients: those to be written to live in Larkspur, a few rows are broken."""
    with path.open("w") as file:
        file.write("MRN,Email,First,Last,Born,State,City\n")
        for number in range(PEOPLE):
            host = "unhurried" if number < UNHURRIED else "partner" if number % 2 else "pinned"
            city = "Larkspur" if number < THERE else "Elsewhere"
            file.write(
                f"M{number:06d},p{number}@{host}.example.test,Ana,Sample{number},1970-03-09,WA,{city}\n"
            )
        file.writelines(f"M9{number},x{number}@example.test,Ana,Broken\n" for number in range(BROKEN))


def test_whatever_is_killed_nothing_is_lost_and_nothing_doubled_in_silence(
    machine: Machine, tmp_path: Path
) -> None:
    write_people(tmp_path / "people.csv")
    import_people(machine, tmp_path / "people.csv")
    campaign = plan_campaign(machine)
    send_campaign(machine, campaign)
    check_messages(machine, campaign)
    verified, entries, faults = machine.ask("verify")
    assert verified, faults
    assert entries > 50
    machine.wait("the web server serves", machine.installation.is_serving)
    assert set(machine.killed) == {"worker", "sender", "engine", "web", "postgres"}


def import_people(machine: Machine, path: Path) -> None:
    """Import by the worker, while worker, PostgreSQL, engine and web are killed between two batches."""
    import_id = machine.ask("start_import", str(path))
    done = 0
    for victims in (["worker"], ["postgres", "engine"], ["worker", "web"]):

        def moved(done: int = done) -> int:
            status = machine.ask("import_status", import_id)
            if status["status"] == "done":
                return OVER
            return int(status["done"]) if status["done"] > done else 0

        done = machine.wait("another batch is in", moved)
        if done == OVER:
            break
        machine.kill(*victims)
    assert {"worker", "postgres"} <= set(machine.killed), "it was over before it was disturbed"
    ended = machine.wait(
        "the import ends", lambda: _of_status(machine, "import_status", import_id, {"done", "failed"})
    )
    assert ended["status"] == "done", ended["failure"]
    assert ended["contacts"] == PEOPLE
    assert ended["counts"] == [PEOPLE + BROKEN, PEOPLE, BROKEN, 0, PEOPLE]
    assert ended["rejects"] == BROKEN
    machine.wait(
        "the engine has everybody",
        lambda: machine.ask("engine") == {"state": "ready", "people": PEOPLE, "behind": 0},
    )


def plan_campaign(machine: Machine) -> str:
    """Plan by the worker, while it and PostgreSQL are killed between two chunks."""
    campaign: str = machine.ask("draft", "Larkspur")
    assert machine.ask("plan", campaign) == THERE
    planned, before = 0, machine.killed["worker"]
    for victims in (["worker"], ["postgres"]):

        def moved(planned: int = planned) -> int:
            status = machine.ask("campaign_status", campaign)
            if status["status"] == "planned":
                return OVER
            return int(status["planned"]) if status["planned"] > planned else 0

        planned = machine.wait("another chunk is planned", moved)
        if planned == OVER:
            break
        machine.kill(*victims)
    assert planned != OVER or machine.killed["worker"] > before, "it was over before it was disturbed"
    ended = machine.wait(
        "the plan ends", lambda: _of_status(machine, "campaign_status", campaign, {"planned", "draft"})
    )
    assert ended["status"] == "planned", ended["fault"]
    assert (ended["planned"], ended["states"]) == (THERE, {"cleared": THERE}), ended["refused"]
    return campaign


def send_campaign(machine: Machine, campaign: str) -> None:
    """Send, while the sender is killed again and again in the middle of its messages, and the others too."""
    assert machine.ask("send", campaign) == "sending"
    chance = random.Random(11)
    tried = 0
    for victims in (
        ["sender"],
        ["postgres"],
        ["sender", "web"],
        ["sender"],
        ["postgres", "engine"],
        ["sender"],
    ):

        def moved(tried: int = tried) -> int:
            status = machine.ask("campaign_status", campaign)
            sent = int(status["states"].get("accepted", 0))
            if not status["queue"]:
                return OVER
            return sent if sent > tried and status["queue"].get("leased") else 0

        tried = machine.wait("more was sent, and more is on its way", moved)
        if tried == OVER:
            break
        machine.rest(chance.uniform(0, 0.3))
        machine.kill(*victims)
    assert machine.killed["sender"] > 1, "it was over before it was disturbed"
    machine.wait("every message has its end", lambda: not _waiting(machine, campaign))


def _waiting(machine: Machine, campaign: str) -> int:
    """Return how many messages no sender has brought to an end; what a peer put off is tried again later."""
    states = machine.ask("campaign_status", campaign)["states"]
    return int(states.get("cleared", 0) + states.get("leased", 0))


def _of_status(machine: Machine, word: str, id: str, among: set[str]) -> dict[str, Any] | None:
    found: dict[str, Any] = machine.ask(word, id)
    return found if found["status"] in among else None


def check_messages(machine: Machine, campaign: str) -> None:
    """Compare every message with the mails that were caught of it."""
    messages = machine.ask("messages", campaign)
    mails = machine.caught()
    assert len(messages) == THERE
    assert {state for _, state, _ in messages} <= {"accepted", "deferred"}
    assert set(mails) <= {token for token, _, _ in messages}
    uncertain = {token for token, _, doubtful in messages if doubtful}
    lost = [token for token, state, _ in messages if state == "accepted" and not mails[token]]
    doubled = {token for token, count in mails.items() if count > 1}
    assert lost == []
    assert doubled <= uncertain, f"{len(doubled - uncertain)} were sent twice, and no receipt says so"
    put_off = [token for token, state, _ in messages if state == "deferred"]
    assert len(put_off) <= THERE // 20
    assert {token for token in put_off if mails[token]} <= uncertain
    assert uncertain, "nothing was killed in the middle of a message: the test tests nothing"
    some = sorted(uncertain)[:20]
    assert all(machine.ask("receipts_say_uncertain", some))
    assert machine.ask("without_owner", campaign) == [0, 0]
