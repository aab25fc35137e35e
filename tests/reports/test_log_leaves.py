"""The log leaves Salus: found and exported by page and command, proved to somebody who has nothing but a file and a key."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Entry, Filters
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.reports import api, log_lines
from salus.reports.contracts import LogForm
from salus.wiring.cli import main
from tests.browser import Console
from tests.reports.conftest import client_of
from tests.reports.world import World

Salus = Callable[..., tuple[int, str, str]]
ENTRY = Entry(
    id=UUID(int=7), at=datetime(2026, 11, 24, 8, 30, 0, 120_000, UTC), action="contacts:record:read",
    actor_kind="staff", actor_id=UUID(int=8), actor_name="", role="analyst", session_id="", ip="2001:db8::1",
    object_kind="contact", object_id=UUID(int=9), patient_id=UUID(int=9), fields=("given_name", "email"),
    purpose="treatment", outcome="ok", reason="", rule_version="", details={"opened": 2}, position=41,
)  # fmt: skip


@pytest.fixture
def salus(database: Any, settings: Any, capsys: pytest.CaptureFixture[str]) -> Salus:
    """Run the command line against the tests' installation."""
    settings.HOME = database.home

    def run(*words: object) -> tuple[int, str, str]:
        try:
            code = main([str(word) for word in words])
        except SystemExit as usage:
            code = int(usage.code or 0)
        return (code, *capsys.readouterr())

    return run


def test_a_line_of_syslog_is_of_rfc_5424() -> None:
    line = log_lines.syslog(ENTRY, "salus.clinic.example")
    found = re.fullmatch(
        r"<(\d{1,3})>1 (\S+) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) (\[[^\]]+\]) @cee: (.*)", line
    )
    assert found
    assert found.group(1, 2, 3, 4, 6, 7) == (
        "110", "2026-11-24T08:30:00.120000Z", "salus.clinic.example", "salus", "contacts:record:read",
        '[origin software="salus"]',
    )  # fmt: skip
    assert json.loads(found.group(8))["patient_id"] == str(ENTRY.patient_id)
    assert log_lines.syslog(replace(ENTRY, outcome="failed"), "").startswith(
        "<108>1 2026-11-24T08:30:00.120000Z - "
    )
    assert log_lines.syslog(replace(ENTRY, outcome="refused"), "").startswith("<109>1 ")


def test_every_action_fits_into_the_name_of_a_syslog_message() -> None:
    assert [action for action in Action if len(action) > log_lines.LONGEST_MSGID] == []


def test_no_cell_of_the_csv_is_a_formula() -> None:
    (line,) = log_lines.lines(
        [replace(ENTRY, reason="=cmd+1", actor_name="@sum", role="-2")], LogForm.CSV, ""
    )
    cells = dict(zip(log_lines.COLUMNS, next(csv.reader(io.StringIO(line))), strict=True))
    assert (cells["reason"], cells["actor_name"], cells["role"]) == ("'=cmd+1", "'@sum", "'-2")
    assert (cells["fields"], cells["details"]) == ("given_name email", '{"opened":2}')


def test_the_page_exports_what_fits_and_writes_that_down(own: World) -> None:
    client = client_of(own, "auditor")
    patient = own.people[0]
    asked = f"/log/export/?patient={patient}"
    answer = client.post(asked, {"form": "json"})
    assert answer["Content-Disposition"] == 'attachment; filename="log.jsonl"'
    found = [json.loads(line) for line in answer.getvalue().decode().splitlines()]
    assert {each["patient_id"] for each in found} == {str(patient)}
    assert [each["at"] for each in found] == sorted(each["at"] for each in found)
    with acting_for(own.organization.id):
        (entry,) = audit.entries(Filters(action=Action.AUDIT_LOG_EXPORT))
    assert (entry.patient_id, entry.fields, entry.reason, entry.actor_kind) == (
        patient, ("patient_id",), "json", "staff",
    )  # fmt: skip
    table = client.post(asked, {"form": "csv"}).getvalue().decode()
    assert len(list(csv.reader(io.StringIO(table)))) == len(found) + 2  # a head, and the export before it
    lines = client.post(asked, {"form": "syslog"}).getvalue().decode()
    assert all(line.startswith("<1") for line in lines.splitlines())


