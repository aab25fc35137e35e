"""`salus gate` at the command line: what it prints, and what it says to a file it cannot use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from salus.gate.rules.table import RULES
from salus.wiring.cli import main

from .test_facts_file import case

OWN_SERVICE = {"purpose": "own_service_announcement", "promotes": "own_health"}


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], str]:
    def save(document: Any) -> str:
        path = tmp_path / "facts.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return str(path)

    return save


def test_decide_prints_one_decision_a_person_in_order(
    write: Callable[[Any], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gate", "decide", write([case(), case(OWN_SERVICE)]), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["allowed"]
    assert second["reason"] == "no_authorization"
    assert second["rules"][0] == "D13a"


def test_decide_prints_for_people_too(
    write: Callable[[Any], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gate", "decide", write([case(), case(OWN_SERVICE)])]) == 0
    shown = capsys.readouterr().out
    assert "not allowed (no_authorization)" in shown
    assert "Ask the person to sign." in shown
    assert "cara@example.org" not in shown


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (case(person={"birth_date": "soon"}), "$.persons[0].birth_date: must be a date"),
        ('{"message":\n  nonsense', "facts.json, line 2: is not JSON"),
        ("[1]", "$[0]: must be an object"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_usage_fault(
    document: Any, says: str, write: Callable[[Any], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gate", "decide", write(document)]) == 2
    assert says in capsys.readouterr().err


def test_a_file_that_is_not_there_is_a_usage_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gate", "decide", str(tmp_path / "none.json")]) == 2
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    assert main(["gate", "decide", str(binary)]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_explain_says_what_a_code_means_and_refuses_a_stranger(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", "explain", "D08"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("D08: Education about a condition")
    assert "Law: 45 CFR 164.501" in shown
    assert main(["gate", "explain", "no_opt_in", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["code"] == "no_opt_in"
    assert main(["gate", "explain", "nonsense"]) == 2


def test_schema_and_rules_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Facts for the gate"
    assert main(["gate", "rules", "--json"]) == 0
    assert [rule["id"] for rule in json.loads(capsys.readouterr().out)["rules"]] == [
        rule.id for rule in RULES
    ]
    assert main(["gate", "rules"]) == 0
    assert "D08  [federal]  strict: none; floor: none" in capsys.readouterr().out


def test_the_page_for_privacy_officers_has_the_rules_of_today() -> None:
    from salus.gate import api

    page = Path(__file__).parents[2] / "docs" / "law.md"
    text = page.read_text(encoding="utf-8")
    assert api.with_table(text) == text, "run: salus gate rules --write docs/law.md"


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Nothing here\n", encoding="utf-8")
    assert main(["gate", "rules", "--write", str(page)]) == 2
    assert page.read_text(encoding="utf-8") == "# Nothing here\n"


def test_a_page_is_brought_up_to_date(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- rules: begin -->\nold\n<!-- rules: end -->\nafter\n", encoding="utf-8")
    assert main(["gate", "rules", "--write", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "| D08 |" in text
    assert "\nold\n" not in text
