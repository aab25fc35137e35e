"""`./bench fair`: how long a one-off lab notice takes to the sink while a campaign fills the queue, beside a quiet queue."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import UUID

from benchmarks import send

NOTICES = 40
"""Lab notices in each part: half of the clinic whose campaign it is, half of another one."""
EVERY = 0.4
"""Seconds between two of them."""
PATIENCE = 30.0
BAR = 1.0
"""Seconds by which a campaign may delay a notice at most."""


def run(messages: int, json_path: str | Path | None) -> int:
    """Measure; write figures and targets; 1 when a target is missed."""
    from salus.wiring.home import Home
    from salus.wiring.installation import Installation

    with tempfile.TemporaryDirectory(prefix="salus-bench-") as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs under another user who must reach its folder
        home = Home(Path(folder) / "home")
        installation = Installation(
            home,
            os.environ.get("DATABASE_URL"),
            inbox_port=0,
            extra={"SALUS_LABORATORY_ROUTES": str(home.path / "catch" / "routes.json")},
        )
        os.environ.update(installation.environment)
        with installation.running(_say) as supervisor:
            relay = installation.catch()
            relay.command = [*relay.command, "--keep", "1000"]
            supervisor.start(relay, installation.worker(), installation.sender())
            figures = _Bench(installation, supervisor, messages).measure()
    targets = {
        "slowest notice beside the campaign, seconds": (figures["campaign"]["slowest"], BAR),
        "delay by the campaign, median seconds": (
            round(figures["campaign"]["median"] - figures["quiet"]["median"], 3),
            BAR,
        ),
        "notices that did not arrive": (figures["lost"], 0),
        "messages of the campaign still waiting at the last notice (at least one)": (
            int(figures["left"] == 0),
            0,
        ),
    }
    found = {
        name: {"value": value, "bar": bar, "met": value <= bar} for name, (value, bar) in targets.items()
    }
    if json_path:
        Path(json_path).write_text(json.dumps({"figures": figures, "targets": found}, indent=2) + "\n")
    for name, one in found.items():
        _say(f"{'met   ' if one['met'] else 'MISSED'} {name}: {one['value']:,} (bar {one['bar']:,})")
    return 0 if all(one["met"] for one in found.values()) else 1


class _Bench:
    """Two clinics, one campaign, and notices one by one."""

    def __init__(self, installation: Any, supervisor: Any, count: int) -> None:
        self._installation, self._supervisor, self._count = installation, supervisor, count
        self._lost = 0

    def measure(self) -> dict[str, Any]:
        """Return the figures."""
        from salus.wiring.cli import setup

        setup()
        from salus.delivery import api as delivery
        from salus.kernel.acting import system
        from salus.kernel.time import SystemClock
        from salus.platform.tenancy import acting_for
        from salus.wiring.demo.cast import clinic

        busy = clinic()
        other = self._other()
        actor = system(busy.id, "bench")
        send.people(busy.id, self._count, actor)
        send.people(other.id, NOTICES * 2, system(other.id, "bench"))
        campaign, notice = send.specify(busy), self._notice(busy)
        theirs = self._notice(other)
        figures: dict[str, Any] = {"messages": self._count, "processors": os.cpu_count()}
        self._notices((busy.id, notice), (other.id, theirs), 1, 4)  # what is looked up once is looked up
        figures["quiet"] = self._notices((busy.id, notice), (other.id, theirs), 5, NOTICES)
        with acting_for(busy.id):
            delivery.plan(campaign, range(1, self._count + 1), actor=actor, clock=SystemClock())
        self._release(busy.id, campaign, actor)
        time.sleep(3)
        before = self._waiting(busy.id)
        began = time.perf_counter()
        figures["campaign"] = self._notices((busy.id, notice), (other.id, theirs), 5 + NOTICES, NOTICES)
        figures["left"] = self._waiting(busy.id)
        seconds = time.perf_counter() - began
        figures["campaign"]["messages_per_second_beside"] = round((before - figures["left"]) / seconds, 1)
        figures["lost"] = self._lost
        for part in ("quiet", "campaign"):
            one = figures[part]
            _say(f"  {part}: median {one['median']} s, slowest {one['slowest']} s to the sink")
        _say(
            f"  beside it {figures['campaign']['messages_per_second_beside']:,} messages of the campaign a second"
        )
        return figures

    def _other(self) -> Any:
        """Return a second clinic, with staff."""
        from salus.identity import api as identity
        from salus.kernel.vocabulary import SenderRole

        organization = identity.create_organization(
            name="Hill Street Clinic",
            slug="hill-street",
            sender_role=SenderRole.PROVIDER,
            postal_address="1 Hill Street, Ellery, OH 44100",
            phone="206-555-0143",
            sending_domain="mail.hill-street.example.org",
            time_zone="America/New_York",
            demo=True,
        )
        identity.create_demo_staff(organization)
        return organization

    def _notice(self, organization: Any) -> Any:
        """Return a sending of the lab notice, which a person waits for."""
        from salus.delivery.contracts import Priority

        return replace(send.specify(organization), priority=Priority.TRANSACTIONAL)

    def _notices(
        self, busy: tuple[UUID, Any], other: tuple[UUID, Any], first: int, count: int
    ) -> dict[str, float]:
        """Send notices, by turns of each clinic; return how long they took from the commit to the sink."""
        took = []
        for number in range(first, first + count):
            organization, spec = (busy, other)[number % 2]
            seconds = self._one(organization, spec, number // 2 + 1)
            if seconds is None:
                self._lost += 1
            else:
                took.append(seconds)
            self._supervisor.tend()
            time.sleep(EVERY)
        return {
            "count": len(took),
            "median": round(statistics.median(took), 3),
            "slowest": round(max(took), 3),
        }

    def _one(self, organization: UUID, spec: Any, number: int) -> float | None:
        """Plan and release one message, and wait until the sink has it; None when it does not come."""
        from salus.delivery import api as delivery
        from salus.delivery.contracts import Origin
        from salus.kernel.acting import system
        from salus.kernel.ids import new_id
        from salus.kernel.time import SystemClock
        from salus.platform.tenancy import acting_for

        actor = system(organization, "bench")
        spec = replace(spec, origin=Origin("campaign", new_id()))
        with acting_for(organization):
            delivery.plan(spec, [number], actor=actor, clock=SystemClock())
            delivery.release(spec.origin, not_before=datetime.now(UTC), actor=actor)
        committed = time.perf_counter()
        wanted = f"bounces+{_token(organization, spec.origin)}"
        while time.perf_counter() - committed < PATIENCE:
            if self._arrived(number, wanted):
                return time.perf_counter() - committed
            time.sleep(0.01)
        return None

    def _arrived(self, number: int, wanted: str) -> bool:
        inbox = json.loads(self._installation.routes.read_text())["inbox"]
        with urlopen(f"{inbox}mails.json?to=ana{number - 1}@{send.HOST}", timeout=10) as answer:
            return any(wanted in each["from"] for each in json.load(answer))

    def _release(self, organization: UUID, spec: Any, actor: Any) -> None:
        from salus.delivery import api as delivery
        from salus.platform.tenancy import acting_for

        with acting_for(organization):
            delivery.release(spec.origin, not_before=datetime.now(UTC), actor=actor)

    def _waiting(self, organization: UUID) -> int:
        from salus.delivery import api as delivery
        from salus.platform.tenancy import acting_for

        with acting_for(organization):
            return sum(delivery.waiting_by_state().values())


def _token(organization: UUID, origin: Any) -> str:
    """Return how the return path of the one message of a sending begins."""
    import base64

    from psycopg import sql

    from salus.platform import bulk
    from salus.platform.tenancy import acting_for

    with acting_for(organization):
        [(id,)] = bulk.execute(sql.SQL("SELECT id FROM delivery_message WHERE origin_id = %s"), [origin.id])
    return base64.b32encode(id.bytes).decode().lower()[:25]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