def test_an_export_in_no_known_form_or_by_a_faulty_filter_is_none(own: World, outsider: Console) -> None:
    client = client_of(own, "auditor")
    assert client.post("/log/export/", {"form": "xml"}).status_code == 400
    assert client.post("/log/export/?patient=rosa", {"form": "csv"}).status_code == 400
    assert client.get("/log/export/").status_code == 405
    assert client_of(own, "marketer").post("/log/export/", {"form": "csv"}).status_code == 404
    foreign = outsider.client("auditor").post(f"/log/export/?patient={own.people[0]}", {"form": "json"})
    (line,) = foreign.getvalue().decode().splitlines()
    assert json.loads(line)["action"] == "audit:log:export"  # what they just did, in their own log


def test_an_export_is_made_chunk_by_chunk_and_leaves_nothing_out(
    own: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("salus.reports.log.CHUNK", 7)
    actor = system(own.organization.id, "test")
    at = datetime(2020, 1, 1, tzinfo=UTC)
    with acting_for(own.organization.id):
        made = [
            audit.record(
                Action.TIMELINE_READ, actor=actor, object_kind="contact", at=at + timedelta(hours=each // 3)
            )
            for each in range(24)
        ]
        lines = api.export_log(
            Filters(since=at, until=at + timedelta(days=1)), LogForm.JSON, host="", actor=actor
        )
    assert [json.loads(line)["id"] for line in "".join(lines).splitlines()] == [str(each) for each in made]


def test_the_command_finds_by_actor_patient_object_and_time(inside: World, salus: Salus) -> None:
    slug, patient = inside.organization.slug, inside.people[0]
    code, out, _ = salus("audit", "search", "--patient", patient, "--json", "--organization", slug)
    assert code == 0
    assert {json.loads(line)["patient_id"] for line in out.splitlines()} == {str(patient)}
    _, out, _ = salus("audit", "search", "--object", inside.plan_id, "--organization", slug)
    assert "delivery:message:plan" in out
    assert len(salus("audit", "search", "--limit", 3, "--organization", slug)[1].splitlines()) == 3
    today = datetime.now(UTC).date()
    none = salus("audit", "search", "--until", today - timedelta(days=9), "--organization", slug)
    assert none[:2] == (0, "No entry fits.\n")
    assert salus("audit", "search", "--since", today, "--until", today, "--organization", slug)[0] == 0


@pytest.mark.parametrize(
    "words",
    [("--actor", "ruth"), ("--patient", "1"), ("--object", "x"), ("--action", "nonsense"), ("--since", "monday"),
     ("--until", "2026-11-01T08:00:00"), ("--limit", "0")],
)  # fmt: skip
def test_a_filter_that_cannot_be_is_refused(salus: Salus, words: tuple[str, ...]) -> None:
    code, out, err = salus("audit", "search", *words, "--organization", "nobody")
    assert (code, out) == (2, "")
    assert words[0] in err


def test_the_command_exports_into_a_new_file_that_only_its_owner_reads(
    inside: World, salus: Salus, tmp_path: Path
) -> None:
    slug, target = inside.organization.slug, tmp_path / "log.csv"
    assert salus("audit", "export", target, "--as", "csv", "--organization", slug)[0] == 0
    assert target.stat().st_mode & 0o777 == 0o600
    rows = list(csv.reader(io.StringIO(target.read_text())))
    assert tuple(rows[0]) == log_lines.COLUMNS
    assert len(rows) > 20
    again = salus("audit", "export", target, "--as", "csv", "--organization", slug)
    assert (again[0], "new file" in again[2]) == (2, True)
    narrowed = salus("audit", "export", tmp_path / "tiles", "--outcome", "ok", "--organization", slug)
    assert (narrowed[0], "whole log" in narrowed[2]) == (2, True)


@pytest.fixture
def proof(shared: World, salus: Salus, tmp_path: Path) -> tuple[Path, Path]:
    """A message's proof and the log's key, in files."""
    file, key = tmp_path / "proof.json", tmp_path / "key.txt"
    code, out, err = salus("audit", "prove", shared.message("accepted"), "--out", file)
    assert code == 0, err
    assert "check-proof" in out
    key.write_text(salus("audit", "key", "--organization", shared.organization.slug)[1])
    return file, key


def test_a_proof_is_checked_where_there_is_no_installation(
    proof: tuple[Path, Path], shared: World, tmp_path: Path
) -> None:
    bare = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SALUS_", "DATABASE_", "DJANGO_"))
    }
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "salus.wiring", "audit", "check-proof", *proof[:1], "--key", proof[1]],
        env={**bare, "SALUS_HOME": str(empty), "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=empty, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(rf"message {shared.message('accepted')}: \d+ steps?, proven\n", done.stdout)
    assert list(empty.iterdir()) == []


def test_a_proof_that_was_touched_does_not_hold(proof: tuple[Path, Path], salus: Salus) -> None:
    file, key = proof
    true = json.loads(file.read_text())

    def faults(**changed: object) -> str:
        given = json.loads(json.dumps(true))
        given["steps"][0].update(changed)
        file.write_text(json.dumps(given))
        code, out, err = salus("audit", "check-proof", file, "--key", key)
        assert (code, "NOT PROVEN" in out) == (1, True)
        return err

    step = true["steps"][0]
    assert "not the one that was put into its batch" in faults(
        receipt=step["receipt"].replace("message", "massage", 1)
    )
    assert "does not lead" in faults(position=step["position"] + 1)
    assert "does not lead" in faults(entry_path=step["entry_path"][:-1])
    assert "not signed" in faults(checkpoint=step["checkpoint"].replace(f"\n{step['size']}\n", "\n1\n"))
    assert "another size or root" in faults(size=step["size"] + 1)


def test_a_proof_does_not_hold_by_somebody_elses_key(
    proof: tuple[Path, Path], salus: Salus, outsider: Console, tmp_path: Path
) -> None:
    other = tmp_path / "other.txt"
    other.write_text(salus("audit", "key", "--organization", outsider.organization.slug)[1])
    code, _, err = salus("audit", "check-proof", proof[0], "--key", other)
    assert code == 1
    assert "another organization's log" in err
    assert "not signed by this log's key" in err


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", '{"proof": 3}', '{"format": "salus/receipt-proof/1"}',
     '{"format": "salus/receipt-proof/1", "steps": [{}]}', '{"format": "salus/receipt-proof/1", "steps": [1]}'])  # fmt: skip
