"""Every direct dependency is named with its licence and its reason (docs/adr/0002-dependencies.md)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISION = ROOT / "docs" / "adr" / "0002-dependencies.md"
ROW = re.compile(r"^\| ([a-z0-9@/-]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
NEVER = re.compile(r"\bA?GPL|SSPL|BUSL|Commons Clause", re.IGNORECASE)


def names(file: str) -> set[str]:
    if file.endswith("package.json"):
        about = json.loads((ROOT / file).read_text())
        return {*about["dependencies"], *about.get("devDependencies", ())}
    lines = (ROOT / "requirements" / file).read_text().splitlines()
    return {re.split(r"[\[<>=! ]", line)[0].lower() for line in lines if line and line[0] not in "-#"}


PROVIDERS = "tests/identity/providers/package.json"
FILES = {"base.in": 20, "test.in": 10, "web/package.json": 5, "node.in": 1, PROVIDERS: 2}
"""Where direct dependencies stand, and how many there are at least."""


@pytest.mark.parametrize("file", FILES)
def test_every_direct_dependency_has_a_row_with_licence_and_reason(file: str) -> None:
    rows = {name: (licence.strip(), why.strip()) for name, licence, why in ROW.findall(DECISION.read_text())}
    wanted = names(file)
    assert len(wanted) >= FILES[file]
    assert wanted - set(rows) == set()
    for name in wanted:
        licence, why = rows[name]
        assert licence
        assert why
        assert not NEVER.search(licence.replace("LGPL", "")), name


def test_no_row_is_left_of_a_dependency_that_went() -> None:
    rows = {name for name, _, _ in ROW.findall(DECISION.read_text())} - {"package"}
    assert rows == set().union(*map(names, FILES))


@pytest.mark.parametrize("folder", ["web", "tests/identity/providers"])
def test_what_node_runs_is_locked_and_its_lock_names_no_registry(folder: str) -> None:
    locked = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    assert all(one.get("integrity") for path, one in locked.items() if path)
    assert not any("resolved" in one for one in locked.values())
    assert not [path for path, one in locked.items() if path and NEVER.search(one.get("license", "none"))]
