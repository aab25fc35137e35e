"""`./bench submit`: messages accepted and durable a second over 20 connections, beside the database's own commits."""

from __future__ import annotations

import json
import os
import re
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from benchmarks.processes import usage
from benchmarks.send import HOST, people

CONNECTIONS, COMMIT_SECONDS, PORT = 20, 10, 8465
PEOPLE = 1_000
TARGETS: dict[str, tuple[float, Callable[[float, float], bool]]] = {
    "messages accepted and not in the queue": (0, float.__le__),
    "listener memory MB": (300, float.__lt__),
}
_ROW = "CREATE TABLE IF NOT EXISTS bench_commit (id bigserial PRIMARY KEY, body bytea)"
_INSERT = "INSERT INTO bench_commit (body) VALUES (decode(repeat('ab', 2000), 'hex'));\n"


def run(messages: int, json_path: str | Path | None) -> int:
    """Submit `messages`; write figures and targets; 1 when a target is missed."""
    from salus.wiring.home import Home
    from salus.wiring.installation import Installation

    with tempfile.TemporaryDirectory(prefix="salus-bench-") as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs under another user who must reach its folder
        installation = Installation(Home(Path(folder) / "home"), os.environ.get("DATABASE_URL"))
        os.environ.update(installation.environment)
        with installation.running(_say) as supervisor:
            figures = _measure(messages, installation, supervisor, Path(folder))
    values = {
        "messages accepted and not in the queue": float(figures["accepted"] - figures["queued"]),
        "listener memory MB": figures["listener_peak_mb"],
    }
    targets = {
        name: {"value": values[name], "bar": bar, "met": met(values[name], float(bar))}
        for name, (bar, met) in TARGETS.items()
    }
    if json_path:
        Path(json_path).write_text(json.dumps({"figures": figures, "targets": targets}, indent=2) + "\n")
    for name, one in targets.items():
        _say(f"{'met   ' if one['met'] else 'MISSED'} {name}: {one['value']:,} (bar {one['bar']:,})")
    return 0 if all(one["met"] for one in targets.values()) else 1


def _measure(count: int, installation: Any, supervisor: Any, folder: Path) -> dict[str, Any]:
    from salus.wiring.cli import setup

    setup()
    from salus.delivery.models import QueueRow
    from salus.delivery.protection.authority import Authority
    from salus.identity import api as identity
    from salus.identity.contracts import Permission
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for
    from salus.wiring.demo.cast import clinic

    organization = clinic()
    actor = system(organization.id, "bench")
    people(organization.id, PEOPLE, actor)
    with acting_for(organization.id):
        key = identity.create_api_key(
            "bench", [Permission.DELIVERY_MESSAGE_SUBMIT], actor=actor, allowed=Permission
        )
    authority = Authority(datetime.now(UTC))
    issued = authority.issue(["localhost"])
    (folder / "cert.pem").write_bytes(issued.certificate)
    (folder / "key.pem").write_bytes(issued.key)
    options = {
        "--listen-tls": f"127.0.0.1:{PORT}",
        "--certificate": str(folder / "cert.pem"),
        "--key": str(folder / "key.pem"),
    }
    supervisor.start(installation.submission(options))
    figures: dict[str, Any] = {"messages": count, "connections": CONNECTIONS, "processors": os.cpu_count()}
    _listens()
    commits = [_commits(installation)]
    context = ssl.create_default_context(cadata=authority.pem)
    letters = list(_letters(count, organization.sending_domain))
    idle, mine, began = usage(supervisor.pids()), time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        shares = [letters[number::CONNECTIONS] for number in range(CONNECTIONS)]
        accepted = sum(pool.map(lambda share: _submit(share, key, context), shares))
    figures["seconds"] = round(time.perf_counter() - began, 2)
    figures["accepted"] = accepted
    figures["messages_per_second"] = round(accepted / figures["seconds"], 1)
    client, spent = time.process_time() - mine, usage(supervisor.pids())
    figures["cpu_ms_per_message"] = {
        name: round((spent[name].cpu - idle[name].cpu) / count * 1000, 2) for name in spent
    } | {"client": round(client / count * 1000, 2)}
    figures["listener_peak_mb"] = spent["smtp"].peak_mb
    commits.append(_commits(installation))
    figures["commits_per_second"] = round(sum(commits) / 2, 1)
    figures["ratio"] = round(figures["messages_per_second"] / figures["commits_per_second"], 3)
    with acting_for(organization.id):
        figures["queued"] = QueueRow.objects.count()
    _say(
        f"  {figures['messages_per_second']:,} messages/s over {CONNECTIONS} connections; "
        f"pgbench commits {figures['commits_per_second']:,} rows/s over as many"
    )
    _say(f"  processor ms a message: {figures['cpu_ms_per_message']}")
    return figures


def _letters(count: int, domain: str) -> Iterator[tuple[str, str, bytes]]:
    """Yield sender, recipient and bytes of different reminders of about 5 kB."""
    for number in range(count):
        to, sender = f"ana{number % PEOPLE}@{HOST}", f"care@{domain}"
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, to, "Your appointment"
        message["Message-ID"] = f"<{number}@bench.example.org>"
        message["X-Salus-Purpose"], message["X-Salus-Topic"] = (
            "appointment_confirm_remind_reschedule",
            "visits",
        )
        message["X-Salus-Promotes"], message["X-Salus-Remuneration"] = "nothing", "none"
        message["X-Salus-Discloses"] = "contact, dates_of_care"
        message.set_content("Your appointment is on Tuesday at 14:30.\n" * 40)
        message.add_alternative("<p>Your <b>appointment</b> is on Tuesday at 14:30.</p>" * 50, subtype="html")
        yield sender, to, message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def _listens() -> None:
    """Wait until the listener answers: its start is not what is measured."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", PORT), 5).close()
        except ConnectionRefusedError:
            time.sleep(0.2)
        else:
            return


def _submit(letters: list[tuple[str, str, bytes]], key: str, context: ssl.SSLContext) -> int:
    """Submit letters over one connection; return how many were accepted."""
    accepted = 0
    with smtplib.SMTP_SSL("localhost", PORT, context=context, timeout=60) as client:
        client.login("bench", key)
        for sender, to, data in letters:
            client.mail(sender)
            client.rcpt(to)
            accepted += client.data(data)[0] == 250
    return accepted


def _commits(installation: Any) -> float:
    """Return how many rows of the size of a sealed message `pgbench` commits a second, one a transaction."""
    import psycopg

    from salus.platform import postgres
    from salus.wiring.home import admin_dsn, database_name

    found = admin_dsn(installation.home, installation.database_url)
    dsn = psycopg.conninfo.make_conninfo(found, dbname=database_name(installation.database_url))
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_ROW)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_INSERT)
        script.flush()
        said = subprocess.run(
            [
                str(postgres.binaries() / "pgbench"),
                *("-n", "-f", script.name, "-c", str(CONNECTIONS), "-j", "2", "-T", str(COMMIT_SECONDS)),
                dsn,
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    rate = re.search(r"tps = ([\d.]+)", said)
    assert rate, said
    return float(rate[1])


def _say(text: str) -> None:
    print(text, flush=True)
