"""`./bench send`: messages a second from plan to last receipt, beside the bare library's signatures; memory."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import UUID

from benchmarks import signatures
from benchmarks.processes import Usage, usage

MERGED, CHUNK = 2_000, 1_000
HOST = "partner.example.test"
"""A host of the relay that takes everything and is pinned: protection `verified`, as a diagnosis asks for."""
TARGETS: dict[str, tuple[float, Callable[[float, float], bool]]] = {
    "sender memory MB": (300, float.__lt__),
    "messages without a receipt": (0, float.__le__),
}


def run(messages: int, json_path: str | Path | None) -> int:
    """Plan and send `messages`; write figures and targets; 1 when a target is missed."""
    from salus.wiring.home import Home
    from salus.wiring.installation import Installation

    before = signatures.bare()
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
            relay.command = [*relay.command, "--sink"]
            supervisor.start(relay, installation.worker(), installation.sender())
            figures = _measure(messages, installation, supervisor)
    figures["signatures"] = _signatures(before, signatures.bare(), figures)
    values = {
        "sender memory MB": figures["processes"]["sender"]["peak_mb"],
        "messages without a receipt": float(messages - figures["receipts"]),
    }
    targets = {
        name: {"value": values[name], "bar": bar, "met": met(float(values[name]), float(bar))}
        for name, (bar, met) in TARGETS.items()
    }
    if json_path:
        Path(json_path).write_text(json.dumps({"figures": figures, "targets": targets}, indent=2) + "\n")
    for name, one in targets.items():
        _say(f"{'met   ' if one['met'] else 'MISSED'} {name}: {one['value']:,} (bar {one['bar']:,})")
    return 0 if all(one["met"] for one in targets.values()) else 1


def _signatures(before: float, after: float, figures: dict[str, Any]) -> dict[str, float]:
    """Set our rates beside what the library does with one thread that only signs, before and after."""
    bare, cost = (before + after) / 2, signatures.bare_cost()
    found = {
        "bare_per_second": round(bare, 1),
        "ratio_send": round(figures["send"]["messages_per_second"] / bare, 3),
        "ratio_all": round(figures["messages_per_second"] / bare, 3),
        "bare_cpu_ms_per_1000": round(cost * 1e6, 1),
        "share_of_sender_cpu": round(cost * 1e6 / figures["processes"]["sender"]["send_cpu_ms_per_1000"], 3),
    }
    _say(
        f"  the bare library signs {bare:,.0f} messages/s in one thread: sending is {found['ratio_send']} of that"
    )
    return found


def _measure(count: int, installation: Any, supervisor: Any) -> dict[str, Any]:
    from salus.wiring.cli import setup

    setup()
    from salus.delivery import api as delivery
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for
    from salus.wiring.demo.cast import clinic

    organization = clinic()
    actor = system(organization.id, "bench")
    figures: dict[str, Any] = {"messages": count, "processors": os.cpu_count()}
    figures["people"] = people(organization.id, count, actor)
    spec = specify(organization)
    idle = usage(supervisor.pids())
    began = time.perf_counter()
    figures["plan"] = _plan(organization.id, spec, count, actor)
    planned = usage(supervisor.pids())
    figures["send"] = _send(organization.id, spec, count, actor, supervisor)
    figures["messages_per_second"] = round(count / (time.perf_counter() - began), 1)
    figures["processes"] = _processes(count, idle, planned, usage(supervisor.pids()))
    with acting_for(organization.id):
        progress = delivery.progress(spec.origin)
    if progress.states != {"accepted": count}:
        _say(f"  not everything was accepted: {dict(progress.states)}, refused {dict(progress.refused)}")
    figures["states"] = dict(progress.states)
    figures |= _recorded(organization.id)
    figures["caught"] = _caught(installation)
    _say(f"  {figures['messages_per_second']:,} messages/s from plan to last receipt")
    return figures


def people(organization: UUID, count: int, actor: Any) -> dict[str, Any]:
    """Admit invented patients who are in treatment for diabetes."""
    from salus.contacts import api as contacts
    from salus.platform.tenancy import acting_for

    began, crowd = time.perf_counter(), _patients(count)
    while batch := list(islice(crowd, MERGED)):
        with acting_for(organization):
            contacts.merge(batch, actor=actor)
    return {"seconds": round(time.perf_counter() - began, 2)}


def _patients(count: int) -> Iterator[Any]:
    from salus.contacts.contracts import Address, ContactPatch, Identifier
    from salus.kernel.phi import Phi
    from salus.kernel.vocabulary import AddressSource, Channel

    today = datetime.now(UTC).date()
    care, obtained = (today - timedelta(days=40)).isoformat(), today - timedelta(days=400)
    for number in range(count):
        yield ContactPatch(
            identifiers=(Identifier("mrn", Phi(f"B{number:08d}")),),
            addresses=(
                Address(
                    Channel.EMAIL, Phi(f"ana{number}@{HOST}"), AddressSource.CLINICAL_ENCOUNTER, "desk", obtained
                ),
            ),
            values={
                "given_name": f"Ana{number % 977}",
                "family_name": f"Sample{number}",
                "birth_date": f"{1940 + number % 60}-0{1 + number % 9}-1{number % 9}",
                "relation": "patient",
                "state": "OH",
                "country": "US",
                "language": "es" if number % 4 == 0 else "en",
            },
            records={
                "conditions": (
                    {"id": "c1", "code": "E11.9", "system": "icd10", "date": care, "status": "active"},
                    {"id": "c2", "code": "I10", "system": "icd10", "date": care, "status": "active"},
                ),
                "medications": (
                    {"id": "m1", "code": "860975", "system": "rxnorm", "date": care, "status": "active",
                     "text": "metformin 500 mg"},
                ),
                "labs": (
                    {"id": "l1", "code": "4548-4", "system": "loinc", "date": "2026-01-12", "value": 7.4,
                     "unit": "%", "text": "Hemoglobin A1c"},
                ),
                "encounters": tuple(
                    {"id": f"e{visit}", "date": care, "status": "finished"} for visit in range(3)
                ),
            },
        )  # fmt: skip


def specify(organization: Any) -> Any:
    """Write the A1c reminder in two languages, have it reviewed, and specify a sending of it."""
    from salus.contacts.contracts import Read
    from salus.content import api as content
    from salus.delivery.contracts import MessageSpec, Origin, Sender
    from salus.gate import api as gate
    from salus.identity.contracts import Role
    from salus.kernel.ids import new_id
    from salus.kernel.vocabulary import Channel, PhiClass
    from salus.platform.tenancy import acting_for
    from salus.wiring.demo.cast import member

    with acting_for(organization.id):
        author, reviewer = member(organization, Role.AUTHOR), member(organization, Role.PRIVACY_OFFICER)
        starter = next(each for each in content.starters() if each.key == "a1c_check")
        template_id = content.create_template(starter.name, actor=author)
        versions = {}
        for language, draft in starter.drafts.items():
            version = content.save_version(
                template_id, language=language, subject=draft.subject, preheader=draft.preheader,
                mjml=draft.mjml, text=draft.text, actor=author,
            )  # fmt: skip
            content.classify(version.id, starter.classification, actor=author)
            content.confirm_classification(version.id, actor=reviewer)
            versions[language] = content.version(version.id)
        classification = versions["en"].classification
        assert classification
        segment = Read("conditions", PhiClass.DIAGNOSIS, origin="segment", place="$", code="vs:diabetes")
        return MessageSpec(
            Origin("campaign", new_id()),
            {language: version.id for language, version in versions.items()},
            gate.message_facts(
                classification,
                reads=[segment, *(read for version in versions.values() for read in version.analysis.reads)],
                organization=organization,
                channel=Channel.EMAIL,
            ),
            Sender(organization.name, f"care@{organization.sending_domain}"),
        )


def _plan(organization: UUID, spec: Any, count: int, actor: Any) -> dict[str, Any]:
    """Plan as a worker does: one transaction a chunk."""
    from salus.delivery import api as delivery
    from salus.platform.tenancy import acting_for

    numbers: Sequence[int] = range(1, count + 1)
    began, cpu = time.perf_counter(), time.process_time()
    with acting_for(organization):
        delivery.begin_plan(spec, actor=actor, at=datetime.now(UTC))
    for start in range(0, count, CHUNK):
        with acting_for(organization):
            delivery.plan_chunk(
                spec.origin, numbers[start : start + CHUNK], actor=actor, at=datetime.now(UTC)
            )
    with acting_for(organization):
        counts = delivery.finish_plan(spec.origin, actor=actor)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    if counts.cleared != count:
        raise AssertionError(f"{counts.cleared} of {count} were cleared: {dict(counts.refused)}")
    _say(f"  {count / seconds:,.0f} people planned a second")
    return {
        "seconds": round(seconds, 2),
        "rows_per_second": round(count / seconds, 1),
        "planner_cpu_ms_per_1000": round(cpu / count * 1e6, 1),
    }


def _send(organization: UUID, spec: Any, count: int, actor: Any, supervisor: Any) -> dict[str, Any]:
    """Release, and wait for the queue to be empty: a message leaves it with its receipt."""
    from salus.delivery import api as delivery
    from salus.platform.tenancy import acting_for

    began = time.perf_counter()
    with acting_for(organization):
        delivery.release(spec.origin, not_before=datetime.now(UTC), actor=actor)
    released = time.perf_counter()
    while True:
        with acting_for(organization):
            waiting = sum(delivery.waiting_by_state().values())
        if not waiting:
            break
        supervisor.tend()
        time.sleep(0.25)
    seconds = time.perf_counter() - began
    _say(f"  {count / seconds:,.0f} messages sent a second")
    return {
        "seconds": round(seconds, 2),
        "release_seconds": round(released - began, 2),
        "messages_per_second": round(count / seconds, 1),
    }


def _processes(
    count: int, idle: dict[str, Usage], planned: dict[str, Usage], done: dict[str, Usage]
) -> dict[str, dict[str, float]]:
    """Return for each process its peak memory, and its processor time for 1,000 messages: planning, sending."""
    found = {}
    for name, last in done.items():
        found[name] = {
            "peak_mb": last.peak_mb,
            "plan_cpu_ms_per_1000": round((planned[name].cpu - idle[name].cpu) / count * 1e6, 1),
            "send_cpu_ms_per_1000": round((last.cpu - planned[name].cpu) / count * 1e6, 1),
        }
        _say(f"  {name}: peak {last.peak_mb} MB, {found[name]['send_cpu_ms_per_1000']} ms CPU for 1,000 sent")
    return found


def _recorded(organization: UUID) -> dict[str, int]:
    """Return how many receipts there are, in how many batches, and how many entries the log has."""
    from psycopg import sql

    from salus.platform import bulk
    from salus.platform.tenancy import acting_for

    with acting_for(organization):
        [(receipts, batches, entries)] = bulk.execute(
            sql.SQL(
                "SELECT (SELECT count(*) FROM delivery_receipt), (SELECT count(*) FROM delivery_receiptbatch), "
                "(SELECT count(*) FROM audit_entry)"
            )
        )
    return {"receipts": receipts, "receipt_batches": batches, "audit_entries": entries}


def _caught(installation: Any) -> int:
    """Return how many messages the relay counted."""
    inbox = json.loads(installation.routes.read_text())["inbox"]
    with urlopen(f"{inbox}stats.json", timeout=10) as answer:
        return int(json.load(answer)["received"])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
