"""Part of `./bench ground`: a log verified whole, searched by each filter, and exported as lines."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from salus.kernel.ids import new_id

MILLION, SECONDS = 1_000_000, 30
TARGETS: dict[str, tuple[float, Callable[[float, float], bool]]] = {
    "log entries verified/s": (round(MILLION / SECONDS, 1), float.__ge__),
    "slowest search of the log ms": (100, float.__le__),
}
BATCH = 10_000
PEOPLE, STAFF = 20_000, 40
TRIES = 5


def measure(organization_id: UUID, entries: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Fill the organization's log with `entries` looks at people; return what verifying, searching and exporting cost."""
    patient, staff = _fill(organization_id, entries, say)
    return {
        "entries": entries,
        **_verify(organization_id, say),
        "search_ms": _search(organization_id, patient, staff, say),
        "exported_per_second": _export(organization_id, say),
    }


def _fill(organization_id: UUID, entries: int, say: Callable[[str], None]) -> tuple[UUID, UUID]:
    """Record looks as a busy clinic makes them, over two years, one in a hundred refused; return one patient and one of the staff."""
    from salus.audit import api as audit
    from salus.audit.contracts import Action, NewEntry
    from salus.kernel.acting import Actor, ActorKind, system
    from salus.platform.tenancy import acting_for

    people = [new_id() for _ in range(PEOPLE)]
    staff = [
        Actor(ActorKind.STAFF, organization_id, id=new_id(), roles=("analyst",), ip="10.0.0.7")
        for _ in range(STAFF)
    ]
    began, start = time.perf_counter(), datetime.now(UTC) - timedelta(days=730)
    for first in range(0, entries, BATCH):
        batch = [
            NewEntry(
                Action.CONTACT_READ,
                staff[number % STAFF],
                "contact",
                object_id=people[number % PEOPLE],
                patient_id=people[number % PEOPLE],
                fields=("given_name", "family_name", "email"),
                purpose="treatment",
                outcome="refused" if number % 100 == 99 else "ok",
                details={"contacts": 1},
            )
            for number in range(first, min(first + BATCH, entries))
        ]
        with acting_for(organization_id):
            audit.record_many(batch, at=start + timedelta(days=730 * first / entries))
        with acting_for(organization_id):
            audit.integrate()
    with acting_for(organization_id):
        audit.record(Action.KEYS_KIT_CREATE, actor=system(organization_id, "bench"), object_kind="keys")
    with acting_for(organization_id):
        while audit.integrate():
            pass
    with acting_for(organization_id):
        audit.checkpoint()
    say(f"  {entries / (time.perf_counter() - began):,.0f} entries recorded and placed a second")
    return people[0], staff[0].id or UUID(int=0)


def _verify(organization_id: UUID, say: Callable[[str], None]) -> dict[str, Any]:
    from salus.audit import api as audit
    from salus.platform.tenancy import acting_for

    began = time.perf_counter()
    with acting_for(organization_id):
        verdict = audit.verify()
    seconds = time.perf_counter() - began
    if not verdict.verified:
        raise AssertionError(verdict.faults[:3])
    say(f"  {verdict.entries:,} entries verified in {seconds:.1f} s")
    return {"verify_seconds": round(seconds, 2), "verified_per_second": round(verdict.entries / seconds, 1)}


def _search(
    organization_id: UUID, patient: UUID, staff: UUID, say: Callable[[str], None]
) -> dict[str, float]:
    """Return the middle of a few tries for each filter, in milliseconds, of a page of fifty."""
    from salus.audit import api as audit
    from salus.audit.contracts import Action, Filters
    from salus.platform.tenancy import acting_for

    long_ago = datetime.now(UTC) - timedelta(days=700)
    a_day = {"since": long_ago, "until": long_ago + timedelta(days=1)}
    wanted = {
        "newest": Filters(),
        "patient": Filters(patient_id=patient),
        "looks at a patient": Filters(patient_id=patient, looks=True),
        "actor": Filters(actor_id=staff),
        "object": Filters(object_id=patient),
        "frequent action": Filters(action=Action.CONTACT_READ),
        "rare actions": Filters(action="keys:"),
        "refused": Filters(outcome="refused"),
        "failed": Filters(outcome="failed"),
        "a day long ago": Filters(**a_day),  # type: ignore[arg-type]
        "an actor on a day long ago": Filters(actor_id=staff, **a_day),  # type: ignore[arg-type]
        "nobody": Filters(actor_id=new_id()),
    }
    found = {}
    for name, filters in wanted.items():
        times = []
        for _ in range(TRIES):
            with acting_for(organization_id):
                began = time.perf_counter()
                audit.entries(filters, limit=50)
                times.append((time.perf_counter() - began) * 1_000)
        found[name] = round(sorted(times)[TRIES // 2], 2)
        say(
            f"  {found[name]:>8} ms to find: {name} ({', '.join(k for k, v in asdict(filters).items() if v) or 'all'})"
        )
    return found


def _export(organization_id: UUID, say: Callable[[str], None]) -> dict[str, float]:
    from salus.audit.contracts import Filters
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for
    from salus.reports import api as reports
    from salus.reports.contracts import LogForm

    actor, rates = system(organization_id, "bench"), {}
    for form in LogForm:
        began, lines = time.perf_counter(), 0
        with acting_for(organization_id):
            chunks = reports.export_log(Filters(), form, host="bench", actor=actor)
        for chunk in chunks:
            lines += chunk.count("\n")
        rates[form.value] = round(lines / (time.perf_counter() - began), 1)
    say(f"  exported a second: {rates}")
    return rates
