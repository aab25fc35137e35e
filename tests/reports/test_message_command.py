"""`salus message` as somebody types it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.delivery import api as delivery
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.wiring.cli import main
from tests.reports.world import World
from tools import verify_receipt

Salus = Callable[..., tuple[int, str, str]]


@pytest.fixture
def salus(database: Any, settings: Any, capsys: pytest.CaptureFixture[str]) -> Salus:
    """Run the command line against the tests' installation; return code, output, errors."""
    settings.HOME = database.home

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as usage:
            code = int(usage.code or 0)
        return code, *capsys.readouterr()

    return run


def test_why_a_message_is_protected_so_is_explained(shared: World, salus: Salus) -> None:
    code, said, _ = salus("delivery", "explain", shared.message("accepted"))
    assert code == 0
    assert "The law asks for at least TLS to a mail host that the recipient's domain" in said
    assert "It reached TLS to a mail host" in said
    code, said, _ = salus("delivery", "explain", shared.message("accepted"), "--json")
    found = json.loads(said)
    assert (found["law"], found["asked"], found["floor"]) == ("verified", [], "verified")
    assert salus("delivery", "explain", new_id())[0] == 1
    assert salus("delivery", "explain", "nonsense")[0] == 2


def test_a_receipt_is_readable_in_a_terminal(shared: World, salus: Salus) -> None:
    code, said, _ = salus("message", "receipt", shared.message("accepted"))
    assert code == 0
    assert max(len(line) for line in said.splitlines() if "—" not in line) <= 100
    for words in (
        "Education about a condition",
        "45 CFR 164.501",
        "verified",
        "TLSv1.3",
        "Proven: every step",
    ):
        assert words in said, words
    assert re.search(r"^checkpoint$", said, re.MULTILINE)
    assert "Givenname" not in said
    assert "lakepost.example.test" not in said
    with acting_for(shared.organization.id):
        entry = audit.entries(Filters(action=Action.RECEIPT_READ, object_id=shared.message("accepted")))[0]
    assert (entry.actor_kind, entry.actor_name) == ("system", "command-line")


def test_a_refusal_says_why(shared: World, salus: Salus) -> None:
    with acting_for(shared.organization.id):
        message_id = delivery.recipients(shared.origin, reason="opted_out")[0].message_id
    code, said, _ = salus("message", "receipt", message_id, "--organization", shared.organization.slug)
    assert code == 0
    assert "refused (opted_out)" in said
    assert "NO  The person did not opt out of it." in said
    assert "nothing to prove" in said


def test_the_json_of_a_receipt_is_checked_by_us_and_by_a_stranger(
    shared: World, salus: Salus, tmp_path: Path
) -> None:
    code, said, _ = salus("message", "receipt", shared.message("accepted"), "--json")
    assert code == 0
    told = json.loads(said)
    assert told["proven"] is True
    file = tmp_path / "receipt.json"
    file.write_text(said)
    assert salus("message", "verify", file) == (
        0,
        f"message {shared.message('accepted')}: 1 step, proven\n",
        "",
    )
    file.write_text(json.dumps(told["proof"]))
    assert salus("message", "verify", file)[0] == 0
    assert verify_receipt.main([str(file)]) == 0
    file.write_text(json.dumps(told["proof"]).replace("accepted", "bounced"))
    code, said, faults = salus("message", "verify", file)
    assert (code, "NOT PROVEN" in said) == (1, True)
    assert "not the one that was put into its batch" in faults
    assert verify_receipt.main([str(file)]) == 1


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"proof": 3}', '{"organization": "x"}', "\x00\xff"])
def test_a_file_that_is_no_proof_is_refused(salus: Salus, tmp_path: Path, content: str) -> None:
    file = tmp_path / "proof.json"
    file.write_text(content, encoding="latin-1")
    code, _, said = salus("message", "verify", file)
    assert code == 2
    assert said.startswith("salus: ")


def test_a_proof_of_an_organization_that_is_not_here_is_refused(salus: Salus, tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps({"organization": str(new_id()), "steps": [{}]}))
    assert salus("message", "verify", file)[0] == 2


def test_an_unknown_message_and_a_bad_id_are_told_apart(shared: World, salus: Salus) -> None:
    assert salus("message", "receipt", new_id())[0] == 1
    assert salus("message", "receipt", "rosa")[0] == 2
    assert salus("message", "receipt")[0] == 2
    assert salus("message", "receipt", shared.message("accepted"), "--organization", "nobody-here")[0] == 1
    assert verify_receipt.main([]) == 2