def test_what_is_no_proof_is_refused(
    proof: tuple[Path, Path], salus: Salus, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "given.json"
    file.write_text(content)
    assert salus("audit", "check-proof", file, "--key", proof[1])[0] == 2


@pytest.mark.parametrize("content", [b"", b"salus/x", b"a+00000000+AAAA", b"\xff\xfe"])
def test_what_is_no_key_is_refused(
    proof: tuple[Path, Path], salus: Salus, tmp_path: Path, content: bytes
) -> None:
    key = tmp_path / "given.key"
    key.write_bytes(content)
    assert salus("audit", "check-proof", proof[0], "--key", key)[0] == 2
    changed = proof[1].read_text().replace("+", "+0", 1)
    key.write_text(changed)
    assert salus("audit", "check-proof", proof[0], "--key", key)[0] == 2


def test_what_cannot_be_proved_says_why(shared: World, salus: Salus, tmp_path: Path) -> None:
    assert salus("audit", "prove", "rosa")[0] == 2
    assert salus("audit", "prove", new_id())[0] == 1
    assert salus("audit", "prove", shared.message("accepted"), "--organization", "nobody")[0] == 1
    taken = tmp_path / "taken"
    taken.write_text("")
    assert salus("audit", "prove", shared.message("accepted"), "--out", taken)[0] == 2
