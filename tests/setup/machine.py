"""A machine with nothing on it: `salus` as a person would run it, at a real terminal too, and what it left behind."""

from __future__ import annotations

import json
import os
import pty
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SALUS = [sys.executable, "-m", "salus.wiring"]
LEFT = """
import dataclasses, json, re
from salus.wiring.cli.setup_ import _database
from salus.wiring.home import from_environment
from salus.wiring import installed
home = from_environment()
with _database(home):
    from datetime import UTC, datetime
    from salus.delivery import api as delivery
    from salus.domains import api as domains
    from salus.identity import api as identity
    from salus.platform.tenancy import acting_for
    from salus.vendors import api as vendors
    now = datetime.now(UTC)
    (organization,) = identity.organizations()
    with acting_for(organization.id):
        route = delivery.route(now)
        found = {
            "organization": {**dataclasses.asdict(organization), "id": ""},
            "staff": sorted((m.name, m.email, sorted(m.roles), m.active, m.second_factor) for m in identity.staff_members()),
            "vendors": sorted(
                (v.name.reveal(), v.relation, [
                    (str(a.signed_on), str(a.valid_until), a.report_hours, sorted(a.clauses)) for a in v.agreements
                ], [
                    (s.kind, s.name.reveal(), s.address, sorted(s.may_carry), s.active, s.why_not, sorted(
                        (t.control, t.by.reveal(), t.evidence.reveal()) for t in s.attestations
                    )) for s in v.services
                ]) for v in vendors.vendors(now)
            ),
            "route": [route.user, route.why_not, vendors.service(route.service_id, now).address],
            "records": [
                (r.purpose, re.sub('-[0-9a-f]{8}[.]', '.', r.name), r.purpose != "DKIM" and r.value)
                for r in domains.records()
            ],
            "installed": dataclasses.asdict(installed.read(home.path)),
            "answers": json.loads((home.path / "setup.json").read_text()),
        }
print("LEFT " + json.dumps(found, default=str))
"""


def free_port() -> int:
    """Return a port of this machine that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Machine:
    """A home folder for Salus, where it listens, and whom it asks for names."""

    home: Path
    port: int
    nameserver: str
    more: Mapping[str, str] = field(default_factory=dict)
    """What else is in the surroundings of its commands."""

    @property
    def environment(self) -> dict[str, str]:
        """Return the surroundings of its commands."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SALUS_", "DATABASE_URL", "DJANGO"))}
        return kept | {
            "SALUS_HOME": str(self.home),
            "SALUS_HTTP": f"127.0.0.1:{self.port}",
            "SALUS_NAMESERVER": self.nameserver,
            "PYTHONUNBUFFERED": "1",
            **self.more,
        }

    def left(self) -> dict[str, Any]:
        """Return what a set-up left behind, without ids and moments."""
        said = subprocess.run(
            [sys.executable, "-c", LEFT], env=self.environment, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        lines = [line for line in said.stdout.splitlines() if line.startswith("LEFT ")]
        assert lines, said.stderr
        found: dict[str, Any] = json.loads(lines[0].removeprefix("LEFT "))
        return found

    @contextmanager
    def terminal(self, *words: str) -> Iterator[Terminal]:
        """Run the command at a terminal of its own."""
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *SALUS, *words],
            env=self.environment, stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        try:
            yield Terminal(child, ours)
        finally:
            child.kill()
            child.wait()
            os.close(ours)


class Terminal:
    """A person at a terminal: reads until a question, types an answer."""

    def __init__(self, child: subprocess.Popen[bytes], end: int) -> None:
        self.child, self.end, self.said = child, end, ""
        self._read = 0

    def await_(self, words: str, seconds: float = 120) -> str:
        """Return what was said until these words; fails when they do not come."""
        deadline = time.monotonic() + seconds
        while (at := self.said.find(words, self._read)) < 0:
            ready, _, _ = select.select([self.end], [], [], max(0, deadline - time.monotonic()))
            more = bool(ready) and self._more()
            assert more, f"{words!r} did not come: {self.said[self._read :]}"
        heard, self._read = self.said[self._read : at], at + len(words)
        return heard

    def answer(self, question: str, text: str) -> str:
        """Wait for a question, answer it; return what was said before it."""
        heard = self.await_(question)
        self.await_(": ")
        self.type(f"{text}\n")
        return heard

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self.end, text.encode())

    def finish(self, seconds: float = 120) -> int:
        """Read to the end; return the exit code. Fails when there is no end."""
        deadline = time.monotonic() + seconds
        while select.select([self.end], [], [], max(0, deadline - time.monotonic()))[0] and self._more():
            pass
        return self.child.wait(max(1, deadline - time.monotonic()))

    def _more(self) -> bool:
        try:
            data = os.read(self.end, 65536)
        except OSError:  # Linux says so when nobody is at the other end any more
            return False
        self.said += data.decode().replace("\r\n", "\n")
        return bool(data)
