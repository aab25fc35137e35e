"""`salus template`: what authors use at a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from salus.wiring.cli import main

from .desk import page


def write(folder: Path, body: str) -> str:
    file = folder / "letter.mjml"
    file.write_text(page(body), encoding="utf-8")
    return str(file)


def test_a_good_template_is_told_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["template", "check", write(tmp_path, "\n{% if contact.pregnant %}x{% endif %}")]) == 0
    assert "line 2: tests pregnant (diagnosis, reproductive)" in capsys.readouterr().out


def test_every_problem_is_told_and_the_exit_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, "{{ contact.nothing }}<a href='https://other.example/'>x</a>")
    assert main(["template", "check", file, "--subject", "Your A1c", "--domain", "cedarrow.example.org"]) == 1
    shown = capsys.readouterr().out
    assert shown.count("PROBLEM") == 3
    assert main(["template", "check", file, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [problem["place"] for problem in told["problems"]] == ["line 1", "line 1"]


def test_a_preview_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, "Hola {{ contact.given_name }}, {{ contact.birth_date }}")
    assert main(["template", "preview", file, "--plain", "--language", "es"]) == 0
    assert capsys.readouterr().out.startswith("Hola Rosa, 17 de abril de 1961\n")
    assert main(["template", "preview", write(tmp_path, "{{ x }}")]) == 1


def test_a_file_that_cannot_be_read_is_a_usage_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["template", "check", str(tmp_path / "nothing.mjml")]) == 2
    assert "nothing.mjml" in capsys.readouterr().err
    (tmp_path / "latin.mjml").write_bytes(b"\xe9\xff")
    assert main(["template", "check", str(tmp_path / "latin.mjml")]) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_the_fields_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["template", "fields"]) == 0
    assert "contact.pregnant" in capsys.readouterr().out
    assert main(["template", "fields", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pregnant"]["special"] == "reproductive"
