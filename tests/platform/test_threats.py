"""The page of threats shows each claim by a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threats.md").read_text()


def names_of_tests() -> set[str]:
    return {
        node.name
        for path in (ROOT / "tests").glob("**/test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }


def test_every_test_that_the_page_of_threats_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 40
    assert named - names_of_tests() == set()


def test_every_attack_has_what_stops_it_and_a_test() -> None:
    rows = [line for line in PAGE.partition("## A stranger")[2].splitlines() if line.startswith("| ")]
    assert (
        len(
            re.findall(r"(?m)^## ", PAGE.partition("## A stranger")[2].partition("## What is not stopped")[0])
        )
        == 5
    )
    attacks = [row for row in rows if not row.startswith(("| attack", "|---"))]
    assert len(attacks) > 25
    for row in attacks:
        _, attack, stops, shown, _ = row.split("|")
        assert attack.strip()
        assert stops.strip()
        assert re.search(r"`test_\w+`", shown), row
