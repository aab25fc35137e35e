"""One telling of the demo's story, on components of its own, for the tests of the whole."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PATIENTS = 260


@dataclass(frozen=True)
class Told:
    """A finished telling: its home, the summary, and what it printed."""

    home: Path
    summary: dict[str, Any]
    output: str


def two_free_ports() -> int:
    """Return a port that is free, as is the one after it."""
    for _ in range(50):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise AssertionError("no two free ports side by side")


def tell(home: Path, *options: str) -> Told:
    """Run `salus demo --once` on `home` and return what came of it; it must end with 0."""
    summary = home.parent / f"{home.name}.json"
    command = [
        sys.executable,
        "-m",
        "salus.wiring",
        "demo",
        "--once",
        "--home",
        str(home),
        "--json",
        str(summary),
    ]
    done = subprocess.run(
        [*command, "--port", str(two_free_ports()), *options],
        env={name: value for name, value in os.environ.items() if not name.startswith("SALUS_")},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return Told(home, json.loads(summary.read_text()), done.stdout + done.stderr)


@pytest.fixture(scope="session")
def told() -> Iterator[Told]:
    """The story, told once for a small clinic."""
    with tempfile.TemporaryDirectory(prefix="salus-whole-") as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs under another user who must reach its folder
        yield tell(Path(folder) / "home", "--patients", str(PATIENTS))
