"""`./bench send`: messages a second from plan to last receipt, beside the bare library's signatures; growth, cost, memory."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import UUID

from benchmarks import signatures
from benchmarks.beside import smtp_source
from benchmarks.planning import CHUNK, Helpers, helping
from benchmarks.processes import Usage, busy, ticks, usage

MERGED = 2_000
FEW = 10_000
"""Messages of the shorter runs: with one sender, with all of them, without signature."""
OCTETS = 10_000
"""Disk that a message takes at most while it is sent and kept, with indexes and the write-ahead log."""
STALLED_SECONDS = 120
HOST = "partner.example.test"
"""A host of the relay that takes everything and is pinned: protection `verified`, as a diagnosis asks for."""
TARGETS: dict[str, tuple[float, Callable[[float, float], bool]]] = {
    "ratio to bare RSA-2048 signing on all processors": (0.33, float.__ge__),
    "two senders against one, as a share of what the processors leave": (0.85, float.__ge__),
    "cost of a message against 10,000": (1.15, float.__lt__),
    "sender memory MB": (300, float.__lt__),
    "messages without a receipt": (0, float.__le__),
}


def run(messages: int, json_path: str | Path | None) -> int:
    """Plan and send `messages`; write figures and targets; 1 when a target is missed."""
    from salus.wiring.home import Home
    from salus.wiring.installation import Installation

    rates = [(signatures.rsa(), signatures.bare())]
    with tempfile.TemporaryDirectory(prefix="salus-bench-") as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs under another user who must reach its folder
        if shutil.disk_usage(folder).free < (messages + 4 * FEW) * OCTETS:
            raise SystemExit(
                f"{folder} has not the {(messages + 4 * FEW) * OCTETS // 10**9 + 1} GB that this takes."
            )
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
            supervisor.start(relay, installation.worker())
            with helping(len(installation.planners())) as helpers:
                figures = _Bench(installation, supervisor, helpers, messages).measure()
    rates.append((signatures.rsa(), signatures.bare()))
    figures["signatures"] = _signatures(rates, figures)
    values = _values(figures)
    targets = {
        name: {"value": values[name], "bar": bar, "met": met(float(values[name]), float(bar))}
        for name, (bar, met) in TARGETS.items()
    }
    if json_path:
        Path(json_path).write_text(json.dumps({"figures": figures, "targets": targets}, indent=2) + "\n")
    for name, one in targets.items():
        _say(f"{'met   ' if one['met'] else 'MISSED'} {name}: {one['value']:,} (bar {one['bar']:,})")
    return 0 if all(one["met"] for one in targets.values()) else 1


def _values(figures: dict[str, Any]) -> dict[str, float]:
    growth = figures["growth"]
    return {
        "ratio to bare RSA-2048 signing on all processors": figures["signatures"]["ratio_rsa"],
        "two senders against one, as a share of what the processors leave": round(
            growth["ratio"] / min(1.7, growth["processors_leave"]), 3
        ),
        "cost of a message against 10,000": round(
            figures["run"]["cpu_ms_per_1000"] / figures["few"]["cpu_ms_per_1000"], 3
        ),
        "sender memory MB": max(
            one["peak_mb"] for name, one in figures["run"]["processes"].items() if "sender" in name
        ),
        "messages without a receipt": float(figures["sent"] - figures["receipts"]),
    }


def _signatures(rates: Sequence[tuple[float, float]], figures: dict[str, Any]) -> dict[str, float]:
    """Set our rate beside what the library signs on this machine, before and after, doing nothing else."""
    rsa, bare = (sum(each) / len(rates) for each in zip(*rates, strict=True))
    rate = figures["run"]["messages_per_second"]
    found = {
        "rsa_per_second_on_all_processors": round(rsa, 1),
        "ratio_rsa": round(rate / rsa, 3),
        "ratio_rsa_unsigned": round(figures["unsigned"]["messages_per_second"] / rsa, 3),
        "pairs_per_second_one_thread": round(bare, 1),
        "pair_cpu_ms_per_1000": round(signatures.bare_cost() * 1e6, 1),
    }
    _say(
        f"  the bare library signs {rsa:,.0f}/s with RSA-2048 on all processors: {found['ratio_rsa']} of that"
    )
    return found


class _Bench:
    """An installation that sends one campaign after the other."""

    def __init__(self, installation: Any, supervisor: Any, helpers: Helpers, count: int) -> None:
        from salus.wiring.cli import setup

        setup()
        from salus.kernel.acting import system
        from salus.platform.memory import settle_memory
        from salus.wiring.demo.cast import clinic

        self._installation, self._supervisor, self._helpers = installation, supervisor, helpers
        self._count = count
        self._organization = clinic()
        self._actor = system(self._organization.id, "bench")
        self._spec = specify(self._organization)
        settle_memory()  # this process plans, as a worker does

    def measure(self) -> dict[str, Any]:
        """Send with one sender, with all, the long run, and unsigned; return the figures."""
        few, supervisor = min(FEW, self._count), self._supervisor
        senders = self._installation.senders()
        figures: dict[str, Any] = {
            "messages": self._count, "processors": os.cpu_count(), "senders": len(senders),
            "people": people(self._organization.id, self._count, self._actor),
        }  # fmt: skip
        supervisor.start(senders[0])
        self._campaign(min(1_000, few))  # what a process does once is not what a message costs
        figures["one_sender"] = self._campaign(few)
        supervisor.start(*senders[1:])
        self._campaign(min(1_000, few))
        figures["few"] = self._campaign(few)
        figures["run"] = self._campaign(self._count) if self._count > few else figures["few"]
        figures["growth"] = _growth(figures["one_sender"], figures["few"])
        supervisor.end(*senders)
        figures["sent"] = 2 * min(1_000, few) + 2 * few + (self._count if self._count > few else 0)
        figures |= _recorded(self._organization.id)
        figures["caught"] = self._caught()
        unsigned = [_unsigned(each) for each in self._installation.senders()]
        supervisor.start(*unsigned)
        self._campaign(min(1_000, few))
        figures["unsigned"] = self._campaign(few)
        supervisor.end(*unsigned)
        routes = json.loads(self._installation.routes.read_text())
        figures["smtp_source"] = smtp_source(routes["routes"][HOST]["port"], f"ana@{HOST}", few)
        _say(
            f"  smtp-source: {figures['smtp_source'].get('messages_per_second', 0):,} messages/s without TLS"
        )
        return figures

    def _campaign(self, count: int) -> dict[str, Any]:
        """Plan and send to the first `count` people; return rates, and what each process used for a thousand."""
        from salus.delivery import api as delivery
        from salus.delivery.contracts import Origin
        from salus.kernel.ids import new_id
        from salus.platform.tenancy import acting_for

        spec = replace(self._spec, origin=Origin("campaign", new_id()))
        pids = {**self._supervisor.pids(), **self._helpers.pids()}
        idle, stat = usage(pids), ticks()
        began = time.perf_counter()
        plan = _plan(self._organization.id, spec, count, self._actor, self._helpers)
        planned, planned_stat = usage(pids), ticks()
        send = self._send(spec, count)
        rate = round(count / (time.perf_counter() - began), 1)
        processes = _processes(count, idle, planned, usage(pids))
        with acting_for(self._organization.id):
            progress = delivery.progress(spec.origin)
        if progress.states != {"accepted": count}:
            _say(f"  not everything was accepted: {dict(progress.states)}, refused {dict(progress.refused)}")
        spent = sum(
            each["plan_cpu_ms_per_1000"] + each["send_cpu_ms_per_1000"] for each in processes.values()
        )
        found = {
            "messages": count,
            "messages_per_second": rate,
            "plan": plan,
            "send": send | {"processors_busy": busy(planned_stat, ticks())},
            "processors_busy": busy(stat, ticks()),
            "processes": processes,
            "cpu_ms_per_1000": round(spent + plan["planner_cpu_ms_per_1000"], 1),
        }
        _say(
            f"  {count:,} messages: {rate:,}/s from plan to last receipt, {send['messages_per_second']:,}/s sent, "
            f"{found['cpu_ms_per_1000']:,} ms of processor for 1,000, processors {found['processors_busy']:.0%} busy"
        )
        return found

    def _send(self, spec: Any, count: int) -> dict[str, Any]:
        """Release, and wait for the queue to be empty: a message leaves it with its receipt."""
        from salus.delivery import api as delivery
        from salus.platform.tenancy import acting_for

        began, before = time.perf_counter(), self._caught()
        with acting_for(self._organization.id):
            delivery.release(spec.origin, not_before=datetime.now(UTC), actor=self._actor)
        released = time.perf_counter()
        moved, caught, said = released, 0, released
        while _is_waiting(self._organization.id):
            self._supervisor.tend()
            time.sleep(0.25)
            now, found = time.perf_counter(), self._caught() - before
            if found != caught:
                moved, caught = now, found
            if now - moved > STALLED_SECONDS:
                raise AssertionError(f"{count - caught} messages do not move")
            if now - said > 15:
                said = now
                _say(f"    {caught:,} of {count:,}, {caught / (now - began):,.0f}/s")
        seconds = time.perf_counter() - began
        return {
            "seconds": round(seconds, 2),
            "release_seconds": round(released - began, 2),
            "messages_per_second": round(count / seconds, 1),
        }

    def _caught(self) -> int:
        """Return how many messages the relay counted."""
        inbox = json.loads(self._installation.routes.read_text())["inbox"]
        with urlopen(f"{inbox}stats.json", timeout=10) as answer:
            return int(json.load(answer)["received"])


def _growth(one: dict[str, Any], all_: dict[str, Any]) -> dict[str, Any]:
    """Return how much more all senders send than one, and what keeps them from more."""
    rates = [each["send"]["messages_per_second"] for each in (one, all_)]
    full = all_["send"]["processors_busy"]
    return {
        "one": rates[0],
        "all": rates[1],
        "ratio": round(rates[1] / rates[0], 3),
        "processors_leave": round(1 / one["send"]["processors_busy"], 3),
        "processors_busy": full,
        "limit": "processors" if full > 0.9 else "not the processors",
    }


def _unsigned(sender: Any) -> Any:
    """Return the same sender without our signature, as where a relay signs."""
    return replace(
        sender, name=f"unsigned-{sender.name}", command=[sys.executable, "-m", "benchmarks.unsigned"]
    )


def _is_waiting(organization: UUID) -> bool:
    from salus.delivery.models import QueueRow
    from salus.platform.tenancy import acting_for

    with acting_for(organization):
        return QueueRow.objects.exists()


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


def _plan(organization: UUID, spec: Any, count: int, actor: Any, helpers: Helpers) -> dict[str, Any]:
    """Plan as workers do: one transaction a chunk, and helpers for what is large."""
    from salus.delivery import api as delivery
    from salus.platform.tenancy import acting_for

    numbers: Sequence[int] = range(1, count + 1)
    began, cpu = time.perf_counter(), time.process_time()
    with acting_for(organization):
        delivery.begin_plan(spec, actor=actor, at=datetime.now(UTC))
    shares = helpers.begin(spec.origin.id, count)
    for start in range(0, count, CHUNK):
        with acting_for(organization):
            delivery.plan_chunk(
                spec.origin, numbers[start : start + CHUNK], actor=actor, at=datetime.now(UTC)
            )
    with acting_for(organization):
        counts = delivery.finish_plan(spec.origin, actor=actor)
    helpers.wait(shares)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    if counts.cleared != count:
        raise AssertionError(f"{counts.cleared} of {count} were cleared: {dict(counts.refused)}")
    return {
        "seconds": round(seconds, 2),
        "rows_per_second": round(count / seconds, 1),
        "planner_cpu_ms_per_1000": round(cpu / count * 1e6, 1),
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


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
