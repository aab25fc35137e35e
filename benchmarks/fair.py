"""`./bench fair`: how long a one-off lab notice takes to the sink while a campaign fills the queue, beside a quiet queue, and where."""

from __future__ import annotations

import base64
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
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
LEAD = 3.0
"""Seconds after which a campaign runs evenly."""
LASTS = NOTICES * (EVERY + BAR)
"""Seconds that the notices beside it may take: for so long its messages have to last."""
STAGES = ("checked", "accepted", "arrived")
"""Until a sender leased and checked it; until the sink's answer was there; until the sink had it."""


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
            supervisor.start(relay, installation.worker(), *installation.senders())
            figures = _Bench(installation, supervisor, messages).measure()
    targets = {
        "slowest notice beside the campaign, seconds": (figures["campaign"]["slowest"], BAR),
        "delay by the campaign, median seconds": (
            round(figures["campaign"]["median"] - figures["quiet"]["median"], 3),
            BAR,
        ),
        "notices that did not arrive": (figures["lost"], 0),
        "campaigns that ended before the last notice": (int(figures["left"] == 0), 0),
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
        from salus.kernel.acting import system
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
        self._campaign(busy.id, campaign, actor)
        self._make_it_last(busy.id, campaign, actor)
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
            for stage in STAGES:
                _say(f"    {stage}: median {one[stage]['median']} s, slowest {one[stage]['slowest']} s")
        _say(
            f"  beside it {figures['campaign']['messages_per_second_beside']:,} messages of the campaign a second"
        )
        return figures

    def _campaign(self, organization: UUID, spec: Any, actor: Any) -> None:
        """Plan and release one more sending to everybody."""
        from salus.delivery import api as delivery
        from salus.delivery.contracts import Origin
        from salus.kernel.ids import new_id
        from salus.kernel.time import SystemClock
        from salus.platform.tenancy import acting_for

        spec = replace(spec, origin=Origin("campaign", new_id()))
        with acting_for(organization):
            delivery.plan(spec, range(1, self._count + 1), actor=actor, clock=SystemClock())
            delivery.release(spec.origin, not_before=datetime.now(UTC), actor=actor)

    def _make_it_last(self, organization: UUID, spec: Any, actor: Any) -> None:
        """See how fast the campaign goes, and add to it until it lasts longer than what is measured beside it."""
        before = self._waiting(organization)
        time.sleep(LEAD)
        pace = (before - self._waiting(organization)) / LEAD
        while self._waiting(organization) < pace * LASTS:
            self._campaign(organization, spec, actor)
        time.sleep(LEAD)

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
    ) -> dict[str, Any]:
        """Send notices, by turns of each clinic; return how long they took from the commit to the sink, and where."""
        took: list[dict[str, float]] = []
        for number in range(first, first + count):
            organization, spec = (busy, other)[number % 2]
            if found := self._one(organization, spec, number // 2 + 1):
                took.append(found)
            else:
                self._lost += 1
            self._supervisor.tend()
            time.sleep(EVERY)
        stages = {stage: _summary([each[stage] for each in took]) for stage in STAGES}
        return {"count": len(took), **stages["arrived"], **stages}

    def _one(self, organization: UUID, spec: Any, number: int) -> dict[str, float] | None:
        """Plan and release one message, and wait until the sink has it; return the seconds to each stage, None: it does not come."""
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
        committed = datetime.now(UTC)
        id = _message(organization, spec.origin)
        while (datetime.now(UTC) - committed).total_seconds() < PATIENCE:
            time.sleep(0.02)
            if arrived := self._arrived(number, id):
                checked, accepted = _receipt(organization, id)
                times = dict(zip(STAGES, (checked, accepted, arrived), strict=True))
                return {stage: (at - committed).total_seconds() for stage, at in times.items()}
        return None

    def _arrived(self, number: int, id: UUID) -> datetime | None:
        """Return when the sink had a message, by its own clock, which is this machine's."""
        wanted = f"bounces+{base64.b32encode(id.bytes).decode().lower()[:25]}"
        inbox = json.loads(self._installation.routes.read_text())["inbox"]
        with urlopen(f"{inbox}mails.json?to=ana{number - 1}@{send.HOST}", timeout=10) as answer:
            found = (each["received_at"] for each in json.load(answer) if wanted in each["from"])
            return next(map(datetime.fromisoformat, found), None)

    def _waiting(self, organization: UUID) -> int:
        from salus.delivery import api as delivery
        from salus.platform.tenancy import acting_for

        with acting_for(organization):
            return sum(delivery.waiting_by_state().values())


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    return {"median": round(statistics.median(seconds), 3), "slowest": round(max(seconds), 3)}


def _message(organization: UUID, origin: Any) -> UUID:
    """Return the one message of a sending."""
    from salus.delivery.models import MessageRow
    from salus.platform.tenancy import acting_for

    with acting_for(organization):
        return MessageRow.objects.get(origin_id=origin.id).id


def _receipt(organization: UUID, id: UUID) -> tuple[datetime, datetime]:
    """Return when a message was checked last and when it was accepted, from its receipt, which is written a moment later."""
    from salus.delivery import receipts
    from salus.platform.tenancy import acting_for

    for _ in range(int(PATIENCE / 0.1)):
        with acting_for(organization):
            steps = [facts for _, facts in receipts.steps(id)]
        if accepted := [each for each in steps if each.get("state") == "accepted"]:
            return datetime.fromisoformat(accepted[-1]["date"]), datetime.fromisoformat(accepted[-1]["at"])
        time.sleep(0.1)
    raise AssertionError("a message arrived and has no receipt")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
