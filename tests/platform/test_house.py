"""Invariants of the house that no import shows: who opens sockets, and what may not stand in the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SALUS = ROOT / "salus"

OPENS = {
    "create_connection",
    "open_connection",
    "create_datagram_endpoint",
    "open_unix_connection",
    "create_unix_connection",
    "urlopen",
    "HTTPConnection",
    "HTTPSConnection",
    "socket",
}
"""Calls that open a way out of the process."""

MAY_OPEN = {
    ("delivery/transports/session.py", "create_connection"): "the one mouth",
    (
        "delivery/transports/outside.py",
        "open_connection",
    ): "the one mouth: calls and questions to services in scope",
    ("delivery/transports/syslog.py", "create_connection"): "the one mouth: log servers in scope",
    ("delivery/transports/local.py", "socket"): "binds to an address, to learn whether it is of this machine",
    ("keys/transit.py", "HTTPConnection"): "the key service, on loopback",
    ("keys/transit.py", "HTTPSConnection"): "the key service that wraps an organization's keys",
    ("audiences/client.py", "socket"): "AF_UNIX: the engine of this machine",
    ("audiences/engine/server.py", "socket"): "AF_UNIX: the engine of this machine",
    ("files/scanning.py", "socket"): "AF_UNIX: the virus scanner of this machine",
    ("wiring/installation.py", "urlopen"): "is the web server of this machine up",
    ("platform/listening.py", "socket"): "is a port of this machine free",
}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def test_only_the_transports_open_a_way_out() -> None:
    found = {
        (str(path.relative_to(SALUS)), name)
        for path in SALUS.rglob("*.py")
        for name, _ in calls(path)
        if name in OPENS
    }
    assert found <= set(MAY_OPEN)
    assert ("delivery/transports/session.py", "create_connection") in found, "the search finds the one mouth"


def test_sockets_outside_of_the_transports_stay_on_this_machine() -> None:
    for name in ("audiences/client.py", "audiences/engine/server.py", "files/scanning.py"):
        for called, call in calls(SALUS / name):
            if called == "socket":
                assert ast.unparse(call.args[0]) == "socket.AF_UNIX"


def test_only_one_module_asks_dns() -> None:
    asks = [
        path
        for path in SALUS.rglob("*.py")
        if re.search(r"^(?:import|from) dns\b", path.read_text(), re.MULTILINE)
    ]
    assert [str(path.relative_to(SALUS)) for path in asks] == ["delivery/transports/dns.py"]


def files_of_the_project() -> Iterator[Path]:
    for place in ("salus", "tests", "tools", "docs", "benchmarks", "requirements", ".ci"):
        yield from (
            path
            for path in (ROOT / place).rglob("*")
            if not {"__pycache__", "node_modules"} & set(path.parts)
        )
    yield from ROOT.glob("*")


def test_no_file_names_a_registry_or_a_folder_of_somebodys_machine() -> None:
    names = (
        "py" + "pi.org",
        "python" + "hosted",
        "registry." + "npmjs",
        "deb." + "debian",
        "/ro" + "ot/",
        "/wo" + "rk/",
    )
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files_of_the_project()
        if path.is_file() and path != Path(__file__)
        for name in names
        if name.encode() in path.read_bytes()
    ]
    assert wrong == []


def test_every_locked_package_has_a_hash() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        pinned = [each for each in re.split(r"\n(?=[a-z0-9])", lock.read_text()) if "==" in each]
        assert pinned
        assert all("--hash=sha256:" in each for each in pinned)


def test_no_exception_is_swallowed_without_a_word() -> None:
    """`except Exception: pass` hides an error that made, or lost, a message."""
    silent = []
    for path in SALUS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = ast.unparse(node.type) if node.type else ""
            if caught in {"", "Exception", "BaseException"} and all(
                isinstance(each, ast.Pass | ast.Continue) for each in node.body
            ):
                silent.append(f"{path.relative_to(SALUS)}:{node.lineno}")
    assert silent == []
