"""`salus audit` as an auditor types it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from salus.audit import api as audit
from salus.identity import api as identity
from salus.identity.contracts import Organization
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import SenderRole
from salus.platform.tenancy import acting_for
from salus.wiring.cli import main


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Salus = Callable[..., Said]


@pytest.fixture
def salus(database: Any, settings: Any, capsys: pytest.CaptureFixture[str]) -> Salus:
    """Run the command line against the tests' installation."""
    settings.HOME = database.home

    def run(*words: str | Path) -> Said:
        try:
            code = main([str(word) for word in words])
        except SystemExit as usage:
            code = int(usage.code or 0)
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def clinic(database: Any) -> Organization:
    """A clinic with a signed log."""
    clinic = identity.create_organization(
        name="Audited Clinic",
        slug=f"audited-{new_id().hex[-12:]}",
        sender_role=SenderRole.PROVIDER,
        postal_address="1 Main Street, Springfield, IL 62701",
        phone="+12175550100",
        sending_domain="audited.example",
    )
    with acting_for(clinic.id):
        audit.integrate()
    with acting_for(clinic.id):
        audit.checkpoint()
    return clinic


def test_a_sound_log_exits_with_0_and_a_changed_entry_with_1_and_its_name(
    salus: Salus, clinic: Organization, behind_our_back: Callable[..., None], tmp_path: Path
) -> None:
    with acting_for(clinic.id):
        checkpoint = audit.latest_checkpoint()
        assert checkpoint is not None
        entry = audit.entries()[-1]
    kept = tmp_path / "kept.txt"
    kept.write_text(checkpoint.note)
    sound = salus("audit", "verify", "--checkpoint", kept, "--organization", clinic.slug)
    assert (sound.returncode, sound.stderr) == (0, "")
    assert f"{checkpoint.size} entries" in sound.stdout
    assert "verified" in sound.stdout
    behind_our_back("UPDATE audit_entry SET outcome = 'refused' WHERE id = %s", entry.id)
    changed = salus("audit", "verify", "--organization", clinic.slug, "--json")
    assert changed.returncode == 1
    (fault,) = json.loads(changed.stdout)["faults"]
    assert fault["position"] == entry.position
    assert str(entry.id) in fault["what"]
    spoken = salus("audit", "verify", "--organization", clinic.slug)
    assert spoken.returncode == 1
    assert f"position {entry.position}: entry {entry.id} was changed" in spoken.stderr


@pytest.mark.parametrize("content", [b"", b"not a note\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_checkpoint_exits_with_2(salus: Salus, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "kept.txt"
    file.write_bytes(content)
    refused = salus("audit", "verify", "--checkpoint", file)
    assert refused.returncode == 2
    assert refused.stderr.startswith("salus: ")


def test_an_organization_that_is_not_there_and_a_wrong_word_are_refused(salus: Salus, tmp_path: Path) -> None:
    assert salus("audit", "verify", "--organization", "nobody").returncode == 1
    assert salus("audit", "verify", "--checkpoint", tmp_path / "missing").returncode == 2
    assert salus("audit", "check").returncode == 2


def test_the_command_works_in_a_process_of_its_own(clinic: Organization, database: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "salus.wiring", "audit", "verify", "--organization", clinic.slug],
        env=database.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_log_is_exported_with_the_key_that_verifies_it(
    salus: Salus, clinic: Organization, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    exported = salus("audit", "export", folder, "--organization", clinic.slug)
    assert exported.returncode == 0, exported.stderr
    assert (folder / "checkpoint").read_text().startswith(f"salus/{clinic.id}\n")
    key = salus("audit", "key", "--organization", clinic.slug)
    assert key.stdout.startswith(f"salus/{clinic.id}+")
    again = salus("audit", "export", folder, "--organization", clinic.slug)
    assert again.returncode == 2
    assert "empty folder" in again.stderr
