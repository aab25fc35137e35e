"""The unit for systemd in the documentation is one that systemd takes, and shuts its service in."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
UNIT, PAGE = DOCS / "salus.service", DOCS / "service.md"
EXPOSURE = 20
"""Of 100, as `systemd-analyze security` counts: a service without any of it has 96."""


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    assert program, "This test needs systemd-analyze: apt install systemd (./test does it where it may)."
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with the program where it is here, and a user that is here."""
    text = UNIT.read_text().replace("/opt/salus/.venv", sys.prefix).replace("=salus\n", "=root\n")
    path = tmp_path / "salus.service"
    path.write_text(text)
    return path


def test_systemd_takes_the_unit_without_a_word(unit: Path) -> None:
    assert (Path(sys.prefix) / "bin" / "salus").exists()
    said = analyze("verify", "--man=no", str(unit))
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_a_mistake_in_it_would_be_seen(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystems=strict"))
    assert "ProtectSystems" in analyze("verify", "--man=no", str(unit)).stderr


def test_the_service_is_shut_in(unit: Path) -> None:
    unit.write_text(UNIT.read_text())
    words = ("security", "--offline=true", "--no-pager")
    assert analyze(*words, f"--threshold={EXPOSURE}", str(unit)).returncode == 0
    unit.write_text(
        re.sub(r"(?m)^(Protect|Restrict|Private|System|NoNew|Cap|Lock).*\n", "", unit.read_text())
    )
    assert analyze(*words, f"--threshold={EXPOSURE}", str(unit)).returncode != 0, "the measure measures"


def test_only_its_data_is_written_and_the_page_says_who_makes_that_folder() -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text())
    service = parser["Service"]
    home = service["Environment"].partition("SALUS_HOME=")[2]
    assert service["ReadWritePaths"] == home
    assert service["ProtectSystem"] == "strict"
    assert service["KillMode"] == "mixed", "the supervisor stops its processes in order, not systemd"
    page = PAGE.read_text()
    assert f"install -d -o {service['User']} -g {service['Group']} -m 0700 {home}" in page
    assert f"SALUS_HOME={home}" in page
